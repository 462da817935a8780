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
        lot = await store.read(partial(_rows_after, seq))
        if not lot:
            return list(amendments(rows, anchor))
        seq = lot[-1].record.seq
        rows.extend(row for row in lot if row.boot_id == anchor.boot_id)


def _rows_after(seq: int, reader: StoreReader) -> tuple[LedgerRow, ...]:
    return reader.rows_after(seq, ROWS_A_LOT)


def amendments(rows: Iterable[LedgerRow], anchor: Anchor) -> Iterator[Amendment]:
    """The amendments for rows of the anchor's boot, without those that are there already."""
    true_offset_ns = anchor.wall_unix_ns - anchor.boottime_ns
    bodies = [(row, json.loads(row.record.body)) for row in rows]
    done = {body["amends_seq"] for _, body in bodies if body["event"] == "amendment"}
    for row, body in bodies:
        shift_ns = true_offset_ns - (row.recorded_unix_ns - row.recorded_ns)
        late = body["clock"] != "synced" and abs(shift_ns) >= STEP_MIN_NS
        if late and "at_event" in body and row.record.seq not in done:
            at = _unix_ns(body["at_event"]) + shift_ns
            yield Amendment(row.record.seq, utc(at), "clock_synchronised")


def _unix_ns(text: str) -> int:
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return (datetime.fromisoformat(text) - epoch) // timedelta(microseconds=1) * 1000
