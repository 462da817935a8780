"""What others are known to get wrong at a weighing shelf (AutoCheckout's own list): a hand held
there for long, a piece put back where another of equal weight belongs, picks at the same moment.
"""

from random import Random

import pytest

from gateway.model import (
    Cell,
    Dismissal,
    Item,
    Movement,
    Site,
    Unresolved,
    WeightReport,
    WeightSample,
)
from rules.count import Count
from rules.movement import MovementRule
from rules.weight import Weight
from tests.rules.play import Play

BOLT = Item("BOLT", unit_mg=120_000, unit_sd_mg=1_200)
NUT = Item("NUT", unit_mg=120_300, unit_sd_mg=1_200)
CLAMP = Item("CLAMP", unit_mg=430_000, unit_sd_mg=4_300)
SITE = Site(
    cells=(
        Cell("s:1", "A1", "BOLT"),
        Cell("s:2", "A2", "NUT"),
        Cell("s:3", "A3", items=("BOLT", "NUT", "CLAMP")),
    )
)


class Shelf:
    """Three cells that are polled together; what lies on each is real pieces, in grams."""

    def __init__(self) -> None:
        self.random = Random(4)
        self.play = Play([Weight, Count, MovementRule], site=SITE, items=(BOLT, NUT, CLAMP))
        self.lies_g = {"s:1": 20 * 120.0, "s:2": 20 * 120.3, "s:3": 0.0}
        self.wait(70.0)
        self.play.told.clear()

    def wait(
        self, for_s: float, pressed_g: float = 0.0, cell: str = "", restless: float = 0.02
    ) -> None:
        for _ in range(round(for_s * 10)):
            samples = []
            for name, grams in self.lies_g.items():
                force = pressed_g * (1 + self.random.gauss(0, restless)) if name == cell else 0.0
                samples.append(WeightSample(name, grams + force + self.random.gauss(0, 0.3)))
            self.play.feed(self.play.now_s + 0.1, WeightReport("s", tuple(samples)))

    def lay(self, cell: str, unit_g: float, pieces: int) -> None:
        sign = 1 if pieces > 0 else -1
        drawn = (self.random.gauss(unit_g, 0.01 * unit_g) for _ in range(abs(pieces)))
        self.lies_g[cell] += sign * sum(drawn)

    def moved(self) -> list[tuple[str, str, int]]:
        """Location, item and pieces of each movement, negative if they went."""
        return [
            (m.to_location, m.item, m.quantity)
            if m.from_location == "unknown"
            else (m.from_location, m.item, -m.quantity)
            for m in self.play.kinds(Movement)
        ]


@pytest.mark.parametrize("held_s", [2.0, 10.0, 60.0])
@pytest.mark.parametrize("force_g", [120.0, 600.0, 3_000.0])
def test_hand_held_on_the_shelf_for_long_moves_nothing(held_s: float, force_g: float) -> None:
    shelf = Shelf()
    shelf.wait(held_s, force_g, "s:1")
    shelf.wait(3.0)
    assert shelf.moved() == []
    assert shelf.play.kinds(Unresolved) == []


def test_pick_under_a_hand_held_for_long_is_told_when_it_is_gone() -> None:
    shelf = Shelf()
    shelf.wait(5.0, 800.0, "s:1")
    shelf.lay("s:1", 120.0, -2)
    shelf.wait(5.0, 800.0, "s:1")
    shelf.wait(3.0)
    assert shelf.moved() == [("A1", "BOLT", -2)]


def test_piece_put_back_where_one_of_equal_weight_belongs_is_asked_about() -> None:
    shelf = Shelf()
    shelf.lay("s:3", 120.0, 1)
    shelf.wait(4.0)
    [asked] = shelf.play.kinds(Unresolved)
    assert (asked.location, set(asked.candidates)) == ("A3", {"BOLT", "NUT"})
    assert shelf.moved() == []
    shelf.lies_g["s:3"] = 0.0
    shelf.wait(4.0)
    assert [fact.unresolved_id for fact in shelf.play.kinds(Dismissal)] == [asked.unresolved_id]
    assert shelf.moved() == []


def test_picks_at_the_same_moment_from_neighbours_are_each_told() -> None:
    shelf = Shelf()
    shelf.lay("s:1", 120.0, -3)
    shelf.lay("s:2", 120.3, -1)
    shelf.wait(4.0)
    assert sorted(shelf.moved()) == [("A1", "BOLT", -3), ("A2", "NUT", -1)]


def test_two_kinds_that_go_at_the_same_moment_from_one_plate_are_each_told() -> None:
    shelf = Shelf()
    for unit_g, pieces in ((430.0, 4), (120.0, 0)):
        shelf.lay("s:3", unit_g, pieces)
        shelf.wait(4.0)
    assert shelf.moved() == [("A3", "CLAMP", 4)]
    shelf.lay("s:3", 430.0, -1)
    shelf.lay("s:1", 120.0, -1)
    shelf.wait(4.0)
    assert sorted(shelf.moved()[1:]) == [("A1", "BOLT", -1), ("A3", "CLAMP", -1)]


@pytest.mark.parametrize("force_g", [-4.0, 1.5, 4.0])
def test_draught_moves_nothing(force_g: float) -> None:
    shelf = Shelf()
    for cell in shelf.lies_g:
        shelf.wait(6.0, force_g, cell, restless=0.3)
    shelf.wait(3.0)
    assert shelf.moved() == []
    assert shelf.play.kinds(Unresolved) == []


def test_floor_that_shakes_in_step_with_the_polls_moves_nothing() -> None:
    """8 to 25 Hz, seen ten times a second, may look like so many grams more or less, and still."""
    shelf = Shelf()
    for force_g in (-7.0, 9.0, -16.0):
        before_g = dict(shelf.lies_g)
        for _ in range(30):
            swing_g = force_g * (1 + shelf.random.gauss(0, 0.03))
            shelf.lies_g = {cell: grams + swing_g for cell, grams in before_g.items()}
            shelf.wait(0.1)
        shelf.lies_g = before_g
        shelf.wait(4.0)
    assert shelf.play.kinds() == []


def test_light_step_of_one_cell_does_not_wait_for_the_others() -> None:
    shelf = Shelf()
    shelf.lies_g["s:1"] -= 20.0
    shelf.wait(2.0)
    [step] = shelf.play.kinds()
    assert step.after_g - step.before_g == pytest.approx(-20.0, abs=1.0)


def test_change_of_all_cells_that_lasts_is_a_step_of_each() -> None:
    shelf = Shelf()
    shelf.lies_g = {cell: grams - 20.0 for cell, grams in shelf.lies_g.items()}
    shelf.wait(4.0)
    assert shelf.play.kinds() == []
    shelf.wait(4.0)
    assert len(shelf.play.kinds()) == 3
