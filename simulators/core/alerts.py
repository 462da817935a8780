"""Alerts: what stands at each gateway, and who sees to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS alert (
  gateway TEXT NOT NULL, code TEXT NOT NULL, key TEXT NOT NULL, severity TEXT NOT NULL,
  text TEXT NOT NULL, seen_by TEXT, note TEXT, PRIMARY KEY (gateway, code, key)) WITHOUT ROWID;
"""
"""The columns are the fields of StandingAlert, in their order."""


class StandingAlert(NamedTuple):
    """An alert that was raised and not cleared; `seen_by` is who acknowledged it."""

    gateway: str
    code: str
    key: str
    severity: str
    text: str
    seen_by: str | None
    note: str | None


def change(database: sqlite3.Connection, data: Mapping[str, Any]) -> None:
    """Do to the alerts what an accepted record says."""
    if data["event"] not in {"alert", "acknowledgement"}:
        return
    which = (data["gateway"], data["code"], data["key"])
    if data["event"] == "acknowledgement":
        database.execute(
            "UPDATE alert SET seen_by = ?, note = ? WHERE (gateway, code, key) = (?, ?, ?)",
            (data["actor"], data.get("note"), *which),
        )
    elif data["raised"]:
        database.execute(
            "INSERT INTO alert VALUES (?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT DO UPDATE"
            " SET severity = excluded.severity, text = excluded.text",
            (*which, data["severity"], data["text"]),
        )
    else:
        database.execute("DELETE FROM alert WHERE (gateway, code, key) = (?, ?, ?)", which)


def lose(database: sqlite3.Connection) -> None:
    """Work the alerts out anew from the records that are left."""
    database.execute("DELETE FROM alert")
    kept = "SELECT body FROM record WHERE status = 'accepted' ORDER BY n"
    for (body,) in database.execute(kept).fetchall():
        change(database, json.loads(body))


def standing(database: sqlite3.Connection) -> list[StandingAlert]:
    """What stands, by gateway, code and key."""
    rows = database.execute("SELECT * FROM alert ORDER BY gateway, code, key")
    return [StandingAlert(*row) for row in rows]
