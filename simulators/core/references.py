"""What the core issues: items, locations, badges, book stock, tasks and expected sets."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS reference (
  kind TEXT NOT NULL, code TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, code)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS addressee (
  kind TEXT NOT NULL, code TEXT NOT NULL, gateway TEXT NOT NULL,
  PRIMARY KEY (kind, code)) WITHOUT ROWID;
"""
"""What has no addressee is told to all gateways."""


class Reference(NamedTuple):
    """A fact as it is issued. `kind` is its channel; an empty `payload` takes it back."""

    kind: str
    code: str
    payload: str


class References:
    """All that is issued, each with a version that grows."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(SCHEMA)
        self._known = {(kind, code) for kind, code, body in self.all() if body}

    def all(self) -> list[Reference]:
        """Everything ever issued, what was taken back included."""
        rows = self._database.execute("SELECT kind, code, body FROM reference")
        return [Reference(*row) for row in rows]

    def knows(self, kind: str, code: str) -> bool:
        """Whether it is issued now."""
        return (kind, code) in self._known

    def body(self, kind: str, code: str) -> Mapping[str, Any]:
        """What is issued of it; nothing where it is not."""
        row = self._database.execute(
            "SELECT body FROM reference WHERE kind = ? AND code = ?", (kind, code)
        ).fetchone()
        body: Mapping[str, Any] = json.loads(row[0]) if row and row[0] else {}
        return body

    def address(self, kind: str, code: str, gateway: str) -> None:
        """Tell it to this gateway alone, from now on."""
        self._database.execute(
            "INSERT OR REPLACE INTO addressee VALUES (?, ?, ?)", (kind, code, gateway)
        )

    def addressee(self, kind: str, code: str) -> str:
        """The one gateway that is told it; "" for all."""
        row = self._database.execute(
            "SELECT gateway FROM addressee WHERE kind = ? AND code = ?", (kind, code)
        ).fetchone()
        return str(row[0]) if row else ""

    def put(self, kind: str, code: str, body: Mapping[str, Any] | None) -> Reference:
        """Issue a fact under the next version, or take it back; the same fact keeps its version."""
        row = self._database.execute(
            "SELECT version, body FROM reference WHERE kind = ? AND code = ?", (kind, code)
        ).fetchone()
        version, before = row or (0, "")
        if body is not None and before == _payload(body, version):
            return Reference(kind, code, before)
        text = "" if body is None else _payload(body, version + 1)
        self._database.execute(
            "INSERT OR REPLACE INTO reference VALUES (?, ?, ?, ?)", (kind, code, version + 1, text)
        )
        (self._known.add if text else self._known.discard)((kind, code))
        return Reference(kind, code, text)


def _payload(body: Mapping[str, Any], version: int) -> str:
    return json.dumps(dict(body, version=version), ensure_ascii=False)
