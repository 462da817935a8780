"""Evidence counting with hysteresis, by the field notes: three reads in 2 s enter a zone, fewer
than two in 10 s leave it; in several zones at once a tag is in that of the strongest reads.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline

ENTER_READS, LEAVE_READS = 3, 2
ENTER_S, LEAVE_S = 2.0, 10.0
CHANGE_DB = 3.0
"""By so much another zone must be stronger."""

KEPT = 40
"""Reads kept per tag and zone: enough for both windows, and for a mean level."""


@dataclass(slots=True)
class _Seen:
    reads: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=KEPT))
    entered: bool = False

    def level_mw(self) -> float:
        return sum(milliwatt for _, milliwatt in self.reads) / len(self.reads)


class EvidenceCounting(TagBaseline):
    """`stretch` lengthens both windows, as a session that silences tags asks."""

    def __init__(self, scenario: Scenario, stretch: float = 1.0) -> None:
        super().__init__(scenario)
        self._enter_ns = round(ENTER_S * stretch * NS_PER_S)
        self._leave_ns = round(LEAVE_S * stretch * NS_PER_S)
        self._tags: dict[str, dict[str, _Seen]] = {}
        self._where: dict[str, str] = {}

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        seen = self._tags.setdefault(epc, {}).setdefault(place, _Seen())
        seen.reads.append((at, 10 ** (rssi_cdbm / 1000)))
        if seen.entered:
            return
        enough = len(seen.reads) >= ENTER_READS
        if enough and seen.reads[-ENTER_READS][0] >= at - self._enter_ns:
            seen.entered = True
            if epc not in self._where:
                self._go(epc, place, seen.reads[-ENTER_READS][0], at)

    def tick(self, now: int) -> None:
        if now % NS_PER_S:
            return
        for epc, zones in list(self._tags.items()):
            for place, seen in list(zones.items()):
                enough = len(seen.reads) >= LEAVE_READS
                if not enough or seen.reads[-LEAVE_READS][0] < now - self._leave_ns:
                    seen.entered = False
                    if seen.reads[-1][0] < now - self._leave_ns:
                        last = zones.pop(place).reads[-1][0]
                        if self._where.get(epc) == place and not self._entered(zones):
                            self._go(epc, None, last, now)
            entered = self._entered(zones)
            if entered:
                self._choose(epc, entered, now)
            elif epc in self._where and self._where[epc] in zones:
                self._go(epc, None, zones[self._where[epc]].reads[-1][0], now)
            if not zones:
                del self._tags[epc]

    def _entered(self, zones: dict[str, _Seen]) -> dict[str, _Seen]:
        return {place: seen for place, seen in zones.items() if seen.entered}

    def _choose(self, epc: str, entered: dict[str, _Seen], now: int) -> None:
        best = max(entered, key=lambda place: entered[place].level_mw())
        known = self._where.get(epc)
        if best == known:
            return
        mine = entered.get(known) if known else None
        if mine is None or entered[best].level_mw() > mine.level_mw() * 10 ** (CHANGE_DB / 10):
            self._go(epc, best, entered[best].reads[0][0] if mine else now, now)

    def _go(self, epc: str, place: str | None, at: int, now: int) -> None:
        self.places.moved(epc, self._where.pop(epc, None), place, (at, now))
        if place is not None:
            self._where[epc] = place
