"""The tables that belong to rules, references, alerts and actions: what a turn changes in them."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import apsw

from gateway.catalogue import KINDS, Known
from gateway.clock import Anchor
from gateway.model import (
    Action,
    Alert,
    BookLine,
    BookLot,
    ExpectedSet,
    OrderReference,
    ReadDeeply,
    Reference,
    ReferenceDeleted,
    ShowLight,
)
from gateway.ports import JsonValue
from gateway.store.database import query
from gateway.store.schema import ANCHORS_MAX, LIGHT_ROWS, PULSES_MAX
from gateway.store.words import PulseRow, PulseStatus, StoreRefused

_KIND_NAMED: dict[str, type[Known]] = {name: kind for kind, name in KINDS.items()}

BEFORE: Mapping[PulseStatus, tuple[PulseStatus, ...]] = {
    "sent": ("pending",),
    "done": ("sent",),
    "unknown": ("pending", "sent"),
}
"""From where a pulse may come to a status: none is ever sent twice."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def packed(value: Mapping[str, JsonValue]) -> str:
    """A row as short JSON."""
    return _encode(value)


def deflated(value: Mapping[str, JsonValue]) -> bytes:
    """Evidence, compressed: lists of much the same numbers, read seldom, half the wear."""
    return zlib.compress(_encode(value).encode(), 1)


def inflated(body: bytes) -> JsonValue:
    """The reverse of `deflated`."""
    value: JsonValue = json.loads(zlib.decompress(body))
    return value


def trim_evidence(connection: apsw.Connection, first_key: int) -> None:
    """Forget the evidence of older records."""
    connection.execute("DELETE FROM evidence WHERE key<?", (first_key,))


def put_references(connection: apsw.Connection, references: Iterable[Reference]) -> None:
    """Keep what the core or a file told."""
    for reference in references:
        if isinstance(reference, ReferenceDeleted):
            connection.execute(
                "DELETE FROM reference WHERE kind=? AND code=?", (reference.kind, reference.code)
            )
            continue
        value = dataclasses.asdict(reference)
        if isinstance(reference, ExpectedSet):
            value["epcs"] = sorted(reference.epcs)
        connection.execute(
            "INSERT OR REPLACE INTO reference VALUES(?,?,?,?)",
            (KINDS[type(reference)], reference.code, reference.version, packed(value)),
        )


def put_alert(connection: apsw.Connection, alert: Alert, key: int) -> None:
    """Keep a raised alert until it is cleared, and so long who has seen it."""
    if alert.raised:
        connection.execute(
            "INSERT OR REPLACE INTO alert VALUES(?,?,?,?,?)",
            (alert.code, alert.key, alert.severity, alert.text, key),
        )
    else:
        for table in ("alert", "acknowledgement"):
            connection.execute(
                f"DELETE FROM {table} WHERE code=? AND key=?",  # noqa: S608 - two names
                (alert.code, alert.key),
            )


def put_action(connection: apsw.Connection, action: Action) -> Action | PulseRow:
    """Keep a level, or queue a pulse; a wish is not kept."""
    if isinstance(action, ReadDeeply):
        return action
    if isinstance(action, ShowLight):
        _put_light(connection, action)
        return action
    connection.execute(
        "INSERT INTO pulse(device, kind, cell, status) VALUES(?,?,?,'pending')",
        (action.device, action.kind, action.cell),
    )
    return PulseRow(
        connection.last_insert_rowid(), action.device, action.kind, action.cell, "pending"
    )


def _put_light(connection: apsw.Connection, shown: ShowLight) -> None:
    """Only what is lit, and lasts, has a row: all other lights are dark."""
    connection.execute("DELETE FROM state WHERE rule=? AND key=?", (LIGHT_ROWS, shown.light))
    if shown.lasting and shown.colour is not None:
        value = packed(dataclasses.asdict(shown))
        connection.execute("INSERT INTO state VALUES(?,?,1,?)", (LIGHT_ROWS, shown.light, value))


def mark_pulse(connection: apsw.Connection, pulse_id: int, status: PulseStatus) -> None:
    """Note how far a pulse has come; StoreRefused if it cannot have come there."""
    known = connection.execute("SELECT status FROM pulse WHERE id=?", (pulse_id,)).get
    if known not in BEFORE.get(status, ()):
        raise StoreRefused(f"pulse {pulse_id} is {known or 'not known'}: it cannot be {status}")
    connection.execute("UPDATE pulse SET status=? WHERE id=?", (status, pulse_id))
    connection.execute(
        "DELETE FROM pulse WHERE id<=? AND status IN ('done', 'unknown')", (pulse_id - PULSES_MAX,)
    )


def lose_pulses(connection: apsw.Connection) -> tuple[PulseRow, ...]:
    """After a restart nobody waits for a pulse any more: it is unknown what became of one that was
    sent, and one that was not must not come as a surprise. The rows tell which they were.
    """
    lost: list[tuple[int, str, Literal["tare", "zero"], str, PulseStatus]] = query(
        connection,
        "SELECT id, device, kind, cell, status FROM pulse WHERE status IN ('pending', 'sent')",
    )
    if lost:
        connection.execute("UPDATE pulse SET status='unknown' WHERE status IN ('pending', 'sent')")
    return tuple(PulseRow(*row) for row in lost)


def quarantine_depth(connection: apsw.Connection) -> int:
    """How many records the core did not take and nobody has booked anew."""
    depth: int = connection.execute("SELECT count(*) FROM quarantine WHERE requeued_as IS NULL").get
    return depth


def put_anchor(connection: apsw.Connection, anchor: Anchor) -> None:
    """Keep one moment on both clocks; the oldest go."""
    connection.execute(
        "INSERT INTO anchor(boot_id, boottime_ns, unix_ns, quality) VALUES(?,?,?,?)",
        (anchor.boot_id, anchor.boottime_ns, anchor.wall_unix_ns, anchor.quality),
    )
    oldest = connection.last_insert_rowid() - ANCHORS_MAX
    connection.execute("DELETE FROM anchor WHERE id<=?", (oldest,))


def last_anchor(connection: apsw.Connection) -> Anchor | None:
    """The newest anchor, of whatever boot."""
    row = connection.execute(
        "SELECT boot_id, boottime_ns, unix_ns, quality FROM anchor ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Anchor(*row)


def reference_of(kind: str, value: str) -> Known:
    """The reference fact that a row holds."""
    fields = json.loads(value)
    if kind == "expected":
        fields["epcs"] = frozenset(fields["epcs"])
    elif kind == "item":
        for name in ("epc_prefixes", "gtins", "company_prefixes"):
            fields[name] = tuple(fields.get(name, ()))
        for name in ("names", "uoms"):
            fields[name] = _pairs(fields.get(name, ()))
    elif kind == "location":
        fields["names"] = _pairs(fields.get("names", ()))
    elif kind == "task":
        fields["order"] = OrderReference(**fields["order"])
        fields["serials"] = tuple(fields["serials"])
    elif kind == "book":
        fields["lines"] = tuple(_book_line(**line) for line in fields["lines"])
    return _KIND_NAMED[kind](**fields)


def _pairs(told: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in told)


def _book_line(lots: Iterable[Mapping[str, Any]] = (), **fields: Any) -> BookLine:
    return BookLine(**fields, lots=tuple(BookLot(**lot) for lot in lots))
