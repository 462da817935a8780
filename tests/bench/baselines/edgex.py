"""Baseline A: the between-zones rule of the EdgeX RFID inventory service, by the field notes.

A tag arrives with its first read, moves when the mean of the last 20 RSSI (in dBm) elsewhere beats
the present place by an offset that falls with the time since that place last read it, and departs
after a fixed silence that is looked at now and then.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline

WINDOW = 20
THRESHOLD_DB, SLOPE_DB_PER_MS, HOLDOFF_MS = 6.0, -0.008, 500.0
OFFSET_DB = THRESHOLD_DB - SLOPE_DB_PER_MS * HOLDOFF_MS


@dataclass(slots=True)
class _Statistics:
    levels: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))
    total: int = 0
    last: int = 0

    def push(self, rssi_cdbm: int) -> None:
        if len(self.levels) == WINDOW:
            self.total -= self.levels[0]
        self.levels.append(rssi_cdbm)
        self.total += rssi_cdbm

    def mean_db(self) -> float:
        return self.total / len(self.levels) / 100


@dataclass(slots=True)
class _Tag:
    place: str | None = None
    last: int = 0
    statistics: dict[str, _Statistics] = field(default_factory=dict)


class EdgeX(TagBaseline):
    """Departures after `departed_s` of silence, looked for every `check_s`."""

    def __init__(
        self, scenario: Scenario, departed_s: float = 600.0, check_s: float = 30.0
    ) -> None:
        super().__init__(scenario)
        self._departed_ns = round(departed_s * NS_PER_S)
        self._check_ns = round(check_s * NS_PER_S)
        self._tags: dict[str, _Tag] = {}

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        tag = self._tags.get(epc)
        if tag is None:
            tag = self._tags[epc] = _Tag()
        here = tag.statistics.get(place)
        if here is None:
            here = tag.statistics[place] = _Statistics()
        here.push(rssi_cdbm)
        here.last = max(here.last, at)
        tag.last = max(tag.last, at)
        if tag.place == place:
            return
        if tag.place is None:
            self._go(epc, tag, place, at)
            return
        there = tag.statistics[tag.place]
        silent_ms = (at - there.last) / 1e6
        offset = min(THRESHOLD_DB, SLOPE_DB_PER_MS * silent_ms + OFFSET_DB)
        if len(here.levels) >= 2 and here.mean_db() > there.mean_db() + offset:
            self._go(epc, tag, place, at)

    def tick(self, now: int) -> None:
        if now % self._check_ns:
            return
        for epc, tag in self._tags.items():
            if tag.place is not None and tag.last < now - self._departed_ns:
                self.places.moved(epc, tag.place, None, (tag.last, now))
                tag.place = None
                tag.statistics.clear()

    def _go(self, epc: str, tag: _Tag, place: str, at: int) -> None:
        self.places.moved(epc, tag.place, place, (at, at))
        tag.place = place
