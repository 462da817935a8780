"""Which pieces of several items a weight is: likeliest, ambiguous, or something else."""

from random import Random

import pytest

from rules.mixed import TOGETHER_MAX, both, change, total
from rules.unit_weight import UnitWeight

Pieces = tuple[int, ...]


def ware(unit_g: float, spread: float = 0.01) -> UnitWeight:
    return UnitWeight(f"{unit_g:g}", unit_g, unit_g * spread, 50)


LIGHT, MIDDLE, HEAVY = ware(40.0), ware(170.0), ware(900.0)
WARES = (LIGHT, MIDDLE, HEAVY)


@pytest.mark.parametrize(
    ("grams", "pieces"),
    [
        (-40.0, (-1, 0, 0)),
        (80.6, (2, 0, 0)),
        (-340.0, (0, -2, 0)),
        (905.0, (0, 0, 1)),
        (-210.0, (-1, -1, 0)),
        (480.0, (12, 0, 0)),
    ],
    ids=["one", "two", "two others", "heavy", "two kinds", "refill"],
)
def test_weight_that_only_one_number_explains_is_that_number(grams: float, pieces: Pieces) -> None:
    best = change(grams, 0.3, WARES, None)[0]
    assert best.pieces == pieces
    assert best.probability > 0.9


def test_exchange_is_the_likeliest_and_never_sure() -> None:
    best = change(-730.0, 0.3, WARES, None)[0]
    assert best.pieces == (0, 1, -1)
    assert 0.3 < best.probability < 0.9


def test_equal_pieces_are_ambiguous_and_both_are_named() -> None:
    first, second = change(-100.0, 0.3, (ware(100.0), ware(100.2), HEAVY), None)[:2]
    assert {first.pieces, second.pieces} == {(-1, 0, 0), (0, -1, 0)}
    assert first.probability < 0.6


def test_one_heavy_piece_is_likelier_than_many_light_ones_of_the_same_weight() -> None:
    assert change(-900.0, 0.3, (ware(45.0), ware(900.0)), None)[0].pieces == (0, -1)


def test_two_of_one_kind_beside_one_of_twice_the_weight_stay_ambiguous() -> None:
    likely = change(-200.0, 0.3, (ware(100.0), ware(200.0)), None)
    assert {one.pieces for one in likely[:2]} == {(-2, 0), (0, -1)}
    assert likely[0].probability < 0.95


@pytest.mark.parametrize("grams", [-63.0, 1_234.0, 5_000.0])
def test_weight_that_fits_nothing_likely_is_something_else(grams: float) -> None:
    assert sum(one.probability for one in change(grams, 0.3, WARES, None)) < 0.9


def test_that_more_goes_than_was_counted_is_not_likely() -> None:
    held = (1, 4, 4)
    best = change(-80.0, 0.3, (ware(40.0), ware(80.0), HEAVY), held)[0]
    assert (best.pieces, best.probability > 0.95) == ((0, -1, 0), True)
    best = change(-80.0, 0.3, (ware(40.0), ware(95.0), HEAVY), held)[0]
    assert best.pieces == (-2, 0, 0)


@pytest.mark.parametrize("spread", [0.01, 0.03, 0.05])
def test_probability_is_how_often_it_is_right(spread: float) -> None:
    """Plates of three drawn items, acts of one kind or seldom two, and a catalogue of 20 pieces."""
    random, right, believed, told = Random(3), 0, 0.0, 0
    for _ in range(700):
        true = [15.0 * 160.0 ** random.random() for _ in range(3)]
        weighed = [random.gauss(u, u * spread / 20**0.5) for u in true]
        wares = [UnitWeight(str(n), u, u * spread, 20) for n, u in enumerate(weighed)]
        pieces = [0, 0, 0]
        quantity = min(TOGETHER_MAX, 1 + int(random.expovariate(0.51)))
        pieces[random.randrange(3)] = random.choice((1, -1)) * quantity
        grams = sum(
            (1 if k > 0 else -1) * random.gauss(u, u * spread)
            for k, u in zip(pieces, true, strict=True)
            for _ in range(abs(k))
        )
        best = change(grams + random.gauss(0, 0.4), 0.4, wares, None)[0]
        if best.probability >= 0.8:
            told += 1
            believed += best.probability
            right += best.pieces == tuple(pieces)
    assert told > 350
    doubted = (right - believed) / told  # there was never anything else, which is reckoned with
    assert -0.01 < doubted < 0.04


def test_total_of_few_pieces_is_read_and_of_many_is_not() -> None:
    wares = (ware(170.0), ware(900.0))
    assert total(1_240.0, 10.0, wares, None)[0].pieces == (2, 1)
    assert total(1.0, 10.0, wares, None)[0].pieces == (0, 0)
    assert total(9_000.0, 10.0, wares, None)[0].probability < 0.5
    assert total(90_000.0, 10.0, (ware(7.0), ware(9.0), ware(11.0)), None) == []


def test_two_unclear_acts_are_as_one_the_sums_of_their_readings() -> None:
    first = change(-100.0, 0.3, (ware(100.0), ware(100.2)), None)
    sums = {one.pieces: one.probability for one in both(first, first)}
    assert set(sums) == {(-2, 0), (-1, -1), (0, -2)}
    sure = sum(one.probability for one in first)
    assert sum(sums.values()) == pytest.approx(sure**2, abs=0.03)
