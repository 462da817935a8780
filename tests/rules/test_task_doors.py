"""A task at a gate: it makes its own expectation, and the door that is closed after it ends it."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Fact,
    InputChange,
    Item,
    Movement,
    Portal,
    ReferenceDeleted,
    Site,
    Task,
)
from rules.gate_expected import Expected
from tests.rules.gate import INNER, OUTER, Reads, directions, go, watched
from tests.rules.play import TAG, read
from tests.rules.tasks import Floor, again, order, task

GATE = Portal("dock", ("g:1",), ("g:2",), UNKNOWN_LOCATION, "HALL", door="g:3")
SITE = Site(portals=(GATE,))
TAGGED = Item("BOLT", epc_prefixes=("3034",))
TAGS = ("3034aa", "3034ab", "3034ac")


def receipt(code: str = "R1", quantity: int = 3, **rest: Any) -> Task:
    known = {"kind": "receipt", "source": UNKNOWN_LOCATION, "to_location": "HALL", **rest}
    return task(code, quantity, **known)


def came(name: str, *epcs: str, **rest: Any) -> Movement:
    told = Movement(
        name,
        "receipt",
        "observed",
        "BOLT",
        len(epcs),
        "pcs",
        UNKNOWN_LOCATION,
        "HALL",
        0,
        0,
        990,
        epcs=epcs,
    )
    return replace(told, **rest)


def dock(site: Site = SITE, **known: Any) -> Floor:
    return Floor(site=site, items=(TAGGED,), **known)


CLOSED, OPEN = InputChange("g", 3, level=True), InputChange("g", 3, level=False)


def test_door_that_is_closed_ends_what_is_short() -> None:
    floor = dock()
    floor.do(0.0, OPEN, receipt(serials=TAGS))
    floor.do(10.0, came("m1", TAGS[0]), came("m2", TAGS[1]))
    floor.wake(60.0)
    assert floor.ended() == []
    floor.do(60.0, CLOSED)
    floor.wake(74.9)
    assert floor.ended() == []
    floor.wake(75.0)
    assert floor.ended() == [("R1", "short", 2, "SHORT")]
    assert floor.confirmed()[0].epcs == TAGS[:2]
    assert floor.alerts() == [("short:R1", True)]


def test_more_than_asked_is_over_when_the_door_is_closed() -> None:
    floor = dock()
    floor.do(0.0, receipt(quantity=1))
    floor.do(10.0, came("m1", TAGS[0]), came("m2", TAGS[1]))
    floor.do(20.0, CLOSED)
    floor.wake(35.0)
    assert floor.ended() == [("R1", "over", 2, "OVER")]


def test_tags_that_are_told_after_the_door_was_closed_count() -> None:
    floor = dock()
    floor.do(0.0, receipt(quantity=2))
    floor.do(10.0, came("m1", TAGS[0]))
    floor.do(12.0, CLOSED)
    late = came("m2", TAGS[1], at_event=0)
    floor.feed(20.0, replace(late, at_event=floor.engine.now - 9_000_000_000))
    floor.wake(60.0)
    assert floor.ended() == [("R1", "done", 2, None)]


@pytest.mark.parametrize(
    "moves",
    [
        [],
        [(20.0, CLOSED), (21.0, OPEN)],
        [(5.0, CLOSED)],
        [(20.0, InputChange("g", 4, level=True))],
        [(20.0, InputChange("h", 3, level=True))],
    ],
    ids=["never", "opened again", "before the load", "another port", "another device"],
)
def test_door_that_was_not_closed_after_the_load_ends_nothing(
    moves: list[tuple[float, Fact]],
) -> None:
    floor = dock()
    floor.do(0.0, OPEN, receipt())
    facts: list[tuple[float, Fact]] = [*moves, (10.0, came("m1", TAGS[0]))]
    for second, fact in sorted(facts, key=lambda pair: pair[0]):
        floor.do(second, fact)
    floor.wake(309.0)
    assert floor.ended() == []
    floor.wake(310.0)
    assert floor.ended() == [("R1", "short", 1, "SHORT")]


def test_all_doors_to_the_place_must_be_closed() -> None:
    floor = dock(Site(portals=(GATE, replace(GATE, portal="other", door="g:4"))))
    floor.do(0.0, receipt())
    floor.do(10.0, came("m1", TAGS[0]))
    floor.do(20.0, CLOSED)
    floor.wake(60.0)
    assert floor.ended() == []
    floor.do(60.0, InputChange("g", 4, level=True))
    floor.wake(75.0)
    assert floor.ended() == [("R1", "short", 1, "SHORT")]


def test_contact_may_be_closed_at_a_low_level() -> None:
    floor = dock(Site(portals=(replace(GATE, closed_level=False),)))
    floor.do(0.0, receipt())
    floor.do(10.0, came("m1", TAGS[0]))
    floor.do(20.0, replace(CLOSED, level=False))
    floor.wake(35.0)
    assert floor.ended() == [("R1", "short", 1, "SHORT")]


def test_door_of_another_gate_and_tasks_at_shelves_have_nothing_to_do_with_each_other() -> None:
    floor = dock()
    floor.do(0.0, receipt("R2", to_location="ELSEWHERE"))
    floor.do(10.0, came("m1", TAGS[0]))
    floor.do(20.0, CLOSED)
    floor.wake(60.0)
    assert floor.ended() == []


def test_after_a_restart_the_load_waits_as_if_there_were_no_door() -> None:
    floor = dock()
    load = receipt()
    floor.do(0.0, load)
    floor.do(10.0, came("m1", TAGS[0]))
    floor.do(20.0, CLOSED)
    floor = again(floor, [TAGGED, load], site=SITE)
    floor.wake(60.0)
    assert floor.ended() == []
    floor.do(60.0, OPEN, CLOSED)
    floor.wake(75.0)
    assert floor.ended() == [("R1", "short", 1, "SHORT")]


# What a task leads one to expect


SELDOM: Reads = [(8.2, read(OUTER, TAG, -60.0)), (10.3, read(INNER, TAG, -61.0))]
INTO = Task("R1", "receipt", order(), "BOLT", 1, "yard", "hall", serials=(TAG,))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([INTO], ["in"]),
        ([replace(INTO, from_location=UNKNOWN_LOCATION)], ["in"]),
        ([replace(INTO, serials=())], ["in"]),
        ([replace(INTO, serials=("3034bb",))], []),
        ([replace(INTO, item="NUT", serials=())], []),
        ([replace(INTO, from_location="hall", to_location="yard")], []),
        ([replace(INTO, to_location="A1")], []),
        ([INTO, replace(INTO, serials=("3034bb",), version=2)], []),
        ([INTO, ReferenceDeleted("task", "R1")], []),
        ([replace(INTO, serials=()), ReferenceDeleted("task", "R1")], []),
        ([replace(INTO, serials=()), ReferenceDeleted("item", "BOLT")], []),
    ],
    ids=[
        "its serial",
        "from outside",
        "any of its item",
        "another serial",
        "another item",
        "the other way",
        "elsewhere",
        "amended",
        "taken back",
        "taken back, without serials",
        "an item no more",
    ],
)
def test_task_makes_its_own_expectation_at_the_gate(facts: list[Fact], told: list[str]) -> None:
    play = watched(lateness_s=1.0)
    play.feed(0.5, TAGGED, *facts)
    go(play, SELDOM, 60.0)
    assert [way for way in directions(play) if way in ("in", "out")] == told


def test_orders_that_contradict_each_other_say_nothing() -> None:
    expected = Expected([replace(GATE, outside="yard", inside="hall")])
    expected.catalogue.put(TAGGED)
    expected.put_task(replace(INTO, serials=()))
    assert expected.way("dock", TAG) == "in"
    back = replace(INTO, code="T2", from_location="hall", to_location="yard", serials=())
    expected.put_task(back)
    assert expected.way("dock", TAG) is None
    expected.remove_task("R1")
    assert expected.way("dock", TAG) == "out"
    assert expected.way("other", TAG) is None
