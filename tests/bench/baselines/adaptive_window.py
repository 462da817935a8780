"""SMURF and WSTD, by the field notes: a window per tag that grows until it surely holds a read and
shrinks when the reads in it tell of a transition. In several zones at once a tag is in that of
the most reads.

A window of w epochs is complete at w >= ln(1/delta) / p. SMURF sees a transition where the reads
in it differ from w p by more than two deviations; WSTD where its halves differ so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline

EPOCH_NS = NS_PER_S // 2
DELTA = 0.05
WINDOW_MAX = 60
RATE_WEIGHT, RATE_MIN = 0.02, 0.05
"""How fast a tag's read rate per epoch is learned, and the least that is believed."""


@dataclass(slots=True)
class _Window:
    """One tag in one zone: its last epochs as bits, the newest lowest."""

    bits: int = 0
    length: int = 1
    rate: float = 0.6
    last: int = 0
    first: int = 0


class AdaptiveWindow(TagBaseline):
    """`by` says how a transition is seen."""

    def __init__(self, scenario: Scenario, by: Literal["smurf", "wstd"] = "smurf") -> None:
        super().__init__(scenario)
        self._halves = by == "wstd"
        self._tags: dict[str, dict[str, _Window]] = {}
        self._read: set[tuple[str, str]] = set()
        self._where: dict[str, str] = {}

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        del rssi_cdbm
        window = self._tags.setdefault(epc, {}).setdefault(place, _Window())
        window.last = max(window.last, at)
        window.first = window.first or at
        self._read.add((epc, place))

    def tick(self, now: int) -> None:
        if now % EPOCH_NS:
            return
        for epc, zones in list(self._tags.items()):
            best, most, last = None, 0, 0
            for place, window in list(zones.items()):
                reads = self._epoch(window, (epc, place) in self._read)
                last = max(last, window.last)
                if reads > most or (reads == most and reads and place == self._where.get(epc)):
                    best, most = place, reads
                if not window.bits:
                    del zones[place]
            known = self._where.get(epc)
            if best != known:
                at = last if best is None else zones[best].first
                self.places.moved(epc, known, best, (at, now))
                self._where.pop(epc, None)
                if best is not None:
                    self._where[epc] = best
            if not zones:
                del self._tags[epc]
        self._read.clear()

    def _epoch(self, window: _Window, heard: bool) -> int:
        """Take one epoch; how many of the window's epochs brought a read."""
        window.bits = (window.bits << 1 | heard) & ((1 << WINDOW_MAX) - 1)
        window.rate += RATE_WEIGHT * (heard - window.rate)
        rate = min(0.99, max(RATE_MIN, window.rate))
        length = window.length
        inside = window.bits & ((1 << length) - 1)
        reads = inside.bit_count()
        half = length // 2
        if self._halves:
            later = (inside & ((1 << half) - 1)).bit_count()
            apart, of = reads - later - later, 2 * half
        else:
            apart, of = round(length * rate) - reads, length
        if length > 1 and abs(apart) > 2 * math.sqrt(of * rate * (1 - rate)):
            window.length = max(1, half)
        elif length < math.log(1 / DELTA) / rate:
            window.length = min(WINDOW_MAX, length + 2)
        if reads == 0:
            window.first = 0
        return reads
