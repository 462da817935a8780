"""Finds a record by what a person calls it: its number, a document number of ours or of the core,
or an id in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.store import StoreReader
from gateway.store.booking import EPOCH_TAG_DIGITS
from gateway.store.search import SEARCHED_MAX
from gateway.store.words import LedgerRow

Body = Mapping[str, Any]

OWN_NAMES: Mapping[str, tuple[str, ...]] = {
    "movement": ("movement_id",),
    "unresolved": ("unresolved_id",),
    "proposal": ("proposal_id",),
    "task_confirmation": ("confirmation_id", "task"),
    "snapshot": ("snapshot_id",),
    "alert": ("key",),
}
"""What a record of each kind may be called by, besides its numbers."""

_NUMBER = re.compile(r"#?([1-9][0-9]{0,15})", re.ASCII)
_DOCUMENT = re.compile(rf".+-([0-9a-f]{{{EPOCH_TAG_DIGITS}}})-([1-9][0-9]{{0,15}})", re.ASCII)


class NotFoundError(Exception):
    """There is no such record; says what was looked for, and where."""


def find(reader: StoreReader, called: str) -> LedgerRow:
    """The record that is called so, the newest if there are several; NotFoundError if none is."""
    row = _by_number(reader, called) or reader.row_booked_as(called) or _by_name(reader, called)
    if row is None:
        raise NotFoundError(
            f"no record is called {called!r}: name it by its number, its document number or the"
            f" core's, or, if it is among the newest {SEARCHED_MAX}, by its id"
        )
    return row


def body_of(row: LedgerRow) -> dict[str, Any]:
    """What the record says."""
    body: dict[str, Any] = json.loads(row.record.body)
    return body


def _by_number(reader: StoreReader, called: str) -> LedgerRow | None:
    number = _NUMBER.fullmatch(called)
    if number is not None:
        return _row(reader, int(number[1]), None)
    document = _DOCUMENT.fullmatch(called)
    if document is None:
        return None
    epochs = (epoch for epoch in reader.epochs() if epoch.startswith(document[1]))
    epoch = next(epochs, None)
    return None if epoch is None else _row(reader, int(document[2]), epoch)


def _row(reader: StoreReader, seq: int, epoch: str | None) -> LedgerRow | None:
    rows = reader.rows_after(seq - 1, 1, epoch)
    return rows[0] if rows and rows[0].record.seq == seq else None


def _by_name(reader: StoreReader, called: str) -> LedgerRow | None:
    own = [row for row in reader.rows_naming(called) if _is_called(body_of(row), called)]
    return own[-1] if own else None


def _is_called(body: Body, called: str) -> bool:
    """An alert that was cleared is looked for by what raised it."""
    names = OWN_NAMES.get(body["event"], ())
    return body.get("raised", True) and called in {body[name] for name in names}
