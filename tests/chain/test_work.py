"""What the demo says of its orders, its mistakes and its people, against the truth log."""

from typing import Any

import pytest

from simulators.demo.truth import Slip, TrueLine, Truth
from simulators.demo.work import Told, judge_work
from simulators.world.score import Booked, judge
from simulators.world.world import Act

LINE = TrueLine("MO-1-1", "BOLT-M8", 2, "Ana", "over", 3, "OVER")
SLIP = Slip(10.0, "over", "MO-1-1", ("A-1", "SHELF-A"))
ACT = Act(1, 10.0, "Ana", "BOLT-M8", 3, "A-1", "unknown", (), "MO-1-1", "over")
BOOKED = Booked(5, "BOLT-M8", 3, "A-1", "unknown", 12.0, "issue", "Ana", "MO-1-1")
CONFIRMED = {"item": "BOLT-M8", "quantity_done": 3, "exception": "OVER"}
RAISED = Told(12.0, "over_issue", "over_issue:MO-1-1", raised=True)


def figures(
    confirmed: dict[str, Any] | None = CONFIRMED,
    told: tuple[Told, ...] = (RAISED,),
    movement: Booked = BOOKED,
) -> dict[str, Any]:
    truth = Truth({LINE.task: LINE}, [SLIP])
    known = {} if confirmed is None else {LINE.task: confirmed}
    return judge_work(truth, known, told, judge([ACT], [movement]))


def test_what_was_told_as_it_truly_was_is_right() -> None:
    assert figures() == {
        "lines": 1,
        "lines_exact": 1,
        "mistakes": 1,
        "mistakes_told": 1,
        "told_ms": {"p50": 2000, "p99": 2000},
        "alerts_false": 0,
        "acts_named": 1,
        "acts_nameless": 0,
        "acts_misnamed": 0,
        "orders_wrong": 0,
    }


@pytest.mark.parametrize(
    "confirmed",
    [None, CONFIRMED | {"quantity_done": 2}, {"item": "BOLT-M8", "quantity_done": 3}],
)
def test_line_that_was_confirmed_otherwise_is_not_exact(confirmed: dict[str, Any] | None) -> None:
    assert figures(confirmed)["lines_exact"] == 0


@pytest.mark.parametrize(
    ("told", "mistakes", "false"),
    [
        ((), 0, 0),
        ((Told(75.0, "over_issue", "over_issue:MO-1-1", raised=True),), 0, 0),
        ((Told(12.0, "short", "short:MO-1-1", raised=True),), 0, 0),
        ((Told(12.0, "over_issue", "over_issue:MO-2-1", raised=True),), 0, 1),
        ((RAISED, Told(12.0, "no_badge", "no_badge:B-2", raised=True)), 1, 1),
        ((Told(5.0, "over_issue", "over_issue:MO-1-1", raised=True),), 1, 1),
    ],
)
def test_mistake_is_told_by_its_own_alert_in_its_time(
    told: tuple[Told, ...], mistakes: int, false: int
) -> None:
    work = figures(told=told)
    assert (work["mistakes_told"], work["alerts_false"]) == (mistakes, false)


@pytest.mark.parametrize(
    ("actor", "task", "names"),
    [("", "MO-1-1", (0, 1, 0, 0)), ("Ben", "MO-1-1", (0, 0, 1, 0)), ("Ana", "", (1, 0, 0, 1))],
)
def test_who_and_what_for_is_compared_with_the_truth(
    actor: str, task: str, names: tuple[int, ...]
) -> None:
    movement = Booked(5, "BOLT-M8", 3, "A-1", "unknown", 12.0, "issue", actor, task)
    work = figures(movement=movement)
    keys = ("acts_named", "acts_nameless", "acts_misnamed", "orders_wrong")
    assert tuple(work[key] for key in keys) == names
