"""Baseline C: read zones in the manner of Rifidi's stable set, as the field notes give it.

In every batch the mean level per tag and zone is taken; the strongest zone with enough reads wins
if it beats the present one by `change_db`. A tag departs after `wait_s` without a read.
"""

from __future__ import annotations

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline


class Rifidi(TagBaseline):
    """`batch_s` per decision, for which a zone needs `count_min` reads."""

    def __init__(
        self,
        scenario: Scenario,
        wait_s: float = 10.0,
        batch_s: float = 1.0,
        count_min: int = 1,
        change_db: float = 3.0,
    ) -> None:
        super().__init__(scenario)
        self._wait_ns = round(wait_s * NS_PER_S)
        self._batch_ns = round(batch_s * NS_PER_S)
        self._count_min = count_min
        self._change_cdb = round(change_db * 100)
        self._batch: dict[str, dict[str, tuple[int, int, int]]] = {}
        self._place: dict[str, tuple[str, int]] = {}

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        zones = self._batch.setdefault(epc, {})
        count, total, last = zones.get(place, (0, 0, 0))
        zones[place] = (count + 1, total + rssi_cdbm, max(last, at))

    def tick(self, now: int) -> None:
        if now % self._batch_ns:
            return
        for epc, zones in self._batch.items():
            means = {
                zone: (total / count, last)
                for zone, (count, total, last) in zones.items()
                if count >= self._count_min
            }
            if means:
                self._decide(epc, means, now)
        self._batch.clear()
        for epc, (place, last) in list(self._place.items()):
            if now - last > self._wait_ns:
                del self._place[epc]
                self.places.moved(epc, place, None, (last, now))

    def _decide(self, epc: str, means: dict[str, tuple[float, int]], now: int) -> None:
        best = max(means, key=lambda zone: means[zone][0])
        known = self._place.get(epc)
        latest = max(last for _, last in means.values())
        if known is None:
            self._place[epc] = (best, latest)
            self.places.moved(epc, None, best, (means[best][1], now))
            return
        place = known[0]
        mine = means.get(place, (-1e9, 0))[0]
        if best != place and means[best][0] > mine + self._change_cdb:
            self.places.moved(epc, place, best, (means[best][1], now))
            place = best
        self._place[epc] = (place, latest)
