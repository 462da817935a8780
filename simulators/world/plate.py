"""What load cells feel: goods, creep, ringing, temperature, corners, hands, lorries; virtual time.

One scale device polls its cells together. Between events only noise, drift and creep change, so
that an hour of eight cells at 10 Hz costs about a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeAlias

from simulators.world.parameters import SiteParameters
from simulators.world.truth import Alive, Link, Observed, Weights, ns

POLL_S = 0.1

ANSWER_NS = 5_000_000
"""From the moment of weighing until the answer is here."""

NOISES = 4096
"""Drawn noise values, of which one is chosen for each sample."""

SETTLED_RINGS = 8
"""After so many decay times a plate rings no more."""

DAY_S = 86_400.0
HEATING_S = 1_500.0
"""Periods of the temperature: day and night, and the heating going on and off."""


class Load(NamedTuple):
    """From `at_s` on so much more lies on the cell (grams, corner error included)."""

    at_s: float
    cell: str
    change_g: float


class Press(NamedTuple):
    """Something presses on the cell for a while: a hand, somebody who leans, a door's draught.

    `wander` is how restless it is, as a share of the force.
    """

    at_s: float
    until_s: float
    cell: str
    force_g: float
    wander: float


class Freeze(NamedTuple):
    """The transmitter repeats its last value for a while."""

    at_s: float
    until_s: float
    cell: str


class Shake(NamedTuple):
    """The floor shakes all plates of the device for a while."""

    at_s: float
    until_s: float
    amplitude_g: float
    hertz: float


PlateEvent: TypeAlias = Load | Press | Freeze | Shake


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """Everything that happens to one scale device."""

    device: str
    cells: tuple[str, ...]
    first_g: dict[str, float]
    length_s: float
    seed: str
    parameters: SiteParameters
    events: Sequence[PlateEvent]
    down: tuple[tuple[float, float], ...] = ()
    poll_s: float = POLL_S


@dataclass(slots=True, eq=False)
class _Plate:
    """One cell as it is now."""

    cell: str
    load_g: float
    zero_g_per_k: float
    span_per_k: float
    ring_g: float = 0.0
    changed_s: float = -1e6
    creep_g: float = 0.0
    creep_left_g: float = 0.0
    creep_from_s: float = 0.0
    pressed: Press | None = None
    frozen_to_s: float = -1.0
    last_g: float = 0.0


@dataclass(frozen=True, slots=True)
class ScaleStream:
    """What a scale device answers to its polls, in order of time; anew with each call."""

    plan: ScalePlan

    def __call__(self) -> Iterator[Observed]:
        """Begin at the beginning."""
        return Scale(self.plan).run()


class Scale:
    """A scale device. Time is handed in and only moves forward."""

    def __init__(self, plan: ScalePlan) -> None:
        p = plan.parameters
        self._plan = plan
        self._random = random = Random(plan.seed)
        self._noise = [random.gauss(0.0, p.noise_g) for _ in range(NOISES)]
        self._plates = {
            cell: _Plate(
                cell,
                plan.first_g.get(cell, 0.0),
                random.choice((-1.0, 1.0)) * p.zero_g_per_k * random.uniform(0.5, 1.0),
                random.uniform(-2e-5, 2e-5),
                creep_g=p.creep_share * plan.first_g.get(cell, 0.0),
            )
            for cell in plan.cells
        }
        self._phase_s = random.uniform(0.0, DAY_S)
        self._shake: Shake | None = None
        self._events, self._next = sorted(plan.events, key=lambda event: event.at_s), 0

    def gross_g(self, cell: str, now_s: float) -> float:
        """Grams that the cell shows at that moment, noise and steps of the display included."""
        self._happen(now_s)
        return self._gross(self._plates[cell], now_s, self._warmth(now_s), self._shaken(now_s))

    def run(self) -> Iterator[Observed]:
        """Poll after poll."""
        plan, plates = self._plan, list(self._plates.values())
        down, tick = list(plan.down), 0
        period_ns = ns(plan.poll_s)
        yield Alive(0, plan.device)
        while (now_s := tick * plan.poll_s) < plan.length_s:
            tick += 1
            self._happen(now_s)
            if down and now_s >= down[0][0]:
                begin_s, end_s = down.pop(0)
                yield Link(ns(begin_s), plan.device, up=False)
                tick = math.ceil(end_s / plan.poll_s)
                yield Link(ns(end_s), plan.device, up=True)
                continue
            warm_k = self._warmth(now_s)
            shaken_g = self._shaken(now_s)
            samples = [
                (plate.cell, self._gross(plate, now_s, warm_k, shaken_g), 0) for plate in plates
            ]
            at = (tick - 1) * period_ns + ANSWER_NS
            yield Weights(at, plan.device, samples)

    def _happen(self, now_s: float) -> None:
        events = self._events
        while self._next < len(events) and events[self._next].at_s <= now_s:
            self._take(events[self._next])
            self._next += 1

    def _take(self, event: PlateEvent) -> None:
        if isinstance(event, Shake):
            self._shake = event
            return
        plate, p = self._plates[event.cell], self._plan.parameters
        if isinstance(event, Load):
            plate.load_g += event.change_g
            plate.ring_g = -event.change_g * 0.5
            plate.creep_g = self._creep(plate, event.at_s)
            plate.creep_left_g = p.creep_share * plate.load_g - plate.creep_g
            plate.changed_s = plate.creep_from_s = event.at_s
        elif isinstance(event, Press):
            plate.pressed = event
        else:
            plate.frozen_to_s = event.until_s

    def _creep(self, plate: _Plate, now_s: float) -> float:
        since = (now_s - plate.creep_from_s) / self._plan.parameters.creep_tau_s
        return plate.creep_g + plate.creep_left_g * (1.0 - math.exp(-since))

    def _warmth(self, now_s: float) -> float:
        """Kelvin away from the start."""
        swing = self._plan.parameters.temperature_swing_k / 2
        day = math.sin(2 * math.pi * (now_s + self._phase_s) / DAY_S)
        day -= math.sin(2 * math.pi * self._phase_s / DAY_S)
        return swing * day + 0.1 * swing * math.sin(2 * math.pi * now_s / HEATING_S)

    def _shaken(self, now_s: float) -> float:
        """What a lorry or a forklift does to the floor just now."""
        shake = self._shake
        if shake is None or now_s >= shake.until_s:
            return 0.0
        swing = math.sin(2 * math.pi * shake.hertz * (now_s - shake.at_s))
        return shake.amplitude_g * swing * self._random.uniform(0.5, 1.0)

    def _gross(self, plate: _Plate, now_s: float, warm_k: float, shaken_g: float) -> float:
        p, random = self._plan.parameters, self._random
        if now_s < plate.frozen_to_s:
            return plate.last_g
        gross = plate.load_g + self._creep(plate, now_s) + shaken_g
        gross += plate.zero_g_per_k * warm_k + plate.load_g * plate.span_per_k * warm_k
        since = now_s - plate.changed_s
        if since < SETTLED_RINGS * p.ring_s:
            turned = math.cos(2 * math.pi * p.ring_hz * since)
            gross += plate.ring_g * math.exp(-since / p.ring_s) * turned
        pressed = plate.pressed
        if pressed is not None and now_s >= pressed.at_s:
            if now_s >= pressed.until_s:
                plate.pressed = None
            else:
                swing = math.sin(5.0 * (now_s - pressed.at_s)) + random.gauss(0.0, 0.5)
                gross += pressed.force_g * (1.0 + pressed.wander * swing)
        gross += self._noise[int(random.random() * NOISES)]
        plate.last_g = round(gross / p.resolution_g) * p.resolution_g
        return plate.last_g
