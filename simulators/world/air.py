"""What a reader's antennas hear of the tags in front of them, dwell by dwell, in virtual time.

RSSI = base - 10 n log10(d) + material + orientation + fading + noise; read chance per inventory
round = 0.98 logistic(margin / 2 dB). Fading is spatial: drawn once when a tag comes to stand,
anew every quarter wave while it is carried. What is heard of other zones' tags comes in runs:
a lucky place lasts as long as the tag stands, a path that opens (a door, a forklift) for seconds.

Gen2: in session 0, and in dual search, nobody is silent after an answer; in single search of
session 1 a tag is so for its own time, of sessions 2 and 3 as long as the field lasts.

A tag that stands costs one random number per round; nothing is recomputed until it moves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from simulators.world.beam import beam_db
from simulators.world.parameters import Gen2, SiteParameters
from simulators.world.radio_events import (
    Antenna,
    Block,
    CableStep,
    Carry,
    Lift,
    RadioEvent,
    Stand,
    Tag,
)

ROUND_MIN_S = 0.02
"""An inventory round in which nobody answers."""

CHANCE_MAX, CHANCE_SHADOWED, CHANCE_FORGOTTEN = 0.98, 0.03, 0.003
"""Read chance per round: at best, behind a body or a forklift, and too little to be simulated."""

CHANCE_DARK = 0.02
"""A tag with less of a chance than this is as good as not there: no rule can find it."""

QUARTER_WAVE_M = 0.08

NOISE_DB, NOISES = 0.25, 1024
"""Deviation of the RSSI of a tag that stands, and how many drawn values are used in turn."""

PERSISTENCE_S = 5.0
"""In sessions 2 and 3 a tag that answered a single search keeps silent as long as it is powered,
and so long after; the standard asks for 2 s at least.
"""

SHADOW_SD_DB = 3.0
"""How much the loss behind a body differs from one dwell to the next."""

BLOCKED_SHARE = 0.7
"""Tags of a zone that a person in front of it shades."""

Heard: TypeAlias = tuple[float, str, str, int]
"""When (seconds), where, who, hundredths of a dBm."""


@dataclass(slots=True, eq=False)
class _State:
    """One tag at one reader."""

    tag: Tag
    zone: str = ""
    silent_until_s: float = 0.0
    shadow_from_s: float = 0.0
    shadow_to_s: float = -1.0
    blocked_to_s: float = -1.0
    fading: dict[str, tuple[float, float, float]] = field(default_factory=dict)


_Candidate: TypeAlias = tuple[_State, str, float, float]


@dataclass(slots=True, eq=False)
class _Ear:
    """What one antenna hears: tags that stand, with level and chance, and those only a run opens.

    `candidates` are (state, epc, level, chance) of what is heard at all.
    """

    antenna: Antenna
    loss_db: float = 0.0
    levels: dict[Tag, float] = field(default_factory=dict)
    candidates: dict[Tag, _Candidate] = field(default_factory=dict)
    run: list[tuple[_State, str, float, float]] = field(default_factory=list)
    run_from_s: float = 0.0
    run_to_s: float = -1.0


class Air:
    """The air in front of one reader."""

    def __init__(
        self,
        parameters: SiteParameters,
        antennas: Iterable[Antenna],
        base_dbm: float,
        gen2: Gen2,
        random: Random,
        cross_loss_db: float = 0.0,
    ) -> None:
        self._p = parameters
        self._cross_loss_db = cross_loss_db
        self._base_dbm = base_dbm
        self._flagged = gen2.session > 0 and gen2.search == "single"
        self._lasting = self._flagged and gen2.session > 1
        self._random = random
        self.ears = [_Ear(antenna) for antenna in antennas]
        self._states: dict[Tag, _State] = {}
        self._carries: list[Carry] = []
        self._noise = [random.gauss(0.0, NOISE_DB) for _ in range(NOISES)]
        self._noise_at = 0
        self._gap_s = 1 / parameters.reads_per_s
        self._until_ghost = random.expovariate(parameters.ghost_per_read)
        self.counts: Counter[str] = Counter()
        for ear in self.ears:
            ear.run_from_s = random.expovariate(1 / parameters.stray_run_every_s)

    def take(self, event: RadioEvent) -> None:
        """Change what stands, moves or shades, from now on."""
        if isinstance(event, Stand):
            self._stand(event)
        elif isinstance(event, Lift):
            for ear in self.ears:
                ear.levels.pop(event.tag, None)
                ear.candidates.pop(event.tag, None)
                ear.run = [candidate for candidate in ear.run if candidate[0].tag is not event.tag]
        elif isinstance(event, Carry):
            self._carries.append(event)
        elif isinstance(event, Block):
            for state in self._states.values():
                if state.zone == event.zone and self._random.random() < BLOCKED_SHARE:
                    state.blocked_to_s = max(state.blocked_to_s, event.until_s)
        else:
            self._cable(event)

    def dwell(self, number: int, begin_s: float, end_s: float) -> list[Heard]:
        """Make inventory rounds on one antenna; what it hears, in order of time."""
        ear, random = self.ears[number], self._random.random
        self._open_runs(ear, begin_s)
        pool = self._pool(ear, begin_s)
        moving = self._moving(ear.antenna, begin_s, end_s)
        heard: list[Heard] = []
        if not pool and not moving:
            return heard
        now_s, gap_s, flagged, point = begin_s, self._gap_s, self._flagged, ear.antenna.point
        while now_s < end_s:
            round_s = now_s
            if flagged:
                hits = [c for c in pool if c[0].silent_until_s <= now_s and random() < c[3]]
            else:
                hits = [c for c in pool if random() < c[3]]
            for carry, state, offset in moving:
                if carry.at_s <= now_s < carry.until_s and state.silent_until_s <= now_s:
                    level, chance = self._carried(ear, carry, state, offset, now_s)
                    if random() < chance:
                        hits.append((state, state.tag.epc, level, chance))
            if len(hits) > 1:
                turn = int(random() * len(hits))
                hits = hits[turn:] + hits[:turn]
            for state, epc, level, _ in hits:
                now_s += gap_s
                if now_s >= end_s:
                    break
                self._noise_at = index = (self._noise_at + 1) % NOISES
                heard.append((now_s, point, epc, round((level + self._noise[index]) * 2) * 50))
                if flagged:
                    silence_s = PERSISTENCE_S if self._lasting else state.tag.silence_s
                    state.silent_until_s = now_s + silence_s
                if state.zone and state.zone != ear.antenna.zone:
                    self.counts["stray"] += 1
            now_s = max(now_s, round_s + ROUND_MIN_S)
        return self._with_ghosts(heard)

    def answers(self, number: int, now_s: float) -> list[tuple[str, float]]:
        """Who would answer one round on an antenna now, and at what level: for a reader that keeps
        the flags of its session itself.
        """
        ear, random = self.ears[number], self._random.random
        self._open_runs(ear, now_s)
        heard = [
            (epc, level) for _, epc, level, chance in self._pool(ear, now_s) if random() < chance
        ]
        for carry, state, offset in self._moving(ear.antenna, now_s, now_s + ROUND_MIN_S):
            if carry.at_s <= now_s < carry.until_s:
                level, chance = self._carried(ear, carry, state, offset, now_s)
                if random() < chance:
                    heard.append((state.tag.epc, level))
        return heard

    def chance(self, level_dbm: float) -> float:
        """The chance that a tag at this level answers one round."""
        margin = (level_dbm - self._p.sensitivity_dbm) / 2.0
        return CHANCE_MAX / (1.0 + math.exp(-max(-40.0, min(40.0, margin))))

    def _stand(self, event: Stand) -> None:
        p, random, tag = self._p, self._random, event.tag
        state = self._state(tag, event.at_s)
        state.zone = event.zone
        state.fading.clear()
        tilt = math.radians(80.0 * random.random() * random.random())
        own = 0.0
        turned_db = max(-15.0, 20 * math.log10(math.cos(tilt)))
        for ear in self.ears:
            level = self._level(ear, event.x_m, event.y_m) + turned_db + tag.material_db
            level += random.gauss(0.0, p.fading_sd_db)
            if random.random() < p.null_share:
                level += p.null_db
            if event.zone != ear.antenna.zone:
                level -= self._cross_loss_db
            ear.candidates.pop(tag, None)
            ear.levels[tag] = level
            self._listen(ear, state, level)
            if event.zone == ear.antenna.zone:
                own = max(own, self.chance(level - ear.loss_db))
        if any(event.zone == ear.antenna.zone for ear in self.ears):
            self.counts["stands"] += 1
            self.counts["dark"] += own < CHANCE_DARK

    def _listen(self, ear: _Ear, state: _State, level: float) -> None:
        level -= ear.loss_db
        chance = self.chance(level)
        if chance > CHANCE_FORGOTTEN:
            ear.candidates[state.tag] = (state, state.tag.epc, level, chance)
        else:
            ear.candidates.pop(state.tag, None)

    def _cable(self, event: CableStep) -> None:
        for ear in self.ears:
            if ear.antenna.point == event.point:
                ear.loss_db = event.loss_db
                for tag, level in ear.levels.items():
                    self._listen(ear, self._states[tag], level)

    def _level(self, ear: _Ear, x_m: float, y_m: float) -> float:
        antenna = ear.antenna
        dx, dy = x_m - antenna.x_m, y_m - antenna.y_m
        distance = max(0.2, math.sqrt(dx * dx + dy * dy + antenna.offset_m**2))
        level = self._base_dbm - 10 * self._p.path_exponent * math.log10(distance)
        if antenna.facing_deg is not None:
            level += beam_db(antenna.facing_deg, dx, dy)
        return level

    def _state(self, tag: Tag, at_s: float) -> _State:
        state = self._states.get(tag)
        if state is None:
            state = self._states[tag] = _State(tag)
            state.shadow_from_s = at_s + self._random.expovariate(1 / self._p.shadow_every_s)
        return state

    def _pool(self, ear: _Ear, now_s: float) -> list[_Candidate]:
        pool = list(ear.candidates.values())
        if now_s < ear.run_to_s:
            pool += ear.run
        for state, *_ in pool if self._lasting else ():
            if now_s < state.silent_until_s:
                state.silent_until_s = now_s + PERSISTENCE_S
        for index, (state, epc, level, chance) in enumerate(pool):
            if now_s >= state.shadow_from_s:
                self._shade(state, now_s)
            if now_s < state.shadow_to_s or now_s < state.blocked_to_s:
                dimmed = level - self._random.gauss(self._p.body_db, SHADOW_SD_DB)
                pool[index] = (state, epc, dimmed, min(chance, CHANCE_SHADOWED))
        return pool

    def _shade(self, state: _State, now_s: float) -> None:
        random, p = self._random, self._p
        state.shadow_to_s = now_s + random.expovariate(1 / p.shadow_s)
        state.shadow_from_s = state.shadow_to_s + random.expovariate(1 / p.shadow_every_s)

    def _open_runs(self, ear: _Ear, now_s: float) -> None:
        if now_s < ear.run_from_s:
            return
        random, p = self._random, self._p
        ear.run_to_s = now_s + random.expovariate(1 / p.stray_run_s)
        ear.run_from_s = ear.run_to_s + random.expovariate(1 / p.stray_run_every_s)
        others = sorted(
            {self._states[tag].zone for tag in ear.levels if self._states[tag].zone}
            - {ear.antenna.zone}
        )
        ear.run = []
        if not others:
            return
        zone = random.choice(others)
        for tag, level in ear.levels.items():
            state = self._states[tag]
            if state.zone == zone and tag not in ear.candidates and random.random() < 0.5:
                gained = level + p.stray_run_gain_db - ear.loss_db
                chance = self.chance(gained)
                if chance > CHANCE_FORGOTTEN:
                    ear.run.append((state, tag.epc, gained, chance))

    def _moving(
        self, antenna: Antenna, begin_s: float, end_s: float
    ) -> list[tuple[Carry, _State, tuple[float, float]]]:
        del antenna
        if not self._carries:
            return []
        self._carries = [carry for carry in self._carries if carry.until_s > begin_s]
        moving = []
        for carry in self._carries:
            if carry.at_s < end_s:
                for tag, offset in zip(carry.tags, carry.offsets, strict=True):
                    state = self._state(tag, carry.at_s)
                    state.zone = ""
                    moving.append((carry, state, offset))
        return moving

    def _carried(
        self, ear: _Ear, carry: Carry, state: _State, offset: tuple[float, float], now_s: float
    ) -> tuple[float, float]:
        x, y = carry.path(now_s)
        x, y = x + offset[0], y + offset[1]
        level = self._level(ear, x, y) + state.tag.material_db - carry.loss_db - ear.loss_db
        known = state.fading.get(ear.antenna.point)
        if known is None or abs(known[0] - x) + abs(known[1] - y) > QUARTER_WAVE_M:
            known = (x, y, self._random.gauss(0.0, self._p.fading_sd_db))
            state.fading[ear.antenna.point] = known
        level += known[2]
        return level, self.chance(level)

    def _with_ghosts(self, heard: list[Heard]) -> list[Heard]:
        """Let a read in so many come with a burst of wrong bits that passed its checksum."""
        self.counts["reads"] += len(heard)
        self._until_ghost -= len(heard)
        if self._until_ghost > 0 or not heard:
            return heard
        random = self._random
        self._until_ghost = random.expovariate(self._p.ghost_per_read)
        index = random.randrange(len(heard))
        at_s, point, epc, rssi = heard[index]
        length = random.randint(8, 24)
        burst = random.getrandbits(length) << random.randrange(len(epc) * 4 - length)
        heard[index] = (at_s, point, f"{int(epc, 16) ^ burst:0{len(epc)}x}", rssi)
        self.counts["ghosts"] += 1
        return heard
