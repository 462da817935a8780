"""A tag that never left: its movement is taken back by one that names it."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Coverage,
    Movement,
    Passage,
    StillStands,
    Unresolved,
)
from rules.movement import MovementRule
from rules.stock import Stock
from tests.rules.acts import NUT, NUT_TAG, came, gone, play
from tests.rules.play import BOLT, TAG, Play, S, at


def refuted(second: float = 30.0, zone: str = "A", **rest: Any) -> Any:
    return came(NUT_TAG, zone, second, **{"from_zone": "A", "refutes": True, **rest})


@pytest.mark.parametrize("elsewhere", ["", "B"])
def test_movement_of_a_tag_that_never_left_is_reversed(elsewhere: str) -> None:
    found = Play([MovementRule, Stock], items=(BOLT, NUT))
    found.feed(1.0, came(NUT_TAG))
    found.feed(20.0, gone(NUT_TAG, to_zone=elsewhere))
    if elsewhere:
        found.feed(20.0, came(NUT_TAG, elsewhere, 19.0, from_zone="A"))
        found.feed(31.0, gone(NUT_TAG, elsewhere, to_zone="A"))
    found.feed(31.0, refuted(from_zone="A"))
    first, wrong, back = found.kinds(Movement)
    assert (back.reverses, back.reason) == (wrong.movement_id, "refuted")
    assert back.movement_id not in {first.movement_id, wrong.movement_id}
    assert (back.from_location, back.to_location) == (wrong.to_location, "A")
    assert (back.item, back.quantity, back.epcs) == (wrong.item, wrong.quantity, wrong.epcs)
    assert back.at_event == wrong.at_event
    assert back.kind == ("transfer" if elsewhere else "receipt")
    assert found.rows["Stock/A\tNUT"]["quantity"] == 1
    assert f"Stock/A\tNUT\t{NUT_TAG}" in found.rows
    if elsewhere:
        assert found.rows["Stock/B\tNUT"]["quantity"] == 0


def test_what_is_found_elsewhere_too_unsurely_refutes_nothing() -> None:
    found = play()
    found.feed(20.0, gone(NUT_TAG))
    found.feed(25.0, replace(refuted(24.0, "B"), confidence_permille=499))
    found.feed(26.0, replace(refuted(25.5, "A", from_zone="B"), confidence_permille=499))
    assert [fact.reverses for fact in found.kinds(Movement)] == [None]
    assert [fact.location for fact in found.kinds(Unresolved)] == ["B", "A"]


def test_only_the_last_movement_is_reversed_and_only_once() -> None:
    found = play()
    found.feed(20.0, gone(NUT_TAG))
    found.feed(31.0, refuted())
    found.feed(50.0, refuted(49.0))
    assert [bool(fact.reverses) for fact in found.kinds(Movement)] == [False, True, False]


@pytest.mark.parametrize(
    ("at_s", "arrival"),
    [
        (31.0, came(NUT_TAG, second=30.0)),
        (31.0, refuted(from_zone="B")),
        (140.1, refuted(140.0)),
    ],
    ids=["not refuted", "in another place", "too late"],
)
def test_what_may_have_come_back_is_a_movement_of_its_own(at_s: float, arrival: Any) -> None:
    found = play()
    found.feed(20.0, gone(NUT_TAG))
    found.feed(at_s, arrival)
    assert [fact.reverses for fact in found.kinds(Movement)] == [None, None]


def test_what_is_kept_to_be_reversed_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.reversal.REVERSIBLE_MAX", 1)
    found = play()
    found.feed(20.0, gone(NUT_TAG), gone("309902"))
    found.feed(31.0, came("309902", second=30.0, from_zone="A", refutes=True), refuted())
    assert [bool(fact.reverses) for fact in found.kinds(Movement)] == [False, False, True, False]


def test_tag_that_decided_for_a_blind_scale_and_never_left_is_reversed() -> None:
    found = play()
    for second in range(40):
        found.feed(second, Coverage("r", S))
        if second == 20:
            found.feed(20.5, gone(second=10.0))
    found.feed(40.0, came(second=39.0, refutes=True))
    wrong, back = found.kinds(Movement)
    assert (wrong.from_location, wrong.to_location) == ("A1", UNKNOWN_LOCATION)
    assert (back.reverses, back.to_location) == (wrong.movement_id, "A1")
    assert (back.epcs, found.rows) == ((TAG,), {})


def test_tag_that_was_on_its_way_is_moved_instead_of_issued_and_received() -> None:
    found = Play([MovementRule, Stock], items=(BOLT, NUT))
    found.feed(1.0, came(NUT_TAG))
    found.feed(20.0, gone(NUT_TAG))
    found.feed(25.0, refuted(24.0, "B"))
    _, wrong, back, moved = found.kinds(Movement)
    assert back.reverses == wrong.movement_id
    assert (moved.from_location, moved.to_location, moved.kind) == ("A", "B", "transfer")
    assert moved.movement_id not in {wrong.movement_id, back.movement_id}
    stock = {key: found.rows[key]["quantity"] for key in ("Stock/A\tNUT", "Stock/B\tNUT")}
    assert stock == {"Stock/A\tNUT": 0, "Stock/B\tNUT": 1}


def test_tag_that_was_taken_to_be_in_the_wrong_zone_is_received_where_it_is() -> None:
    found = Play([MovementRule, Stock], items=(BOLT, NUT))
    found.feed(1.0, came(NUT_TAG))
    found.feed(9.0, gone(NUT_TAG, to_zone="B"), refuted(1.0, "B", from_zone=""))
    wrong, back, right = found.kinds(Movement)
    assert (back.reverses, back.from_location) == (wrong.movement_id, "A")
    assert (right.from_location, right.to_location) == (UNKNOWN_LOCATION, "B")
    stock = {key: found.rows[key]["quantity"] for key in ("Stock/A\tNUT", "Stock/B\tNUT")}
    assert stock == {"Stock/A\tNUT": 0, "Stock/B\tNUT": 1}


@pytest.mark.parametrize("late_s", [0.0, 2.0])
def test_movement_of_an_earlier_run_is_reversed_in_time(late_s: float) -> None:
    found = play()
    found.feed(20.0, gone(NUT_TAG))
    [wrong] = found.kinds(Movement)
    later = play(rows=found.rows, last_alive_s=30.0, now_s=35.0)
    later.feed(139.0 + late_s, refuted(139.0))
    [back] = later.kinds(Movement)
    if late_s:
        assert back.reverses is None
        return
    assert (back.reverses, back.reason) == (wrong.movement_id, "refuted")
    assert (back.from_location, back.to_location) == (UNKNOWN_LOCATION, "A")
    assert (back.item, back.quantity, back.uom, back.epcs, back.kind) == (
        "NUT",
        1,
        "pcs",
        (NUT_TAG,),
        "receipt",
    )
    assert back.at_event == wrong.at_event
    assert later.rows == {}


def test_movement_of_another_boot_stands() -> None:
    """It is not known how long ago that was."""
    found = play()
    found.feed(20.0, gone(NUT_TAG))
    later = play(rows=found.rows, boot="boot-2", last_alive_s=30.0, now_s=35.0)
    later.feed(40.0, refuted(39.0))
    assert [fact.reverses for fact in later.kinds(Movement)] == [None]
    assert [row["boot"] for row in later.rows.values()] == ["boot-2"]


def test_rows_are_written_over_when_their_time_is_over() -> None:
    found = play()
    found.feed(20.0, gone(NUT_TAG))
    found.feed(30.0, gone("309902"))
    later = play(rows=dict(reversed(found.rows.items())), last_alive_s=30.0, now_s=30.0)
    later.feed(140.1, gone("309903", second=139.0))
    later.feed(141.0, gone("309904", second=140.0))
    assert {key: row["of"] for key, row in later.rows.items()} == {
        "moved:0": "309903",
        "moved:1": "309902",
        "moved:2": "309904",
    }


OUT = Passage("gate", NUT_TAG, "out", at(1.0), at(5.0), 40, -4500, 960)
STANDS = StillStands("A", NUT_TAG, 9, -5500, 970)


def ends(fact: Movement) -> tuple[str, str]:
    return fact.from_location, fact.to_location


@pytest.mark.parametrize("restart", [False, True])
def test_passage_of_a_tag_that_stands_where_it_stood_is_reversed(restart: bool) -> None:
    found = play()
    found.feed(6.0, OUT)
    later = play(rows=found.rows, last_alive_s=6.0, now_s=6.0) if restart else found
    later.feed(20.0, STANDS)
    wrong, back = [*found.kinds(Movement), *later.kinds(Movement) * restart]
    assert (ends(wrong), ends(back)) == (("hall", "yard"), ("yard", "hall"))
    assert (back.reverses, back.reason) == (wrong.movement_id, "refuted")
    assert (back.confidence_permille, back.evidence.reads) == (970, 9)
    assert later.rows == {}
    later.feed(21.0, STANDS)
    assert len(later.kinds(Movement)) == (1 if restart else 2)


def test_passage_of_a_tag_that_had_not_left_is_reversed_with_its_departure() -> None:
    found = play()
    found.feed(6.0, OUT)
    found.feed(20.0, gone(NUT_TAG))
    found.feed(31.0, refuted())
    passage, left, *back = found.kinds(Movement)
    assert [fact.reverses for fact in back] == [passage.movement_id, left.movement_id]
    assert found.rows == {}


@pytest.mark.parametrize(
    ("second", "then"),
    [
        (126.1, STANDS),
        (20.0, replace(STANDS, epc="309902")),
        (20.0, came(NUT_TAG, second=19.0)),
        (20.0, came(NUT_TAG, "B", second=19.0, from_zone="A", refutes=True)),
    ],
    ids=["too late", "another tag", "come back", "set down elsewhere"],
)
def test_passage_that_nothing_refutes_stands(second: float, then: Any) -> None:
    found = play()
    found.feed(6.0, OUT)
    found.feed(second, then)
    assert [fact.reverses for fact in found.kinds(Movement) if fact.reverses] == []


def test_passage_out_and_in_again_is_settled() -> None:
    found = play()
    found.feed(6.0, OUT)
    found.feed(30.0, replace(OUT, direction="in", since=at(25.0), until=at(29.0)))
    found.feed(40.0, STANDS)
    assert [ends(fact) for fact in found.kinds(Movement)] == [("hall", "yard"), ("yard", "hall")]
