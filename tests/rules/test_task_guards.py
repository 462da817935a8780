"""What people are called for while they work on tasks, and what the core is told of it."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    Amendment,
    Cell,
    Dismissal,
    ReferenceDeleted,
    Unresolved,
)
from tests.rules.play import at
from tests.rules.tasks import SHELVES, Floor, again, moved, put, task

EVERYWHERE = {"demand_order": ("*",)}
DAY_S = 86_400


def unresolved(name: str, reason: str = "count_not_resolvable", place: str = "A1") -> Unresolved:
    return Unresolved(name, reason, place, ("BOLT",), at(5), at(5))


def test_another_item_from_the_same_shelf_is_wrong() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3, "A2", item="NUT"))
    assert floor.alerts() == [("wrong_item:T1", True)]
    assert floor.whose() == {}
    floor.wake(305)
    assert floor.ended() == [("T1", "wrong", 0, "WRONG_SKU")]
    assert floor.confirmed()[0].movement_ids == ()


def test_another_item_from_the_next_cell_of_the_same_scale_is_wrong() -> None:
    site = replace(SHELVES, cells=(*SHELVES.cells, Cell("s:5", "C2"), Cell("t:1", "D1")))
    floor = Floor(site=site, settings=EVERYWHERE)
    floor.do(1, task(source="C1"))
    floor.do(5, moved("m1", 2, "C1"), moved("m2", 1, "C2", item="NUT"))
    floor.do(6, moved("m3", 1, "D1", item="NUT"))
    assert floor.alerts() == [("wrong_item:T1", True), ("unplanned:D1:NUT", True)]
    floor.wake(306)
    assert floor.ended() == [("T1", "wrong", 2, "WRONG_SKU")]


def test_another_item_that_is_put_back_is_forgiven() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 1, "A2", item="NUT"))
    floor.do(9, put("m2", 1, "A2", item="NUT"))
    assert floor.alerts() == [("wrong_item:T1", True), ("wrong_item:T1", False)]
    floor.do(12, moved("m3", 3))
    floor.wake(15)
    assert floor.ended() == [("T1", "done", 3, None)]


def test_one_of_another_item_among_the_right_ones_is_wrong() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 2), moved("m2", 1, "A2", item="NUT"))
    floor.wake(305)
    assert floor.ended() == [("T1", "wrong", 2, "WRONG_SKU")]


def test_another_item_elsewhere_or_with_a_task_of_its_own_is_not_wrong() -> None:
    floor = Floor()
    floor.do(1, task(), task("T2", 1, "A2", item="NUT"))
    floor.do(5, moved("m1", 1, "A2", item="NUT"), moved("m2", 1, "C1", item="NUT"))
    assert floor.alerts() == []
    assert floor.whose() == {"m1": "of-T2"}


def test_the_item_from_another_place_counts_and_is_said() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 1), moved("m2", 2, "B1"))
    assert floor.alerts() == [("wrong_place:T1", True)]
    floor.wake(9)
    assert floor.ended() == [("T1", "wrong", 3, "WRONG_LOCATION")]
    assert floor.whose() == {"m1": "of-T1", "m2": "of-T1"}


def test_the_item_put_back_where_it_should_not_have_come_from() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 2, "B1"))
    floor.do(7, put("m2", 2, "B1"))
    assert floor.alerts() == [("wrong_place:T1", True), ("wrong_place:T1", False)]
    floor.do(9, moved("m3", 3))
    floor.wake(12)
    assert floor.ended() == [("T1", "done", 3, None)]


def test_put_away_at_another_place_than_asked() -> None:
    floor = Floor()
    floor.do(1, task("T1", 2, "HALL", kind="put_away", to_location="A1"))
    floor.do(5, put("m1", 2, "B1"))
    assert floor.alerts() == [("wrong_place:T1", True)]
    floor.wake(9)
    assert floor.ended() == [("T1", "wrong", 2, "WRONG_LOCATION")]


@pytest.mark.parametrize(
    ("known", "first", "later", "ended"),
    [
        (("e1", "e2"), (), (), ("done", None)),
        (("e1", "x9"), (), (), ("wrong", "WRONG_SKU")),
        ((), ("e2", "e1"), (), ("done", None)),
        ((), ("e1",), ("e1", "x9"), ("wrong", "WRONG_SKU")),
        ((), (), (), ("done", "UNRESOLVED")),
    ],
)
def test_pieces_asked_by_their_tags_must_be_those(
    known: tuple[str, ...],
    first: tuple[str, ...],
    later: tuple[str, ...],
    ended: tuple[str, str | None],
) -> None:
    floor = Floor()
    floor.do(1, task(quantity=2, serials=("e1", "e2")))
    floor.do(5, moved("m1", 2, epcs=known))
    for second, epcs in ((10, first), (15, later)):
        if epcs:
            floor.do(second, Amendment("tags_followed", amends_movement="m1", epcs=epcs))
    floor.wake(40)
    assert floor.ended() == [("T1", ended[0], 2, ended[1])]
    alerted = [("wrong_item:T1", True)] if ended[0] == "wrong" else []
    assert floor.alerts() == alerted
    assert set(floor.confirmed()[0].epcs) == set(known or later or first)


def test_a_wrong_piece_is_put_back_and_the_right_one_taken() -> None:
    floor = Floor()
    floor.do(1, task(quantity=2, serials=("e1", "e2")))
    floor.do(5, moved("m1", 1, epcs=("e1",)), moved("m2", 1, epcs=("x9",)))
    floor.do(7, put("m3", 1))
    floor.do(8, Amendment("tags_followed", amends_movement="m3", epcs=("x9",)))
    floor.do(9, moved("m4", 1, epcs=("e2",)))
    floor.wake(12)
    assert floor.ended() == [("T1", "done", 2, None)]
    assert floor.confirmed()[0].epcs == ("e1", "e2")


def test_the_task_that_asks_these_very_pieces_comes_first() -> None:
    floor = Floor()
    floor.do(1, task("T1", 1), task("T2", 1, serials=("e2",)))
    floor.do(5, moved("m1", 1, epcs=("e2",)))
    assert floor.whose() == {"m1": "of-T2"}


def test_what_has_no_order_is_said_only_where_one_is_needed() -> None:
    for demanded, alerts in (((), []), (("B",), []), (("A",), ["m"]), (("*",), ["m"])):
        floor = Floor(settings={"demand_order": demanded})
        floor.do(5, moved("m1", 1))
        assert floor.alerts() == [("unplanned:A1:BOLT", True) for _ in alerts]


def test_what_has_no_order_is_settled_when_it_is_back() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(5, moved("m1", 2), put("m2", 1))
    assert floor.alerts() == [("unplanned:A1:BOLT", True)]
    floor = again(floor, settings=EVERYWHERE)
    floor.do(9, put("m3", 1))
    assert floor.alerts() == [("unplanned:A1:BOLT", False)]


def test_what_has_no_order_is_said_anew_but_not_each_second() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(5, moved("m1", 1))
    floor.do(6, moved("m2", 1))
    floor.do(100, moved("m3", 1))
    key = "unplanned:A1:BOLT"
    assert floor.alerts() == [(key, True), (key, False), (key, True)]
    floor.wake(100 + DAY_S)
    assert floor.alerts()[3:] == [(key, False)]
    assert floor.rows == {}


def test_what_goes_on_its_way_out_by_the_gate_is_of_the_same_order() -> None:
    floor = Floor(settings={"demand_order": ("*", "HALL")})
    floor.do(1, task(quantity=1))
    floor.do(5, moved("m1", 1, epcs=("e1",)), moved("m2", 1, "HALL", epcs=("e1",)))
    floor.wake(8)
    floor.do(20, moved("m3", 1, "HALL", epcs=("e1",)), moved("m4", 1, "HALL", epcs=("e2",)))
    assert floor.ended() == [("T1", "done", 1, None)]
    assert floor.whose() == {"m1": "of-T1", "m2": "of-T1", "m3": "of-T1"}
    assert floor.alerts() == [("unplanned:HALL:BOLT", True)]


def test_alerts_of_an_open_task_are_settled_when_the_core_takes_it_back() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 5))
    floor = again(floor, [task()])
    floor.do(9, ReferenceDeleted("task", "T1"))
    assert floor.alerts() == [("over_issue:T1", False)]
    assert set(floor.rows) == {"act:m1"}


def test_alerts_of_a_closed_task_stand_until_somebody_has_looked() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 4))
    floor.wake(305)
    floor = again(floor, [task()])
    floor.do(306, ReferenceDeleted("task", "T1"))
    assert floor.alerts() == []
    floor.do(400, put("m2", 1))
    assert floor.alerts() == [("over_issue:T1", False)]


@pytest.mark.parametrize(
    ("answered", "reason", "ended"),
    [
        (False, "count_not_resolvable", ("short", 2, "UNRESOLVED")),
        (True, "count_not_resolvable", ("short", 2, "SHORT")),
        (False, "senses_disagree", ("short", 2, "UNRESOLVED")),
    ],
)
def test_what_is_not_clear_at_its_place_may_be_what_a_task_lacks(
    *, answered: bool, reason: str, ended: tuple[str, int, str]
) -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 2), unresolved("u1", reason), unresolved("u2", place="B1"))
    if answered:
        floor.do(6, Dismissal("u1", "returned", at(6)))
    floor.wake(400)
    assert floor.ended() == [("T1", *ended)]


def test_only_what_a_scale_does_not_understand_begins_a_task() -> None:
    for reason, ended in (
        ("count_not_resolvable", [("T1", "timed_out", 0, "UNRESOLVED")]),
        ("senses_disagree", []),
    ):
        floor = Floor()
        floor.do(1, task())
        floor.do(5, unresolved("u1", reason))
        floor.wake(400)
        assert floor.ended() == ended


@pytest.mark.parametrize(
    ("back", "whose"),
    [
        ({"quantity": 1}, ("return", "m1")),
        ({"quantity": 3}, ("return", "m1")),
        ({"quantity": 4}, None),
        ({"quantity": 1, "target": "B1"}, None),
        ({"quantity": 1, "item": "NUT"}, None),
    ],
)
def test_what_is_put_back_after_the_task_is_closed_is_a_return(
    back: dict[str, Any], whose: tuple[str, str] | None
) -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3))
    floor.wake(9)
    floor = again(floor, [task()])
    floor.do(3600, put("m2", **back))
    told = [(each.kind, each.reverses) for each in floor.kinds() if hasattr(each, "reverses")]
    assert told == ([whose] if whose else [])


def test_only_so_much_is_returned_as_was_taken_and_only_for_a_day() -> None:
    floor = Floor()
    floor.do(1, task(quantity=2), task("T2", 1))
    floor.do(5, moved("m1", 2))
    floor.wake(9)
    floor.do(10, moved("m2", 1))
    floor.wake(14)
    floor.do(20, put("m3", 1), put("m4", 1), put("m5", 1), put("m6", 1))
    assert floor.whose() == {
        "m1": "of-T1",
        "m2": "of-T2",
        "m3": "of-T2",
        "m4": "of-T1",
        "m5": "of-T1",
    }
    floor.do(30, task("T3", 1))
    floor.do(31, moved("m7", 1))
    floor.wake(31 + DAY_S)
    floor.do(32 + DAY_S, put("m8", 1))
    assert "m8" not in floor.whose()
    assert not [key for key in floor.rows if key.startswith("act:")]


def test_a_tag_tells_which_issue_is_returned() -> None:
    floor = Floor()
    floor.do(1, task("T1", 1), task("T2", 1))
    floor.do(5, moved("m1", 1, epcs=("e1",)))
    floor.wake(9)
    floor.do(10, moved("m2", 1, epcs=("e2",)))
    floor.wake(14)
    floor.do(20, put("m3", 1, epcs=("e1",)))
    assert floor.whose()["m3"] == "of-T1"


def test_a_movement_that_never_happened_is_taken_back_of_its_task() -> None:
    floor = Floor()
    floor.do(1, task(quantity=2))
    floor.do(5, moved("m1", 1, epcs=("e1",)))
    floor.do(6, put("m2", 1, reason="refuted", reverses="m1", epcs=("e1",)))
    floor.do(7, moved("m3", 2))
    floor.wake(10)
    assert floor.ended() == [("T1", "done", 2, None)]
    assert floor.confirmed()[0].movement_ids == ("m1", "m2", "m3")


def test_stock_that_lies_elsewhere_than_booked_is_no_act() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task())
    floor.do(5, moved("m1", 3, kind="adjustment", reason="misplaced"))
    assert (floor.whose(), floor.alerts()) == ({}, [])


def test_alerts_say_where_and_what_to_do() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task())
    floor.do(5, moved("m1", 5), moved("m2", 1, "C1", item="NUT"))
    texts = [alert.text for alert in floor.kinds() if hasattr(alert, "severity")]
    assert texts == [
        "A1: 2 BOLT more moved than the 3 of task T1; put back what is over",
        "C1: 1 NUT taken without an order; name the order or put them back",
    ]


def test_of_alerts_that_nobody_can_look_at_the_oldest_is_cleared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rules.task_alerts.STANDING_MAX", 1)
    floor = Floor(settings=EVERYWHERE)
    floor.do(5, moved("m1", 1), moved("m2", 1, "C1"))
    assert floor.alerts() == [
        ("unplanned:A1:BOLT", True),
        ("unplanned:A1:BOLT", False),
        ("unplanned:C1:BOLT", True),
    ]


def test_of_what_may_come_back_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.task_acts.RETURNABLE_MAX", 1)
    floor = Floor()
    floor.do(1, task(quantity=2))
    floor.do(5, moved("m1", 1), moved("m2", 1))
    floor.wake(9)
    assert [key for key in floor.rows if key.startswith("act:")] == ["act:m2"]


def test_a_confirmation_fits_into_one_record() -> None:
    floor = Floor()
    floor.do(1, task(quantity=600))
    for index in range(600):
        floor.do(5, moved(f"{index:036}", 1, epcs=(f"{index:024x}",)))
    floor.wake(9)
    told = floor.confirmed()[0]
    assert (told.quantity_done, len(told.movement_ids), len(told.epcs)) == (600, 358, 518)
    assert told.movement_ids[-1] == f"{599:036}"
