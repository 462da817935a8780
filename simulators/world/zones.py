"""A row of zones as an integrator leaves it: power set so that each antenna reaches the edge of
its own zone, and walls between zones such that the drawn share of reads comes from elsewhere.

The stray share is what sites measure; the loss between zones that leads to it is sought by trial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

from simulators.world.air import Air
from simulators.world.parameters import SiteParameters
from simulators.world.radio_events import Antenna, Stand

ANTENNA_OFFSET_M = 0.35

TRIAL_S = 30.0
"""How long a trial listens: some thousand reads."""

CROSS_LOSS_DB = (2.0, 45.0)
"""Bounds of the loss between zones; halved so many times:"""

HALVINGS = 6


def zone_antenna(point: str, zone: str, number: int, pitch_m: float) -> Antenna:
    """The antenna in the middle of zone `number` of a row."""
    return Antenna(point, zone, (number + 0.5) * pitch_m, 0.0, ANTENNA_OFFSET_M)


def zone_air(
    parameters: SiteParameters,
    antennas: Sequence[Antenna],
    pitch_m: float,
    stock: Sequence[Stand],
    random: Random,
) -> tuple[Callable[[Random], Air], float]:
    """How to make this reader's air, and the loss between zones that was found."""
    p = parameters
    edge_m = math.hypot(pitch_m / 2, ANTENNA_OFFSET_M)
    base = p.sensitivity_dbm + p.edge_margin_db + 10 * p.path_exponent * math.log10(edge_m)
    base = min(base, p.power_at_1m_dbm)
    seed = random.random()
    low, high = CROSS_LOSS_DB
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        air = Air(p, antennas, base, p.gen2, Random(seed), middle)
        if _stray_share(air, p, stock) > p.stray_share:
            low = middle
        else:
            high = middle
    return (lambda drawn: Air(p, antennas, base, p.gen2, drawn, high)), high


def _stray_share(air: Air, parameters: SiteParameters, stock: Sequence[Stand]) -> float:
    for stand in stock:
        air.take(stand)
    now_s, turn = 0.0, 0
    while now_s < TRIAL_S:
        air.dwell(turn % len(air.ears), now_s, now_s + parameters.dwell_s)
        now_s += parameters.dwell_s
        turn += 1
    return air.counts["stray"] / max(1, air.counts["reads"])
