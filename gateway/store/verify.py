"""Checks of the ledger against itself: gaps, hashes, root, and SQLite's own check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import apsw

from gateway.store.database import Damaged, query
from gateway.store.ledger import Mark
from gateway.store.merkle import CompactRange, leaf_hash
from gateway.store.schema import ledger_key, split_key
from gateway.store.words import VerifyReport

TAIL_ROWS = 1000
"""Rows checked before work starts: those that an unclean stop can have touched, and more."""

CHUNK_ROWS = 2000
"""Rows read in one go, so that the writer can start its WAL over in between."""

SQLITE_PROBLEM = "SQLite: "
"""How a finding of SQLite's own check begins: only such a file cannot be gone on with."""

PROBLEMS_MAX = 20
"""Named in a report; one is enough to act on."""


def check_tail(connection: apsw.Connection, mark: Mark) -> None:
    """Damaged unless the newest records are whole, gap-free and as many as the epoch says."""
    rows = query(
        connection,
        "SELECT key, leaf_hash, body FROM ledger WHERE key>=? ORDER BY key DESC LIMIT ?",
        (ledger_key(mark.epoch.number, 1), TAIL_ROWS),
    )
    expected = mark.last_seq
    for key, leaf, body in rows:
        if key != ledger_key(mark.epoch.number, expected):
            raise Damaged(f"record {expected} of epoch {mark.epoch.number} is missing")
        if problem := _problem(key, leaf, body, mark.epoch.uuid):
            raise Damaged(problem)
        expected -= 1
    if not rows and mark.last_seq > mark.high_water:
        raise Damaged(f"records {mark.high_water + 1} to {mark.last_seq} are missing")


def full_check(connection: apsw.Connection) -> VerifyReport:
    """Check the whole file; may take minutes on a slow card.

    Records that come meanwhile are left for the next check.
    """
    problems: list[str] = []
    rows, root = 0, None
    try:
        for (text,) in connection.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})"):
            if text != "ok":
                problems.append(SQLITE_PROBLEM + text)
        epochs = query(
            connection, "SELECT number, uuid, size, high_water, range FROM epoch ORDER BY number"
        )
        for number, uuid, size, high_water, packed in epochs:
            found = _check_epoch(connection, number, uuid, size)
            problems += found.problems
            rows += found.leaves.size
            root = found.leaves.root() if found.first == 1 else None
            if found.first > high_water + 1:
                problems.append(f"unsettled records of {uuid} are missing")
            if root is not None and found.leaves.pack() != packed:
                problems.append(f"the Merkle range of {uuid} does not fit its records")
    except (apsw.CorruptError, apsw.NotADBError) as error:
        problems.append(SQLITE_PROBLEM + str(error))
    return VerifyReport(rows, tuple(problems[:PROBLEMS_MAX]), root)


class _Found(NamedTuple):
    """What an epoch's records come to: `first` is the oldest kept, size + 1 if none is."""

    first: int
    leaves: CompactRange
    problems: list[str]


def _check_epoch(connection: apsw.Connection, number: int, uuid: str, size: int) -> _Found:
    """Check every record of one epoch up to `size`."""
    problems: list[str] = []
    leaves, first, expected = CompactRange(), 0, 0
    for key, leaf, body in _records(connection, number, size):
        seq = split_key(key)[1]
        if not first:
            first = expected = seq
        if seq != expected:
            problems.append(f"records {expected} to {seq - 1} of {uuid} are missing")
            expected = seq
        if problem := _problem(key, leaf, body, uuid):
            problems.append(problem)
        leaves = leaves.extend((leaf,))
        expected += 1
    if first and expected != size + 1:
        problems.append(f"records {expected} to {size} of {uuid} are missing")
    return _Found(first or size + 1, leaves, problems)


def _records(
    connection: apsw.Connection, number: int, size: int
) -> Iterator[tuple[int, bytes, bytes]]:
    """All records of an epoch in order, in chunks: no read lasts long."""
    next_key, last_key = ledger_key(number, 1), ledger_key(number, size)
    while chunk := query(
        connection,
        "SELECT key, leaf_hash, body FROM ledger WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?",
        (next_key, last_key, CHUNK_ROWS),
    ):
        yield from chunk
        next_key = chunk[-1][0] + 1


def _problem(key: int, leaf: bytes, body: bytes, uuid: str) -> str | None:
    """What is wrong with one record."""
    seq = split_key(key)[1]
    if leaf_hash(body) != leaf:
        return f"record {seq} of {uuid} does not fit its hash"
    said = json.loads(body)
    if said["seq"] != seq or said["epoch"] != uuid:
        return f"record {seq} of {uuid} calls itself {said['seq']} of {said['epoch']}"
    return None
