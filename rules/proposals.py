"""What a rule proposes and books only if a person or the core says so.

Each proposal of a rule waits in a row of that rule until it is answered, once, or is void: it
outlives a restart with all its lines, so that the answer can be carried out. Small and shared: a
rule that proposes keeps one of these, gives it its rows, and asks it of each Approval.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gateway.model import Approval, Dismissal, Ns, Proposal, ProposalKind, ProposalLine
from gateway.ports import NOTHING, JsonValue, Row, Turn

PROPOSAL_ROW = "proposal:"

OPEN_MAX = 500
"""Proposals of one rule that wait: more than anybody answers in a day. Beyond, none is made."""

APPROVED, REFUSED = "approved", "refused"
"""Why a Dismissal closes an answered proposal."""


class Proposals:
    """See the module."""

    def __init__(self) -> None:
        self._open: dict[str, Proposal] = {}

    def restore(self, row: Row) -> bool:
        """Take back a row; False if it is somebody else's."""
        if not row.key.startswith(PROPOSAL_ROW):
            return False
        value: dict[str, Any] = dict(row.value)
        lines = tuple(
            ProposalLine(**line | {"epcs": tuple(line["epcs"])}) for line in value["lines"]
        )
        code = row.key.removeprefix(PROPOSAL_ROW)
        self._open[code] = Proposal(code, value["kind"], value["location"], lines, "", 0)
        return True

    def of(self, kind: ProposalKind, location: str) -> list[Proposal]:
        """Those of a kind that wait at a location, or at all (""), in order."""
        return [
            proposal
            for proposal in self._open.values()
            if proposal.kind == kind and location in {"", proposal.location}
        ]

    def propose(self, proposal: Proposal) -> Turn:
        """Tell it, and keep it until it is answered; NOTHING if too many wait."""
        if len(self._open) >= OPEN_MAX:
            return NOTHING
        self._open[proposal.proposal_id] = proposal
        value: dict[str, JsonValue] = {
            "kind": proposal.kind,
            "location": proposal.location,
            "lines": [asdict(line) for line in proposal.lines],
        }
        return Turn((proposal,), (Row(PROPOSAL_ROW + proposal.proposal_id, value),))

    def answered(self, now: Ns, approval: Approval) -> tuple[Proposal, Turn] | None:
        """The proposal that is answered, and what closes it; None if it is not of this rule.

        What an approved one says is to be booked before that, in the same turn.
        """
        proposal = self._open.get(approval.code)
        if proposal is None:
            return None
        reason = APPROVED if approval.approved else REFUSED
        return proposal, self.close(now, approval.code, reason, approval.actor)

    def close(self, now: Ns, code: str, reason: str, actor: str = "") -> Turn:
        """It waits no longer."""
        del self._open[code]
        closed = Dismissal(code, reason, now, actor or None)
        return Turn((closed,), deletes=(PROPOSAL_ROW + code,))
