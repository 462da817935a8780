"""Drivers and rules, found by their entry points: our own and anybody's alike."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from gateway.ports import ConfigError, PluginSettings

DRIVERS = "shelfgate.drivers"
RULES = "shelfgate.rules"

RULE_ORDER = (
    "presence",
    "portal",
    "weight",
    "count",
    "movement",
    "person",
    "task",
    "commission",
    "stocktake",
    "lots",
    "stock",
    "health",
    "light",
)
"""Facts go from left to right; a rule that is not named here runs last, by name."""


def plugins(group: str) -> dict[str, EntryPoint]:
    """The plugins of a group by name; rules in the order in which they run."""
    found = {entry.name: entry for entry in entry_points(group=group)}
    if group == RULES:
        return {name: found[name] for name in sorted(found, key=_rule_rank)}
    return dict(sorted(found.items()))


def load(group: str, name: str) -> Any:
    """The plugin's class; ConfigError if there is none or it cannot be imported."""
    entry = plugins(group).get(name)
    if entry is None:
        known = sorted(plugins(group))
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"no {group.removeprefix('shelfgate.')[:-1]} {name!r}{hint} (known: {', '.join(known)})"
        )
    try:
        plugin = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{name!r} ({entry.value}) cannot be loaded: {error}") from error
    settings = getattr(plugin, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, PluginSettings)):
        raise ConfigError(f"{name!r} ({entry.value}) declares no Settings(PluginSettings)")
    return plugin


def _rule_rank(name: str) -> tuple[int, str]:
    return (RULE_ORDER.index(name) if name in RULE_ORDER else len(RULE_ORDER), name)
