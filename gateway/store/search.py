"""Records found by what they say, not by their number: the ledger has no index beside it.

The newest records are looked through for JSON strings. That takes a second on a large ledger, so
it is asked over a connection of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import apsw

from gateway.store.database import query
from gateway.store.schema import ledger_key

SEARCHED_MAX = 100_000
"""Records looked through: some weeks of a site, 150 MB. What is older is named by its number."""

FOUND_MAX = 100
"""Records that name the same thing; a movement and all that became of it are a handful."""


def keys_naming(connection: apsw.Connection, names: Sequence[str], since_key: int = 0) -> list[int]:
    """The keys of the newest records that hold such a string, from a key on; oldest first."""
    needles = [json.dumps(name, ensure_ascii=False).encode() for name in names]
    holds = " OR ".join(["instr(body, ?)"] * len(needles)) or "0"
    found: list[int] = []
    for first, last in _newest(connection):
        rows = query(
            connection,
            f"SELECT key FROM ledger WHERE key BETWEEN ? AND ? AND ({holds})"  # noqa: S608 - marks
            " ORDER BY key DESC LIMIT ?",
            (max(first, since_key), last, *needles, FOUND_MAX - len(found)),
        )
        found.extend(key for (key,) in rows)
    return sorted(found)


def is_searched(connection: apsw.Connection, key: int) -> bool:
    """Whether all that came since that record is looked through."""
    return any(first <= key <= last for first, last in _newest(connection))


def _newest(connection: apsw.Connection) -> Iterator[tuple[int, int]]:
    """The spans of keys that are looked through, the newest epoch first."""
    left = SEARCHED_MAX
    epochs = query(connection, "SELECT number, size FROM epoch ORDER BY number DESC")
    for number, size in epochs:
        taken = min(left, size)
        if not taken:
            continue
        yield ledger_key(number, size - taken + 1), ledger_key(number, size)
        left -= taken
