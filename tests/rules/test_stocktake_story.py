"""A count with all rules while somebody takes pieces: scale and tags in virtual time."""

from typing import Any

from gateway.model import (
    Approval,
    Cell,
    CountReport,
    CountRequest,
    Item,
    Movement,
    Proposal,
    Site,
    Zone,
)
from rules.count import Count
from rules.movement import MovementRule
from rules.presence import Presence
from rules.stock import Stock
from rules.stocktake import Stocktake
from rules.task import TaskRule
from rules.weight import Weight
from tests.rules.counting import Counting, line, tags

RULES = [Presence, Weight, Count, MovementRule, TaskRule, Stocktake, Stock]
BOLT = Item("BOLT", unit_mg=50_000, unit_sd_mg=300)
PUMP = Item("PUMP", epc_prefixes=("3034",))
SITE = Site(zones=(Zone("HALL", ("r:1",)),), cells=(Cell("s:1", "A1", "BOLT"),))


def at_work() -> Counting:
    """Ten bolts lie on the scale and three pumps stand in the hall, and both are known."""
    play = Counting(rules=RULES, site=SITE, items=(BOLT, PUMP))
    play.on_scales = {"s:1": 500.0}
    play.reads = {"r:1": tags("3034", 3)}
    play.stand(60.0)
    assert (play.held("A1", "BOLT"), play.held("HALL", "PUMP")) == (10, 3)
    return play


def last(play: Counting, location: str) -> CountReport:
    return play.reports()[location]


def test_pieces_taken_in_the_middle_are_booked_once_and_counted_right() -> None:
    play = at_work()
    play.feed(play.now_s, CountRequest("c-1", "full"))
    play.stand(8.0)
    play.on_scales["s:1"] = 350.0
    play.stand(13.0)
    assert "HALL" in play.reports()
    assert "A1" not in play.reports()
    play.stand(21.0)
    report = last(play, "A1")
    (bolt,) = report.lines
    assert (report.recounts, report.disturbed) == (1, False)
    assert (bolt.expected, bolt.counted, bolt.reason) == (7, 7, None)
    (pick,) = play.kinds(Movement)
    assert (pick.kind, pick.quantity) == ("issue", 3)
    assert play.kinds(Proposal) == []


def test_what_was_never_seen_happening_is_proposed_and_heals_when_it_is_approved() -> None:
    play = at_work()
    play.book("A1", line("BOLT", 12))
    play.book("HALL", line("PUMP", 4, *tags("3034", 4)))
    play.feed(play.now_s, CountRequest("c-1", "full"))
    play.stand(22.0)
    told: dict[str, Any] = {each.location: each for each in play.kinds(Proposal)}
    assert sorted(told) == ["A1", "HALL"]
    for proposal in told.values():
        play.feed(play.now_s, Approval(proposal.proposal_id, approved=True, actor="eva"))
    assert (play.held("A1", "BOLT"), play.held("HALL", "PUMP")) == (10, 3)
    booked = {each.from_location: (each.reason, each.quantity) for each in play.kinds(Movement)}
    assert booked == {"A1": ("missing", 2), "HALL": ("missing", 1)}
    play.stand(60.0)
    assert (play.held("A1", "BOLT"), play.held("HALL", "PUMP")) == (10, 3)
