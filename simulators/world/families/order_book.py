"""What the order system has promised: no piece twice."""

from __future__ import annotations

from collections import Counter

from simulators.world.families.storeroom import Place


class OverPromisedError(Exception):
    """More was promised of a place than lies there."""


class Book:
    """Open promises by place. Pieces are promised when a line is told, and no longer when it has
    been worked off or is over.
    """

    def __init__(self) -> None:
        self._promised: Counter[int] = Counter()

    def free(self, place: Place, now_s: float) -> int:
        """How many pieces that can be taken there are promised to nobody."""
        return len(place.ready(now_s)) - self._promised[place.number]

    def promise(self, place: Place, quantity: int, now_s: float) -> None:
        """Keep so many pieces for a line."""
        if quantity > self.free(place, now_s):
            raise OverPromisedError(f"{quantity} of {self.free(place, now_s)} at {place.location}")
        self._promised[place.number] += quantity

    def settle(self, place: Place, quantity: int) -> None:
        """So many promised pieces are not promised any more."""
        self._promised[place.number] -= quantity
        assert self._promised[place.number] >= 0
