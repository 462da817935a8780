"""Who has seen an alert, and telling those again that nobody has: one place for all alerts, whoever
raised them.

    raised ------------------------------> told again every so often, with its own text
    raised --- a person acknowledges it --> stands, and is not told again because of the time
    cleared -----------------------------> forgotten, and with it who had seen it

Everything here happens inside a transaction that `StoreFile` begins and ends.
"""

from __future__ import annotations

import apsw

from gateway.model import Acknowledgement, Alert, Ns
from gateway.store.database import query
from gateway.store.ledger import Ledger
from gateway.store.words import StoreRefused

REMINDED_MAX = 100
"""Alerts told again in one transaction; the others are the next."""

_DUE = """
SELECT alert.code, alert.key, severity, text FROM alert
 LEFT JOIN ledger ON ledger.key = ledger_key
 LEFT JOIN acknowledgement AS seen ON (seen.code, seen.key) = (alert.code, alert.key)
 WHERE seen.code IS NULL AND (ledger.key IS NULL OR CASE boot
  WHEN ? THEN recorded_ns <= ? ELSE recorded_unix_ns <= ? END)
 ORDER BY ledger_key LIMIT ?
"""
"""By boot time where the record is of this boot: the wall clock may have been set since. A record
that was pruned is older than any pause."""


def acknowledge(
    connection: apsw.Connection, ledger: Ledger, key: str, actor: str, note: str | None
) -> tuple[str, ...]:
    """Note who has seen what stands under a key, in the ledger too; the codes of those alerts.

    What somebody acknowledged before stays as it was said. StoreRefused if nothing stands there.
    """
    codes = [code for (code,) in query(connection, "SELECT code FROM alert WHERE key=?", (key,))]
    if not codes:
        raise StoreRefused(f"no alert {key!r} stands")
    stamp = ledger.stamp
    for code in codes:
        connection.execute(
            "INSERT OR IGNORE INTO acknowledgement VALUES(?,?,?,?,?)",
            (code, key, actor, note, stamp.unix_ns),
        )
        if connection.changes():
            ledger.book(Acknowledgement(code, key, actor, stamp.recorded_ns, note))
    return tuple(codes)


def remind(connection: apsw.Connection, ledger: Ledger, pause_ns: Ns) -> int:
    """Tell the alerts again that nobody has seen and that were told so long ago; how many."""
    stamp = ledger.stamp
    before = (ledger.boot, stamp.recorded_ns - pause_ns, stamp.unix_ns - pause_ns)
    due = query(connection, _DUE, (*before, REMINDED_MAX))
    for code, key, severity, text in due:
        ledger.book(Alert(code, key, True, severity, text, stamp.recorded_ns))
    return len(due)
