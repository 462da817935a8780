"""What a transaction is going to insert, gathered so that it takes few statements.

Each step of a statement hands the interpreter to another thread and has to win it back; with the
event loop busy that costs more than the insert itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from gateway.outcome import EvidenceRow, Outcome
from gateway.store.tables import deflated, packed

ROWS_PER_STATEMENT = (32, 8, 1)
"""Few sizes, so that each statement stays prepared."""


class Batch:
    """Rows for one table."""

    def __init__(
        self, connection: apsw.Connection, table: str, columns: int, conflict: str = ""
    ) -> None:
        self._connection = connection
        self._rows: list[tuple[int | str | bytes, ...]] = []
        row = f"({','.join('?' * columns)})"
        self._statements = [
            (size, f"INSERT INTO {table} VALUES {','.join([row] * size)} {conflict}")  # noqa: S608 - our own names
            for size in ROWS_PER_STATEMENT
        ]

    def add(self, *row: int | str | bytes) -> None:
        """One row more."""
        self._rows.append(row)

    def flush(self) -> None:
        """Insert them, in order."""
        rows, start = self._rows, 0
        for size, statement in self._statements:
            while len(rows) - start >= size:
                values = [value for row in rows[start : start + size] for value in row]
                self._connection.execute(statement, values)
                start += size
        rows.clear()

    def clear(self) -> None:
        """Forget them."""
        self._rows.clear()


class Pending:
    """Records, evidence and rule state of the transaction in hand."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.ledger = Batch(connection, "ledger", 7)
        self._evidence = Batch(connection, "evidence", 2)
        self._puts = Batch(
            connection,
            "state",
            4,
            "ON CONFLICT DO UPDATE SET schema=excluded.schema, value=excluded.value",
        )
        self._state: dict[tuple[str, str], tuple[int, str] | None] = {}

    def put_rows(self, outcome: Outcome) -> None:
        """What the rules declared in this turn; of one key the last word counts."""
        for rule, schema, row in outcome.puts:
            self._state[rule, row.key] = (schema, packed(row.value))
        for name in outcome.deletes:
            self._state[name] = None

    def keep(self, owner: str, key: str, value: str) -> None:
        """A row beside those of the rules, as JSON; `owner` stands where a rule's name stands."""
        self._state[owner, key] = (1, value)

    def drop(self, owner: str, key: str) -> None:
        """No such row any more."""
        self._state[owner, key] = None

    def put_evidence(self, rows: Iterable[EvidenceRow], keys: list[int]) -> None:
        """What `why` shows; `keys` are those of the outcome's events."""
        for row in rows:
            self._evidence.add(keys[row.event_index], deflated(row.body))

    def flush(self) -> None:
        """Insert all; whoever reads these tables in the transaction calls this first."""
        self.ledger.flush()
        self._evidence.flush()
        gone = [name for name, value in self._state.items() if value is None]
        for (rule, key), value in self._state.items():
            if value is not None:
                self._puts.add(rule, key, *value)
        self._state.clear()
        self._puts.flush()
        if gone:
            self._connection.executemany("DELETE FROM state WHERE rule=? AND key=?", gone)

    def clear(self) -> None:
        """Forget all: the transaction is undone."""
        for batch in (self.ledger, self._evidence, self._puts):
            batch.clear()
        self._state.clear()
