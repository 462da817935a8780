"""The parameters of one site, drawn from the ranges of the field notes; each can be printed.

Three levels: an `easy` site lies in the kind part of every range, a `normal` one in the middle, a
`hard` one reaches to its end. Levels in dB, dBm, grams, seconds; shares between 0 and 1. What is
measured on real reads: fading, noise, session silence, stray share, ghosts. The rest is
engineering judgement until a site log calibrates it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from random import Random
from typing import Literal, NamedTuple, TypeAlias

Level: TypeAlias = Literal["easy", "normal", "hard"]

LEVELS: tuple[Level, ...] = ("easy", "normal", "hard")

Range: TypeAlias = tuple[float, float]

RANGES: dict[str, tuple[Range, Range, Range]] = {
    # radio
    "path_exponent": ((3.3, 3.7), (3.0, 4.0), (2.5, 5.0)),
    "power_at_1m_dbm": ((-54.0, -50.0), (-56.0, -48.0), (-60.0, -45.0)),
    "fading_sd_db": ((2.5, 3.5), (3.0, 5.0), (4.0, 6.0)),
    "sensitivity_dbm": ((-76.0, -72.0), (-77.0, -70.0), (-79.0, -68.0)),
    "edge_margin_db": ((14.0, 18.0), (12.0, 16.0), (11.0, 14.0)),
    "null_share": ((0.01, 0.03), (0.02, 0.08), (0.06, 0.15)),
    "null_db": ((-15.0, -12.0), (-15.0, -15.0), (-15.0, -15.0)),
    "shadow_every_s": ((60.0, 120.0), (25.0, 60.0), (15.0, 30.0)),
    "shadow_s": ((0.5, 1.0), (1.0, 3.0), (2.0, 6.0)),
    "stray_share": ((0.001, 0.01), (0.01, 0.06), (0.06, 0.25)),
    "stray_run_every_s": ((300.0, 900.0), (60.0, 240.0), (20.0, 80.0)),
    "stray_run_s": ((1.0, 3.0), (2.0, 6.0), (3.0, 15.0)),
    "stray_run_gain_db": ((6.0, 10.0), (8.0, 14.0), (10.0, 18.0)),
    "aisle_loss_db": ((8.0, 14.0), (5.0, 10.0), (2.0, 7.0)),
    "body_db": ((6.0, 9.0), (7.0, 10.0), (8.0, 12.0)),
    "liquid_share": ((0.0, 0.0), (0.0, 0.1), (0.05, 0.2)),
    "metal_share": ((0.0, 0.0), (0.0, 0.03), (0.0, 0.05)),
    "reads_per_s": ((400.0, 700.0), (250.0, 450.0), (150.0, 300.0)),
    "dwell_s": ((0.2, 0.4), (0.2, 1.0), (0.5, 2.0)),
    "gate_dwell_s": ((0.08, 0.12), (0.1, 0.2), (0.15, 0.35)),
    "ghost_per_read": ((1e-9, 1e-7), (1e-7, 1e-5), (1e-6, 3e-5)),
    "report_delay_s": ((0.0, 0.02), (0.0, 0.15), (0.05, 0.8)),
    "cable_loss_chance": ((0.0, 0.0), (0.1, 0.1), (0.4, 0.4)),
    # load cells
    "noise_g": ((0.1, 0.3), (0.2, 0.6), (0.5, 2.0)),
    "resolution_g": ((0.1, 0.1), (0.1, 0.5), (0.5, 1.0)),
    "creep_share": ((0.0001, 0.0002), (0.0001, 0.0003), (0.0002, 0.0005)),
    "creep_tau_s": ((400.0, 560.0), (300.0, 600.0), (240.0, 900.0)),
    "zero_g_per_k": ((0.2, 0.5), (0.4, 1.0), (0.8, 1.5)),
    "temperature_swing_k": ((1.0, 2.0), (2.0, 5.0), (4.0, 10.0)),
    "corner_share": ((0.0002, 0.0004), (0.0002, 0.0008), (0.0005, 0.001)),
    "vibration_g": ((0.5, 2.0), (1.0, 6.0), (4.0, 20.0)),
    "vibration_every_s": ((600.0, 1200.0), (120.0, 400.0), (40.0, 120.0)),
    "ring_s": ((0.08, 0.12), (0.08, 0.2), (0.15, 0.4)),
    "ring_hz": ((8.0, 12.0), (7.0, 12.0), (5.0, 9.0)),
    "draught_g": ((0.2, 0.5), (0.5, 2.0), (1.0, 4.0)),
    "draught_every_s": ((1800.0, 3600.0), (600.0, 1800.0), (200.0, 600.0)),
    "lightest_g": ((50.0, 50.0), (15.0, 15.0), (8.0, 8.0)),
    "unit_spread": ((0.003, 0.01), (0.005, 0.03), (0.01, 0.05)),
}

LOGARITHMIC = frozenset(("ghost_per_read", "stray_share"))

Search: TypeAlias = Literal["single", "dual"]
"""Gen2 search: tags whose flag is A only, or A and B in turn."""


class Gen2(NamedTuple):
    """How a reader asks. What it makes of silence: `simulators.world.air`."""

    session: int
    search: Search


GATE_GEN2 = Gen2(0, "dual")

SHELF_GEN2: dict[Level, tuple[Gen2, ...]] = {
    "easy": (Gen2(0, "dual"),),
    "normal": (Gen2(0, "dual"), Gen2(1, "single")),
    "hard": (
        Gen2(0, "dual"),
        Gen2(1, "single"),
        Gen2(1, "single"),
        Gen2(1, "dual"),
        Gen2(2, "dual"),
        Gen2(3, "dual"),
    ),
}
"""Of shelf readers, drawn with equal chance. Single search in sessions 2 and 3 is left to those who
count, since a tag that stays in the field would answer once and never again.
"""


@dataclass(frozen=True, slots=True)
class SiteParameters:
    """See RANGES for bounds; session and search are those of shelf readers."""

    level: Level
    session: int
    search: Search
    path_exponent: float
    power_at_1m_dbm: float
    fading_sd_db: float
    sensitivity_dbm: float
    edge_margin_db: float
    null_share: float
    null_db: float
    shadow_every_s: float
    shadow_s: float
    stray_share: float
    stray_run_every_s: float
    stray_run_s: float
    stray_run_gain_db: float
    aisle_loss_db: float
    body_db: float
    liquid_share: float
    metal_share: float
    reads_per_s: float
    dwell_s: float
    gate_dwell_s: float
    ghost_per_read: float
    report_delay_s: float
    cable_loss_chance: float
    noise_g: float
    resolution_g: float
    creep_share: float
    creep_tau_s: float
    zero_g_per_k: float
    temperature_swing_k: float
    corner_share: float
    vibration_g: float
    vibration_every_s: float
    ring_s: float
    ring_hz: float
    draught_g: float
    draught_every_s: float
    lightest_g: float
    unit_spread: float

    @classmethod
    def draw(cls, random: Random, level: Level) -> SiteParameters:
        """Draw one site; the same random gives the same site."""
        rank = LEVELS.index(level)
        drawn = {}
        for name, ranges in RANGES.items():
            low, high = ranges[rank]
            if name in LOGARITHMIC:
                drawn[name] = math.exp(random.uniform(math.log(low), math.log(high)))
            else:
                drawn[name] = random.uniform(low, high)
        session, search = random.choice(SHELF_GEN2[level])
        return cls(level=level, session=session, search=search, **drawn)

    @property
    def gen2(self) -> Gen2:
        """How the shelf readers ask."""
        return Gen2(self.session, self.search)

    def told(self) -> dict[str, float | int | str]:
        """All parameters by name, as they are printed."""
        return {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
