"""What a rule proposes waits over a restart, and is answered once."""

from gateway.model import Approval, Dismissal, Proposal, ProposalLine
from gateway.ports import NOTHING, Row
from rules.proposals import OPEN_MAX, Proposals

LINE = ProposalLine("BOLT", 100, 96, "pcs", "missing", ("3034",))
PROPOSAL = Proposal("p-1", "stocktake", "A1", (LINE,), "if approved, booked", 7)


def test_a_proposal_is_told_with_its_row() -> None:
    proposals = Proposals()
    turn = proposals.propose(PROPOSAL)
    assert turn.facts == (PROPOSAL,)
    assert [row.key for row in turn.puts] == ["proposal:p-1"]
    assert proposals.of("stocktake", "A1") == [PROPOSAL]
    assert proposals.of("stocktake", "") == [PROPOSAL]
    assert proposals.of("reconcile", "A1") == []
    assert proposals.of("stocktake", "A2") == []


def test_it_is_answered_once_and_has_all_its_lines_after_a_restart() -> None:
    (row,) = Proposals().propose(PROPOSAL).puts
    proposals = Proposals()
    assert proposals.restore(row)
    answered = proposals.answered(9, Approval("p-1", approved=True, actor="ann"))
    assert answered is not None
    proposal, closed = answered
    assert (proposal.kind, proposal.location, proposal.lines) == ("stocktake", "A1", (LINE,))
    assert closed.facts == (Dismissal("p-1", "approved", 9, "ann"),)
    assert closed.deletes == ("proposal:p-1",)
    assert proposals.answered(9, Approval("p-1", approved=False)) is None


def test_a_refusal_says_so_and_names_nobody_who_gave_no_name() -> None:
    proposals = Proposals()
    proposals.propose(PROPOSAL)
    answered = proposals.answered(9, Approval("p-1", approved=False))
    assert answered is not None
    assert answered[1].facts == (Dismissal("p-1", "refused", 9, None),)


def test_what_nobody_answers_is_bounded() -> None:
    proposals = Proposals()
    for number in range(OPEN_MAX):
        assert proposals.propose(Proposal(f"p-{number}", "binding", "A1", (), "", 0)).facts
    assert proposals.propose(PROPOSAL) is NOTHING
    proposals.close(1, "p-0", "outdated")
    assert proposals.propose(PROPOSAL).facts == (PROPOSAL,)


def test_rows_of_others_are_left_alone() -> None:
    assert not Proposals().restore(Row("task:T1", {}))
