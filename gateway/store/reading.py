"""What others read of the store, over a connection of their own that cannot write.

For the command line beside a running daemon, and inside `Store`. Reads never wait for the writer's
disk, nor does it wait for them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.catalogue import Kind, Known
from gateway.model import Alert, Location, ShowLight, Task
from gateway.ports import JsonValue, Record, Row
from gateway.store.booking import utc
from gateway.store.database import Opening, open_reading, query
from gateway.store.schema import LIGHT_ROWS, ledger_key, split_key
from gateway.store.search import is_searched, keys_naming
from gateway.store.tables import inflated, quarantine_depth, reference_of
from gateway.store.verify import full_check
from gateway.store.windows import read_windows
from gateway.store.words import (
    Fate,
    LedgerRow,
    PulseRow,
    Quarantined,
    RaisedAlert,
    Seen,
    StateRow,
    StoreRefused,
    StoreStatus,
    VerifyReport,
    Window,
)

LEDGER_COLUMNS = (
    "SELECT key, kind, body, leaf_hash, recorded_ns, recorded_unix_ns, boot_id"
    " FROM ledger JOIN boot ON boot=boot.number"
)

QUARANTINE_READ_MAX = 1000
"""Rows handed out at once."""


class StoreReader:
    """Reads. Use it from one thread at a time."""

    def __init__(self, path: Path, opening: Opening | None = None) -> None:
        self._path = path
        self._connection = open_reading(path, opening or Opening())

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def windows(self) -> tuple[Window, ...]:
        """The epochs to deliver. See windows.read_windows."""
        return read_windows(self._connection)

    def records_after(self, seq: int, limit: int, epoch: str | None = None) -> tuple[Record, ...]:
        """The next records above `seq`, of the current epoch unless another is named."""
        number = self._number(epoch)
        rows = self._query(
            "SELECT key, kind, body, leaf_hash FROM ledger WHERE key BETWEEN ? AND ?"
            " ORDER BY key LIMIT ?",
            (ledger_key(number, seq + 1), ledger_key(number + 1, 0), limit),
        )
        return tuple(Record(split_key(key)[1], kind, body, leaf) for key, kind, body, leaf in rows)

    def newest(self, kind: str, limit: int) -> Iterator[Record]:
        """The records of one kind of the current epoch, the newest first."""
        rows = self._connection.execute(
            "SELECT key, kind, body, leaf_hash FROM ledger WHERE key>=? AND kind=?"
            " ORDER BY key DESC LIMIT ?",
            (ledger_key(self._number(None), 0), kind, limit),
        )
        for key, _, body, leaf in rows:
            yield Record(split_key(key)[1], kind, body, leaf)

    def rows_after(self, seq: int, limit: int, epoch: str | None = None) -> tuple[LedgerRow, ...]:
        """Like `records_after`, with when each was recorded."""
        number = self._number(epoch)
        span = (ledger_key(number, seq + 1), ledger_key(number + 1, 0), limit)
        return self._rows("WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?", span)

    def rows_naming(
        self, *names: str, since_seq: int = 0, epoch: str | None = None
    ) -> tuple[LedgerRow, ...]:
        """The records that hold one of these strings, oldest first; with an epoch, from there on.

        Slow: see gateway.store.search for how far it looks.
        """
        since_key = 0 if epoch is None else ledger_key(self._number(epoch), since_seq)
        keys = keys_naming(self._connection, names, since_key)
        return tuple(row for key in keys for row in self._rows("WHERE key=?", (key,)))

    def is_searched(self, seq: int, epoch: str) -> bool:
        """Whether `rows_naming` sees all that came since that record."""
        return is_searched(self._connection, ledger_key(self._number(epoch), seq))

    def key(self, seq: int, epoch: str) -> int:
        """A number for that record, growing over all epochs of the file."""
        return ledger_key(self._number(epoch), seq)

    def epochs(self) -> tuple[str, ...]:
        """All epochs of the file, the newest first."""
        return tuple(uuid for _, uuid in sorted(self._uuids().items(), reverse=True))

    def core_document_no(self, seq: int, epoch: str | None = None) -> str | None:
        """The core's number for a record, if it told one."""
        key = ledger_key(self._number(epoch), seq)
        number: str | None = self._connection.execute(
            "SELECT core_document_no FROM settlement WHERE key=?", (key,)
        ).get
        return number

    def row_booked_as(self, core_document_no: str) -> LedgerRow | None:
        """The newest record that the core gave that number; slow, as `rows_naming`."""
        rows = self._rows(
            "WHERE key = (SELECT max(key) FROM settlement WHERE core_document_no=?)",
            (core_document_no,),
        )
        return rows[0] if rows else None

    def fate(self, seq: int, epoch: str | None = None) -> Fate:
        """What the core made of a record, as far as it is known."""
        key = ledger_key(self._number(epoch), seq)
        refused = self._query(
            "SELECT cause, reason, requeued_as FROM quarantine WHERE key=?", (key,)
        )
        high_water: int = self._connection.execute(
            "SELECT high_water FROM epoch WHERE number=?", (split_key(key)[0],)
        ).get
        cause, reason, anew = refused[0] if refused else (None, None, None)
        return Fate(
            seq <= high_water,
            self.core_document_no(seq, epoch),
            cause,
            reason or None,
            None if anew is None else split_key(anew)[1],
        )

    def evidence(self, seq: int, epoch: str | None = None) -> JsonValue:
        """What `why` shows of a record; None if it is no longer kept."""
        key = ledger_key(self._number(epoch), seq)
        body = self._connection.execute("SELECT body FROM evidence WHERE key=?", (key,)).get
        return None if body is None else inflated(body)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """What the core did not take and nobody has booked anew, oldest first."""
        rows = self._query(
            "SELECT key, kind, cause, reason, at_unix_ns, body FROM quarantine"
            " WHERE requeued_as IS NULL ORDER BY key LIMIT ?",
            (QUARANTINE_READ_MAX,),
        )
        uuids = self._uuids()
        return tuple(
            Quarantined(
                uuids[split_key(key)[0]], split_key(key)[1], kind, cause, reason, utc(at), body
            )
            for key, kind, cause, reason, at, body in rows
        )

    def state_rows(self, rule: str) -> tuple[StateRow, ...]:
        """All durable rows of one rule, by key."""
        rows = self._query(
            "SELECT schema, key, value FROM state WHERE rule=? ORDER BY key", (rule,)
        )
        return tuple(StateRow(schema, Row(key, json.loads(value))) for schema, key, value in rows)

    def references(self) -> tuple[Known, ...]:
        """All reference facts, by kind and code."""
        rows = self._query("SELECT kind, value FROM reference ORDER BY kind, code")
        return tuple(reference_of(kind, value) for kind, value in rows)

    def tasks(self) -> tuple[Task, ...]:
        """The tasks among the reference facts, by code."""
        return tuple(task for task in self._told("task") if isinstance(task, Task))

    def locations(self) -> tuple[Location, ...]:
        """The locations among the reference facts, by code."""
        return tuple(each for each in self._told("location") if isinstance(each, Location))

    def alerts(self) -> tuple[RaisedAlert, ...]:
        """The alerts that are up. Their `at_event` is 0: it is in the record."""
        rows = self._query(
            "SELECT code, key, severity, text, ledger_key, actor, note, at_unix_ns FROM alert"
            " LEFT JOIN acknowledgement USING (code, key) ORDER BY code, key"
        )
        uuids = self._uuids()
        return tuple(
            RaisedAlert(
                Alert(code, key, raised=True, severity=severity, text=text, at_event=0),
                uuids[split_key(at)[0]],
                split_key(at)[1],
                None if actor is None else Seen(actor, note, utc(seen_at)),
            )
            for code, key, severity, text, at, actor, note, seen_at in rows
        )

    def alert_figures(self) -> dict[str, int]:
        """How many alerts are up, and how many of them somebody has acknowledged."""
        ((raised, acknowledged),) = self._query(
            "SELECT count(*), count(actor) FROM alert LEFT JOIN acknowledgement USING (code, key)"
        )
        return {"raised": raised, "acknowledged": acknowledged}

    def shown(self) -> tuple[ShowLight, ...]:
        """What the lights that are lit show."""
        return tuple(ShowLight(**row.row.value) for row in self.state_rows(LIGHT_ROWS))  # type: ignore[arg-type] # as it was put

    def pulses(self) -> tuple[PulseRow, ...]:
        """All pulses that are kept, oldest first."""
        rows = self._query("SELECT id, device, kind, cell, status FROM pulse ORDER BY id")
        return tuple(PulseRow(*row) for row in rows)

    def status(self) -> StoreStatus:
        """The store at a glance."""
        windows = self.windows()
        current = windows[-1]
        oldest = next((window for window in windows if window.high_water < window.last_seq), None)
        since = None
        if oldest is not None:
            since = self._connection.execute(
                "SELECT recorded_unix_ns FROM ledger WHERE key=?",
                (ledger_key(oldest.epoch.number, oldest.high_water + 1),),
            ).get
        room = os.statvfs(self._path.parent)
        return StoreStatus(
            *current,
            sum(window.last_seq - window.high_water for window in windows),
            since,
            quarantine_depth(self._connection),
            _size(self._path),
            _size(self._path.with_name(f"{self._path.name}-wal")),
            room.f_bavail * room.f_frsize,
        )

    def verify(self) -> VerifyReport:
        """Check the whole file. See verify.full_check."""
        return full_check(self._connection)

    def _query(self, sql: str, parameters: Sequence[int | str | bytes] = ()) -> list[Any]:
        return query(self._connection, sql, parameters)

    def _told(self, kind: Kind) -> Iterator[Known]:
        rows = self._query("SELECT value FROM reference WHERE kind=? ORDER BY code", (kind,))
        return (reference_of(kind, value) for (value,) in rows)

    def _rows(self, which: str, parameters: Sequence[int | str]) -> tuple[LedgerRow, ...]:
        rows, uuids = self._query(f"{LEDGER_COLUMNS} {which}", parameters), self._uuids()
        return tuple(
            LedgerRow(
                uuids[split_key(key)[0]],
                Record(split_key(key)[1], kind, body, leaf),
                at,
                unix,
                boot,
            )
            for key, kind, body, leaf, at, unix, boot in rows
        )

    def _number(self, uuid: str | None) -> int:
        """The number of an epoch; StoreRefused if it is not of this store."""
        if uuid is None:
            newest: int = self._connection.execute("SELECT max(number) FROM epoch").get
            return newest
        number: int | None = self._connection.execute(
            "SELECT number FROM epoch WHERE uuid=?", (uuid,)
        ).get
        if number is None:
            raise StoreRefused(f"{uuid} is no epoch of this store")
        return number

    def _uuids(self) -> dict[int, str]:
        return dict(self._query("SELECT number, uuid FROM epoch"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
