"""Numbers for durable rows that say something for a while: a row whose time is over is written over
by the next, so that the disk pays for one write and no delete.

Shared by rules that keep in mind for a bounded time what they told.
"""

from __future__ import annotations

import heapq


class Slots:
    """Which subject has which number; the lowest that is free is given first."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._next = 0

    def restore(self, number: int, subject: str = "") -> None:
        """A row of that number is there; of nobody, it is free."""
        while self._next <= number:
            self._free.append(self._next)
            self._next += 1
        if subject:
            self._numbers[subject] = number
            self._free.remove(number)
        heapq.heapify(self._free)

    def take(self, subject: str) -> int:
        """The number of that subject, from now on if it has none."""
        number = self._numbers.get(subject)
        if number is None:
            if not self._free:
                heapq.heappush(self._free, self._next)
                self._next += 1
            number = self._numbers[subject] = heapq.heappop(self._free)
        return number

    def release(self, subject: str) -> int | None:
        """Its time is over, or what it says; the number that it had."""
        number = self._numbers.pop(subject, None)
        if number is not None:
            heapq.heappush(self._free, number)
        return number
