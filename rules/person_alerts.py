"""Alerts about who moved something: one for each code and place, or movement that a person says was
wrong; raised once while it goes on.

    it happened ------------------------------> raised, unless it stands
    it did not happen there for a while ------> cleared, and the movements keep what was so

Durable. Part of the person rule.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from gateway.model import NS_PER_S, Alert, Ns, Severity
from gateway.ports import NOTHING, Row, Turn

ALERT_ROW = "alert:"

ERRAND_NS = 600 * NS_PER_S
"""Longer than one errand at a shelf: what goes on is one alert, the next errand is another."""

DAY_NS = 24 * 3600 * NS_PER_S
"""By then somebody has counted, or will not."""

STANDING_MAX = 1_000
"""More places than anybody can look at; beyond, what happens is in the movements only."""

Matter: TypeAlias = Literal["no_badge", "two_people", "told_wrong"]

SEVERITIES: dict[Matter, Severity] = {
    "no_badge": "warning",
    "two_people": "info",
    "told_wrong": "warning",
}
STANDS_NS: dict[Matter, Ns] = {
    "no_badge": ERRAND_NS,
    "two_people": ERRAND_NS,
    "told_wrong": DAY_NS,
}
RAISED: dict[Matter, str] = {
    "no_badge": "{place}: {what} moved and nobody had shown a badge; ask who was there",
    "two_people": "{place}: {what} moved while {people} people were there, so that none is named; "
    "let one at a time take and put",
    "told_wrong": "{what}; it is taken back, count what is there",
}
CLEARED: dict[Matter, str] = {
    "no_badge": "{place}: nothing more moved there without a badge",
    "two_people": "{place}: nothing more moved there while several people were there",
    "told_wrong": "movement {place} was told wrong a day ago; the records keep it",
}
TEXT_MAX = 1024
"""What the contract lets an alert say: codes of the site may be long."""


class PersonAlerts:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._standing: dict[tuple[Matter, str], Ns] = {}

    def restore(self, row: Row) -> bool:
        """Take back an alert that stands; False if the row is somebody else's."""
        if not row.key.startswith(ALERT_ROW):
            return False
        value: Any = row.value
        at = value["at"] if value["boot"] == self._boot else self._last_alive
        name, _, place = row.key.removeprefix(ALERT_ROW).partition(":")
        matter = next(known for known in SEVERITIES if known == name)
        self._standing[matter, place] = at
        return True

    def happened(self, now: Ns, matter: Matter, place: str, *, what: str, people: int) -> Turn:
        """Raise it, or let it stand longer."""
        known = (matter, place) in self._standing
        if not known and len(self._standing) >= STANDING_MAX:
            return NOTHING
        self._standing[matter, place] = now
        key = f"{matter}:{place}"
        put = Row(ALERT_ROW + key, {"at": now, "boot": self._boot})
        if known:
            return Turn(puts=(put,))
        text = RAISED[matter].format(place=place, what=what, people=people)[:TEXT_MAX]
        return Turn((Alert(matter, key, True, SEVERITIES[matter], text, now),), (put,))

    def overdue(self, now: Ns) -> Turn:
        """Clear what has stood long enough."""
        facts, deletes = [], []
        for (matter, place), at in list(self._standing.items()):
            if at + STANDS_NS[matter] <= now:
                del self._standing[matter, place]
                key, text = f"{matter}:{place}", CLEARED[matter].format(place=place)
                facts.append(Alert(matter, key, False, SEVERITIES[matter], text, now))
                deletes.append(ALERT_ROW + key)
        return Turn(tuple(facts), deletes=tuple(deletes)) if facts else NOTHING

    def next_due(self) -> Ns | None:
        """When the next has stood long enough."""
        ends = (at + STANDS_NS[matter] for (matter, _), at in self._standing.items())
        return min(ends, default=None)
