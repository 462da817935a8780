"""The book as hashes, and what heals the core's: nothing of it changes the book at the edge."""

import hashlib

from gateway.model import (
    UNKNOWN_LOCATION,
    Approval,
    BookDifference,
    BookDiffers,
    Cell,
    Digest,
    DigestRequest,
    Dismissal,
    Movement,
    Proposal,
    Site,
)
from rules.digest import LINES_MAX
from tests.rules.counting import Counting, line, moved


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_digest_has_each_location_with_what_is_not_zero() -> None:
    play = Counting()
    play.book("A2", line("NUT", 3), line("GÄR", 12))
    play.book("A1", line("BOLT", 1))
    play.feed(0.0, moved("m", 1, "A1"), moved("n", 2, "HALL"), moved("o", 3, "yard"))
    play.feed(0.0, DigestRequest())
    (told,) = play.kinds(Digest)
    assert [(each.location, each.sha256) for each in told.lines] == [
        ("A1", sha256("[]")),
        ("A2", sha256('[["GÄR",12],["NUT",3]]')),
        ("HALL", sha256('[["BOLT",-2]]')),
    ]


def test_many_locations_are_told_in_several_records() -> None:
    cells = tuple(Cell(f"s:{number}", f"P{number}") for number in range(LINES_MAX + 1))
    play = Counting(site=Site(cells=cells))
    for number in range(LINES_MAX + 1):
        play.book(f"P{number}", line("BOLT", 1))
    play.feed(0.0, DigestRequest())
    told = play.kinds(Digest)
    assert [len(each.lines) for each in told] == [LINES_MAX, 1]
    assert len({each.digest_id for each in told}) == 2


DIFFERS = BookDiffers("A1", (BookDifference("BOLT", 9, 7), BookDifference("NUT", -1, 2)))


def test_what_heals_the_core_is_proposed_once_and_leaves_the_edge_as_it_is() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7), line("NUT", 2))
    play.feed(0.0, DIFFERS, DIFFERS)
    (proposal,) = play.kinds(Proposal)
    assert (proposal.kind, proposal.location) == ("reconcile", "A1")
    assert [(each.item, each.expected, each.found) for each in proposal.lines] == [
        ("BOLT", 9, 7),
        ("NUT", -1, 2),
    ]
    again = Counting(rows=play.rows)
    again.feed(0.0, DIFFERS)
    assert again.kinds(Proposal) == []
    again.feed(1.0, Approval(proposal.proposal_id, approved=True, actor="eva"))
    less, more = again.kinds(Movement)
    assert (less.reason, less.quantity, less.from_location) == ("reconcile", 2, "A1")
    assert (more.reason, more.quantity, more.to_location) == ("reconcile", 3, "A1")
    assert {less.to_location, more.from_location} == {UNKNOWN_LOCATION}
    assert (less.actor, less.supersedes) == ("eva", proposal.proposal_id)
    assert (again.held("A1", "BOLT"), again.held("A1", "NUT")) == (7, 2)


def test_other_difference_takes_its_place_and_none_ends_it() -> None:
    play = Counting()
    play.feed(0.0, DIFFERS, BookDiffers("A1", DIFFERS.lines[:1]))
    first, second = play.kinds(Proposal)
    play.feed(1.0, moved("m", 1, "A1", reason="found_after_gap"))
    play.feed(2.0, BookDiffers("A1", ()))
    closed = [(each.unresolved_id, each.reason) for each in play.kinds(Dismissal)]
    assert closed == [(first.proposal_id, "outdated"), (second.proposal_id, "outdated")]
