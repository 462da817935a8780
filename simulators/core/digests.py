"""Digests: where the book of a gateway is another than the core's, as of its record."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS difference (
  gateway TEXT NOT NULL, location TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
  sha256 TEXT NOT NULL, book TEXT NOT NULL, asked INTEGER NOT NULL,
  PRIMARY KEY (gateway, location)) WITHOUT ROWID;
"""
"""The columns are the fields of Difference, in their order."""


class Difference(NamedTuple):
    """What the core's book had of a location when it differed; `sha256` is the gateway's of it, and
    `asked` whether the gateway has taken note.
    """

    gateway: str
    location: str
    epoch: str
    seq: int
    sha256: str
    book: str
    asked: int


class Digests:
    """All differences that stand. Each method works in the transaction that is open."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(SCHEMA)

    def all(self) -> list[Difference]:
        """Every one, by gateway and location."""
        rows = self._database.execute("SELECT * FROM difference ORDER BY gateway, location")
        return [Difference(*row) for row in rows]

    def change(self, data: Mapping[str, Any]) -> None:
        """Compare with what an accepted digest says."""
        if data["event"] != "digest":
            return
        for line in data["lines"]:
            self._compare(data, line["location"], line["sha256"])

    def asked(self, gateway: str, location: str) -> None:
        """The gateway has taken note of what the core's book has."""
        self._database.execute(
            "UPDATE difference SET asked = 1 WHERE gateway = ? AND location = ?",
            (gateway, location),
        )

    def lose(self) -> None:
        """The book has gone back: the next digests tell anew."""
        self._database.execute("DELETE FROM difference")

    def _compare(self, data: Mapping[str, Any], location: str, sha256: str) -> None:
        place = (data["gateway"], location)
        book = self._book(location)
        if hashlib.sha256(book.encode()).hexdigest() == sha256:
            self._database.execute(
                "DELETE FROM difference WHERE gateway = ? AND location = ?", place
            )
            return
        before = self._database.execute(
            "SELECT sha256, book FROM difference WHERE gateway = ? AND location = ?", place
        ).fetchone()
        if before == (sha256, book):
            return  # the gateway knows, or is still to be told
        told = (*place, data["epoch"], data["seq"], sha256, book, 0)
        self._database.execute("INSERT OR REPLACE INTO difference VALUES (?,?,?,?,?,?,?)", told)

    def _book(self, location: str) -> str:
        """What the core has there, in the form of which digests are made."""
        rows = self._database.execute(
            "SELECT item, quantity FROM stock WHERE location = ? ORDER BY item", (location,)
        )
        held = [[item, _plain(quantity)] for item, quantity in rows]
        return json.dumps(held, separators=(",", ":"), ensure_ascii=False)


def _plain(quantity: str) -> int | str:
    return int(quantity) if quantity.lstrip("-").isdecimal() else quantity
