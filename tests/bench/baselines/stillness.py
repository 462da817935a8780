"""From when on a load cell lay still: what a scale can know, and when at the earliest."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence

from simulators.world.truth import NS_PER_S, Weights

STILL_NS = NS_PER_S // 2
"""A plateau shorter than this may be a hand."""

SAMPLES_MIN = 3

NOISE_SPAN, STEPS_SPAN = 6.0, 2.0
"""A span of samples within so many deviations of the noise, and steps of the display, is still."""


class Stillness:
    """Remembers when each cell came to rest, for a site of known noise."""

    def __init__(self, noise_g: float, resolution_g: float) -> None:
        self._span_g = NOISE_SPAN * noise_g + STEPS_SPAN * resolution_g
        self._last: dict[str, deque[tuple[int, float]]] = {}
        self._rests: dict[str, array[int]] = {}
        self._level: dict[str, float | None] = {}

    def take(self, weights: Weights) -> None:
        """Remember one poll."""
        now = weights.at
        for cell, gross, _ in weights.samples:
            last = self._last.get(cell)
            if last is None:
                last = self._last[cell] = deque()
                self._rests[cell], self._level[cell] = array("q"), None
            last.append((now, gross))
            while last[0][0] < now - STILL_NS:
                last.popleft()
            levels = [level for _, level in last]
            if len(levels) < SAMPLES_MIN or max(levels) - min(levels) > self._span_g:
                self._level[cell] = None
                continue
            known = self._level[cell]
            if known is None or abs(levels[-1] - known) > self._span_g:
                self._level[cell] = levels[-1]
                self._rests[cell].append(now)

    def rest_after(self, cell: str, at: int) -> int | None:
        """When the cell first lay still for a while that began after `at`."""
        rests: Sequence[int] = self._rests.get(cell, array("q"))
        index = bisect_left(rests, at + STILL_NS)
        return rests[index] if index < len(rests) else None
