"""What a count proposes, and what is booked when it is approved. Part of the stock-take rule.

A proposal says how much the book is off, so what is watched happening after the count changes
nothing about it. What explains the difference does: a piece that was missing moves, something is
found out after the count, a question is answered. Then it is void, and a new count is due.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import (
    UNKNOWN_LOCATION,
    Approval,
    BookDiffers,
    CountReport,
    Movement,
    Ns,
    Proposal,
    ProposalLine,
)
from gateway.ports import NOTHING, Identify, Row, Turn
from rules.proposals import Proposals
from rules.turns import together

APPROVED_PERMILLE = 990
"""Counted, and seen by somebody."""

WATCHED = "observed"
"""The reason of a movement that was watched happening, as it happened."""

OUTDATED = "outdated"

RECONCILE = "reconcile"
"""The reason of what heals the core's book; the stock rule leaves its own as it is."""

TEXT = (
    "approved, what was counted is booked by adjustments; refused, the book stays as it is. "
    "Look there before you answer"
)


BOOK_TEXT = (
    "approved, the core's book is corrected by adjustments to what the gateway has (found); "
    "refused, it stays. Count there first if you do not know which is right"
)


class Adjustments:
    """The proposals of counts, and those that heal the core's book."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._proposals = Proposals()

    def restore(self, row: Row) -> bool:
        """Take back a row; False if it is somebody else's."""
        return self._proposals.restore(row)

    def propose(self, now: Ns, report: CountReport) -> Turn:
        """Propose to book what differs; what earlier counts proposed of that place is outdated."""
        turn = self._outdate(now, self._proposals.of("stocktake", report.location))
        lines = tuple(
            ProposalLine(line.item, line.expected, line.counted, line.uom, line.reason, line.epcs)
            for line in report.lines
            if line.counted is not None and line.reason not in {None, "sensor"}
            if line.reason is not None
        )
        if not lines:
            return turn
        code = self._identify("proposal", report.report_id)
        proposal = Proposal(code, "stocktake", report.location, lines, TEXT, now)
        return together(turn, self._proposals.propose(proposal))

    def differs(self, now: Ns, told: BookDiffers) -> Turn:
        """Propose to correct the core's book; what waits already is not proposed again."""
        lines = tuple(
            ProposalLine(line.item, line.book, line.held, line.uom, RECONCILE)
            for line in told.lines
        )
        open_ones = self._proposals.of("reconcile", told.location)
        if any(each.lines == lines for each in open_ones):
            return NOTHING
        turn = self._outdate(now, open_ones)
        if not lines:
            return turn
        code = self._identify("reconcile", told.location, now)
        proposal = Proposal(code, "reconcile", told.location, lines, BOOK_TEXT, now)
        return together(turn, self._proposals.propose(proposal))

    def answered(self, now: Ns, approval: Approval) -> Turn:
        """Book what was approved."""
        answered = self._proposals.answered(now, approval)
        if answered is None:
            return NOTHING
        proposal, closed = answered
        if not approval.approved:
            return closed
        booked = tuple(self._adjustment(now, proposal, line, approval) for line in proposal.lines)
        return together(Turn(facts=booked), closed)

    def moved(self, now: Ns, movement: Movement) -> Turn:
        """Something moved after the count."""
        told_later = movement.reason != WATCHED or movement.reverses is not None
        touched = []
        for proposal in self._at(movement.from_location, movement.to_location):
            lines = [line for line in proposal.lines if line.item == movement.item]
            pieces = {epc for line in lines for epc in line.epcs}
            if (lines and told_later) or pieces.intersection(movement.epcs):
                touched.append(proposal)
        return self._outdate(now, touched)

    def settled(self, now: Ns, location: str) -> Turn:
        """What was open at a location is settled: a difference may be explained by it."""
        return self._outdate(
            now,
            [
                proposal
                for proposal in self._at(location)
                if any(line.reason == "not_recorded" for line in proposal.lines)
            ],
        )

    def _at(self, *locations: str) -> list[Proposal]:
        return [each for each in self._proposals.of("stocktake", "") if each.location in locations]

    def _outdate(self, now: Ns, proposals: Iterable[Proposal]) -> Turn:
        closed = (self._proposals.close(now, each.proposal_id, OUTDATED) for each in proposals)
        return together(*closed)

    def _adjustment(
        self, now: Ns, proposal: Proposal, line: ProposalLine, approval: Approval
    ) -> Movement:
        difference = line.found - line.expected
        ends = (UNKNOWN_LOCATION, proposal.location)
        source, target = ends if difference > 0 else (ends[1], ends[0])
        return Movement(
            movement_id=self._identify("count", proposal.proposal_id, line.item),
            kind="adjustment",
            reason=line.reason,
            item=line.item,
            quantity=abs(difference),
            uom=line.uom,
            from_location=source,
            to_location=target,
            at_event=now,
            at_decided=now,
            confidence_permille=APPROVED_PERMILLE,
            epcs=line.epcs,
            actor=approval.actor or None,
            supersedes=proposal.proposal_id,
        )
