"""Pieces: which EPCs a movement was of, as its record says or a later amendment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS pieces (
  n INTEGER PRIMARY KEY, movement_id TEXT NOT NULL, epcs TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS pieces_of ON pieces (movement_id);
"""
"""`n` is that of the amendment's record."""


def change(database: sqlite3.Connection, number: int, data: Mapping[str, Any]) -> None:
    """Keep what an accepted record says of the pieces of another."""
    if "amends_movement" in data and "epcs" in data:
        told = (number, data["amends_movement"], json.dumps(data["epcs"]))
        database.execute("INSERT INTO pieces VALUES (?, ?, ?)", told)


def lose(database: sqlite3.Connection) -> None:
    """Forget what records said that are gone."""
    database.execute("DELETE FROM pieces WHERE n NOT IN (SELECT n FROM record)")


def of(database: sqlite3.Connection, movement_id: str) -> list[str]:
    """The EPCs of a movement, none if nothing is known of it; the last word counts."""
    told = database.execute(
        "SELECT epcs FROM pieces WHERE movement_id = ? ORDER BY n DESC LIMIT 1", (movement_id,)
    ).fetchone()
    if told is not None:
        return list(json.loads(told[0]))
    booked = database.execute(
        "SELECT body FROM record WHERE movement_id = ? AND status = 'accepted'", (movement_id,)
    ).fetchone()
    return list(json.loads(booked[0])["epcs"]) if booked else []
