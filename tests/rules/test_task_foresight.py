"""What is wrong with a step is said when it is weighed, before its movement is told."""

from typing import Any

import pytest

from gateway.model import Coverage, Fact, StepHeld, TaskCancel, Unresolved
from tests.rules.play import at
from tests.rules.tasks import Floor, again, moved, put, task

EVERYWHERE = {"demand_order": ("*",)}


def held(name: str, quantity: int, place: str = "A1", item: str = "BOLT") -> StepHeld:
    return StepHeld(name, item, quantity, "pcs", place, at(1))


def test_too_many_are_said_when_they_are_weighed_and_once() -> None:
    floor = Floor()
    floor.do(1, task(), held("m1", -4))
    assert floor.alerts() == [("over_issue:T1", True)]
    assert floor.whose() == {}
    floor.do(4, moved("m1", 4))
    assert floor.alerts() == [("over_issue:T1", True)]
    floor.do(5, held("m2", 1))
    floor.do(8, put("m2", 1))
    assert floor.alerts() == [("over_issue:T1", True), ("over_issue:T1", False)]
    floor.wake(12)
    assert floor.ended() == [("T1", "done", 3, None)]
    assert "held:m1" not in floor.rows


def test_all_that_is_weighed_counts_together() -> None:
    floor = Floor()
    floor.do(1, task(), held("m1", -2))
    floor.do(2, held("m2", -2))
    floor.do(3, moved("m1", 2), moved("m2", 2))
    assert floor.alerts() == [("over_issue:T1", True)]
    floor.do(3.5, held("m3", 1))
    assert floor.alerts()[1:] == [("over_issue:T1", False)]


def test_as_many_as_asked_say_nothing_and_keep_nothing() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task())
    rows = dict(floor.rows)
    floor.do(2, held("m1", -3), held("m9", 5, "B1"))
    assert floor.rows == rows
    floor.do(5, moved("m1", 3))
    floor.wake(9)
    assert floor.alerts() == []
    assert floor.ended() == [("T1", "done", 3, None)]


@pytest.mark.parametrize(
    ("step", "movement", "key"),
    [
        (held("m1", -2, "A2", "NUT"), moved("m1", 2, "A2", item="NUT"), "wrong_item:T1"),
        (held("m1", -2, "B1"), moved("m1", 2, "B1"), "wrong_place:T1"),
        (held("m1", -2, "C1", "NUT"), moved("m1", 2, "C1", item="NUT"), "unplanned:C1:NUT"),
    ],
)
def test_what_is_wrong_is_said_before_it_is_told(step: Fact, movement: Fact, key: str) -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task(), step)
    assert floor.alerts() == [(key, True)]
    floor.do(4, movement)
    assert floor.alerts() == [(key, True)]
    assert not any(row.startswith("held:") for row in floor.rows)


@pytest.mark.parametrize(
    "otherwise",
    [
        held("m1", 0),
        Unresolved("m1", "item_uncertain", "A1", ("BOLT",), at(5), at(5)),
    ],
)
@pytest.mark.parametrize("known", [(), (task(),)])
def test_what_is_not_told_as_it_was_weighed_is_cleared(
    otherwise: Fact, known: tuple[Fact, ...]
) -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, *known)
    floor.do(2, held("m1", -5))
    key = "over_issue:T1" if known else "unplanned:A1:BOLT"
    assert floor.alerts() == [(key, True)]
    floor.do(5, otherwise)
    assert floor.alerts() == [(key, True), (key, False)]
    assert not any(row.startswith(("held:", "alert:")) for row in floor.rows)


def test_what_left_without_an_order_and_is_told_as_of_one_is_cleared() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, held("m1", -2))
    floor.do(2, task())
    floor.do(4, moved("m1", 2))
    assert floor.alerts() == [("unplanned:A1:BOLT", True), ("unplanned:A1:BOLT", False)]
    assert floor.whose() == {"m1": "of-T1"}


def test_more_or_fewer_than_were_weighed_without_an_order() -> None:
    for quantity, back in ((3, 3), (1, 1)):
        floor = Floor(settings=EVERYWHERE)
        floor.do(1, held("m1", -2))
        floor.do(4, moved("m1", quantity))
        assert floor.alerts() == [("unplanned:A1:BOLT", True)]
        floor.do(9, put("m2", back - 1), put("m3", 1))
        assert floor.alerts() == [("unplanned:A1:BOLT", True), ("unplanned:A1:BOLT", False)]


def test_a_task_is_not_closed_while_what_is_put_back_is_weighed() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(2, moved("m1", 4))
    floor.do(4, put("m2", 1))
    floor.do(6.5, held("m3", 1))
    floor.wake(9)
    assert floor.ended() == []
    floor.do(9.5, put("m3", 1))
    floor.wake(400)
    assert floor.ended() == [("T1", "short", 2, "SHORT")]


def test_a_restart_forgets_nothing_that_was_said() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task(), held("m1", -4), held("m2", -1, "C1", "NUT"))
    said = floor.alerts()
    floor = again(floor, [task()], settings=EVERYWHERE)
    assert said == [("over_issue:T1", True), ("unplanned:C1:NUT", True)]
    floor.do(4, moved("m1", 4), moved("m2", 1, "C1", item="NUT"))
    assert floor.alerts() == []
    floor.do(6, put("m3", 1), put("m4", 1, "C1", item="NUT"))
    assert floor.alerts() == [("over_issue:T1", False), ("unplanned:C1:NUT", False)]


def test_after_a_reboot_it_is_said_anew_by_what_is_told() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task(), held("m1", -4), held("m2", -1, "C1", "NUT"))
    floor = again(floor, [task()], settings=EVERYWHERE, boot="boot-2")
    cleared = [("over_issue:T1", False), ("unplanned:C1:NUT", False)]
    assert floor.alerts() == cleared
    floor.do(5, moved("n1", 4))
    assert floor.alerts() == [*cleared, ("over_issue:T1", True)]


def test_a_task_may_be_taken_back_meanwhile() -> None:
    floor = Floor(settings=EVERYWHERE)
    floor.do(1, task(), held("m1", -4))
    floor.do(2, TaskCancel("T1", "Ana"), Coverage("s", 0))
    floor.do(4, moved("m1", 4))
    told: dict[str, Any] = dict(floor.alerts())
    assert told["unplanned:A1:BOLT"]
    assert floor.ended() == [("T1", "cancelled", 0, None)]
