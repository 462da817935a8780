"""Fixed-window smoothing: in each window a tag is where it was read most often, or nowhere."""

from __future__ import annotations

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline


class FixedWindow(TagBaseline):
    """Windows of `window_s`, one after the other."""

    def __init__(self, scenario: Scenario, window_s: float = 10.0) -> None:
        super().__init__(scenario)
        self._window_ns = round(window_s * NS_PER_S)
        self._reads: dict[str, dict[str, list[int]]] = {}
        self._where: dict[str, tuple[str, int]] = {}

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        del rssi_cdbm
        seen = self._reads.setdefault(epc, {}).get(place)
        if seen is None:
            self._reads[epc][place] = [1, at, at]
        else:
            seen[0] += 1
            seen[2] = at

    def tick(self, now: int) -> None:
        if now % self._window_ns:
            return
        for epc, places in self._reads.items():
            best = max(places, key=lambda place: places[place][0])
            known = self._where.get(epc)
            self._where[epc] = (best, places[best][2])
            if known is None or known[0] != best:
                old = known[0] if known else None
                self.places.moved(epc, old, best, (places[best][1], now))
        for epc in [epc for epc in self._where if epc not in self._reads]:
            place, last = self._where.pop(epc)
            self.places.moved(epc, place, None, (last, now))
        self._reads.clear()
