"""Which way a tag went, told by the side of the gate that heard it louder as time went by.

Each quarter of a second leans to one side: by the ratio of the loudest reads of both, between -1
(outer) and +1 (inner). Four stories compete: in, out, came from the outer side and went back,
came from the inner side and went back. A story says which side the tag was on until when; its
score is the sum of what leans its way less what leans the other. Every turn of a story costs:
a tag that only one side heard did not pass.

Part of the portal rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

Direction: TypeAlias = Literal["in", "out", "turned_back", "uncertain"]

BIN_NS = 250_000_000

FLOOR_CDB = 2000
"""So much below a tag's loudest read a read says nothing of the side: antennas hear 15 to 20 dB
less from behind.
"""

CLEAR_DB = 10.0
"""A ratio of both sides from which on a lean is full."""

CROSSING_COST, RETURN_COST = 1.5, 3.0
"""What one turn and what two cost: so many clear quarters of a second."""

Lean: TypeAlias = tuple[int, float]
"""Number of the quarter second, and how it leans."""


class Story(NamedTuple):
    """The best story: `margin` over the second best of another direction, `purity` is the share of
    all leaning that fits, `weight` all leaning, `other` what leans away from `side`, where the tag
    was at last (0 outer, 1 inner), `turn` the quarter second of its last turn.
    """

    direction: Direction
    margin: float
    purity: float
    weight: float
    other: float
    turn: int
    side: int


def lean(outer: int, inner: int, peak: int) -> float:
    """How levels of both sides lean, in hundredths of a dBm; one of nothing is far below."""
    floor = peak - FLOOR_CDB
    powers = (1.0 + 10.0 ** ((inner - floor) / 1000)) / (1.0 + 10.0 ** ((outer - floor) / 1000))
    return max(-1.0, min(1.0, 10.0 * math.log10(powers) / CLEAR_DB))


def tell(leans: Sequence[Lean]) -> Story:
    """Find the best of the four stories of these leans, in order of time."""
    total = low = high = rise = fall = weight = 0.0
    low_at = high_at = turn_rise = turn_fall = leans[0][0] if leans else 0
    for number, value in leans:
        total += value
        weight += abs(value)
        if total < low:
            low, low_at = total, number
        elif total > high:
            high, high_at = total, number
        if total - low > rise:
            rise, turn_rise = total - low, number
        if high - total > fall:
            fall, turn_fall = high - total, number
    back = max((-total, 0, low_at), (total, 1, high_at))
    back = max(back, (2 * rise - total - RETURN_COST, 0, turn_rise))
    back = max(back, (total + 2 * fall - RETURN_COST, 1, turn_fall))
    inward, outward = total - 2 * low - CROSSING_COST, 2 * high - total - CROSSING_COST
    ranked: list[tuple[float, Direction, int, int]] = [
        (inward, "in", low_at, 1),
        (outward, "out", high_at, 0),
        (back[0], "turned_back", back[2], back[1]),
    ]
    ranked.sort(reverse=True)
    score, direction, turn, side = ranked[0]
    cost = 0.0 if direction == "turned_back" else CROSSING_COST
    purity = (score + cost) / weight if weight else 0.0
    other = (weight - total if side else weight + total) / 2
    return Story(direction, score - ranked[1][0], purity, weight, other, turn, side)
