from random import Random
from typing import Any

import pytest

from gateway.model import ActionDone, CountChange, Item, ReferenceDeleted, WeightStep
from rules.count import Count
from tests.rules.play import BOLT, Play


def step(change_g: float, sd_g: float = 0.3, cell: str = "s:1", cause: str = "live") -> WeightStep:
    return WeightStep(cell, 1000.0, 1000.0 + change_g, sd_g, 0, cause)  # type: ignore[arg-type]


def count(change_g: float, sd_g: float = 0.3, spread: float = 0.005) -> CountChange | None:
    item = Item("BOLT", unit_mg=100_000, unit_sd_mg=round(100_000 * spread))
    play = Play([Count], items=[item])
    play.feed(1.0, step(change_g, sd_g))
    return next(iter(play.kinds(CountChange)), None)


@pytest.mark.parametrize(
    ("change_g", "quantity"),
    [(-100.0, -1), (100.4, 1), (-299.0, -3), (1004.0, 10), (115.0, 1), (85.0, 1), (-2015.0, -20)],
)
def test_step_is_read_as_whole_pieces(change_g: float, quantity: int) -> None:
    change = count(change_g)
    assert change is not None
    assert (change.quantity, change.on_hand, change.item) == (quantity, quantity, "BOLT")
    assert change.confidence_permille >= 950


@pytest.mark.parametrize("change_g", [6.0, -20.0, 39.0])
def test_step_nearer_to_nothing_is_no_event(change_g: float) -> None:
    assert count(change_g) is None


@pytest.mark.parametrize(
    ("change_g", "sd_g", "spread"),
    [(145.0, 0.3, 0.005), (-60.0 - 90.0, 0.3, 0.005), (2000.0, 0.3, 0.1), (100.0, 60.0, 0.005)],
    ids=["between", "between down", "parts too unlike", "scale too noisy"],
)
def test_step_that_is_no_whole_number_does_not_resolve(
    change_g: float, sd_g: float, spread: float
) -> None:
    change = count(change_g, sd_g, spread)
    assert change is not None
    assert (change.quantity, change.confidence_permille) == (0, 0)


@pytest.mark.parametrize(
    ("pieces", "spread"), [(1, 0.03), (5, 0.03), (10, 0.03), (5, 0.05), (10, 0.05), (7, 0.07)]
)
def test_confidence_is_how_often_the_count_is_right(pieces: int, spread: float) -> None:
    """Drawn parts on a drawn scale, and a catalogue that weighed ten of them."""
    random = Random(1)
    right = believed = told = 0
    for _ in range(3_000):
        parts = sum(random.gauss(1, spread) for _ in range(pieces))
        scale = random.gauss(0, 0.1) - random.gauss(0, 0.1)
        unit = sum(random.gauss(1, spread) for _ in range(10)) / 10
        change = count((parts + scale) * 100.0 / unit, 10.0, spread)
        if change is not None and change.confidence_permille:
            told += 1
            believed += change.confidence_permille
            right += change.quantity == pieces
    assert told > 1_000
    assert believed / told == pytest.approx(1000 * right / told, abs=8)


@pytest.mark.parametrize(
    ("items", "cell", "code", "rows"),
    [
        ([], "s:1", "BOLT", {"s:1": {"on_hand": 0, "doubtful": 1}}),
        ([Item("BOLT", unit_mg=0)], "s:1", "BOLT", {"s:1": {"on_hand": 0, "doubtful": 1}}),
        ([BOLT], "s:3", "", {}),
    ],
    ids=["unknown item", "unit weight 0", "nothing planned"],
)
def test_step_without_a_unit_weight_says_so(
    items: list[Item], cell: str, code: str, rows: dict[str, dict[str, int]]
) -> None:
    play = Play([Count], items=items)
    play.feed(1.0, step(-100.0, cell=cell))
    [change] = play.kinds(CountChange)
    assert (change.item, change.quantity, change.confidence_permille) == (code, 0, 0)
    assert play.rows == rows


def test_item_that_comes_and_goes_is_believed() -> None:
    play = Play([Count], items=[])
    play.feed(1.0, BOLT)
    play.feed(2.0, step(100.0))
    play.feed(3.0, ReferenceDeleted("location", "BOLT"))
    play.feed(4.0, step(100.0))
    play.feed(5.0, ReferenceDeleted("item", "BOLT"))
    play.feed(6.0, step(100.0))
    assert [change.quantity for change in play.kinds(CountChange)] == [1, 1, 0]


def test_count_on_hand_goes_on_over_a_restart() -> None:
    play = Play([Count])
    play.feed(1.0, step(500.0, cause="first_start"))
    play.feed(2.0, step(-200.0))
    assert play.rows["s:1"] == {"on_hand": 3}
    again = Play([Count], rows=play.rows)
    again.feed(1.0, step(-100.0))
    assert [change.on_hand for change in again.kinds(CountChange)] == [2]


def test_empty_cell_on_the_first_start_is_a_count_of_none() -> None:
    play = Play([Count])
    play.feed(1.0, step(3.0, cause="first_start"))
    [change] = play.kinds(CountChange)
    assert (change.quantity, change.on_hand, change.confidence_permille) == (0, 0, 990)


PLAIN = Item("BOLT", unit_mg=100_000, unit_sd_mg=1_000)


class Cell:
    """A cell as weighed: what lies there changes from level to level."""

    def __init__(self, item: Item = PLAIN, **known: Any) -> None:
        self.play = Play([Count], items=[item], **known)
        self.level_g = 0.0

    def weigh(self, level_g: float, sd_g: float = 0.3) -> CountChange:
        told = WeightStep("s:1", self.level_g, level_g, sd_g, 0, "live")
        self.level_g = level_g
        self.play.feed(self.play.now_s + 1, told)
        found = self.play.kinds(CountChange)[-1]
        assert isinstance(found, CountChange)
        assert found.step is told
        return found


def counted(change: CountChange) -> tuple[int, int | None]:
    return change.quantity, change.on_hand


def test_count_comes_right_with_the_next_step_whose_total_is_sure() -> None:
    cell = Cell()
    assert counted(cell.weigh(500.0)) == (5, 5)
    assert counted(cell.weigh(350.0)) == (0, 5)
    assert cell.play.rows["s:1"] == {"on_hand": 5, "doubtful": 1}
    change = cell.weigh(200.0)
    assert counted(change) == (-3, 2)
    assert change.confidence_permille >= 950
    assert cell.play.rows["s:1"] == {"on_hand": 2}
    assert counted(cell.weigh(100.0)) == (-1, 1)


def test_many_parts_that_do_not_resolve_are_told_by_the_few_that_are_left() -> None:
    cell = Cell(Item("BOLT", unit_mg=100_000, unit_sd_mg=10_000))
    for piece in range(1, 31):
        cell.weigh(piece * 100.0)
    assert counted(cell.weigh(205.0)) == (-28, 2)
    assert "doubtful" not in cell.play.rows["s:1"]


def test_thing_put_down_and_taken_away_leaves_the_count() -> None:
    cell = Cell()
    cell.weigh(500.0)
    assert counted(cell.weigh(650.0)) == (0, 5)
    assert counted(cell.weigh(501.0)) == (0, 5)
    assert cell.play.rows["s:1"] == {"on_hand": 5}


def test_doubt_lasts_over_a_restart_and_until_the_total_is_sure() -> None:
    cell = Cell()
    cell.weigh(500.0)
    cell.weigh(650.0)
    assert counted(cell.weigh(550.0)) == (-1, 4)
    assert cell.play.rows["s:1"] == {"on_hand": 4, "doubtful": 1}
    again = Cell(rows=cell.play.rows)
    again.level_g = 550.0
    assert counted(again.weigh(300.0)) == (-1, 3)


@pytest.mark.parametrize(
    "item",
    [
        Item("BOLT", unit_mg=10_000),
        Item("BOLT", unit_mg=100_000, unit_sd_mg=10_000),
        BOLT,
        Item("BOLT", unit_mg=100_000, gtins=("80614141123458",)),
    ],
    ids=[
        "light beside the drift of zero",
        "too unlike",
        "its tags book for themselves",
        "its tags of a trade item do",
    ],
)
def test_total_that_proves_nothing_corrects_nothing(item: Item) -> None:
    unit_g = item.unit_mg / 1000
    cell = Cell(item, rows={"s:1": {"on_hand": 20, "doubtful": 1}})
    cell.level_g = 10 * unit_g
    assert counted(cell.weigh(11 * unit_g)) == (1, 21)
    assert cell.play.rows["s:1"] == {"on_hand": 21, "doubtful": 1}


def test_total_proves_nothing_after_a_zero_with_parts_on_the_cell() -> None:
    cell = Cell()
    cell.weigh(500.0)
    cell.play.feed(5.0, ActionDone("s", "tare", "s:1"))
    assert cell.play.rows["s:1"] == {"on_hand": 5}
    cell.play.feed(5.0, ActionDone("s", "zero", "s:1"))
    cell.level_g = 0.0
    cell.weigh(-150.0)
    assert counted(cell.weigh(-300.0)) == (0, 5)
    assert cell.play.rows["s:1"] == {"on_hand": 5, "doubtful": 1, "zero_off": 1}


def test_total_proves_something_again_after_a_zero_with_nothing_on_the_cell() -> None:
    cell = Cell(rows={"s:1": {"on_hand": 0, "zero_off": 1}})
    cell.play.feed(5.0, ActionDone("s", "zero", "s:1"))
    assert cell.play.rows["s:1"] == {"on_hand": 0}


def test_stock_of_an_item_that_becomes_known_is_stated_after_the_next_step() -> None:
    play = Play([Count], items=[])
    play.feed(1.0, WeightStep("s:1", 0.0, 500.0, 0.3, 0, "first_start"))
    play.feed(2.0, PLAIN)
    play.feed(3.0, WeightStep("s:1", 500.0, 400.0, 0.3, 0, "live"))
    told = [(*counted(change), change.step.cause) for change in play.kinds(CountChange)]
    assert told == [(0, None, "first_start"), (-1, None, "live"), (4, 4, "first_start")]
    assert play.rows["s:1"] == {"on_hand": 4}


def test_total_far_below_nothing_resolves_nothing() -> None:
    cell = Cell()
    cell.weigh(150.0)
    assert counted(cell.weigh(-20_000.0)) == (0, 0)
    assert cell.play.rows["s:1"] == {"on_hand": 0, "doubtful": 1}


def first(pieces: float, spread: float, unit_g: float = 100.0) -> tuple[Play, CountChange]:
    """What a cell tells that weighs as so many pieces when it is first seen."""
    unit_mg = round(1000 * unit_g)
    item = Item("BOLT", unit_mg=unit_mg, unit_sd_mg=round(unit_mg * spread))
    play = Play([Count], items=[item])
    play.feed(1.0, WeightStep("s:1", 0.0, pieces * unit_g, 0.3, 0, "first_start"))
    [change] = play.kinds(CountChange)
    return play, change


@pytest.mark.parametrize(
    ("pieces", "spread", "quantity", "likely"),
    [(30.1, 0.04, 30, range(400, 950)), (1.45, 0.01, 1, range(900, 1000))],
    ids=["too many too unlike", "between"],
)
def test_first_total_that_is_not_sure_is_the_likeliest_until_one_is(
    pieces: float, spread: float, quantity: int, likely: range
) -> None:
    play, change = first(pieces, spread)
    assert counted(change) == (quantity, None)
    assert change.confidence_permille in likely
    assert play.rows["s:1"] == {"on_hand": 0, "doubtful": 1, "unstated": 1}


def test_first_total_of_which_no_number_is_likely_says_nothing() -> None:
    _, change = first(60.0, 0.1)
    assert (counted(change), change.confidence_permille) == ((0, None), 0)


def test_likelihood_of_the_first_count_is_how_often_it_is_right() -> None:
    random = Random(1)
    right = believed = told = 0
    for _ in range(1_500):
        parts = sum(random.gauss(1, 0.05) for _ in range(25))
        unit = sum(random.gauss(1, 0.05) for _ in range(10)) / 10
        _, change = first(parts / unit, 0.05)
        if change.on_hand is None and change.quantity:
            told += 1
            believed += change.confidence_permille
            right += change.quantity == 25
    assert told > 1_000
    assert believed / told == pytest.approx(1000 * right / told, abs=60)


def test_total_of_light_parts_is_sure_beside_what_zero_may_be_out() -> None:
    play = Play([Count], items=[Item("BOLT", unit_mg=17_000, unit_sd_mg=680)])
    play.feed(1.0, WeightStep("s:1", 0.0, 34 * 17.0, 0.3, 0, "first_start"))
    play.feed(2.0, WeightStep("s:1", 34 * 17.0, 30 * 17.0, 0.3, 0, "live"))
    level_g = 30 * 17.0
    for second in range(3, 10):
        play.feed(second, WeightStep("s:1", level_g, level_g - 68.0, 0.3, 0, "live"))
        level_g -= 68.0
    assert play.rows["s:1"] == {"on_hand": 2}
    assert counted(play.kinds(CountChange)[0]) == (34, None)
