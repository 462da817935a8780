"""Lets every test see that each alert of the product has its entry in gateway/alert_texts.toml."""

import sys
from collections.abc import Callable
from typing import Any

from gateway.alert_texts import TEXT_MAX, entries
from gateway.model import Alert

PASS_ON = {"rules.health", "gateway.store.reading", "gateway.store.attention"}
"""They raise what others tell them of."""


def watch_alerts() -> None:
    """From now on an alert that the table does not know is an error where it is raised."""
    make: Callable[..., None] = Alert.__init__

    def checked(alert: Alert, *fields: Any, **named: Any) -> None:
        make(alert, *fields, **named)
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))
        if caller.startswith(("rules.", "gateway.")) and caller not in PASS_ON:
            complaint = complaint_of(alert)
            assert not complaint, f"{caller}: {complaint}: correct gateway/alert_texts.toml"

    Alert.__init__ = checked  # type: ignore[method-assign]


def complaint_of(alert: Alert) -> str:
    """What the table lacks for it, or ""."""
    entry = entries().get(alert.code)
    if entry is None:
        return f"alert {alert.code!r} has no entry"
    if alert.severity not in entry.severity:
        return f"alert {alert.code!r} is {alert.severity}"
    known = entry.raised if alert.raised else entry.cleared
    if len(alert.text) == TEXT_MAX:
        return ""  # cut where a code of the site is long
    if known and not any(sentence.pattern.fullmatch(alert.text) for sentence in known):
        return f"no sentence of {alert.code!r} fits {alert.text!r}"
    return ""
