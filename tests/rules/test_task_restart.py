"""A task goes on over a restart, and nothing of it is told twice."""

from gateway.model import Attribution, ReferenceDeleted
from tests.rules.play import seconds
from tests.rules.tasks import Floor, again, moved, put, task


def test_a_restart_goes_on_where_it_was() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 2))
    later = again(floor, [task()], now_s=6.0)
    assert later.kinds() == []
    later.do(7, moved("m2", 1))
    later.wake(10)
    assert later.ended() == [("T1", "done", 3, None)]
    assert later.confirmed()[0].movement_ids == ("m1", "m2")
    assert seconds(later.confirmed()[0].at_started) == 5
    last = again(later, [task()])
    last.wake(1000)
    assert last.kinds() == []
    last.do(1001, moved("m3", 1))
    assert last.whose() == {}


def test_what_fell_due_while_it_was_down_waits_for_what_is_found() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 3))
    later = again(floor, [task()], now_s=500.0)
    later.do(510, put("m2", 1, reason="found_after_gap"), moved("m3", 1))
    later.wake(515)
    assert later.ended() == [("T1", "done", 3, None)]


def test_after_a_boot_moments_count_from_when_it_was_last_alive() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 2))
    later = again(floor, [task()], boot="boot-2", now_s=20.0, last_alive_s=0.0)
    later.wake(299.9)
    assert later.confirmed() == []
    later.wake(300)
    assert later.ended() == [("T1", "short", 2, "SHORT")]
    assert seconds(later.confirmed()[0].at_started) == 0


def test_a_task_deleted_while_the_rule_was_left_out_is_forgotten() -> None:
    floor = Floor()
    floor.do(1, task())
    floor.do(5, moved("m1", 1))
    assert list(again(floor).rows) == ["act:m1"]  # it may come back


def test_a_task_known_before_the_rule_was_there_is_queued() -> None:
    floor = Floor(items=(task("T1", 1), task("T2", 1)))
    assert floor.rows["task:T1"]["state"] == "active"
    assert "task:T2" not in floor.rows
    floor.do(1, ReferenceDeleted("task", "T2"), moved("m1", 1))
    floor.wake(5)
    assert floor.ended() == [("T2", "cancelled", 0, None), ("T1", "done", 1, None)]


def test_what_a_task_took_may_come_back_after_a_restart_though_another_has_its_name() -> None:
    floor = Floor()
    floor.do(1, task(quantity=1))
    floor.do(5, moved("m1", 1))
    floor.wake(9)
    floor.do(10, ReferenceDeleted("task", "T1"), task(quantity=5, version=2))
    floor.do(11, moved("m2", 2))
    floor = again(floor, [task(quantity=5, version=2)])
    floor.wake(400)
    [told] = floor.confirmed()
    assert (told.quantity_done, told.movement_ids) == (2, ("m2",))


def test_acts_that_an_older_release_closed_are_closed() -> None:
    floor = Floor()
    floor.do(1, task(quantity=1))
    floor.do(5, moved("m1", 1))
    floor.wake(9)
    row = floor.rows["act:m1"]
    del row["task_number"]
    row["closed"] = True
    floor = again(floor, [task(quantity=1)])
    floor.do(20, put("m2", 1))
    [back] = floor.kinds(Attribution)
    assert (back.kind, back.reverses) == ("return", "m1")
