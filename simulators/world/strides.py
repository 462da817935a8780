"""How people walk in the demo's warehouse: up to a shelf and away from it, and through a gate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

BODY_M, NEAR_M, DESK_M, WALK_M_S = 0.8, 2.5, 4.0, 1.4
"""How far off the shelf a badge is: of somebody who reaches into it, where he comes from, and where
he goes behind a rack and nobody hears it any more; and how fast he walks.
"""

RUN_M = 3.2
"""How far before the gate a carton begins to be carried; it ends as far behind it."""

Place: TypeAlias = Callable[[float], tuple[float, float] | None]
"""Where somebody is at a moment, in metres; None when he has arrived."""


def steps(begin_s: float, x_m: float, from_m: float, to_m: float) -> Place:
    """Towards the shelf or away from it, until there."""
    speed_m_s = math.copysign(WALK_M_S, to_m - from_m)

    def place(at_s: float) -> tuple[float, float] | None:
        gone_m = (at_s - begin_s) * speed_m_s
        return None if abs(gone_m) >= abs(to_m - from_m) else (x_m, from_m + gone_m)

    return place


def walk(begin_s: float, sign: float, speed_m_s: float, offset: tuple[float, float]) -> Place:
    """Through a gate: inward with a `sign` of 1, outward of -1; `offset` from who carries it."""

    def place(at_s: float) -> tuple[float, float] | None:
        along = (at_s - begin_s) * speed_m_s - RUN_M
        return None if along > RUN_M else (sign * along + offset[0], offset[1])

    return place
