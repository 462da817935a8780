"""Baseline F: a tag is where it was read last, and gone after a fixed silence. The floor."""

from __future__ import annotations

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline


class LastAntenna(TagBaseline):
    """Gone after `silence_s`."""

    def __init__(self, scenario: Scenario, silence_s: float = 10.0) -> None:
        super().__init__(scenario)
        self._silence_ns = round(silence_s * NS_PER_S)
        self._where: dict[str, tuple[str, int]] = {}

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        del rssi_cdbm
        known = self._where.get(epc)
        self._where[epc] = (place, at)
        if known is None or known[0] != place:
            self.places.moved(epc, known[0] if known else None, place, (at, at))

    def tick(self, now: int) -> None:
        gone = [epc for epc, (_, last) in self._where.items() if now - last > self._silence_ns]
        for epc in gone:
            place, last = self._where.pop(epc)
            self.places.moved(epc, place, None, (last, now))
