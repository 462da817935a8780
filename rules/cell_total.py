"""What lies on a cell in all, weighed for long: as pieces, and against what is expected there. Part
of the count rule.

The total is less sure than a step: the zero of a cell wanders (`rules.reading`). So it is asked
first whether the weight speaks against what is expected, and only then what else lies there. After
a zero that was commanded with parts on it, a total proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from gateway.model import CellTotal, Weighed, WeightStep
from rules import mixed
from rules.mixed_plate import TOTAL_MIN, MixedPlate
from rules.reading import (
    DEVIATIONS_MAX,
    LEVEL_SD_MIN_G,
    UNREAD,
    ZERO_SD_G,
    likeliest,
    permille,
    pieces_on,
)
from rules.single_plate import SinglePlate
from rules.unit_weight import SPREAD_MIN, UnitWeight


def total_of(
    plate: SinglePlate | MixedPlate, wares: Sequence[UnitWeight], weighed: Weighed
) -> CellTotal:
    """What lies there; `wares` are the pieces of all planned items, in their order."""
    if plate.zero_off or not wares:
        return CellTotal(weighed.cell, (), False, 0)
    fits = bool(weighed.expected) and _fits(weighed, wares)
    if isinstance(plate, SinglePlate):
        return _of_one(plate, wares[0], weighed, fits=fits)
    noise_g = sqrt(ZERO_SD_G**2 + max(LEVEL_SD_MIN_G, weighed.sd_g) ** 2)
    likely = mixed.total(weighed.level_g, noise_g, wares, None)
    if not likely or likely[0].probability < TOTAL_MIN:
        return CellTotal(weighed.cell, (), fits, 0)
    best = likely[0]
    return CellTotal(weighed.cell, best.pieces, fits, permille(best.probability))


def _of_one(plate: SinglePlate, ware: UnitWeight, weighed: Weighed, *, fits: bool) -> CellTotal:
    level, sd = weighed.level_g, weighed.sd_g
    step = WeightStep(weighed.cell, 0.0, level, sd, 0, level_sd_g=max(LEVEL_SD_MIN_G, sd))
    total = pieces_on(step, ware, plate.bars)
    if total != UNREAD:
        sure = total.confidence_permille
        return CellTotal(weighed.cell, (total.quantity,), fits, sure)
    guess = likeliest(step, ware)
    return CellTotal(weighed.cell, () if guess == UNREAD else (guess.quantity,), fits, 0)


def _fits(weighed: Weighed, wares: Sequence[UnitWeight]) -> bool:
    """Whether the expected pieces may weigh so much."""
    pairs = list(zip(wares, weighed.expected, strict=True))
    expected_g = sum(pieces * ware.unit_g for ware, pieces in pairs)
    variance = sum(ware.variance(pieces) for ware, pieces in pairs)
    variance += ZERO_SD_G**2 + max(LEVEL_SD_MIN_G, weighed.sd_g) ** 2
    variance += (SPREAD_MIN * expected_g) ** 2
    return abs(weighed.level_g - expected_g) <= DEVIATIONS_MAX * sqrt(variance)
