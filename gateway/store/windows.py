"""Which records of which epoch are kept and delivered."""

from __future__ import annotations

import apsw

from gateway.store.database import query
from gateway.store.schema import ledger_key, split_key
from gateway.store.words import Epoch, Window


def read_windows(connection: apsw.Connection) -> tuple[Window, ...]:
    """The epochs to deliver, oldest first: older ones with unsettled records, then the current.

    Each is delivered under its own uuid, and nothing is appended to any but the last.
    """
    rows = query(
        connection, "SELECT number, uuid, reason, size, high_water FROM epoch ORDER BY number"
    )
    return tuple(
        Window(Epoch(number, uuid, reason), first_kept(connection, number, size), size, high_water)
        for number, uuid, reason, size, high_water in rows
        if high_water < size or number == rows[-1][0]
    )


def first_kept(connection: apsw.Connection, number: int, size: int) -> int:
    """The oldest seq of an epoch that is kept; `size` + 1 if none is."""
    key = connection.execute(
        "SELECT min(key) FROM ledger WHERE key BETWEEN ? AND ?",
        (ledger_key(number, 1), ledger_key(number, size)),
    ).get
    return size + 1 if key is None else split_key(key)[1]
