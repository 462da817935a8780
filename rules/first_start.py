"""The stock that was there before the gateway: stated once, never booked as receipts.

The tags of a zone are stated together, `wait` after the last of them showed; a cell's count at
once. A Snapshot says all that a location holds, so it is the first word on that location only:
what is found there later, by another cell or by an antenna that reads seldom, is added by
adjustment. So is the likeliest number of pieces where a weight does not say for sure: until it is
known what lies there, a book that is one or two out is better than none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.model import (
    UNKNOWN_LOCATION,
    Arrival,
    Cell,
    CellId,
    CountChange,
    Departure,
    Movement,
    Ns,
    Snapshot,
    SnapshotLine,
)
from gateway.ports import NOTHING, Identify, Row, Turn
from rules.statement import stated

FIRST_ROW = "first:"
STATED_ROW = "stated:"

CONFIDENCE_PERMILLE = 950
"""Stock that stood there before anybody watched: counted once, by one sense."""


class FirstStart:
    """What was found on the first start and is not stated yet, and which places were stated."""

    def __init__(self, wait_ns: Ns, identify: Identify, uom: Callable[[str], str]) -> None:
        self._wait_ns = wait_ns
        self._identify = identify
        self._uom = uom
        self._stated: set[str] = set()
        self._found: dict[str, dict[str, str]] = {}
        self._due: dict[str, Ns] = {}
        self._weighed: dict[CellId, list[SnapshotLine]] = {}

    def restore(self, row: Row) -> bool:
        """Take back a row; False if it is somebody else's. It waits until its zone is watched."""
        if row.key.startswith(FIRST_ROW):
            epc = row.key.removeprefix(FIRST_ROW)
            self._found.setdefault(str(row.value["zone"]), {})[epc] = str(row.value["item"])
            return True
        if row.key.startswith(STATED_ROW):
            self._stated.add(row.key.removeprefix(STATED_ROW))
            return True
        return False

    def tag(self, now: Ns, arrival: Arrival | Departure, item: str) -> Turn:
        """A tag that was there: it is stated with the others of its zone."""
        self._found.setdefault(arrival.zone, {})[arrival.epc] = item
        self._due[arrival.zone] = now + self._wait_ns
        return Turn(puts=(Row(FIRST_ROW + arrival.epc, {"zone": arrival.zone, "item": item}),))

    def forget(self, departure: Departure) -> Turn | None:
        """A tag that left before it was stated was never there; None if it was stated."""
        found = self._found.get(departure.zone, {})
        if found.pop(departure.epc, None) is None:
            return None
        return Turn(deletes=(FIRST_ROW + departure.epc,))

    def elsewhere(self, now: Ns, arrival: Arrival, item: str) -> Turn | None:
        """A tag that is not stated yet is found elsewhere; None if it was stated."""
        if self._found.get(arrival.from_zone, {}).pop(arrival.epc, None) is None:
            return None
        return self.tag(now, arrival, item)

    def count(self, now: Ns, cell: Cell, change: CountChange) -> Turn:
        """What a cell weighed when it was first seen: stated when all its items are told."""
        if not change.item or change.on_hand is None:
            return NOTHING
        lines = self._weighed.setdefault(cell.cell, [])
        lines.append(SnapshotLine(change.item, change.on_hand, self._uom(change.item)))
        if len(lines) < len(cell.planned):
            return NOTHING  # the others come in the same turn
        del self._weighed[cell.cell]
        return self._state(now, cell.location, cell.cell, lines)

    def estimate(self, now: Ns, cell: Cell, change: CountChange) -> Turn:
        """What it weighed does not say for sure how many lie there; so many are the likeliest. What
        is stated later takes the place of that.
        """
        lines = (SnapshotLine(change.item, change.quantity, self._uom(change.item)),)
        added = self._added(now, cell.location, cell.cell, lines)
        return Turn(
            facts=tuple(
                replace(one, confidence_permille=change.confidence_permille) for one in added
            )
        )

    def renew(self, now: Ns, zone: str) -> None:
        """The zone is watched again: its tags get the whole time to show."""
        if zone in self._found:
            self._due[zone] = now + self._wait_ns

    def next_due(self) -> Ns | None:
        """When the next zone is to be stated."""
        return min(self._due.values(), default=None)

    def overdue(self, now: Ns) -> Turn:
        """State the zones whose tags have all had time to show."""
        turn = NOTHING
        for zone in [zone for zone, due in self._due.items() if due <= now]:
            del self._due[zone]
            found = self._found.pop(zone, {})
            if found:
                stated = self._state(now, zone, zone, self._lines(found))
                deletes = tuple(FIRST_ROW + epc for epc in found)
                turn = Turn(
                    turn.facts + stated.facts, turn.puts + stated.puts, turn.deletes + deletes
                )
        return turn

    def _lines(self, found: dict[str, str]) -> tuple[SnapshotLine, ...]:
        epcs_by_item: dict[str, list[str]] = {}
        for epc, code in found.items():
            epcs_by_item.setdefault(code, []).append(epc)
        lines = (
            SnapshotLine(code, len(epcs), self._uom(code), tuple(sorted(epcs)))
            for code, epcs in sorted(epcs_by_item.items())
        )
        return tuple(stated(lines))

    def _state(self, now: Ns, location: str, found_by: str, lines: Sequence[SnapshotLine]) -> Turn:
        if location in self._stated:
            return Turn(facts=tuple(self._added(now, location, found_by, lines)))
        identity = self._identify("first", location, now)
        snapshot = Snapshot(identity, "first_start", location, tuple(lines), now)
        self._stated.add(location)
        return Turn(facts=(snapshot,), puts=(Row(STATED_ROW + location, {"stated": 1}),))

    def _added(
        self, now: Ns, location: str, found_by: str, lines: Sequence[SnapshotLine]
    ) -> list[Movement]:
        return [
            Movement(
                movement_id=self._identify("first", found_by, line.item, now),
                kind="adjustment",
                reason="first_start",
                item=line.item,
                quantity=line.quantity,
                uom=line.uom,
                from_location=UNKNOWN_LOCATION,
                to_location=location,
                at_event=now,
                at_decided=now,
                confidence_permille=CONFIDENCE_PERMILLE,
                epcs=line.epcs,
            )
            for line in lines
            if line.quantity > 0
        ]
