"""What tags have moved lately, so that a movement which later evidence refutes is taken back.

A tag that is found as it stood had never left, one that is set down soon after was on its way, and
one that another zone reads far better was in the wrong zone: its movement is withdrawn by another
that names it (`reverses`) and goes the other way. Part of the movement rule. Not durable: after a
restart nobody knows the old level, and a tag that is found then comes back by a movement of its
own, to the same stock.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.model import NS_PER_S, Arrival, Evidence, Movement, Ns
from gateway.ports import Identify
from rules.telling import kind_of

REVERSIBLE_NS = 120 * NS_PER_S
"""How long a movement may be taken back: longer than any shadow, short enough that nobody has
picked or counted by it."""

REVERSIBLE_MAX = 10_000
"""Tags that move in that time; of more, the movements of the oldest stand."""


class Reversals:
    """The last movement of each tag that was moved by tag alone."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._last: dict[str, Movement] = {}

    def note(self, movement: Movement) -> Movement:
        """Keep in mind how its tags moved; returns it."""
        for epc in movement.epcs:
            self._last.pop(epc, None)
            if len(self._last) >= REVERSIBLE_MAX:
                del self._last[next(iter(self._last))]
            self._last[epc] = movement
        return movement

    def of(self, now: Ns, arrival: Arrival, place: str) -> Movement | None:
        """What takes back the movement by which that tag came from `place`, where it still was;
        None if nothing does.
        """
        last = self._last.get(arrival.epc)
        if last is None or not arrival.refutes or last.from_location != place:
            return None
        if now - last.at_decided > REVERSIBLE_NS:
            return None
        del self._last[arrival.epc]
        return replace(
            last,
            movement_id=self._identify("reversal", last.movement_id),
            kind=kind_of(last.to_location, last.from_location),
            reason="refuted",
            from_location=last.to_location,
            to_location=last.from_location,
            at_decided=now,
            at_since=None,
            confidence_permille=arrival.confidence_permille,
            evidence=Evidence(reads=arrival.reads, rssi_cdbm=arrival.rssi_cdbm),
            reverses=last.movement_id,
        )
