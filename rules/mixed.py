"""Which pieces of several items a weight is, by maximum a posteriori. Part of the count rule.

Of all whole numbers k of pieces, with unit weights u, spreads sd and scale noise s,

    (dW - sum k u)^2 / v + ln v - 2 ln prior(k),    v = s^2 + sum |k| sd^2 (1 + |k| / m)

is least for the likeliest. One act moves one kind one way: of two kinds at once few acts are, of
two kinds in opposite directions fewer still, and each further piece is less likely by MORE. Beside
all of them stands that it was something else: an elbow, a foreign thing, three kinds at once. Its
weight may be any, so it explains none well, but it wins where only unlikely numbers fit.

Source: notes on weighing shelves, mixed items on one plate; the enumeration is exhaustive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product
from math import ceil, exp, floor, pi, prod, sqrt
from typing import NamedTuple

from rules.unit_weight import UnitWeight

ALONE_MAX = 24
"""Pieces of one kind in one act: a box that is filled up."""

TOGETHER_MAX = 6
"""Pieces of two kinds in one act; with five items planned an act is one of 840 numbers."""

TOTALS_MAX = 2_000
"""Ways to make up a total that are weighed against one another; with more, none can be sure."""

TOTAL_DEVIATIONS = 4.0
"""Ways that miss the total by more count for nothing."""

BEYOND = 0.01
"""How likely it is, at most, that more goes than was counted: counts are seldom wrong."""

MORE = 0.6
"""How likely one piece more is, of what one piece less was."""

TWO_KINDS, OPPOSITE = 0.02, 0.2
"""How many acts are of two kinds, and of these how many are an exchange."""

ELSE, ELSE_G = 0.02, 5_000.0
"""How often it is something else, and within how many grams that lies."""

CORNER_SHARE = 0.0005
"""The weight depends on the place on the plate by so much: corner error of a four-cell shelf."""

HYPOTHESES_MAX = 16
"""Numbers that are kept while it is not clear which: beyond these none counts for anything."""

WORTH_SHARE = 0.01
"""What is less likely than this is none of them."""


class Hypothesis(NamedTuple):
    """So many pieces of each item, and how likely that is; all together are at most 1."""

    pieces: tuple[int, ...]
    probability: float


def change(
    change_g: float, noise_g: float, wares: Sequence[UnitWeight], held: Sequence[int] | None
) -> list[Hypothesis]:
    """What went or came by that step, likeliest first; what is missing to 1 is something else.

    `held` is what was counted there, if anything was: that more goes is not likely.
    """
    noise = noise_g**2 + (CORNER_SHARE * change_g) ** 2
    weighed = [
        (pieces, prior * _likelihood(change_g, noise, wares, pieces))
        for pieces, prior in _acts(len(wares))
    ]
    if held is not None:
        weighed = [(pieces, weight * within(pieces, held)) for pieces, weight in weighed]
    return _normalised(weighed, ELSE / ELSE_G)


def within(pieces: Sequence[int], held: Sequence[int]) -> float:
    """How likely it is that so many come or go, where so many were counted."""
    return 1.0 if all(k + h >= 0 for k, h in zip(pieces, held, strict=True)) else BEYOND


def total(
    total_g: float,
    noise_g: float,
    wares: Sequence[UnitWeight],
    among: Sequence[Hypothesis] | None,
) -> list[Hypothesis]:
    """What lies there in all, likeliest first: one of `among`, or any pieces, all as likely."""
    other = ELSE
    if among is None:
        whole = _made_up(total_g, noise_g, wares)
        among = [Hypothesis(pieces, 1 / len(whole)) for pieces in whole]
    else:
        other = max(ELSE, 1.0 - sum(one.probability for one in among))
    weighed = [
        (pieces, prior * _likelihood(total_g, noise_g**2, wares, pieces)) for pieces, prior in among
    ]
    return _normalised(weighed, other / ELSE_G)


def both(first: Sequence[Hypothesis], second: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Two acts of which neither is clear, as one; what is missing to 1 is missing still."""
    sums: dict[tuple[int, ...], float] = {}
    for one, other in product(first, second):
        pieces = tuple(a + b for a, b in zip(one.pieces, other.pieces, strict=True))
        sums[pieces] = sums.get(pieces, 0.0) + one.probability * other.probability
    return _likeliest(list(sums.items()))


def _made_up(total_g: float, noise_g: float, wares: Sequence[UnitWeight]) -> list[tuple[int, ...]]:
    """The ways to make up a total, with as many of the lightest as are missing; none if too many
    are to be tried.
    """
    lightest = min(range(len(wares)), key=lambda index: wares[index].unit_g)
    last = wares[lightest]
    others = [*wares[:lightest], *wares[lightest + 1 :]]
    counts = [range(int(max(0.0, total_g) // ware.unit_g) + 2) for ware in others]
    found: list[tuple[int, ...]] = []
    if prod(map(len, counts)) > TOTALS_MAX:
        return []
    for pieces in product(*counts):
        rest_g = total_g - sum(n * w.unit_g for n, w in zip(pieces, others, strict=True))
        spread = sum(ware.variance(n) for n, ware in zip(pieces, others, strict=True))
        spread += last.variance(max(0, round(rest_g / last.unit_g)))
        room_g = TOTAL_DEVIATIONS * sqrt(noise_g**2 + spread)
        least = max(0, ceil((rest_g - room_g) / last.unit_g))
        for count in range(least, floor((rest_g + room_g) / last.unit_g) + 1):
            found.append((*pieces[:lightest], count, *pieces[lightest:]))
            if len(found) > TOTALS_MAX:
                return []
    return found


@cache
def _acts(items: int) -> tuple[Hypothesis, ...]:
    """All numbers of pieces that one act may move, and how likely they are beforehand."""
    return (*_alone(items), *_together(items))


def _alone(items: int) -> Iterator[Hypothesis]:
    for index in range(items):
        for quantity in range(1, ALONE_MAX + 1):
            prior = (1 - TWO_KINDS) / items / 2 * (1 - MORE) * MORE ** (quantity - 1)
            for sign in (1, -1):
                pieces = tuple(sign * quantity * (i == index) for i in range(items))
                yield Hypothesis(pieces, prior)


def _together(items: int) -> Iterator[Hypothesis]:
    pairs = list(combinations(range(items), 2))
    numbers = range(1, TOGETHER_MAX)
    signs = ((1, 1), (-1, -1), (1, -1), (-1, 1))
    for (first, second), a, b in product(pairs, numbers, numbers):
        if a + b > TOGETHER_MAX:
            continue
        prior = TWO_KINDS / len(pairs) / 2 * (1 - MORE) ** 2 * MORE ** (a + b - 2)
        for one, other in signs:
            pieces = tuple(one * a * (i == first) + other * b * (i == second) for i in range(items))
            yield Hypothesis(pieces, prior * (1 - OPPOSITE if one == other else OPPOSITE))


def _likelihood(
    grams: float, noise: float, wares: Sequence[UnitWeight], pieces: Sequence[int]
) -> float:
    expected_g, variance = 0.0, noise
    for ware, quantity in zip(wares, pieces, strict=True):
        if quantity:
            expected_g += quantity * ware.unit_g
            variance += ware.variance(quantity)
    return exp(-((grams - expected_g) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)


def _normalised(weighed: Sequence[tuple[tuple[int, ...], float]], other: float) -> list[Hypothesis]:
    whole = sum(weight for _, weight in weighed) + other
    return _likeliest([(pieces, weight / whole) for pieces, weight in weighed])


def _likeliest(weighed: Sequence[tuple[tuple[int, ...], float]]) -> list[Hypothesis]:
    likeliest = sorted(weighed, key=lambda pair: -pair[1])[:HYPOTHESES_MAX]
    told = (Hypothesis(pieces, probability) for pieces, probability in likeliest)
    return [one for one in told if one.probability >= WORTH_SHARE]
