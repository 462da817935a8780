"""`That was wrong`: what a person takes back, in the rules that follow."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Amendment,
    Fact,
    Movement,
    OrderReference,
    Passage,
    StillStands,
    ToldWrong,
    Unresolved,
)
from rules.movement import MovementRule
from rules.person import Person
from rules.stock import Stock
from rules.task import TaskRule
from tests.rules.acts import NUT, NUT_TAG, came, gone
from tests.rules.play import BOLT, Play, at
from tests.rules.tasks import Floor, again, moved, put, task


def wrong(movement: Movement, **rest: Any) -> ToldWrong:
    """Ana says that this movement was wrong."""
    told = ToldWrong(
        movement.movement_id,
        movement.kind,
        movement.item,
        movement.quantity,
        movement.uom,
        movement.from_location,
        movement.to_location,
        "ana",
        epcs=movement.epcs,
        order=movement.order,
    )
    return replace(told, **rest)


def shelf() -> Play:
    """A tag of an item that only antennas watch has come to shelf A."""
    play = Play([MovementRule, Person, TaskRule, Stock], items=(BOLT, NUT))
    play.feed(1.0, came(NUT_TAG))
    return play


def last(play: Play) -> Movement:
    movement = play.kinds(Movement)[-1]
    assert isinstance(movement, Movement)
    return movement


def on_hand(play: Play, place: str) -> tuple[int, bool]:
    """How many nuts the books have there, and whether the tag is among them."""
    quantity = play.rows.get(f"Stock/{place}\tNUT", {"quantity": 0})["quantity"]
    return quantity, f"Stock/{place}\tNUT\t{NUT_TAG}" in play.rows


def test_movement_that_was_wrong_is_taken_back_by_one_that_names_it() -> None:
    play = shelf()
    play.feed(20.0, gone(NUT_TAG))
    issued = replace(last(play), order=OrderReference("erp", "so", "4711", "10"), lot="L7")
    assert on_hand(play, "A") == (0, False)
    play.feed(30.0, wrong(issued, lot="L7"))
    back = last(play)
    assert (back.reverses, back.reason, back.actor) == (issued.movement_id, "told_wrong", "ana")
    assert (back.kind, back.from_location, back.to_location) == ("receipt", UNKNOWN_LOCATION, "A")
    assert (back.item, back.quantity, back.epcs) == ("NUT", 1, (NUT_TAG,))
    assert (back.order, back.lot) == (issued.order, "L7")
    assert back.at_event == back.at_decided == at(30.0)
    assert back.confidence_permille == 1000
    assert on_hand(play, "A") == (1, True)


def test_adjustment_is_taken_back_by_an_adjustment() -> None:
    play = shelf()
    play.feed(20.0, wrong(last(play), kind="adjustment"))
    assert last(play).kind == "adjustment"


def test_it_is_alerted_with_what_the_person_said() -> None:
    play = shelf()
    play.feed(20.0, gone(NUT_TAG))
    issued = last(play)
    play.feed(30.0, wrong(issued, note="it fell behind the shelf"))
    (alert,) = play.kinds(Alert)
    assert (alert.code, alert.key) == ("told_wrong", f"told_wrong:{issued.movement_id}")
    assert alert.text == (
        "A -> unknown: ana says that 1 NUT is wrong (it fell behind the shelf);"
        " it is taken back, count what is there"
    )
    play.wake(30.0 + 86_399)
    assert len(play.kinds(Alert)) == 1
    play.wake(30.0 + 86_400)
    assert [each.raised for each in play.kinds(Alert)] == [True, False]


@pytest.mark.parametrize("second", [40.0, 5_000.0])
def test_tag_that_is_read_where_the_books_have_it_moves_nothing(second: float) -> None:
    play = shelf()
    play.feed(20.0, gone(NUT_TAG))
    play.feed(30.0, wrong(last(play)))
    count = len(play.kinds(Movement))
    play.feed(second, came(NUT_TAG, second=second - 1, from_zone="A" if second < 100 else ""))
    assert len(play.kinds(Movement)) == count
    assert on_hand(play, "A") == (1, True)
    play.feed(second + 20, gone(NUT_TAG))
    assert (last(play).from_location, on_hand(play, "A")) == ("A", (0, False))


def test_tag_that_is_refuted_after_that_is_not_taken_back_twice() -> None:
    play = shelf()
    play.feed(20.0, gone(NUT_TAG))
    play.feed(30.0, wrong(last(play)))
    play.feed(41.0, came(NUT_TAG, second=40.0, from_zone="A", refutes=True))
    assert sum(bool(each.reverses) for each in play.kinds(Movement)) == 1
    assert on_hand(play, "A") == (1, True)


def test_tag_that_never_came_leaves_nothing_behind_when_it_goes() -> None:
    play = shelf()
    play.feed(10.0, wrong(last(play)))
    assert on_hand(play, "A") == (0, False)
    count = len(play.kinds(Movement))
    play.feed(30.0, gone(NUT_TAG))
    assert len(play.kinds(Movement)) == count


def test_passage_that_was_wrong_is_not_taken_back_by_a_read_too() -> None:
    play = Play([MovementRule, Stock], items=(BOLT, NUT))
    passage = Passage("gate", NUT_TAG, "in", at(1.0), at(2.0), 9, -5000, 990)
    play.feed(3.0, passage)
    play.feed(4.0, wrong(last(play)))
    play.feed(5.0, StillStands("A", NUT_TAG, 5, -5000, 900))
    assert [bool(each.reverses) for each in play.kinds(Movement)] == [False, True]
    assert on_hand(play, "hall")[0] == 0


# Tasks


def correction(movement: Movement, name: str) -> Movement:
    """The movement by which that one is taken back."""
    back = moved(
        name,
        movement.quantity,
        movement.to_location,
        movement.from_location,
        item=movement.item,
        reason="told_wrong",
        reverses=movement.movement_id,
    )
    return replace(back, order=movement.order)


TWO, ONE = moved("m1", 2), moved("m2", 1)


def test_task_has_done_less_by_what_was_wrong() -> None:
    floor = Floor()
    floor.do(1.0, task(quantity=3), TWO, ONE)
    floor.do(2.0, correction(TWO, "c1"))
    assert floor.rows["task:T1"]["done"] == 1
    floor.do(3.0, moved("m3", 2))
    floor.wake(10.0)
    assert floor.ended() == [("T1", "done", 3, None)]
    assert floor.confirmed()[0].movement_ids == ("m1", "m2", "c1", "m3")


def test_correction_of_what_was_of_no_task_is_of_none() -> None:
    floor = Floor(settings={"demand_order": ("A1",)})
    floor.do(1.0, TWO)
    assert floor.alerts() == [("unplanned:A1:BOLT", True)]
    floor.do(2.0, task(quantity=3), moved("m2", 3))
    floor.do(3.0, correction(TWO, "c1"))
    assert floor.rows["task:T1"]["done"] == 3
    assert floor.alerts() == [("unplanned:A1:BOLT", True), ("unplanned:A1:BOLT", False)]


def test_correction_does_not_count_for_a_task_that_asks_its_way() -> None:
    floor = Floor()
    receipt = task("R1", quantity=2, source=UNKNOWN_LOCATION, to_location="A1", kind="receipt")
    floor.do(1.0, TWO)
    floor.do(2.0, receipt)
    floor.do(3.0, correction(TWO, "c1"))
    floor.wake(500.0)
    assert floor.ended() == []


def test_wrong_item_that_never_moved_is_no_stray_any_more() -> None:
    floor = Floor()
    stray = moved("m1", 1, "A2", item="NUT")
    floor.do(1.0, task(quantity=2), stray)
    assert floor.alerts() == [("wrong_item:T1", True)]
    floor.do(2.0, correction(stray, "c1"))
    assert floor.alerts() == [("wrong_item:T1", True), ("wrong_item:T1", False)]


def test_pieces_from_elsewhere_that_never_moved_are_not_misplaced_any_more() -> None:
    floor = Floor()
    elsewhere = moved("m1", 1, "B1")
    floor.do(1.0, task(quantity=2), elsewhere)
    assert floor.alerts() == [("wrong_place:T1", True)]
    floor.do(2.0, correction(elsewhere, "c1"))
    assert floor.alerts() == [("wrong_place:T1", True), ("wrong_place:T1", False)]
    floor.do(3.0, moved("m2", 2))
    floor.wake(10.0)
    assert floor.ended() == [("T1", "done", 2, None)]


def test_correction_after_the_task_ended_names_its_order_and_nothing_is_returned_twice() -> None:
    floor = Floor()
    floor.do(1.0, task(quantity=2), TWO)
    floor.wake(10.0)
    assert floor.ended() == [("T1", "done", 2, None)]
    floor = again(floor)
    floor.do(20.0, correction(TWO, "c1"))
    assert floor.whose()["c1"] == "of-T1"
    floor.do(30.0, put("p1", 2))
    assert "p1" not in floor.whose()


def test_amended_pieces_are_those_that_come_back() -> None:
    floor = Floor()
    floor.do(1.0, task(quantity=2), TWO)
    floor.do(2.0, Amendment("tags_followed", amends_movement="m1", epcs=("3034aa", "3034ab")))
    floor.do(3.0, replace(correction(TWO, "c1"), epcs=("3034aa", "3034ab")))
    assert floor.rows["task:T1"]["done"] == 0
    assert floor.rows["act:m1"]["left"] == 0


def test_unsure_act_after_a_correction_stays_where_the_books_have_it() -> None:
    play = shelf()
    play.feed(20.0, gone(NUT_TAG))
    play.feed(30.0, wrong(last(play)))
    count = len(play.kinds(Movement))
    doubtful: Fact = replace(came(NUT_TAG, "B", 49.0, from_zone=""), confidence_permille=300)
    play.feed(50.0, doubtful)
    assert len(play.kinds(Movement)) == count
    assert [each.location for each in play.kinds(Unresolved)] == ["B"]
    assert on_hand(play, "A") == (1, True)
