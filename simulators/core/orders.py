"""Orders: what the core asked people to do, line by line, what it reserved, and what came of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from simulators.core.references import Reference, References
from simulators.core.units import told_in

SCHEMA = """
CREATE TABLE IF NOT EXISTS order_line (
  task TEXT PRIMARY KEY, system TEXT NOT NULL, type TEXT NOT NULL, number TEXT NOT NULL,
  line TEXT NOT NULL, item TEXT NOT NULL, source TEXT NOT NULL, asked INTEGER NOT NULL,
  moved INTEGER NOT NULL, state TEXT NOT NULL, done INTEGER NOT NULL, difference INTEGER NOT NULL,
  backorder INTEGER NOT NULL, exception TEXT, record INTEGER, body TEXT NOT NULL) WITHOUT ROWID;
"""
"""The columns are the fields of OrderLine, in their order."""

OPEN, WITHDRAWN = "open", "withdrawn"
"""States of a line besides those that a confirmation tells."""

UNKNOWN = "unknown"


class OrderRefusedError(ValueError):
    """The order cannot be taken; says why."""


class OrderLine(NamedTuple):
    """One line. `moved` is what movements for it came to until now, `state` is open, withdrawn or
    what the confirmation says.

    For a warehouse task `done` is the actual quantity, `difference` that less what was asked, and
    `exception` its exception code; for a picking `done` stands beside the `backorder` that is left
    to be done. Before the confirmation the backorder is all that was asked. `record` is the number
    of the one that confirmed it, `body` the task as it was issued last.
    """

    task: str
    system: str
    type: str
    number: str
    line: str
    item: str
    source: str
    asked: int
    moved: int
    state: str
    done: int
    difference: int
    backorder: int
    exception: str | None
    record: int | None
    body: str


class Orders:
    """All order lines. Each method works in the transaction that is open."""

    def __init__(self, database: sqlite3.Connection, references: References) -> None:
        self._database = database
        self._references = references

    def lines(self) -> list[OrderLine]:
        """All lines, by task."""
        rows = self._database.execute("SELECT * FROM order_line ORDER BY task")
        return [OrderLine(*row) for row in rows]

    def line(self, task: str) -> OrderLine | None:
        """The line of a task."""
        row = self._database.execute("SELECT * FROM order_line WHERE task = ?", (task,)).fetchone()
        return None if row is None else OrderLine(*row)

    def put(self, body: Mapping[str, Any]) -> Reference:
        """Take an order, or amend it while it is open: returns the task to issue.

        OrderRefusedError if it was confirmed, promises what a location does not hold, or asks in a
        unit that the item has not.
        """
        task, order = body["task_id"], body["order"]
        source = body.get("from", {}).get("location", UNKNOWN)
        before = self.line(task)
        if before is not None and before.record is not None:
            raise OrderRefusedError(f"task {task} is confirmed already: {before.state}")
        moved = 0 if before is None else before.moved
        item = self._references.body("item", body["item"])
        asked = told_in(body["quantity"], body.get("uom"), item)
        if asked is None:
            unit = body.get("uom", "its unit")
            raise OrderRefusedError(
                f"{body['quantity']} in {unit} is no quantity of {body['item']}"
            )
        self._reserve(task, (source, body["item"]), asked - moved)
        line = OrderLine(
            task=task,
            system=order["system"],
            type=order["type"],
            number=order["number"],
            line=order.get("line", ""),
            item=body["item"],
            source=source,
            asked=asked,
            moved=moved,
            state=OPEN,
            done=0,
            difference=0,
            backorder=asked,
            exception=None,
            record=None,
            body=json.dumps(dict(body), ensure_ascii=False),
        )
        self._database.execute(
            "INSERT OR REPLACE INTO order_line VALUES"
            " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            line,
        )
        return self._references.put("task", task, body)

    def withdraw(self, task: str) -> Reference:
        """Take an open order back; OrderRefusedError if there is none."""
        line = self.line(task)
        if line is None or line.state != OPEN:
            raise OrderRefusedError(f"no task {task} is open")
        self._database.execute("UPDATE order_line SET state = ? WHERE task = ?", (WITHDRAWN, task))
        return self._references.put("task", task, None)

    def objection(self, data: Mapping[str, Any], *, strict: bool) -> str | None:
        """Why a confirmation cannot be taken, or None; `strict` wants its task to be issued."""
        done, asked = data["quantity_done"], data["quantity_asked"]
        if data["quantity_difference"] != done - asked:
            return f"the difference of {done} and {asked} is not {data['quantity_difference']}"
        line = self.line(data["task"])
        if line is None:
            return f"task is not known: {data['task']}" if strict else None
        return None if line.record is None else f"task was confirmed before: {line.state}"

    def change(self, number: int, data: Mapping[str, Any]) -> None:
        """Do to the orders what an accepted record says."""
        if data["event"] == "movement" and "order" in data:
            self._move(data)
        elif data["event"] == "task_confirmation":
            self._confirm(number, data)

    def lose(self) -> None:
        """Forget what records said that are gone: lines that they confirmed are open again."""
        gone = self._database.execute(
            "SELECT task, body FROM order_line"
            " WHERE record IS NOT NULL AND record NOT IN (SELECT n FROM record)"
        ).fetchall()
        for task, body in gone:
            self._database.execute(
                "UPDATE order_line SET state = ?, done = 0, difference = 0, backorder = asked,"
                " exception = NULL, record = NULL WHERE task = ?",
                (OPEN, task),
            )
            self._references.put("task", task, json.loads(body))
        self._database.execute("UPDATE order_line SET moved = 0 WHERE record IS NULL")
        kept = "SELECT body FROM record WHERE status = 'accepted' ORDER BY n"
        for (record,) in self._database.execute(kept).fetchall():
            data = json.loads(record)
            if data["event"] == "movement" and "order" in data:
                self._move(data)

    def _reserve(self, task: str, place: tuple[str, str], wanted: int) -> None:
        """See that the location holds so much beyond what other open tasks are promised."""
        if place[0] == UNKNOWN:
            return
        row = self._database.execute(
            "SELECT quantity FROM stock WHERE location = ? AND item = ?", place
        ).fetchone()
        [promised] = self._database.execute(
            "SELECT coalesce(sum(max(0, asked - moved)), 0) FROM order_line"
            " WHERE source = ? AND item = ? AND state = ? AND task != ?",
            (*place, OPEN, task),
        ).fetchone()
        free = max(Decimal(0), Decimal(row[0] if row else 0) - promised)
        if wanted > free:
            location, item = place
            raise OrderRefusedError(
                f"{wanted} {item} are wanted of {location}, {free} are there and not promised"
            )

    def _move(self, data: Mapping[str, Any]) -> None:
        """A movement for an open line: pieces that went, or came back to where they were from."""
        order, item = data["order"], data["item"]
        named = tuple(order.get(name, "") for name in ("system", "type", "number", "line"))
        self._database.execute(
            "UPDATE order_line SET moved = moved + CASE source WHEN ? THEN -? ELSE ? END"
            " WHERE record IS NULL AND (system, type, number, line) = (?, ?, ?, ?) AND item = ?",
            (data["to"]["location"], *[int(Decimal(data["quantity"]))] * 2, *named, item),
        )

    def _confirm(self, number: int, data: Mapping[str, Any]) -> None:
        line = self.line(data["task"])
        if line is None:
            return
        done = data["quantity_done"]
        self._database.execute(
            "UPDATE order_line SET state = ?, done = ?, difference = ?, backorder = ?,"
            " exception = ?, record = ? WHERE task = ?",
            (
                data["state"],
                done,
                done - line.asked,
                max(0, line.asked - done),
                data.get("exception"),
                number,
                line.task,
            ),
        )
        self._references.put("task", line.task, None)
