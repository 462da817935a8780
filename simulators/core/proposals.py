"""Proposals: what gateways book only if the core says so, and what the core said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS proposal (
  id TEXT PRIMARY KEY, gateway TEXT NOT NULL, kind TEXT NOT NULL, location TEXT NOT NULL,
  record INTEGER NOT NULL, closed TEXT, closing INTEGER, answer TEXT, actor TEXT NOT NULL,
  body TEXT NOT NULL) WITHOUT ROWID;
"""
"""The columns are the fields of Proposal, in their order."""

APPROVE, REFUSE = "approve", "refuse"


class ProposalRefusedError(ValueError):
    """The proposal cannot be answered; says why."""


class Proposal(NamedTuple):
    """One proposal. `record` is the number of its own record and `closing` that of the dismissal
    that closed it, for the reason `closed`; `answer` is what the core decided, if it did.
    """

    id: str
    gateway: str
    kind: str
    location: str
    record: int
    closed: str | None
    closing: int | None
    answer: str | None
    actor: str
    body: str


class Proposals:
    """All proposals. Each method works in the transaction that is open."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def all(self) -> list[Proposal]:
        """Every one, oldest first."""
        rows = self._database.execute("SELECT * FROM proposal ORDER BY record")
        return [Proposal(*row) for row in rows]

    def to_tell(self) -> list[Proposal]:
        """Those on which the core has decided and of which no gateway said yet what became."""
        return [each for each in self.all() if each.answer and each.closed is None]

    def answer(self, proposal: str, *, approved: bool, actor: str) -> None:
        """Decide on one; ProposalRefusedError if it is not known, or is closed."""
        found = next((each for each in self.all() if each.id == proposal), None)
        if found is None:
            raise ProposalRefusedError(f"no proposal {proposal} is known")
        if found.closed is not None:
            raise ProposalRefusedError(f"proposal {proposal} is closed already: {found.closed}")
        self._database.execute(
            "UPDATE proposal SET answer = ?, actor = ? WHERE id = ?",
            (APPROVE if approved else REFUSE, actor, proposal),
        )

    def change(self, number: int, data: Mapping[str, Any]) -> None:
        """Do to the proposals what an accepted record says."""
        if data["event"] == "proposal":
            self._database.execute(
                "INSERT OR REPLACE INTO proposal VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL, '', ?)",
                (
                    data["proposal_id"],
                    data["gateway"],
                    data["kind"],
                    data["location"],
                    number,
                    json.dumps(dict(data), ensure_ascii=False),
                ),
            )
        elif data["event"] == "dismissal":
            self._database.execute(
                "UPDATE proposal SET closed = ?, closing = ? WHERE id = ? AND closed IS NULL",
                (data["reason"], number, data["unresolved_id"]),
            )

    def lose(self) -> None:
        """Forget what records said that are gone."""
        self._database.execute("DELETE FROM proposal WHERE record NOT IN (SELECT n FROM record)")
        self._database.execute(
            "UPDATE proposal SET closed = NULL, closing = NULL"
            " WHERE closing NOT IN (SELECT n FROM record)"
        )
