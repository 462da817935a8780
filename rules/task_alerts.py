"""The alerts of orders: each is raised once and cleared once, durable. Part of the task rule.

    over_issue:{task}       more was moved than asked and tolerated
    short:{task}            a task was closed with less than asked
    wrong_item:{task}       pieces of another item, or others than asked, were moved instead
    wrong_place:{task}      the item came from another place than asked, or went to another
    unplanned:{place}:{item} something left a place where all needs an order, without one
    tasks_full              more tasks are open than can be

One is cleared when as many pieces are back as it was raised for, when the core takes the task back
before it is closed, or after a day: that the core has read what became of a task mends nothing. One
that stands is raised anew for what is new, unless that was just done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from gateway.model import NS_PER_S, Alert, Ns, Severity
from gateway.ports import NOTHING, Row, Turn
from rules.turns import together

ALERT_ROW = "alert:"

STANDS_NS = 24 * 3600 * NS_PER_S
"""By then a person has looked, or will not."""

ANEW_NS = 60 * NS_PER_S
"""An alert that was raised so shortly before is still in everybody's eyes."""

STANDING_MAX = 1_000
"""More than anybody can look at; of more, the alert that stands longest is cleared."""

TEXT_MAX = 1024
"""What the contract lets an alert say: codes of the site may be long."""

SETTLED = "{key}: it is settled"
EXPIRED = "{key}: nobody settled it in a day; the records keep it"


@dataclass(frozen=True, slots=True)
class _Standing:
    """So many pieces are not back; `raised_at` is when that was last said."""

    severity: Severity
    pieces: int
    raised_at: Ns


class TaskAlerts:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._standing: dict[str, _Standing] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back what stands."""
        for row in rows:
            if row.key.startswith(ALERT_ROW):
                value: Any = row.value
                at = value["at"] if value["boot"] == self._boot else self._last_alive
                standing = _Standing(value["severity"], value["pieces"], at)
                self._standing[row.key.removeprefix(ALERT_ROW)] = standing

    def more(self, now: Ns, key: str, pieces: int, text: str) -> Turn:
        """So many pieces more are wrong."""
        old = self._standing.get(key)
        return self.now(now, key, (old.pieces if old else 0) + pieces, text)

    def now(
        self, now: Ns, key: str, pieces: int, text: str, severity: Severity = "warning"
    ) -> Turn:
        """So many pieces are wrong in all; none, and the alert is cleared if it stands."""
        old = self._standing.get(key)
        if pieces <= 0:
            return NOTHING if old is None else self._clear(now, key, SETTLED)
        if old is not None and (pieces <= old.pieces or now - old.raised_at < ANEW_NS):
            if pieces == old.pieces:
                return NOTHING
            return Turn(puts=(self._put(key, replace(old, pieces=pieces)),))
        told = (Alert(_code(key), key, True, severity, text[:TEXT_MAX], now),)
        cleared = NOTHING
        if old is not None:
            cleared = self._clear(now, key, SETTLED)
        elif len(self._standing) >= STANDING_MAX:
            cleared = self._clear(now, next(iter(self._standing)), EXPIRED)
        put = self._put(key, _Standing(severity, pieces, now))
        return together(cleared, Turn(facts=told, puts=(put,)))

    def less(self, now: Ns, key: str, pieces: int) -> Turn:
        """So many pieces are back."""
        old = self._standing.get(key)
        return NOTHING if old is None else self.now(now, key, old.pieces - pieces, "")

    def taken_back(self, now: Ns, task: str) -> Turn:
        """The core has taken a task back while it was open: nothing is asked any more."""
        keys = [f"{code}:{task}" for code in ("over_issue", "short", "wrong_item", "wrong_place")]
        return together(*(self._clear(now, key, SETTLED) for key in keys if key in self._standing))

    def overdue(self, now: Ns) -> Turn:
        """Clear what stood long enough."""
        old = [key for key, each in self._standing.items() if each.raised_at + STANDS_NS <= now]
        return together(*(self._clear(now, key, EXPIRED) for key in old))

    def next_due(self) -> Ns | None:
        """When the next has stood long enough."""
        dues = (standing.raised_at + STANDS_NS for standing in self._standing.values())
        return min(dues, default=None)

    def _clear(self, now: Ns, key: str, text: str) -> Turn:
        severity = self._standing.pop(key).severity
        alert = Alert(_code(key), key, False, severity, text.format(key=key)[:TEXT_MAX], now)
        return Turn(facts=(alert,), deletes=(ALERT_ROW + key,))

    def _put(self, key: str, standing: _Standing) -> Row:
        self._standing[key] = standing
        return Row(
            ALERT_ROW + key,
            {
                "severity": standing.severity,
                "pieces": standing.pieces,
                "at": standing.raised_at,
                "boot": self._boot,
            },
        )


def _code(key: str) -> str:
    return key.partition(":")[0]
