"""Forklifts and lorries on the lane before the shelves: they shade tags as they pass, and shake the
floor under every scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from simulators.world.parameters import SiteParameters
from simulators.world.plate import Shake
from simulators.world.radio_events import Block as Shade

TRUCK_M = 2.5
"""Length of a truck with its load: so long it stands between a tag and what hears it."""

SPEED_M_S = (1.2, 2.8)
SHAKES_S, SHAKES_HZ = (1.0, 3.0), (8.0, 25.0)
"""How long and how fast the floor shakes when one passes."""


class Drive(NamedTuple):
    """One passage; `at_s` is when it begins, `begins_left` from which end of the lane."""

    at_s: float
    speed_m_s: float
    begins_left: bool
    shakes_s: float
    shakes_g: float
    shakes_hz: float


def drives(parameters: SiteParameters, random: Random, length_s: float) -> tuple[Drive, ...]:
    """All passages of a site, on average one in `vibration_every_s`."""
    planned: list[Drive] = []
    now_s = 0.0
    while (now_s := now_s + random.expovariate(1 / parameters.vibration_every_s)) < length_s:
        speed, left = random.uniform(*SPEED_M_S), random.random() < 0.5
        amplitude = parameters.vibration_g * random.uniform(0.3, 1.0)
        lasts, hertz = random.uniform(*SHAKES_S), random.uniform(*SHAKES_HZ)
        planned.append(Drive(now_s, speed, left, lasts, amplitude, hertz))
    return tuple(planned)


def shades(planned: Sequence[Drive], zones: Sequence[str], pitch_m: float) -> list[Shade]:
    """What passes each zone of a row, and when."""
    told = []
    for drive in planned:
        for number, zone in enumerate(zones if drive.begins_left else reversed(zones)):
            begin_s = drive.at_s + number * pitch_m / drive.speed_m_s
            told.append(Shade(begin_s, begin_s + TRUCK_M / drive.speed_m_s, zone))
    return told


def shakes(planned: Sequence[Drive]) -> list[Shake]:
    """What all plates of a site feel of them."""
    return [
        Shake(drive.at_s, drive.at_s + drive.shakes_s, drive.shakes_g, drive.shakes_hz)
        for drive in planned
    ]
