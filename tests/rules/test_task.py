from dataclasses import replace

import pytest

from gateway.model import (
    Attribution,
    Evidence,
    Fact,
    ReferenceDeleted,
    Stall,
    TaskCancel,
    TaskConfirmation,
)
from tests.rules.play import at
from tests.rules.tasks import Floor, again, moved, order, put, scale, task


def test_a_task_is_confirmed_once_it_is_done_and_quiet() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 2, evidence=scale(9000, 7000)))
    floor.do(6, moved("m2", 1, evidence=scale(7000, 6000)))
    floor.wake(8.9)
    assert floor.confirmed() == []
    floor.wake(9.0)
    assert floor.confirmed() == [
        TaskConfirmation(
            f"boot-1/task/T1/{at(9)}",
            "T1",
            order("of-T1"),
            "done",
            "BOLT",
            "pcs",
            3,
            3,
            0,
            at(5),
            at(6),
            at(9),
            movement_ids=("m1", "m2"),
            evidence=Evidence(weight_before_mg=9000, weight_after_mg=6000),
        )
    ]
    assert floor.kinds(Attribution) == [
        Attribution("m1", order("of-T1")),
        Attribution("m2", order("of-T1")),
    ]
    assert floor.alerts() == []


def test_what_is_put_back_within_the_quiet_time_is_subtracted() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3))
    floor.do(7, put("m2", 1))
    floor.wake(20)
    assert floor.confirmed() == []
    floor.do(21, moved("m3", 1))
    floor.wake(24)
    assert floor.ended() == [("T1", "done", 3, None)]
    assert floor.confirmed()[0].movement_ids == ("m1", "m2", "m3")
    assert set(floor.whose()) == {"m1", "m2", "m3"}


def test_too_many_is_said_at_once_and_waits_for_what_is_put_back() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 4))
    assert floor.alerts() == [("over_issue:T1", True)]
    floor.do(60, put("m2", 1))
    assert floor.alerts() == [("over_issue:T1", True), ("over_issue:T1", False)]
    floor.wake(63)
    assert floor.ended() == [("T1", "done", 3, None)]


def test_too_many_is_never_clipped() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 5))
    floor.wake(304.9)
    assert floor.confirmed() == []
    floor.wake(305)
    assert floor.ended() == [("T1", "over", 5, "OVER")]
    assert floor.confirmed()[0].quantity_difference == 2


def test_too_few_is_short_when_nothing_more_happens() -> None:
    floor = Floor()
    floor.do(1, task(timeout_s=60))
    floor.do(5, moved("m1", 2))
    floor.wake(64.9)
    assert floor.confirmed() == []
    floor.wake(65)
    assert floor.ended() == [("T1", "short", 2, "SHORT")]
    assert floor.alerts() == [("short:T1", True)]
    assert floor.confirmed()[0].quantity_difference == -1


def test_all_put_back_is_timed_out() -> None:
    floor = Floor()
    floor.do(1, task(timeout_s=60))
    floor.do(5, moved("m1", 2))
    floor.do(8, put("m2", 2))
    floor.wake(68)
    assert floor.ended() == [("T1", "timed_out", 0, "TIMEOUT")]


def test_a_task_that_nobody_begins_waits_for_ever() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.wake(100_000)
    assert floor.confirmed() == []
    assert floor.rows["task:T1"]["state"] == "active"


@pytest.mark.parametrize(
    ("policy", "quantity", "ended", "alerts"),
    [
        ("flexible", 5, ("over", 5, None), []),
        ("flexible", 1, ("short", 1, None), []),
        ("warning", 5, ("over", 5, "OVER"), [("over_issue:T1", "warning")]),
        ("strict", 5, ("over", 5, "OVER"), [("over_issue:T1", "critical")]),
        ("strict", 1, ("short", 1, "SHORT"), [("short:T1", "critical")]),
    ],
)
def test_the_policy_says_what_a_difference_is(
    policy: str, quantity: int, ended: tuple[str, int, str | None], alerts: list[tuple[str, str]]
) -> None:
    floor = Floor()
    floor.do(1, task(policy=policy))
    floor.do(5, moved("m1", quantity))
    floor.wake(305)
    assert floor.ended() == [("T1", *ended)]
    told = [fact for fact in floor.kinds() if getattr(fact, "raised", False)]
    assert [(alert.key, alert.severity) for alert in told] == alerts


@pytest.mark.parametrize(
    ("tolerance", "quantity", "closes_s", "state"),
    [
        ({"tolerance_pieces": 2}, 102, 8, "done"),
        ({"tolerance_pieces": 2}, 98, 305, "done"),
        ({"tolerance_pieces": 2}, 97, 305, "short"),
        ({"tolerance_permille": 20}, 102, 8, "done"),
        ({"tolerance_permille": 20}, 103, 305, "over"),
    ],
)
def test_within_the_tolerance_is_as_good_as_asked(
    tolerance: dict[str, int], quantity: int, closes_s: float, state: str
) -> None:
    floor = Floor()
    floor.do(1, task(quantity=100, **tolerance))
    floor.do(5, moved("m1", quantity))
    floor.wake(400)
    assert [(c.state, c.quantity_done) for c in floor.confirmed()] == [(state, quantity)]
    assert floor.times(TaskConfirmation) == [closes_s]


@pytest.mark.parametrize("ended", [TaskCancel("T1", "eva"), ReferenceDeleted("task", "T1")])
def test_a_task_taken_back_is_confirmed_with_what_was_done(ended: Fact) -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 1))
    floor.do(9, ended)
    assert floor.ended() == [("T1", "cancelled", 1, None)]
    assert floor.confirmed()[0].actor == getattr(ended, "actor", None)
    assert ("task:T1" in floor.rows) == isinstance(ended, TaskCancel)
    floor.wake(1000)
    assert len(floor.confirmed()) == 1


def test_a_task_cancelled_before_anything_was_done() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(9, ReferenceDeleted("task", "T1"))
    assert floor.ended() == [("T1", "cancelled", 0, None)]
    assert floor.rows == {}


def test_a_closed_task_is_not_opened_again_by_its_newer_version() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3))
    floor.wake(9)
    floor.do(10, task(quantity=9, version=2))
    floor.do(11, moved("m2", 1))
    assert list(floor.whose()) == ["m1"]
    floor.do(12, ReferenceDeleted("task", "T1"), task(quantity=1))
    floor.do(13, moved("m3", 1))
    floor.wake(17)
    assert floor.ended() == [("T1", "done", 3, None), ("T1", "done", 1, None)]
    assert len({each.confirmation_id for each in floor.confirmed()}) == 2


def test_an_amended_task_asks_what_it_asks_now() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3))
    floor.do(6, task(quantity=5, version=2))
    floor.wake(50)
    assert floor.confirmed() == []
    floor.do(51, task(quantity=2, version=3))
    assert floor.alerts() == [("over_issue:T1", True)]
    floor.do(52, put("m2", 1))
    floor.wake(56)
    assert floor.ended() == [("T1", "done", 2, None)]
    assert floor.confirmed()[0].quantity_asked == 2


def test_a_task_in_work_that_asks_something_else_now_begins_anew() -> None:
    floor = Floor()
    floor.do(1, task(quantity=1))
    floor.do(2, task(quantity=1, item="NUT", source="A2", version=1))
    floor.do(5, moved("m1", 2, "A2", item="NUT"))
    floor.do(6, task(quantity=1, version=2))
    assert floor.ended() == [("T1", "cancelled", 2, None)]
    floor.do(7, moved("m2", 1))
    floor.wake(10)
    assert floor.ended()[1:] == [("T1", "done", 1, None)]
    assert floor.confirmed()[1].movement_ids == ("m2",)


def test_of_several_tasks_the_first_in_rank_comes_first() -> None:
    floor = Floor()
    floor.do(1, task("LATE", 1, due_s=900), task("EARLY", 1, due_s=100), task("NONE", 1))
    floor.do(2, task("URGENT", 1, priority=5, due_s=999), task("SECOND", 1, due_s=100))
    for index in range(5):
        floor.do(10 + 5 * index, moved(f"m{index}", 1))
        floor.wake(14 + 5 * index)
    told = [each.task for each in floor.confirmed()]
    assert told == ["URGENT", "EARLY", "SECOND", "LATE", "NONE"]


def test_the_next_task_is_active_once_the_first_is_closed() -> None:
    floor = Floor()
    floor.do(1, task("T1", 1), task("T2", 1))
    assert [floor.rows[f"task:{code}"]["state"] for code in ("T1", "T2")] == ["active", "queued"]
    floor.do(5, moved("m1", 1))
    assert floor.rows["task:T1"]["state"] == "picking"
    floor.wake(9)
    assert [floor.rows[f"task:{code}"]["state"] for code in ("T1", "T2")] == ["done", "active"]


def test_a_movement_is_never_split_over_two_tasks() -> None:
    floor = Floor()
    floor.do(1, task("T1", 2), task("T2", 5))
    floor.do(5, moved("m1", 5))
    floor.wake(9)
    assert floor.ended() == [("T2", "done", 5, None)]
    floor.do(10, moved("m2", 3))
    floor.wake(400)
    assert floor.ended()[1:] == [("T1", "over", 3, "OVER")]


def test_a_zone_is_a_place_for_all_its_cells_and_a_gate_is_one() -> None:
    floor = Floor()
    floor.do(1, task("Z", 2, "A"), task("G", 1, "HALL", item="NUT"))
    floor.do(5, moved("m1", 1, "A1"), moved("m2", 1, "A"), moved("m3", 1, "HALL", item="NUT"))
    floor.wake(19.9)
    assert floor.confirmed() == []
    floor.wake(20)
    assert sorted(floor.ended()) == [("G", "done", 1, None), ("Z", "done", 2, None)]


def test_what_moves_within_the_place_of_a_task_is_no_act_for_it() -> None:
    floor = Floor()
    floor.do(1, task("Z", 2, "A"))
    floor.do(5, moved("m1", 1, "A1", "A2"))
    assert floor.whose() == {}


def test_a_receipt_counts_what_comes() -> None:
    floor = Floor()
    floor.do(1, task("T1", 4, "unknown", kind="receipt", to_location="A1"))
    floor.do(5, put("m1", 3), moved("m2", 1), put("m3", 2))
    floor.wake(9)
    assert floor.ended() == [("T1", "done", 4, None)]


def test_both_halves_of_a_transfer_are_of_its_order_and_the_second_counts() -> None:
    floor = Floor()
    floor.do(1, task("T1", 2, "A1", kind="transfer", to_location="B1"))
    floor.do(5, moved("m1", 2))
    floor.wake(60)
    assert floor.confirmed() == []
    floor.do(61, put("m2", 2, "B1"))
    floor.wake(65)
    assert floor.ended() == [("T1", "done", 2, None)]
    assert floor.confirmed()[0].movement_ids == ("m1", "m2")


def test_a_transfer_seen_whole_counts_once() -> None:
    floor = Floor()
    floor.do(1, task("T1", 2, "A1", kind="transfer", to_location="B1"))
    floor.do(5, moved("m1", 2, "A1", "B1"))
    floor.wake(9)
    assert floor.ended() == [("T1", "done", 2, None)]


def test_a_transfer_to_where_nobody_sees_counts_what_leaves() -> None:
    floor = Floor()
    floor.do(1, task("T1", 2, "A1", kind="transfer", to_location="OTHER-HOUSE"))
    floor.do(5, moved("m1", 2))
    floor.wake(9)
    assert floor.ended() == [("T1", "done", 2, None)]


def test_a_stall_gives_a_task_the_time_that_nobody_saw() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3))
    floor.do(6, Stall(10_000_000_000))
    floor.wake(17.9)
    assert floor.confirmed() == []
    floor.wake(18)
    assert floor.ended() == [("T1", "done", 3, None)]


def test_an_issue_beside_no_task_belongs_to_nobody() -> None:
    floor = Floor()
    floor.do(1, task(), moved("m1", 1, "A2", item="OIL"), moved("m2", 1, "C1", item="NUT"))
    assert floor.whose() == {}


def test_the_unit_of_measure_is_that_of_the_item() -> None:
    floor = Floor()
    floor.do(1, task("T1", 500, "C1", item="OIL"))
    floor.do(2, moved("m1", 500, "C1", item="OIL"))
    floor.wake(6)
    assert floor.confirmed()[0].uom == "g"


def test_who_moved_it_stands_in_the_confirmation() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(2, moved("m1", 3), Attribution("m1", actor="eva"))
    floor = again(floor, [task()])
    floor.wake(6)
    assert floor.confirmed()[0].actor == "eva"


def test_no_more_tasks_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.task_book.OPEN_MAX", 1)
    floor = Floor()
    floor.do(1, task("T1", 1), task("T2", 1))
    assert floor.alerts() == [("tasks_full", True)]
    floor.do(2, moved("m1", 1), replace(moved("m2", 1), reason="observed"))
    floor.wake(400)
    assert [each.task for each in floor.confirmed()] == ["T1"]
    assert ("tasks_full", False) in floor.alerts()
