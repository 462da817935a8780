"""First stock that a person confirms, and unknown tags that are bound to what was ordered."""

from typing import Any

import pytest

from gateway.model import (
    Approval,
    Arrival,
    Badge,
    Cell,
    CountRequest,
    Departure,
    Dismissal,
    Fact,
    Item,
    Movement,
    Portal,
    Proposal,
    Scan,
    Scanner,
    Site,
    Snapshot,
    SnapshotLine,
    TagsBound,
    Zone,
)
from rules.commission import Commission
from rules.movement import MovementRule
from rules.presence import Presence
from tests.rules.play import Play, S
from tests.rules.tasks import task

BOLT = Item("BOLT", gtins=("09506000134352",))
SITE = Site(
    zones=(Zone("A", ("r:1",)), Zone("W", ("r:2",))),
    cells=(Cell("s:1", "W1", "BOLT", "W"),),
    portals=(Portal("gate", ("g:1",), ("g:2",), "unknown", "HALL"),),
    scanners=(Scanner("gun", "A"),),
)
EPCS = ("e1", "e2", "e3")


def came(epc: str, zone: str = "A") -> Arrival:
    return Arrival(zone, epc, 0, 5, -5000, 990)


def receipt(quantity: int = 3, place: str = "A", code: str = "T1", **rest: Any) -> Fact:
    return task(code, quantity, "unknown", kind="receipt", to_location=place, **rest)


def play(*facts: Fact, **known: Any) -> Play:
    played = Play([Commission], site=SITE, items=[BOLT], **known)
    played.feed(1.0, *facts)
    return played


def proposed(played: Play) -> list[tuple[str, int, int, tuple[str, ...]]]:
    lines = [(each.kind, each.lines[0]) for each in played.kinds(Proposal)]
    return [(kind, line.expected, line.found, line.epcs) for kind, line in lines]


def test_unknown_tags_of_an_expected_receipt_are_proposed_as_its_item_and_bound() -> None:
    played = play(receipt(), *map(came, EPCS))
    played.wake(5.0)
    assert proposed(played) == []
    played.wake(11.5)
    assert proposed(played) == [("binding", 3, 3, EPCS)]
    [told] = played.kinds(Proposal)
    again = play(rows=played.rows, now_s=20.0)
    again.feed(21.0, Approval(told.proposal_id, True, "ana"))
    assert again.kinds(TagsBound) == [TagsBound("BOLT", EPCS)]
    [closed] = again.kinds(Dismissal)
    assert (closed.reason, closed.actor) == ("approved", "ana")
    again.feed(30.0, *map(came, EPCS))
    again.wake(50.0)
    assert proposed(again) == []


@pytest.mark.parametrize(
    "facts",
    [
        (),
        (receipt(2),),
        (receipt(place="B"),),
        (receipt(), receipt(code="T2")),
        (task("T1", 3, "A"),),
    ],
    ids=["none", "fewer asked", "elsewhere", "two receipts", "an issue"],
)
def test_tags_are_bound_by_no_order_that_does_not_fit(facts: tuple[Fact, ...]) -> None:
    played = play(*facts, *map(came, EPCS))
    played.wake(12.0)
    assert proposed(played) == []


def test_order_that_is_told_later_is_soon_enough() -> None:
    played = play(*map(came, EPCS))
    played.wake(12.0)
    played.feed(60.0, receipt(4))
    played.wake(71.0)
    assert proposed(played) == [("binding", 4, 3, EPCS)]


def test_scan_says_what_carries_them() -> None:
    played = play(*map(came, EPCS))
    played.feed(20.0, Scan("gun", "", (("01", "09506000134352"),)))
    assert proposed(played) == [("binding", 0, 3, EPCS)]


def test_refused_tags_are_not_proposed_again() -> None:
    played = play(receipt(), *map(came, EPCS))
    played.wake(11.5)
    [told] = played.kinds(Proposal)
    played.feed(12.0, Approval(told.proposal_id, False))
    played.feed(13.0, *map(came, EPCS))
    played.wake(30.0)
    assert len(proposed(played)) == 1
    assert played.kinds(TagsBound) == []


def test_what_leaves_is_worn_or_is_weighed_there_is_not_bound() -> None:
    gone = Departure("A", "e1", 0, 1, -5000, 990)
    played = play(receipt(), Badge("B", "ana", epc="e2"), came("e1"), came("e2"), gone)
    played.wake(12.0)
    assert proposed(played) == []
    weighed = play(receipt(place="W"), *(came(epc, "W") for epc in EPCS))
    weighed.wake(12.0)
    assert proposed(weighed) == []


def first(quantity: int = 7) -> Snapshot:
    return Snapshot("s-1", "first_start", "A", (SnapshotLine("BOLT", quantity, "pcs"),), 0)


def test_first_stock_waits_for_a_person_over_a_restart() -> None:
    played = play(first())
    assert proposed(played) == [("first_stock", 0, 7, ())]
    [told] = played.kinds(Proposal)
    again = play(rows=played.rows, now_s=10.0)
    again.feed(11.0, Approval(told.proposal_id, True, "ana"))
    [closed] = again.kinds(Dismissal)
    assert (closed.reason, closed.actor) == ("approved", "ana")
    assert again.kinds(CountRequest) == []


def test_first_stock_that_is_refused_is_counted() -> None:
    played = play(first())
    [told] = played.kinds(Proposal)
    played.feed(2.0, Approval(told.proposal_id, False, "ana"))
    [count] = played.kinds(CountRequest)
    assert (count.locations, count.actor) == (("A",), "ana")


def test_other_statements_are_not_proposed() -> None:
    played = play(Snapshot("s-2", "daily", "A", (SnapshotLine("BOLT", 7, "pcs"),), 0))
    assert proposed(played) == []


def test_bound_tag_is_booked_as_it_came_and_stays_bound() -> None:
    rules = (Presence, MovementRule)
    played = Play(rules, site=SITE, items=[BOLT])
    played.feed(1.0, came("3034aa"))
    assert played.kinds(Movement) == []
    played.feed(2.0, TagsBound("BOLT", ("3034aa",)))
    played.cover(3.0)
    [movement] = played.kinds(Movement)
    assert (movement.kind, movement.item, movement.epcs) == ("receipt", "BOLT", ("3034aa",))
    again = Play(rules, rows=played.rows, site=SITE, items=[BOLT], now_s=10.0)
    again.feed(11.0, Departure("A", "3034aa", 10 * S, 1, -5000, 990))
    [movement] = again.kinds(Movement)
    assert (movement.kind, movement.item) == ("issue", "BOLT")
