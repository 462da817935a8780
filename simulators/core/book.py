"""What the core has committed: records, marks, stock and orders, in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulators.core import alerts, halves, orders, pieces, proposals, stock
from simulators.core.alerts import StandingAlert
from simulators.core.contract import Position
from simulators.core.digests import Digests
from simulators.core.halves import Halves, Transfer
from simulators.core.orders import Orders
from simulators.core.proposals import Proposals
from simulators.core.record import Committed, Incoming, Outcome, Result, Rules, Status
from simulators.core.references import Reference, References
from simulators.core.stock import Stock

INCIDENTS_MAX = 10_000
"""Incidents kept: enough for a person to look into, bounded whatever a gateway does."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mark (
  n INTEGER PRIMARY KEY, gateway TEXT NOT NULL, epoch TEXT NOT NULL, hw INTEGER NOT NULL,
  UNIQUE (gateway, epoch));
CREATE TABLE IF NOT EXISTS record (
  n INTEGER PRIMARY KEY, gateway TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
  status TEXT NOT NULL, leaf TEXT NOT NULL, document_no TEXT, reason TEXT, movement_id TEXT,
  body BLOB NOT NULL, UNIQUE (gateway, epoch, seq));
CREATE UNIQUE INDEX IF NOT EXISTS booked ON record (movement_id) WHERE status = 'accepted';
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, total INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS incident (
  n INTEGER PRIMARY KEY, gateway TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
  what TEXT NOT NULL, detail TEXT NOT NULL);
"""


class Book:
    """The core's file. One thread at a time; any sqlite3 error is fatal to its process.

    Another process may take orders into it meanwhile, and no more.
    """

    def __init__(self, path: Path, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        schemas = (_SCHEMA, stock.SCHEMA, pieces.SCHEMA, orders.SCHEMA, halves.SCHEMA)
        self._database.executescript("".join(schemas) + proposals.SCHEMA + alerts.SCHEMA)
        self._marks = self._read_marks()
        self._seen = self._version()
        self.references = References(self._database)
        self.orders = Orders(self._database, self.references)
        self.proposals = Proposals(self._database)
        self.digests = Digests(self._database)
        self.halves = Halves(self._database)

    def close(self) -> None:
        """Close the file; the book is of no use afterwards."""
        self._database.close()

    def apply(self, batch: Sequence[Incoming]) -> Committed:
        """Take a batch in one transaction: what is due is applied, and nothing else."""
        outcomes, transfers = [], list[Transfer]()
        early: dict[tuple[str, str], int] = {}
        with self._transaction():
            for incoming in batch:
                gateway, epoch, seq = incoming.position
                hw = self.register(gateway, epoch)
                if seq > hw + 1:
                    early[gateway, epoch] = max(seq, early.get((gateway, epoch), 0))
                    self.count("early")
                elif seq <= hw:
                    outcomes.append(self._again(incoming))
                else:
                    outcomes.append(self._take(incoming, transfers))
        marks = {incoming.position[:2]: self.hw(*incoming.position[:2]) for incoming in batch}
        gaps = frozenset(epoch for epoch, seq in early.items() if seq > marks[epoch])
        return Committed(tuple(outcomes), marks, gaps, tuple(transfers))

    def hello(self, gateway: str, epoch: str, first_kept: int, last: int) -> tuple[int, list[str]]:
        """Take what a gateway says it has: returns hw, and the names of incidents noted.

        `gap`: records are gone for ever, hw was moved past them. `behind`: the gateway's ledger
        ends before hw. `new epoch`: the gateway was known by another one.
        """
        incidents = []
        with self._transaction():
            if self.gateways().get(gateway, epoch) != epoch:
                incidents.append("new epoch")
            hw = self.register(gateway, epoch)
            if hw > last:
                incidents.append("behind")
                self._note(Position(gateway, epoch, last), "behind", f"hw is {hw}")
            if first_kept > hw + 1:
                incidents.append("gap")
                self._skip(Position(gateway, epoch, first_kept - 1))
        return self._marks[gateway, epoch], incidents

    def register(self, gateway: str, epoch: str) -> int:
        """The hw of an epoch; one that is not known begins at 0."""
        if (gateway, epoch) not in self._marks:
            if gateway in self.gateways():
                self._note(Position(gateway, epoch, 0), "new epoch", "")
            self._database.execute(
                "INSERT INTO mark (gateway, epoch, hw) VALUES (?, ?, 0)", (gateway, epoch)
            )
            self._marks[gateway, epoch] = 0
        return self._marks[gateway, epoch]

    def gateways(self) -> dict[str, str]:
        """The gateways known, each with its newest epoch."""
        return dict(self._marks.keys())

    def hw(self, gateway: str, epoch: str) -> int:
        """The last seq committed, 0 where nothing is known."""
        return self._marks.get((gateway, epoch), 0)

    def results(self, start: Position, limit: int) -> list[Result]:
        """The first outcomes of the records from `start` on, in order."""
        rows = self._database.execute(
            "SELECT seq, status, document_no, reason FROM record WHERE gateway = ? AND epoch = ?"
            " AND seq >= ? AND status != 'gap' ORDER BY seq LIMIT ?",
            (*start, limit),
        )
        return [Result(*row) for row in rows]

    def order(self, task: Mapping[str, Any], gateway: str = "") -> Reference:
        """Take an order, or amend it; returns the task to issue. See Orders.put.

        A `gateway` that is named sees its places, and is the only one that is told.
        """
        with self._transaction():
            if gateway:
                self.references.address("task", task["task_id"], gateway)
            return self.orders.put(task)

    def withdraw(self, task: str) -> Reference:
        """Take an order back; returns what takes its task back. See Orders.withdraw."""
        with self._transaction():
            return self.orders.withdraw(task)

    def answer(self, proposal: str, *, approved: bool, actor: str = "") -> None:
        """Decide on a proposal; the gateway is told. See Proposals.answer."""
        with self._transaction():
            self.proposals.answer(proposal, approved=approved, actor=actor)

    def reconciled(self, gateway: str, location: str) -> None:
        """A gateway has taken note that the book of a location differs."""
        with self._transaction():
            self.digests.asked(gateway, location)

    def changed_elsewhere(self) -> bool:
        """Whether another process has written to the file since this was last asked."""
        before, self._seen = self._seen, self._version()
        return self._seen != before

    def stock(self) -> Stock:
        """Stock on hand."""
        return stock.read(self._database)

    def alerts(self) -> list[StandingAlert]:
        """The alerts that stand. See alerts.standing."""
        return alerts.standing(self._database)

    def recount(self) -> Stock:
        """Stock worked out from all records anew: the same, or the book is wrong."""
        return stock.recount(self._database)

    def pieces(self, movement_id: str) -> list[str]:
        """The EPCs that a movement was of, as was told last."""
        return pieces.of(self._database, movement_id)

    def counters(self) -> dict[str, int]:
        """How often what happened, over the file's whole life."""
        return dict(self._database.execute("SELECT name, total FROM counter"))

    def incidents(self) -> list[tuple[str, str, int, str, str]]:
        """(gateway, epoch, seq, what, detail), oldest first."""
        return list(
            self._database.execute(
                "SELECT gateway, epoch, seq, what, detail FROM incident ORDER BY n"
            )
        )

    def count(self, name: str) -> None:
        """Count something, in the transaction that is open or in one of its own."""
        self._database.execute(
            "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET total = total + 1",
            (name,),
        )

    def lose(self, records: int) -> None:
        """Go back to before the last records, as a core does that was restored from a backup."""
        with self._transaction():
            self._database.execute(
                "DELETE FROM record WHERE n IN (SELECT n FROM record ORDER BY n DESC LIMIT ?)",
                (records,),
            )
            self._database.execute(
                "UPDATE mark SET hw = coalesce((SELECT max(seq) FROM record"
                " WHERE record.gateway = mark.gateway AND record.epoch = mark.epoch), 0)"
            )
            stock.replace(self._database, stock.recount(self._database))
            pieces.lose(self._database)
            alerts.lose(self._database)
            self.orders.lose()
            self.proposals.lose()
            self.digests.lose()
            self.halves.lose()
        self._marks = self._read_marks()

    def _version(self) -> int:
        """Changes with each commit of another process."""
        version: int = self._database.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _read_marks(self) -> dict[tuple[str, str], int]:
        rows = self._database.execute("SELECT gateway, epoch, hw FROM mark ORDER BY n")
        return {(gateway, epoch): int(hw) for gateway, epoch, hw in rows}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _take(self, incoming: Incoming, transfers: list[Transfer]) -> Outcome:
        """Apply the record that is due, or keep it aside; either way hw advances. Adds to the
        `transfers` those that it completes.
        """
        reason = incoming.fault or self._objection(incoming.data)
        status: Status = "rejected" if reason else "accepted"
        number = self._database.execute("SELECT coalesce(max(n), 0) + 1 FROM record").fetchone()[0]
        document_no = None if reason else f"MAT-{number:08d}"
        self._insert(number, incoming, status, document_no, reason)
        if not reason:
            stock.change(self._database, incoming.data)
            pieces.change(self._database, number, incoming.data)
            alerts.change(self._database, incoming.data)
            self.orders.change(number, incoming.data)
            self.proposals.change(number, incoming.data)
            self.digests.change(incoming.data)
            gateway = incoming.position.gateway
            transfers += self.halves.change(number, gateway, incoming.data)
        self.count(status)
        return Outcome(incoming, status, document_no, reason)

    def _insert(
        self,
        number: int,
        incoming: Incoming,
        status: str,
        document_no: str | None,
        reason: str | None,
    ) -> None:
        self._database.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                *incoming.position,
                status,
                incoming.leaf,
                document_no,
                reason,
                incoming.data.get("movement_id"),
                incoming.body,
            ),
        )
        gateway, epoch, seq = incoming.position
        self._database.execute(
            "UPDATE mark SET hw = ? WHERE gateway = ? AND epoch = ?", (seq, gateway, epoch)
        )
        self._marks[gateway, epoch] = seq

    def _objection(self, data: Mapping[str, Any]) -> str | None:
        if self.rules.strict and data["event"] == "movement":
            for kind, code in (
                ("item", data["item"]),
                ("location", data["from"]["location"]),
                ("location", data["to"]["location"]),
            ):
                if code != "unknown" and not self.references.knows(kind, code):
                    return f"{kind} is not known: {code}"
        if data["event"] == "task_confirmation":
            return self.orders.objection(data, strict=self.rules.strict)
        row = self._database.execute(
            "SELECT document_no FROM record WHERE movement_id = ? AND status = 'accepted'",
            (data.get("movement_id"),),
        ).fetchone()
        return f"movement was booked before as {row[0]}" if row else self.rules.reject(data)

    def _again(self, incoming: Incoming) -> Outcome:
        """A seq that was taken before: a duplicate if it is the same record, else a conflict."""
        row = self._database.execute(
            "SELECT leaf, document_no, reason, status FROM record"
            " WHERE gateway = ? AND epoch = ? AND seq = ?",
            incoming.position,
        ).fetchone()
        if row is not None and row[0] == incoming.leaf:
            self.count("duplicate")
            return Outcome(incoming, "duplicate", row[1], row[2])
        if row is None or row[3] == "gap":
            self.count("duplicate")
            return Outcome(incoming, "duplicate", None, "came after it was given up as gone")
        self.count("conflict")
        self._note(incoming.position, "conflict", f"kept {row[0]}, came {incoming.leaf}")
        return Outcome(incoming, "conflict", row[1], f"another record was taken: leaf {row[0]}")

    def _skip(self, last_gone: Position) -> None:
        """Move hw past records that the gateway no longer has."""
        number = self._database.execute("SELECT coalesce(max(n), 0) + 1 FROM record").fetchone()[0]
        before = self._marks[last_gone.gateway, last_gone.epoch]
        self._note(last_gone, "gap", f"{before + 1} to {last_gone.seq} are gone")
        self._insert(number, Incoming(last_gone, "", b"{}", {}), "gap", None, None)

    def _note(self, position: Position, what: str, detail: str) -> None:
        cursor = self._database.execute(
            "INSERT INTO incident (gateway, epoch, seq, what, detail) VALUES (?, ?, ?, ?, ?)",
            (*position, what, detail),
        )
        self._database.execute(
            "DELETE FROM incident WHERE n <= ?", ((cursor.lastrowid or 0) - INCIDENTS_MAX,)
        )
