"""What a piece weighs is learned from steps, within bounds that a faulty cell cannot leave."""

from random import Random

import pytest

from gateway.model import Item, UnitLearned, WeightStep
from rules.count import Count
from rules.unit_weight import CATALOGUE_PIECES, PIECES_MAX, UnitWeights
from tests.rules.play import Play

BOLT = Item("BOLT", unit_mg=100_000, unit_sd_mg=2_000)


def weights(item: Item = BOLT) -> UnitWeights:
    known = UnitWeights()
    known.put(item)
    return known


def of(known: UnitWeights) -> tuple[float, float, int]:
    piece = known.of("BOLT")
    assert piece is not None
    return piece.unit_g, piece.sd_g, piece.pieces


def test_piece_weighs_what_the_catalogue_says_until_steps_teach() -> None:
    known = weights()
    assert of(known) == (100.0, 2.0, CATALOGUE_PIECES)
    assert known.of("NUT") is None
    assert known.learn("NUT", 100.0, 1, 0.3) is None
    assert weights(Item("BOLT")).of("BOLT") is None


def test_mean_and_spread_are_learned() -> None:
    known, random = weights(), Random(1)
    for _ in range(300):
        known.learn("BOLT", -3 * 101.0 + random.gauss(0, 3**0.5), -3, 0.1)
    unit_g, sd_g, pieces = of(known)
    assert unit_g == pytest.approx(101.0, abs=0.2)
    assert sd_g == pytest.approx(1.0, abs=0.2)
    assert pieces == CATALOGUE_PIECES + PIECES_MAX


def test_next_delivery_is_learned_after_the_last() -> None:
    known = weights()
    for unit_g in (101.0, 99.5):
        for _ in range(900):
            known.learn("BOLT", unit_g, 1, 0.1)
        assert of(known)[0] == pytest.approx(unit_g, abs=0.2)


def test_cell_that_weighs_wrong_cannot_poison_the_item() -> None:
    known = weights()
    for weighs in (1.02, 1.04, 1.06, 1.08, 1.1, 1.15):
        for _ in range(500):
            known.learn("BOLT", 100.0 * weighs, 1, 0.3)
    unit_g, sd_g, _ = of(known)
    assert unit_g <= 100.0 + 3 * 2.0 / CATALOGUE_PIECES**0.5 + 1.0
    assert 1.0 <= sd_g <= 4.0


def test_step_that_misfits_teaches_nothing() -> None:
    known = weights()
    assert known.learn("BOLT", 112.0, 1, 0.3) is None
    assert of(known) == (100.0, 2.0, CATALOGUE_PIECES)


def test_another_catalogue_weight_makes_void_what_was_learned() -> None:
    known = weights()
    known.learn("BOLT", 101.0, 1, 0.3)
    known.put(Item("BOLT", "renamed", 100_000, 2_000))
    assert of(known)[2] == CATALOGUE_PIECES + 1
    known.put(Item("BOLT", unit_mg=90_000, unit_sd_mg=2_000))
    assert of(known) == (90.0, 2.0, CATALOGUE_PIECES)


def step(change_g: float, cause: str = "live") -> WeightStep:
    return WeightStep("s:1", 0.0, change_g, 0.3, 0, cause)  # type: ignore[arg-type]


def test_what_a_count_taught_is_durable_and_told() -> None:
    play = Play([Count], items=[BOLT])
    play.feed(1.0, step(303.0))
    [told] = play.kinds(UnitLearned)
    assert told.pieces == CATALOGUE_PIECES + 3
    assert told.unit_g == pytest.approx(100.0 + 3 / 13)
    again = Play([Count], rows=play.rows, items=[BOLT])
    again.feed(1.0, step(303.0))
    assert again.kinds(UnitLearned)[0].pieces == CATALOGUE_PIECES + 6


@pytest.mark.parametrize("cause", ["found_after_gap", "first_start"])
def test_what_nobody_watched_teaches_nothing(cause: str) -> None:
    play = Play([Count], items=[BOLT])
    play.feed(1.0, step(303.0, cause))
    assert play.kinds(UnitLearned) == []
    assert set(play.rows) == {"s:1"}


def test_what_does_not_resolve_teaches_nothing_and_is_not_written() -> None:
    play = Play([Count], items=[BOLT])
    play.feed(1.0, step(150.0))
    play.feed(2.0, step(20.0))
    assert set(play.rows) == {"s:1"}


def test_learned_weight_counts_a_delivery_that_the_catalogue_would_miscount() -> None:
    heavy = 1.025
    taught, untaught = Play([Count], items=[BOLT]), Play([Count], items=[BOLT])
    for number in range(60):
        taught.feed(1.0 + number, step(-2 * 100.0 * heavy))
    for play in (taught, untaught):
        play.told.clear()
        play.feed(100.0, step(-18 * 100.0 * heavy))
    [first] = [fact for fact in taught.kinds() if not isinstance(fact, UnitLearned)]
    [second] = untaught.kinds()
    assert (first.quantity, second.quantity) == (-18, 0)
