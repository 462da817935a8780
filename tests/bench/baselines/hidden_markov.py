"""One hidden Markov filter per tag: in each zone in the clear, in each zone hidden, or outside; by
the field notes' rates. A zone counts in an epoch in which its antenna read anything at all.

How often a tag is read in its zone is learned per tag; levels are told apart by a Gaussian about
the tag's own strongest mean. The posterior has hysteresis: 0.9 to go anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.baselines.places import TagBaseline

EPOCH_NS = NS_PER_S // 2
LEAVES, ENTERS = 1 / 480, 1 / 480
HIDES, SHOWS = 1 / 60, 1 / 4
"""Per epoch: leaving or coming (mean 4 min), hiding (every 30 s) and showing (after 2 s)."""

STRAY, HIDDEN = 0.02, 0.03
RATE_WEIGHT, RATE_FIRST, RATE = 0.02, 0.6, (0.15, 0.95)
OWN_SD_DB, STRAY_BELOW_DB = 6.0, 12.0
"""Spread of levels, and by how much weaker a tag is heard by the antennas of other zones."""

SURE, FORGOTTEN = 0.9, 1e-4

FORGOTTEN_NS = 60 * NS_PER_S
"""A tag that is surely outside and was not heard for so long is forgotten: all that went through a
gate within a day would be too much to weigh twice a second.
"""


@dataclass(slots=True)
class _Tag:
    """Probabilities: `zones` by place (clear, hidden), and `outside`."""

    zones: dict[str, list[float]] = field(default_factory=dict)
    outside: float = 1.0
    rate: float = RATE_FIRST
    best_db: float = -60.0
    last: int = 0
    first: dict[str, int] = field(default_factory=dict)
    where: str | None = None


class HiddenMarkov(TagBaseline):
    """A tag is where the posterior is sure of it, and stays there until it is sure of another."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._tags: dict[str, _Tag] = {}
        self._levels: dict[str, dict[str, list[float]]] = {}
        self._active: set[str] = set()

    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        tag = self._tags.setdefault(epc, _Tag())
        tag.last = max(tag.last, at)
        tag.first.setdefault(place, at)
        self._levels.setdefault(epc, {}).setdefault(place, []).append(rssi_cdbm / 100)
        self._active.add(place)

    def tick(self, now: int) -> None:
        if now % EPOCH_NS:
            return
        for epc, tag in list(self._tags.items()):
            self._step(tag, self._levels.get(epc, {}))
            self._decide(epc, tag, now)
            away = tag.outside > SURE and now - tag.last > FORGOTTEN_NS
            if tag.where is None and (away or not tag.zones):
                del self._tags[epc]
        self._levels.clear()
        self._active.clear()

    def _step(self, tag: _Tag, levels: dict[str, list[float]]) -> None:
        for place in levels:
            tag.zones.setdefault(place, [0.0, 0.0])
        zones, came = tag.zones, tag.outside * ENTERS / max(1, len(tag.zones))
        moved = sum(clear + hidden for clear, hidden in zones.values()) * LEAVES
        tag.outside = tag.outside * (1 - ENTERS) + moved / 2
        share = came + moved / 2 / max(1, len(zones))
        for state in zones.values():
            clear, hidden = (part * (1 - LEAVES) for part in state)
            state[0] = clear * (1 - HIDES) + hidden * SHOWS + share
            state[1] = hidden * (1 - SHOWS) + clear * HIDES
        for place in [place for place in zones if place in self._active]:
            self._weigh(tag, place, levels.get(place))
        total = tag.outside + sum(map(sum, zones.values()))
        tag.outside /= total
        for place, state in list(zones.items()):
            state[0], state[1] = state[0] / total, state[1] / total
            if sum(state) < FORGOTTEN:
                del zones[place]
                tag.first.pop(place, None)

    def _weigh(self, tag: _Tag, place: str, levels: list[float] | None) -> None:
        """Multiply by the chance of what that zone's antenna heard, or did not."""
        if levels is None:
            own, hidden, other = 1 - tag.rate, 1 - HIDDEN, 1 - STRAY
        else:
            level = sum(levels) / len(levels)
            tag.best_db += (
                0.1 * (level - tag.best_db) if level < tag.best_db else level - tag.best_db
            )
            near = math.exp(-(((level - tag.best_db) / OWN_SD_DB) ** 2) / 2)
            far = math.exp(-(((level - tag.best_db + STRAY_BELOW_DB) / OWN_SD_DB) ** 2) / 2)
            own, hidden, other = tag.rate * max(near, 1e-3), HIDDEN, STRAY * max(far, 1e-3)
        state = tag.zones[place]
        if tag.where == place:
            low, high = RATE
            tag.rate += RATE_WEIGHT * ((levels is not None) - tag.rate)
            tag.rate = min(high, max(low, tag.rate))
        tag.outside *= other
        for elsewhere, probabilities in tag.zones.items():
            if elsewhere != place:
                probabilities[0] *= other
                probabilities[1] *= other
        state[0] *= own
        state[1] *= hidden

    def _decide(self, epc: str, tag: _Tag, now: int) -> None:
        if tag.outside > SURE:
            if tag.where is not None:
                self.places.moved(epc, tag.where, None, (tag.last, now))
                tag.where = None
            return
        for place, state in tag.zones.items():
            if sum(state) > SURE and place != tag.where:
                self.places.moved(epc, tag.where, place, (tag.first[place], now))
                tag.where = place
                return
