"""Tags that say nothing of an item and that no item claims: kept aside where everybody sees them.

    came into a zone, went through a gate ---> kept, and one alert `unknown_epc` for the place
    comes elsewhere -------------------------> kept there instead
    leaves, or an item claims it ------------> let go
    went through a gate STANDS_NS ago -------> let go
    the last one of a place is let go -------> the alert is cleared

What came is kept with it, so that it can be decided once it is known what it is. Durable: the rows
are what `shelfgate epc quarantine` shows. Part of the movement rule.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.model import (
    NS_PER_S,
    QUARANTINE_ROW,
    Alert,
    Arrival,
    EpcError,
    Ns,
    Passage,
    decode_epc,
)
from gateway.ports import NOTHING, JsonValue, Row, Turn
from rules.turns import together

CODE = "unknown_epc"

STANDS_NS = 24 * 3600 * NS_PER_S
"""Nobody tells when a thing is gone that went through a gate; by then a person has looked."""

KEPT_MAX = 1_000
"""A pallet of things that nobody told of; of more, that which is kept longest is let go."""

RAISED = "{place}: tag {epc} says nothing of an item: {reason}; look what carries it"
CLEARED = "{place}: no tag is left there that says nothing of an item"


def puzzle(epc: str) -> str:
    """Why it cannot be told what a tag with that EPC is; "" if it can."""
    try:
        decode_epc(epc)
    except EpcError as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A tag at a place, how it came there, and when that was told."""

    place: str
    fact: Arrival | Passage
    at: Ns

    @property
    def due(self) -> Ns | None:
        return self.at + STANDS_NS if type(self.fact) is Passage else None


class Quarantine:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._kept: dict[str, _Kept] = {}

    def __contains__(self, epc: str) -> bool:
        return epc in self._kept

    def restore(self, row: Row) -> bool:
        """Take back a tag; False if the row is somebody else's."""
        if not row.key.startswith(QUARANTINE_ROW):
            return False
        value: Any = row.value
        told: dict[str, Any] = value["told"]
        fact: Arrival | Passage = Passage(**told) if "portal" in told else Arrival(**told)
        at = value["at"]
        if value["boot"] != self._boot:  # its times are those of a clock that has stopped
            at = self._last_alive
            if isinstance(fact, Passage):
                fact = replace(fact, since=at, until=at)
            else:
                since = None if fact.unwatched_since is None else at
                fact = replace(fact, since=at, unwatched_since=since)
        self._kept[fact.epc] = _Kept(value["place"], fact, at)
        return True

    def keep(self, now: Ns, fact: Arrival | Passage, place: str) -> Turn:
        """A tag came there that says nothing of an item."""
        full = NOTHING
        if len(self._kept) >= KEPT_MAX and fact.epc not in self._kept:
            full = self.let_go(now, next(iter(self._kept)))
        elsewhere = self.let_go(now, fact.epc, but=place)
        reason = puzzle(fact.epc)
        alerts: tuple[Alert, ...] = ()
        if not self._any(place):
            text = RAISED.format(place=place, epc=fact.epc, reason=reason)
            alerts = (Alert(CODE, f"{CODE}:{place}", True, "warning", text, now),)
        self._kept[fact.epc] = _Kept(place, fact, now)
        row: dict[str, JsonValue] = {
            "place": place,
            "reason": reason,
            "told": asdict(fact),
            "at": now,
            "boot": self._boot,
        }
        return together(full, elsewhere, Turn(alerts, (Row(QUARANTINE_ROW + fact.epc, row),)))

    def let_go(self, now: Ns, epc: str, *, but: str = "") -> Turn:
        """A tag is kept no longer, if it was and not at the place `but`."""
        kept = self._kept.get(epc)
        if kept is None or kept.place == but:
            return NOTHING
        del self._kept[epc]
        alerts: tuple[Alert, ...] = ()
        if not self._any(kept.place):
            text = CLEARED.format(place=kept.place)
            alerts = (Alert(CODE, f"{CODE}:{kept.place}", False, "warning", text, now),)
        return Turn(alerts, deletes=(QUARANTINE_ROW + epc,))

    def facts(self) -> list[Arrival | Passage]:
        """What came, oldest first."""
        return [kept.fact for kept in self._kept.values()]

    def overdue(self, now: Ns) -> Turn:
        """Let go what went through a gate long ago."""
        late = [epc for epc, kept in self._kept.items() if kept.due and kept.due <= now]
        return together(*(self.let_go(now, epc) for epc in late))

    def next_due(self) -> Ns | None:
        """When the next is let go."""
        return min((kept.due for kept in self._kept.values() if kept.due), default=None)

    def _any(self, place: str) -> bool:
        return any(kept.place == place for kept in self._kept.values())
