"""Halves of transfers: what one gateway saw leave for where it cannot see, and another saw come.

Each piece that carries a tag is a half of its own; so are the pieces without one of a movement, all
together. Two halves are one transfer if they go opposite ways past different gateways, are of the
same item and quantity, no longer apart than TRANSFER_WITHIN_S, and

    both tagged ------------> have the same EPC
    untagged, one or both --> are for the same order

Of several that fit, the one nearest in time is the other half. Nothing is paired on a guess.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS half (
  n INTEGER NOT NULL, epc TEXT NOT NULL, gateway TEXT NOT NULL, movement_id TEXT NOT NULL,
  item TEXT NOT NULL, quantity TEXT NOT NULL, way TEXT NOT NULL, location TEXT NOT NULL,
  at TEXT NOT NULL, at_ms INTEGER NOT NULL, number TEXT NOT NULL, other INTEGER,
  PRIMARY KEY (n, epc)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS half_waits ON half (item, way, at_ms) WHERE other IS NULL;
CREATE INDEX IF NOT EXISTS half_of ON half (movement_id);
"""
"""`n` is the number of the movement's record, `other` that of the other half's. `epc` is empty for
pieces without a tag, `number` where there is no order. The columns are the fields of Half.
"""

UNKNOWN = "unknown"

TRANSFER_WITHIN_S = 86_400
"""A lorry is on its way for a day at most."""

CLOCKS_APART_S = 120
"""So much sooner than it left something may seem to come: the clocks of gateways differ."""


class Half(NamedTuple):
    """One half. `way` is `out` of `location`, or `in`; `at` and `at_ms` are when."""

    n: int
    epc: str
    gateway: str
    movement_id: str
    item: str
    quantity: str
    way: str
    location: str
    at: str
    at_ms: int
    number: str
    other: int | None


class Transfer(NamedTuple):
    """Two movements that are one: how many pieces went from where to where, and for how long."""

    item: str
    quantity: str
    source: str
    target: str
    gateways: tuple[str, str]
    movements: tuple[str, str]
    left: str
    lasted_ms: int


class Halves:
    """All halves. Each method works in the transaction that is open."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def change(self, number: int, gateway: str, data: Mapping[str, Any]) -> list[Transfer]:
        """Take what an accepted record says; the transfers that it is now part of."""
        if data["event"] == "movement":
            if "reverses" in data:
                self._take_back(data["reverses"], data["quantity"])
            elif data["kind"] != "adjustment":
                for half in _halves(number, gateway, data):
                    self._take(half)
                return self._of(data["movement_id"])
        elif "amends_movement" in data and "epcs" in data:
            self._name(data["amends_movement"], data["epcs"])
            return self._of(data["amends_movement"])
        return []

    def lose(self) -> None:
        """Work all of it out anew from the records that are left."""
        self._database.execute("DELETE FROM half")
        kept = "SELECT n, gateway, body FROM record WHERE status = 'accepted' ORDER BY n"
        for number, gateway, body in self._database.execute(kept).fetchall():
            self.change(number, gateway, json.loads(body))

    def transfers(self) -> list[Transfer]:
        """What was paired, by the time when it left."""
        return self._transfers(self._read("way = 'out' AND other IS NOT NULL"))

    def _of(self, movement_id: str) -> list[Transfer]:
        """What that movement is a half of."""
        return self._transfers(
            self._read(
                "way = 'out' AND other IS NOT NULL AND (movement_id = ?"
                " OR other IN (SELECT n FROM half WHERE movement_id = ?))",
                movement_id,
                movement_id,
            )
        )

    def _transfers(self, halves: Iterable[Half]) -> list[Transfer]:
        pairs: dict[tuple[int, int], list[tuple[Half, Half]]] = {}
        for left in halves:
            came = self._read("n = ? AND other = ?", left.other, left.n)[0]
            pairs.setdefault((left.n, came.n), []).append((left, came))
        told = [_transfer(halves) for halves in pairs.values()]
        return sorted(told, key=lambda one: (one.left, one.movements))

    def unpaired(self) -> list[Half]:
        """What was not, by time."""
        return sorted(self._read("other IS NULL"), key=lambda half: (half.at_ms, half.n, half.epc))

    def newest_ms(self) -> int:
        """When the last half was seen that is known; 0 without any."""
        [newest] = self._database.execute("SELECT coalesce(max(at_ms), 0) FROM half").fetchone()
        return int(newest)

    def _take(self, half: Half) -> None:
        """Keep a half, and pair it if the other is there."""
        fitting = [each for each in self._waiting(half) if _fit(half, each)]
        nearest = min(
            fitting, key=lambda each: (abs(each.at_ms - half.at_ms), each.n), default=None
        )
        if nearest is not None:
            half = half._replace(other=nearest.n)
            self._database.execute(
                "UPDATE half SET other = ? WHERE n = ? AND epc = ?",
                (half.n, nearest.n, nearest.epc),
            )
        self._database.execute("INSERT INTO half VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", half)

    def _waiting(self, half: Half) -> list[Half]:
        within_ms, apart_ms = TRANSFER_WITHIN_S * 1000, CLOCKS_APART_S * 1000
        early_ms, late_ms = (apart_ms, within_ms) if half.way == "out" else (within_ms, apart_ms)
        way = "in" if half.way == "out" else "out"
        return self._read(
            "item = ? AND way = ? AND at_ms BETWEEN ? AND ? AND other IS NULL AND gateway != ?",
            half.item,
            way,
            half.at_ms - early_ms,
            half.at_ms + late_ms,
            half.gateway,
        )

    def _take_back(self, movement_id: str, quantity: str | int) -> None:
        """It never was, or came back: if that is all of it, there is no half of it."""
        halves = self._read("movement_id = ?", movement_id)
        if sum((Decimal(half.quantity) for half in halves), Decimal(0)) == Decimal(quantity):
            self._forget(halves)

    def _name(self, movement_id: str, epcs: list[str]) -> None:
        """Which pieces it was of is known by now."""
        halves = self._read("movement_id = ?", movement_id)
        if not halves or any(half.other is not None for half in halves):
            return
        self._forget(halves)
        total = sum((Decimal(half.quantity) for half in halves), Decimal(0))
        for half in _parted(halves[0], total, epcs):
            self._take(half)

    def _forget(self, halves: Iterable[Half]) -> None:
        for half in halves:
            self._database.execute("DELETE FROM half WHERE n = ? AND epc = ?", half[:2])
            self._database.execute("UPDATE half SET other = NULL WHERE other = ?", (half.n,))

    def _read(self, where: str, *values: object) -> list[Half]:
        rows = self._database.execute(
            f"SELECT * FROM half WHERE {where} ORDER BY n, epc",  # noqa: S608 - of this module
            values,
        )
        return [Half(*row) for row in rows]


def _halves(number: int, gateway: str, data: Mapping[str, Any]) -> Iterator[Half]:
    source, target = data["from"]["location"], data["to"]["location"]
    if (source == UNKNOWN) == (target == UNKNOWN):
        return
    way, location = ("out", source) if target == UNKNOWN else ("in", target)
    order = data.get("order", {})
    at = data["at_event"]
    whole = Half(
        number,
        "",
        gateway,
        data["movement_id"],
        data["item"],
        str(data["quantity"]),
        way,
        location,
        at,
        round(datetime.fromisoformat(at).timestamp() * 1000),
        "/".join(order[name] for name in ("system", "type", "number") if name in order),
        None,
    )
    yield from _parted(whole, Decimal(data["quantity"]), data["epcs"])


def _parted(whole: Half, quantity: Decimal, epcs: list[str]) -> Iterator[Half]:
    """One half for each tag, and one for the pieces without."""
    for epc in epcs:
        yield whole._replace(epc=epc, quantity="1")
    rest = quantity - len(epcs)
    if rest > 0:
        yield whole._replace(epc="", quantity=f"{rest:f}")


def _fit(half: Half, other: Half) -> bool:
    if half.epc and other.epc:
        return half.epc == other.epc
    same = Decimal(half.quantity) == Decimal(other.quantity)
    return same and bool(half.number) and half.number == other.number


def _transfer(halves: list[tuple[Half, Half]]) -> Transfer:
    left, came = halves[0]
    total = sum((Decimal(half.quantity) for half, _ in halves), Decimal(0))
    return Transfer(
        item=left.item,
        quantity=f"{total:f}",
        source=left.location,
        target=came.location,
        gateways=(left.gateway, came.gateway),
        movements=(left.movement_id, came.movement_id),
        left=left.at,
        lasted_ms=came.at_ms - left.at_ms,
    )
