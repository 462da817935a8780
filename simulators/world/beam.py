"""How much less an antenna hears from beside and from behind than from ahead."""

from __future__ import annotations

import math

BEAM_DEG, BEAM_FLOOR_DB = 70.0, -20.0
"""Half-power width of a gate antenna, and what it hears from behind."""


def beam_db(facing_deg: float, dx_m: float, dy_m: float) -> float:
    """Gain towards a place so far from an antenna that faces that way, against straight ahead."""
    off = abs(math.degrees(math.atan2(dy_m, dx_m)) - facing_deg) % 360.0
    off = min(off, 360.0 - off)
    return max(BEAM_FLOOR_DB, -12.0 * (off / BEAM_DEG) ** 2)
