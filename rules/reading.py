"""One kind of piece read from a weight: how many, and how surely. Part of the count rule."""

from __future__ import annotations

from math import exp, sqrt
from typing import NamedTuple

from gateway.model import WeightStep
from rules.unit_weight import SPREAD_MIN, UnitWeight

ZERO_SD_G = 5.0
"""Zero of a cell wanders by no more than twice this: 0.02 % of 50 kg in 10 K is what a cell is sold
with. Below about 15 g no total is sure.
"""

LIKELIEST_MIN, NEIGHBOURS = 0.2, 5
"""A total of which no number is likelier than this says nothing; so many numbers on either side
are weighed.
"""

LEVEL_SD_MIN_G = 0.3
"""However long one weighs: draughts, creep and the display move a level by so much in seconds."""

CERTAIN_PERMILLE = 995
"""Of 200 counts that no figure speaks against one is wrong: two acts at once, a hand at rest."""

DEVIATIONS_MAX = 3.0


class Reading(NamedTuple):
    """Quantity, and confidence in permille; 0 if it does not resolve."""

    quantity: int
    confidence_permille: int


UNREAD = Reading(0, 0)


class Bars(NamedTuple):
    """How likely a reading must be, what share of a piece is surely nothing, and how far from whole
    pieces a change may be.
    """

    right_min: float
    nothing_below_units: float
    misfit_max_units: float


def level_sd_g(step: WeightStep) -> float:
    """How sure each level of the step is."""
    return max(LEVEL_SD_MIN_G, step.level_sd_g) if step.level_sd_g else step.sd_g


def permille(probability: float) -> int:
    """A probability as confidence."""
    return min(CERTAIN_PERMILLE, int(1000 * probability))


def pieces_in(step: WeightStep, ware: UnitWeight, bars: Bars) -> Reading:
    """The change as pieces: n, rather than one more or less, and near enough to whole ones."""
    change_g = step.after_g - step.before_g
    quantity = round(change_g / ware.unit_g)
    noise = 2 * level_sd_g(step) ** 2
    deviation = sqrt(ware.variance(max(1, abs(quantity))) + noise) / ware.unit_g
    misfit_max = max(DEVIATIONS_MAX * deviation, bars.misfit_max_units)
    reading = _read(quantity, change_g / ware.unit_g, deviation, (bars.right_min, misfit_max))
    return reading if reading.quantity else UNREAD


def pieces_on(step: WeightStep, ware: UnitWeight, bars: Bars) -> Reading:
    """The total as pieces: the same, with the zero that wanders."""
    units = step.after_g / ware.unit_g
    quantity = max(0, round(units))
    systematic = (quantity * SPREAD_MIN * ware.unit_g) ** 2
    noise = ZERO_SD_G**2 + level_sd_g(step) ** 2 + systematic
    deviation = sqrt(ware.variance(quantity) + noise) / ware.unit_g
    return _read(quantity, units, deviation, (bars.right_min, DEVIATIONS_MAX * deviation))


def likeliest(step: WeightStep, ware: UnitWeight) -> Reading:
    """The total as the likeliest number of pieces, however likely that is."""
    units = step.after_g / ware.unit_g
    best = max(0, round(units))
    variance = (ware.variance(best) + 2 * level_sd_g(step) ** 2) / ware.unit_g**2
    numbers = range(max(0, best - NEIGHBOURS), best + NEIGHBOURS + 1)
    weight = sum(
        exp(-((units - number) ** 2 - (units - best) ** 2) / (2 * variance)) for number in numbers
    )
    return Reading(best, permille(1 / weight)) if 1 / weight >= LIKELIEST_MIN else UNREAD


def _read(quantity: int, units: float, deviation: float, within: tuple[float, float]) -> Reading:
    """Of three neighbours the nearest is right with the odds of their densities."""
    right_min, misfit_max = within
    misfit, twice = abs(units - quantity), 2 * deviation**2
    if misfit > min(0.5, misfit_max):
        return UNREAD
    right = 1 / (1 + exp(-(1 - 2 * misfit) / twice) + exp(-(1 + 2 * misfit) / twice))
    if right < right_min:
        return UNREAD
    return Reading(quantity, permille(right))
