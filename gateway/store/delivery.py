"""The core's side of the ledger: acknowledging, quarantine, booking anew, pruning.

Everything here happens inside a transaction that `StoreFile` begins and ends, and refuses before
it changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import apsw

from gateway.model import Alert, Severity
from gateway.ports import Record
from gateway.store.booking import document_no, renumbered
from gateway.store.database import query
from gateway.store.ledger import Ledger
from gateway.store.schema import SEQ_BITS, ledger_key, split_key
from gateway.store.windows import first_kept
from gateway.store.words import (
    Epoch,
    HighWaterBeyondLast,
    Settled,
    StoreRefused,
)
from gateway.uplink.outbox import Result

PRUNE_ROWS = 500
"""Rows deleted in one step: a few milliseconds, so that no movement waits for it."""

QUARANTINE_ROWS_MAX = 10_000
"""Records kept in quarantine: a day of a busy site, some 10 MB. Nobody looks through more."""

REFUSALS: Mapping[str, tuple[str, Severity]] = {
    "conflict": ("delivery_conflict", "critical"),
    "rejected": ("record_rejected", "warning"),
}
"""The alert of each record in quarantine, by its cause; its key is the record's document number."""


def acknowledge(
    connection: apsw.Connection,
    ledger: Ledger,
    uuid: str,
    high_water: int,
    results: Sequence[Result],
) -> Settled:
    """Settle all records of an epoch up to `high_water`; never lowers the mark.

    What the core did not take goes to quarantine. HighWaterBeyondLast if the core holds more than
    the ledger; StoreRefused for an unknown epoch or a result above the mark.
    """
    epoch, last_seq, known = _epoch(connection, ledger, uuid)
    if high_water > last_seq:
        raise HighWaterBeyondLast(f"core holds {high_water} of {uuid}, the ledger {last_seq}")
    high_water = max(known, high_water)
    for result in results:
        if not 1 <= result.seq <= high_water:
            raise StoreRefused(f"result for {result.seq}, beyond the mark {high_water}")
    if epoch.number == ledger.mark.epoch.number:
        ledger.settle(high_water)
    elif high_water > known:
        connection.execute(
            "UPDATE epoch SET high_water=? WHERE number=?", (high_water, epoch.number)
        )
    quarantined = [result.seq for result in results if _take(connection, ledger, epoch, result)]
    return Settled(epoch, high_water, high_water - known, tuple(quarantined))


def requeue(connection: apsw.Connection, ledger: Ledger, uuid: str, seq: int) -> Record:
    """Book a quarantined record anew, in the current epoch. StoreRefused if it is not there."""
    epoch, _, _ = _epoch(connection, ledger, uuid)
    key = ledger_key(epoch.number, seq)
    row = connection.execute(
        "SELECT kind, body, requeued_as FROM quarantine WHERE key=?", (key,)
    ).fetchone()
    if row is None:
        raise StoreRefused(f"{seq} of {uuid} is not in quarantine")
    kind, body, requeued_as = row
    if requeued_as is not None:
        raise StoreRefused(f"{seq} of {uuid} was booked anew as {split_key(requeued_as)[1]}")
    record = ledger.add(kind, lambda head: renumbered(json.loads(body), head))
    _clear_refusal(connection, ledger, document_no(ledger.gateway, uuid, seq), "booked anew")
    connection.execute(
        "UPDATE quarantine SET requeued_as=? WHERE key=?",
        (ledger_key(ledger.mark.epoch.number, record.seq), key),
    )
    return record


def quarantine_unsettled(connection: apsw.Connection, ledger: Ledger) -> int:
    """Put aside what the core may know by another content: the ledger went back in time."""
    mark = ledger.mark
    connection.execute(
        "INSERT OR IGNORE INTO quarantine"
        " SELECT key, kind, 'restored', 'the ledger went back in time', ?, body, NULL"
        " FROM ledger WHERE key BETWEEN ? AND ?",
        (
            ledger.stamp.unix_ns,
            ledger_key(mark.epoch.number, mark.high_water + 1),
            ledger_key(mark.epoch.number, mark.last_seq),
        ),
    )
    ledger.settle(mark.last_seq)
    return mark.last_seq - mark.high_water


def prune(connection: apsw.Connection, ledger: Ledger, before_unix_ns: int, keep_rows: int) -> int:
    """Delete at most PRUNE_ROWS of the oldest settled records; return how many.

    They go when they were recorded before `before_unix_ns`, or while more than `keep_rows` are
    kept. What is kept has no gap; quarantine has copies of its own.
    """
    mark = ledger.mark
    epochs = query(connection, "SELECT number, size, high_water FROM epoch")
    settled = {number: high_water for number, _, high_water in epochs}
    settled[mark.epoch.number] = mark.high_water
    sizes = {number: size for number, size, _ in epochs}
    sizes[mark.epoch.number] = mark.last_seq
    kept = sum(size + 1 - first_kept(connection, number, size) for number, size in sizes.items())
    last, count = 0, 0
    rows = query(
        connection, "SELECT key, recorded_unix_ns FROM ledger ORDER BY key LIMIT ?", (PRUNE_ROWS,)
    )
    for key, recorded_unix_ns in rows:
        number, seq = split_key(key)
        old = recorded_unix_ns < before_unix_ns or kept - count > keep_rows
        if seq > settled[number] or not old:
            break
        last, count = key, count + 1
    if count:
        for table in ("ledger", "settlement", "evidence"):
            connection.execute(f"DELETE FROM {table} WHERE key<=?", (last,))  # noqa: S608 - three names
        connection.execute(
            "DELETE FROM quarantine WHERE key<=? AND requeued_as IS NOT NULL", (last,)
        )
    return count


def prune_quarantine(
    connection: apsw.Connection, ledger: Ledger, before_unix_ns: int, keep_rows: int
) -> int:
    """Forget at most PRUNE_ROWS records that nobody has booked anew; return how many.

    They go when they came before `before_unix_ns`, or while more than `keep_rows` are kept. The
    alert of each is cleared with a text that says so.
    """
    depth: int = connection.execute("SELECT count(*) FROM quarantine WHERE requeued_as IS NULL").get
    waiting = (
        "SELECT quarantine.key, uuid FROM quarantine"
        " JOIN epoch ON number = quarantine.key >> ? WHERE requeued_as IS NULL"
    )
    rows = query(
        connection,
        f"{waiting} AND at_unix_ns<? ORDER BY quarantine.key LIMIT ?",
        (SEQ_BITS, before_unix_ns, PRUNE_ROWS),
    ) or query(
        connection,
        f"{waiting} ORDER BY quarantine.key LIMIT ?",
        (SEQ_BITS, min(PRUNE_ROWS, max(0, depth - keep_rows))),
    )
    for key, uuid in rows:
        connection.execute("DELETE FROM quarantine WHERE key=?", (key,))
        number = document_no(ledger.gateway, uuid, split_key(key)[1])
        _clear_refusal(connection, ledger, number, "left quarantine and was never booked anew")
    return len(rows)


def _epoch(connection: apsw.Connection, ledger: Ledger, uuid: str) -> tuple[Epoch, int, int]:
    """An epoch of this file with its last seq and high-water mark."""
    mark = ledger.mark
    if uuid == mark.epoch.uuid:
        return mark.epoch, mark.last_seq, mark.high_water
    row = connection.execute(
        "SELECT number, reason, size, high_water FROM epoch WHERE uuid=?", (uuid,)
    ).fetchone()
    if row is None:
        raise StoreRefused(f"{uuid} is no epoch of this store")
    number, reason, size, high_water = row
    return Epoch(number, uuid, reason), size, high_water


def _take(connection: apsw.Connection, ledger: Ledger, epoch: Epoch, result: Result) -> bool:
    """Keep what the core says of one record; True if it went to quarantine now."""
    key = ledger_key(epoch.number, result.seq)
    if result.core_document_no is not None:
        connection.execute(
            "INSERT OR IGNORE INTO settlement VALUES(?,?)", (key, result.core_document_no)
        )
        return False
    refused_before = result.status == "duplicate" and result.reason is not None
    if result.status not in ("rejected", "conflict") and not refused_before:
        return False
    cause = "conflict" if result.status == "conflict" else "rejected"
    kind = connection.execute("SELECT kind FROM ledger WHERE key=?", (key,)).get
    connection.execute(
        "INSERT OR IGNORE INTO quarantine SELECT key, kind, ?, ?, ?, body, NULL"
        " FROM ledger WHERE key=?",
        (cause, result.reason or "", ledger.stamp.unix_ns, key),
    )
    if not connection.changes():
        return False
    if kind != "alert":  # an alert that is refused would breed others
        _raise_refusal(ledger, epoch, result, cause)
    return True


def _raise_refusal(ledger: Ledger, epoch: Epoch, result: Result, cause: str) -> None:
    """A matter for a person: it stands until the record is booked anew or leaves quarantine."""
    reason = result.reason or "no reason"
    if cause == "conflict":
        text = f"the core holds another record under this number: {reason}"
    else:
        text = f"the core does not take this record: {reason}"
    code, severity = REFUSALS[cause]
    number = document_no(ledger.gateway, epoch.uuid, result.seq)
    ledger.book(Alert(code, number, True, severity, text, ledger.stamp.recorded_ns))


def _clear_refusal(connection: apsw.Connection, ledger: Ledger, number: str, text: str) -> None:
    for code, severity in REFUSALS.values():
        question = "SELECT count(*) FROM alert WHERE code=? AND key=?"
        if connection.execute(question, (code, number)).get:
            ledger.book(Alert(code, number, False, severity, text, ledger.stamp.recorded_ns))
