"""What tags have moved lately, so that a movement which later evidence refutes is taken back.

A tag that is found as it stood had never left, one that is set down soon after was on its way, and
one that another zone reads far better was in the wrong zone: its movement is withdrawn by another
that names it (`reverses`) and goes the other way. What stands in its zone as it stood went through
no gate meanwhile. Part of the movement rule.

Durable: a row is written with the movement, and written over by a later one when its time is over.
No time spans two boots: what another boot told stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.model import NS_PER_S, Arrival, Evidence, Movement, Ns, StillStands
from gateway.ports import NOTHING, Identify, Row, Turn
from rules.slots import Slots
from rules.telling import kind_of
from rules.turns import together

MOVED_ROW = "moved:"
GATE = "gate:"
"""Before the EPC: what it did at a gate is kept apart from what it did in zones."""

REVERSIBLE_NS = 120 * NS_PER_S
"""How long a movement may be taken back: longer than any shadow, short enough that nobody has
picked or counted by it."""

REVERSIBLE_MAX = 10_000
"""Movements in that time; of more, the oldest stand."""


class Reversals:
    """The last movement of each tag that was moved by tag alone, and its last passage unless it
    has gone back through that gate. `boot` is that of the rule's context.
    """

    def __init__(self, identify: Identify, boot: str) -> None:
        self._identify = identify
        self._boot = boot
        self._last: dict[str, Movement] = {}
        self._slots = Slots()
        self._restored = False

    def restore(self, row: Row) -> bool:
        """Take back a movement of an earlier run; False if the row is somebody else's."""
        if not row.key.startswith(MOVED_ROW):
            return False
        number = int(row.key.removeprefix(MOVED_ROW))
        value: dict[str, Any] = {**row.value}
        if value.pop("boot") != self._boot:
            self._slots.restore(number)
            return True
        key = value.pop("of")
        self._slots.restore(number, key)
        self._last[key] = Movement(
            kind="transfer",
            reason="",
            quantity=1,
            confidence_permille=0,
            epcs=(key.removeprefix(GATE),),
            **value,
        )
        self._restored = True
        return True

    def note(self, movement: Movement) -> Turn:
        """Tell how a tag moved, and keep it in mind."""
        return together(Turn(facts=(movement,)), self._keep(movement.epcs[0], movement))

    def passed(self, movement: Movement) -> Turn:
        """Tell how a tag went through a gate; what goes back through it is settled."""
        key, told = GATE + movement.epcs[0], Turn(facts=(movement,))
        last = self._last.get(key)
        if last is not None and last.from_location == movement.to_location:
            return together(told, self._forget(key))
        return together(told, self._keep(key, movement))

    def refuted(self, now: Ns, arrival: Arrival, place: str) -> Movement | None:
        """The movement by which that tag came from `place`, where it still was; None if that is
        not what it says.
        """
        last = self._last.get(arrival.epc)
        if last is None or not arrival.refutes or last.from_location != place:
            return None
        return last if now - last.at_decided <= REVERSIBLE_NS else None

    def taken_back(self, now: Ns, last: Movement, arrival: Arrival) -> Turn:
        """Take that movement back."""
        return together(self._forget(arrival.epc), _back(now, last, arrival, self._identify))

    def not_passed(self, now: Ns, standing: Arrival | StillStands) -> Turn:
        """That tag stands where it stood: it went through no gate."""
        key = GATE + standing.epc
        last = self._last.get(key)
        if last is None or now - last.at_decided > REVERSIBLE_NS:
            return NOTHING
        return together(self._forget(key), _back(now, last, standing, self._identify))

    def forget(self, movement_id: str) -> Turn:
        """That movement is taken back already: no read does it once more."""
        keys = [key for key, each in self._last.items() if each.movement_id == movement_id]
        return together(*(self._forget(key) for key in keys))

    def _keep(self, key: str, movement: Movement) -> Turn:
        if self._restored:
            by_age = sorted(self._last.items(), key=lambda pair: pair[1].at_decided)
            self._last, self._restored = dict(by_age), False
        self._last.pop(key, None)
        for old_key, old in list(self._last.items()):
            over = movement.at_decided - old.at_decided > REVERSIBLE_NS
            if not over and len(self._last) < REVERSIBLE_MAX:
                break
            del self._last[old_key]
            self._slots.release(old_key)
        self._last[key] = movement
        return Turn(puts=(self._row(key, movement),))

    def _forget(self, key: str) -> Turn:
        del self._last[key]
        return Turn(deletes=(f"{MOVED_ROW}{self._slots.release(key)}",))

    def _row(self, key: str, movement: Movement) -> Row:
        return Row(
            f"{MOVED_ROW}{self._slots.take(key)}",
            {
                "of": key,
                "movement_id": movement.movement_id,
                "item": movement.item,
                "uom": movement.uom,
                "from_location": movement.from_location,
                "to_location": movement.to_location,
                "at_event": movement.at_event,
                "at_decided": movement.at_decided,
                "boot": self._boot,
            },
        )


def _back(now: Ns, last: Movement, standing: Arrival | StillStands, identify: Identify) -> Turn:
    reversal = replace(
        last,
        movement_id=identify("reversal", last.movement_id),
        kind=kind_of(last.to_location, last.from_location),
        reason="refuted",
        from_location=last.to_location,
        to_location=last.from_location,
        at_decided=now,
        at_since=None,
        confidence_permille=standing.confidence_permille,
        evidence=Evidence(reads=standing.reads, rssi_cdbm=standing.rssi_cdbm),
        reverses=last.movement_id,
    )
    return Turn(facts=(reversal,))
