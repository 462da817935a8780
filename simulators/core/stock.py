"""Stock: what the accepted records come to, kept up to date beside them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

Stock: TypeAlias = dict[tuple[str, str], Decimal]
"""Quantity by (location, item), the end that nobody sees included; what is zero is left out."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (
  location TEXT NOT NULL, item TEXT NOT NULL, quantity TEXT NOT NULL, PRIMARY KEY (location, item)
  ) WITHOUT ROWID;
"""


def read(database: sqlite3.Connection) -> Stock:
    """Stock on hand."""
    rows = database.execute("SELECT location, item, quantity FROM stock")
    return {(location, item): Decimal(quantity) for location, item, quantity in rows}


def recount(database: sqlite3.Connection) -> Stock:
    """The same, worked out from all accepted records anew."""
    stock: Stock = {}
    for (body,) in database.execute("SELECT body FROM record WHERE status = 'accepted' ORDER BY n"):
        data = json.loads(body)
        if states(data):
            for key in [key for key in stock if key[0] == data["location"]]:
                del stock[key]
        for key, quantity in _effects(data):
            stock[key] = stock.get(key, Decimal(0)) + quantity
    return {key: quantity for key, quantity in stock.items() if quantity}


def replace(database: sqlite3.Connection, stock: Stock) -> None:
    """Put other stock in the place of all that is there."""
    database.execute("DELETE FROM stock")
    database.executemany(
        "INSERT INTO stock VALUES (?, ?, ?)",
        [(*key, str(quantity)) for key, quantity in stock.items()],
    )


def change(database: sqlite3.Connection, data: Mapping[str, Any]) -> None:
    """Do to stock what an accepted record says."""
    if states(data):
        database.execute("DELETE FROM stock WHERE location = ?", (data["location"],))
    for key, quantity in _effects(data):
        _add(database, key, quantity)


def states(data: Mapping[str, Any]) -> bool:
    """Whether a record says what a location holds from now on; one for the record does not."""
    return data["event"] == "snapshot" and data["reason"] not in {"daily", "weekly"}


def _add(database: sqlite3.Connection, key: tuple[str, str], quantity: Decimal) -> None:
    row = database.execute(
        "SELECT quantity FROM stock WHERE location = ? AND item = ?", key
    ).fetchone()
    total = quantity + Decimal(row[0] if row else 0)
    if total:
        database.execute("INSERT OR REPLACE INTO stock VALUES (?, ?, ?)", (*key, str(total)))
    else:
        database.execute("DELETE FROM stock WHERE location = ? AND item = ?", key)


def _effects(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Decimal]]:
    """What a record adds. A snapshot adds to a location that was emptied before."""
    if data["event"] == "movement":
        quantity = Decimal(data["quantity"])
        yield (data["from"]["location"], data["item"]), -quantity
        yield (data["to"]["location"], data["item"]), quantity
    elif states(data):
        for line in data["lines"]:
            yield (data["location"], line["item"]), Decimal(line["quantity"])
