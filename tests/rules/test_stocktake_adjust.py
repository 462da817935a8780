"""What a count proposes: booked when it is approved, void when something explains it."""

from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Approval,
    CountRequest,
    Dismissal,
    Movement,
    Unresolved,
)
from tests.rules.counting import Counting, line, moved, tags


def test_approved_count_is_booked_by_adjustments_and_refused_one_is_not() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.book("A2", line("GEAR", 2), line("NUT", 1))
    play.on_scales |= {"s:1": 250.0, "s:2": 1311.0}
    play.count()
    codes = {each.location: each.proposal_id for each in play.proposals()}
    assert play.held("A1", "BOLT") == 7
    play.feed(play.now_s, Approval(codes["A1"], approved=True, actor="eva"))
    play.feed(play.now_s, Approval(codes["A2"], approved=False))
    (booked,) = play.kinds(Movement)
    assert (booked.kind, booked.reason, booked.quantity) == ("adjustment", "missing", 2)
    assert (booked.from_location, booked.to_location) == ("A1", UNKNOWN_LOCATION)
    assert (booked.actor, booked.supersedes) == ("eva", codes["A1"])
    assert play.held("A1", "BOLT") == 5
    assert play.held("A2", "NUT") == 1
    assert play.closed() == [(codes["A1"], "approved"), (codes["A2"], "refused")]
    play.feed(play.now_s, Approval(codes["A1"], approved=True))
    assert play.held("A1", "BOLT") == 5


def test_newer_count_takes_the_place_of_what_an_older_one_proposed() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.on_scales["s:1"] = 250.0
    play.count()
    (first,) = play.proposals()
    play.on_scales["s:1"] = 350.0
    play.count(CountRequest("c-2", "places", ("A1",)))
    assert play.closed() == [(first.proposal_id, "outdated")]
    assert play.proposals() == [first]


@pytest.mark.parametrize(
    ("happens", "outdated"),
    [
        (moved("m", 1, "HALL", "PUMP", epcs=("3034aa",)), False),
        (moved("m", 1, "HALL", "PUMP", epcs=(tags("3034", 4)[3],)), True),
        (moved("m", 1, "HALL", "PUMP", reason="found_after_gap"), True),
        (moved("m", 1, "HALL", "PUMP", reverses="x"), True),
        (moved("m", 1, "HALL", "BOLT", reason="found_after_gap"), False),
        (moved("m", 1, "A1", "PUMP", reason="found_after_gap"), False),
    ],
)
def test_what_explains_a_difference_makes_its_proposal_void(
    happens: Movement, outdated: bool
) -> None:
    play = Counting()
    play.book("HALL", line("PUMP", 4, *tags("3034", 4)))
    play.reads["r:1"] = tags("3034", 2)
    play.count()
    (proposal,) = play.proposals()
    play.feed(play.now_s, happens)
    assert play.closed() == ([(proposal.proposal_id, "outdated")] if outdated else [])


@pytest.mark.parametrize("settles", [Dismissal("u", "returned", 0), moved("m", 1, "A2")])
def test_difference_where_a_question_is_open_was_not_recorded(settles: Any) -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.on_scales["s:1"] = 250.0
    play.feed(0.0, Unresolved("u", "count_not_resolvable", "A1", ("BOLT",), 0, 0))
    again = Counting(rows=play.rows)
    again.on_scales["s:1"] = 250.0
    again.count()
    assert again.lines("A1")["BOLT"].reason == "not_recorded"
    (proposal,) = again.proposals()
    if isinstance(settles, Movement):
        settles = moved("m", 1, "A2", supersedes="u")
    again.feed(again.now_s, settles)
    assert again.closed()[-1] == (proposal.proposal_id, "outdated")
    assert "Stocktake/question:u" not in again.rows
