"""Better times for what was recorded before the clock was right; nothing is ever edited.

A box without a battery clock starts with a wrong wall time, and goods move anyway. Once the clock
is synchronised, each record of this boot that was stamped before gets an `Amendment` with the wall
time that it should have had; order and durations were right all along.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from gateway.clock import STEP_MIN_NS, Anchor
from gateway.model import Amendment
from gateway.store import LedgerRow, Store, StoreReader
from gateway.store.booking import utc

ROWS_A_LOT = 500
AMENDED_ROWS_MAX = 100_000
"""How far back a late clock is made up for: days of a busy site. Older records stay as they are."""


async def late_amendments(store: Store, anchor: Anchor) -> list[Amendment]:
    """All amendments that the records of this boot still need, by a synchronised anchor."""
    rows: list[LedgerRow] = []
    seq = max(0, store.last_seq - AMENDED_ROWS_MAX)
    while True:
        last, found = await store.read(partial(_concerned, seq, anchor))
        if last == seq:
            return list(amendments(rows, anchor))
        seq = last
        rows.extend(found)


def _concerned(seq: int, anchor: Anchor, reader: StoreReader) -> tuple[int, list[LedgerRow]]:
    """Which of the next rows matter, told by their stamps: few do, and bodies are large."""
    lot = reader.rows_after(seq, ROWS_A_LOT)
    found = [
        row
        for row in lot
        if row.boot_id == anchor.boot_id
        and (row.record.kind == "amendment" or abs(_shift_ns(row, anchor)) >= STEP_MIN_NS)
    ]
    return (lot[-1].record.seq if lot else seq), found


def _shift_ns(row: LedgerRow, anchor: Anchor) -> int:
    """How far the wall time of a record was behind the true one."""
    recorded_offset_ns = row.recorded_unix_ns - row.recorded_ns
    return anchor.wall_unix_ns - anchor.boottime_ns - recorded_offset_ns


def amendments(rows: Iterable[LedgerRow], anchor: Anchor) -> Iterator[Amendment]:
    """The amendments for rows of the anchor's boot, without those that are there already."""
    bodies = [(row, json.loads(row.record.body)) for row in rows]
    done = {body.get("amends_seq") for _, body in bodies if body["event"] == "amendment"}
    for row, body in bodies:
        shift_ns = _shift_ns(row, anchor)
        late = body["clock"] != "synced" and abs(shift_ns) >= STEP_MIN_NS
        if late and "at_event" in body and row.record.seq not in done:
            at = _unix_ns(body["at_event"]) + shift_ns
            yield Amendment("clock_synchronised", row.record.seq, utc(at))


def _unix_ns(text: str) -> int:
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return (datetime.fromisoformat(text) - epoch) // timedelta(microseconds=1) * 1000
