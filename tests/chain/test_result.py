"""The figures of a run: what they count, and when a run has not passed."""

from typing import Any

import pytest

from simulators.core.contract import DEFAULT_PREFIX, load_contract
from simulators.demo.listener import Listener
from simulators.demo.result import passed
from simulators.world.score import Booked, judge, unexplained
from simulators.world.world import Act

GOOD: dict[str, Any] = {
    "true_movements": 40,
    "lost": 0,
    "duplicated": 0,
    "stock_unexplained": 0,
    "missed": 1,
    "wrong": 1,
    "unresolved": 2,
    "transfers": {"true": 2, "paired": 2},
    "lights": {"looks": 10, "right": 10},
    "work": {
        "lines": 10,
        "lines_exact": 10,
        "mistakes": 3,
        "mistakes_told": 3,
        "acts_misnamed": 0,
    },
}


CONTRACT = load_contract(DEFAULT_PREFIX)
EVENT = CONTRACT.topic("event", "demo", "edge-demo")
HELLO = CONTRACT.topic("helloGateway", "demo", "edge-demo")


def listener() -> Listener:
    return Listener(CONTRACT, "demo", "edge-demo")


def test_listener_hears_all_gateways_that_it_is_told_of() -> None:
    ears = Listener(CONTRACT, "demo", "edge-demo", "edge-dock")
    ears.hear(CONTRACT.topic("helloGateway", "demo", "edge-dock"), {"epoch": "d", "last": 2})
    ears.hear(EVENT, movement(1))
    assert ears.lost({("d", 1): "accepted"}) == {("d", 2), ("e", 1)}


def movement(seq: int) -> dict[str, Any]:
    return {"data": {"event": "movement", "epoch": "e", "seq": seq, "movement_id": f"m{seq}"}}


def test_movement_that_was_published_and_is_not_held_is_lost() -> None:
    ears = listener()
    for seq in (1, 2, 2, 3):
        ears.hear(EVENT, movement(seq))
    assert ears.lost({("e", 1): "accepted", ("e", 2): "accepted"}) == {("e", 3)}
    assert ears.lost({("e", 1): "accepted", ("e", 2): "rejected", ("e", 3): "accepted"}) == {
        ("e", 2)
    }


def test_gap_below_what_was_announced_is_lost() -> None:
    ears = listener()
    ears.hear(EVENT, movement(3))
    assert ears.lost({("e", 1): "accepted", ("e", 3): "accepted"}) == {("e", 2)}
    ears.hear(HELLO, {"epoch": "e", "first_kept": 1, "last": 5})
    held = {("e", seq): "accepted" for seq in (1, 2, 3)}
    assert ears.lost(held) == {("e", 4), ("e", 5)}


@pytest.mark.parametrize(
    ("difference", "pieces"),
    [
        ({}, 0),
        ({("A-1", "BOLT-M8"): 2}, 0),
        ({("A-1", "BOLT-M8"): -3}, 1),
        ({("A-2", "BOLT-M8"): 1}, 1),
        ({("B-1", "NUT-M8"): 4}, 0),
    ],
)
def test_stock_is_explained_by_quantities_of_what_was_missed_and_wrong(
    difference: dict[tuple[str, str], int], pieces: int
) -> None:
    missed = Act(1, 10.0, "Ana", "BOLT-M8", 2, "A-1", "unknown")
    wrong = Booked(5, "NUT-M8", 4, "unknown", "B-1", 12.0)
    assert unexplained(difference, judge([missed], [wrong])) == pieces


def test_run_within_bounds_passes() -> None:
    assert passed(GOOD)


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("lost", 1),
        ("duplicated", 1),
        ("stock_unexplained", 1),
        ("missed", 2),
        ("unresolved", 3),
        ("true_movements", 0),
    ],
)
def test_run_beyond_one_bound_has_not_passed(figure: str, value: int) -> None:
    assert not passed({**GOOD, figure: value})


@pytest.mark.parametrize(
    ("figure", "value"), [("lines_exact", 9), ("mistakes_told", 2), ("acts_misnamed", 1)]
)
def test_run_whose_work_was_told_wrong_has_not_passed(figure: str, value: int) -> None:
    assert not passed({**GOOD, "work": {**GOOD["work"], figure: value}})


def test_run_whose_lights_told_a_person_wrong_has_not_passed() -> None:
    assert not passed({**GOOD, "lights": {"looks": 10, "right": 9}})


def test_run_with_a_transfer_that_was_not_paired_has_not_passed() -> None:
    assert not passed({**GOOD, "transfers": {"true": 2, "paired": 1}})
