"""A plate of several items, from the step to the movement and to what closes an open question."""

from typing import Any

import pytest

from gateway.model import (
    ActionDone,
    Cell,
    CountChange,
    Dismissal,
    Item,
    Movement,
    Site,
    Snapshot,
    Unresolved,
    WeightStep,
)
from rules.count import Count
from rules.movement import MovementRule
from rules.stock import Stock
from tests.rules.play import Play, at

SMALL = Item("SMALL", unit_mg=100_000, unit_sd_mg=1_000)
TWIN = Item("TWIN", unit_mg=100_100, unit_sd_mg=1_000)
LARGE = Item("LARGE", unit_mg=900_000, unit_sd_mg=4_000)
BALL = Item("BALL", unit_mg=150_000, unit_sd_mg=1_500)
BEAM = Item("BEAM", unit_mg=975_000, unit_sd_mg=4_000)
PLATE = Cell("s:1", "A1", items=("SMALL", "TWIN", "LARGE"))
PAIR = Cell("s:1", "A1", items=("BALL", "BEAM"))


class Plate:
    """A cell on which SMALL and TWIN weigh the same; it stands empty when it is first seen."""

    def __init__(self, cell: Cell = PLATE, first_g: float = 0.0, **known: Any) -> None:
        self.cell = cell
        known.setdefault("items", (SMALL, TWIN, LARGE, BALL, BEAM))
        self.play = Play([Count, MovementRule, Stock], site=Site(cells=(cell,)), **known)
        self.level_g = first_g
        if not known.get("rows"):
            self._feed(WeightStep("s:1", 0.0, first_g, 0.3, 0, "first_start"))

    def weigh(self, change_g: float) -> list[tuple[str, int]]:
        """So much more lies there; what was moved by that, by item."""
        known = len(self.play.kinds(Movement))
        before_g, self.level_g = self.level_g, self.level_g + change_g
        now_s = self.play.now_s + 10.0
        self._feed(WeightStep("s:1", before_g, self.level_g, 0.3, at(now_s - 1.0)))
        moved = self.play.kinds(Movement)[known:]
        return [(m.item, m.quantity if m.to_location == "A1" else -m.quantity) for m in moved]

    def restarted(self) -> "Plate":
        again = Plate(self.cell, rows=self.play.rows, last_alive_s=self.play.now_s)
        again.level_g, again.play.now_s = self.level_g, self.play.now_s
        return again

    def open(self) -> set[str]:
        closed = {fact.unresolved_id for fact in self.play.kinds(Dismissal)}
        return {fact.unresolved_id for fact in self.play.kinds(Unresolved)} - closed

    def held(self) -> Any:
        return self.play.rows["Count/s:1"]["on_hand"]

    def stock(self) -> dict[str, int]:
        keys = [key for key in self.play.rows if key.startswith("Stock/A1\t")]
        return {key.split("\t")[1]: self.play.rows[key]["quantity"] for key in keys}

    def _feed(self, step: WeightStep) -> None:
        self.play.feed(self.play.now_s + 10.0, step)


def test_pieces_of_one_kind_are_one_movement() -> None:
    plate = Plate()
    assert plate.weigh(1_800.0) == [("LARGE", 2)]
    assert plate.weigh(-900.0) == [("LARGE", -1)]
    assert plate.held() == {"SMALL": 0, "TWIN": 0, "LARGE": 1}
    assert plate.stock()["LARGE"] == 1
    assert plate.open() == set()


def test_two_kinds_at_once_are_two_movements_that_share_the_step() -> None:
    plate = Plate(PAIR)
    assert plate.weigh(1_126.0) == [("BALL", 1), ("BEAM", 1)]
    first, second = plate.play.kinds(Movement)
    assert first.movement_id != second.movement_id
    assert first.evidence.weight_before_mg == 0
    assert first.evidence.weight_after_mg == second.evidence.weight_before_mg
    assert second.evidence.weight_after_mg == 1_126_000
    assert plate.stock() == {"BALL": 1, "BEAM": 1}


def test_pieces_of_equal_weight_are_unresolved_and_both_named() -> None:
    plate = Plate()
    assert plate.weigh(100.0) == []
    [told] = plate.play.kinds(Unresolved)
    assert set(told.candidates) == {"SMALL", "TWIN"}
    assert told.reason == "count_not_resolvable"


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_unclear_and_goes_back_is_closed(restart: bool) -> None:
    plate = Plate()
    plate.weigh(1_800.0)
    plate.weigh(100.0)
    unclear = plate.open()
    assert len(unclear) == 1
    later = plate.restarted() if restart else plate
    assert later.weigh(-100.4) == []
    [closed] = later.play.kinds(Dismissal)
    assert ({closed.unresolved_id}, closed.reason) == (unclear, "returned")
    assert later.weigh(-900.0) == [("LARGE", -1)]
    assert set(later.play.rows["Count/s:1"]) == {"on_hand", "stated"}


def test_reading_that_is_left_when_the_others_would_take_what_is_not_there_settles() -> None:
    """Two of SMALL weigh as one MIDDLE; when four MIDDLE are gone, there were that many."""
    middle = Item("MIDDLE", unit_mg=200_400, unit_sd_mg=1_000)
    plate = Plate(Cell("s:1", "A1", items=("SMALL", "MIDDLE")), items=(SMALL, middle))
    plate.weigh(100.0)
    plate.weigh(100.0)
    assert plate.weigh(200.0) == []
    assert len(plate.open()) == 1
    assert plate.weigh(-100.0) == [("SMALL", -1)]
    assert plate.weigh(-100.0) == [("SMALL", -1)]
    assert plate.weigh(-100.0) == [("SMALL", 1)]
    assert plate.open() == set()
    assert plate.held() == {"SMALL": 1, "MIDDLE": 0}


def test_total_settles_what_is_left_when_few_pieces_are() -> None:
    """Something strange lies there for a while; it goes with one of BEAM, and the total tells."""
    plate = Plate(PAIR)
    plate.weigh(1_950.0)
    assert plate.weigh(437.0) == []
    [unclear] = plate.open()
    assert plate.weigh(-1_412.0) == [("BEAM", -1)]
    assert plate.open() == set()
    assert {fact.unresolved_id for fact in plate.play.kinds(Dismissal)} >= {unclear}
    assert plate.held() == {"BALL": 0, "BEAM": 1}


def test_first_stock_too_large_to_read_is_stated_when_few_pieces_are_left() -> None:
    plate = Plate(PAIR, first_g=9_075.0)
    assert plate.play.kinds(Snapshot) == []
    [first] = plate.play.kinds(Unresolved)
    assert plate.weigh(-3_900.0) == [("BEAM", -4)]
    assert plate.play.kinds(Snapshot) == []
    assert plate.weigh(-3_900.0) == [("BEAM", -4)]
    assert plate.held() == {"BALL": 2, "BEAM": 1}
    [stated] = plate.play.kinds(Snapshot)
    assert [(line.item, line.quantity) for line in stated.lines] == [("BALL", 2), ("BEAM", 1)]
    assert plate.stock() == {"BALL": 2, "BEAM": 1}
    assert plate.weigh(-975.0) == [("BEAM", -1)]
    assert plate.open() == set()
    assert (first.unresolved_id, "settled_by_snapshot") in [
        (fact.unresolved_id, fact.reason) for fact in plate.play.kinds(Dismissal)
    ]


def test_count_is_not_known_while_the_first_stock_is_not() -> None:
    plate = Plate(PAIR, first_g=20_025.0)
    plate.weigh(-975.0)
    assert [fact.on_hand for fact in plate.play.kinds(CountChange)] == [None, None]


def test_total_proves_nothing_after_a_zero_with_parts_on_the_plate() -> None:
    plate = Plate(PAIR)
    plate.weigh(1_950.0)
    plate.play.feed(plate.play.now_s + 1.0, ActionDone("s", "zero", "s:1"))
    assert plate.play.rows["Count/s:1"]["zero_off"] == 1
    plate.level_g = 0.0
    plate.weigh(437.0)
    assert plate.weigh(-1_412.0) == []


def test_count_that_turns_out_wrong_gives_way_to_the_weight_and_to_the_total() -> None:
    plate = Plate(PAIR, rows={"Count/s:1": {"on_hand": {"BALL": 9, "BEAM": 0}, "stated": 1}})
    plate.level_g = 2_250.0
    assert plate.weigh(-975.0) == [("BALL", -7), ("BEAM", 1)]
    assert plate.held() == {"BALL": 2, "BEAM": 1}


def test_plate_of_an_item_that_nobody_describes_is_unresolved() -> None:
    plate = Plate(PAIR, items=(BALL,))
    assert plate.weigh(100.0) == []
    assert {fact.reason for fact in plate.play.kinds(Unresolved)} == {"unknown_item"}
    assert plate.play.kinds(Unresolved)[-1].candidates == ("BALL", "BEAM")


@pytest.mark.parametrize(
    ("row", "cell", "held"),
    [
        ({"on_hand": 5}, PAIR, {"BALL": 4, "BEAM": 1}),
        ({"on_hand": {"BALL": 4, "BEAM": 2}}, PAIR, {"BALL": 4, "BEAM": 1}),
        ({"on_hand": {"BALL": 4, "BEAM": 2}}, Cell("s:1", "A1", "BEAM"), 1),
    ],
    ids=["was planned for one", "as it was", "is planned for one"],
)
def test_row_of_another_plan_is_read(row: dict[str, Any], cell: Cell, held: Any) -> None:
    plate = Plate(cell, rows={"Count/s:1": row})
    plate.level_g = 2_550.0
    assert plate.weigh(-975.0) == [("BEAM", -1)]
    assert plate.held() == held


def test_draught_on_a_plate_is_nothing() -> None:
    plate = Plate()
    told = len(plate.play.told)
    assert plate.weigh(30.0) == []
    assert [fact for _, fact in plate.play.told[told:] if type(fact) is not WeightStep] == []


def test_reading_that_is_likely_enough_beside_all_others_is_told() -> None:
    """Of two kinds that weigh nearly as much, the one that is a little nearer."""
    near = Item("NEAR", unit_mg=104_000, unit_sd_mg=1_000)
    pair = Cell("s:1", "A1", items=("SMALL", "NEAR"))
    plate = Plate(pair, items=(SMALL, near))
    assert plate.weigh(101.1) == [("SMALL", 1)]
    [movement] = plate.play.kinds(Movement)
    assert 930 <= movement.confidence_permille < 950
    assert plate.weigh(101.5) == []
    assert len(plate.open()) == 1
