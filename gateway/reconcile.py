"""The command by which the core says what its book has of a location (docs/asyncapi.yaml).

The core compares when a Digest comes, so what it tells is as of that record. Meanwhile more may
have moved: that is taken back from what the edge has now; the difference of then is that of now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.assembly import Gateway
from gateway.model import BookDifference, BookDiffers
from gateway.ports import JsonValue
from gateway.proposals import open_codes
from gateway.stock_figures import STOCK_RULE, is_balance, place_of
from gateway.store import StoreReader
from gateway.uplink.commands import CommandError
from gateway.uplink.messages import (
    SEQ_MAX,
    BadPayloadError,
    Object,
    Request,
    key_of,
    text_of,
    whole_of,
)

LINES_MAX = 4096
"""Items of a location, as the contract says."""

LATER_MAX = 10_000
"""Records since the digest: what a core is behind by at most when it compares."""

READS_MAX = 20
"""A reading needs a moment without a commit; on the busiest site most of them are."""

RECONCILE = "reconcile"


class Reconcile:
    """Compares books, and has the rules propose what heals the core's."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def reconcile(self, request: Request) -> Mapping[str, JsonValue]:
        """Take the core's book of a location as of a digest."""
        location, seq = key_of(request.args, "location"), whole_of(request.args, "seq", 1)
        book = _book(request.args)
        epoch = self._gateway.store.epoch.uuid
        if text_of(request.args, "epoch") != epoch:
            raise CommandError("this epoch is over; compare with a digest of the current one")
        if not self._gateway.engine.takes(BookDiffers):
            raise CommandError("no rule that runs corrects books")
        held = await self._gateway.store.read(lambda reader: _held(reader, location, seq))
        items = sorted({*book, *held})
        lines = tuple(
            BookDifference(item, book.get(item, 0), *held.get(item, (0, "pcs")))
            for item in items
            if book.get(item, 0) != held.get(item, (0, ""))[0]
        )
        await self._gateway.pipeline.feed([BookDiffers(location, lines)])
        waiting = await self._gateway.store.read(
            lambda reader: open_codes(reader, RECONCILE, location)
        )
        return {"differences": len(lines), "proposals": waiting}


def _book(args: Object) -> dict[str, int]:
    told = args.get("lines")
    if not isinstance(told, list) or len(told) > LINES_MAX:
        raise BadPayloadError(f"lines: a list of at most {LINES_MAX} is wanted")
    book: dict[str, int] = {}
    for number, line in enumerate(told):
        if not isinstance(line, dict):
            raise BadPayloadError(f"lines.{number}: an object is wanted")
        quantity = line.get("quantity")
        if type(quantity) is not int or abs(quantity) > SEQ_MAX:
            raise BadPayloadError(f"lines.{number}.quantity: a whole number is wanted")
        item = key_of(line, "item")
        if item in book:
            raise BadPayloadError(f"lines.{number}.item: {item!r} stands twice")
        book[item] = quantity
    return book


def _held(reader: StoreReader, location: str, seq: int) -> dict[str, tuple[int, str]]:
    """What the edge had of a location as of a record: quantity and unit by item."""
    for _ in range(READS_MAX):
        last = reader.windows()[-1].last_seq
        if seq > last:
            raise CommandError(f"seq: {seq} is not recorded yet, {last} is the last")
        held = _balances(reader, location)
        later = reader.records_after(seq, LATER_MAX)
        if reader.windows()[-1].last_seq == last:
            break
    else:
        raise CommandError("too much is booked just now; ask again")
    if last - seq > LATER_MAX:
        raise CommandError(f"seq: more than {LATER_MAX} records ago; compare with a newer digest")
    for record in later:
        body = json.loads(record.body)
        if record.kind == "snapshot" and body["location"] == location:
            raise CommandError(f"{location!r} was stated anew; compare with a newer digest")
        if record.kind == "movement" and body["reason"] != RECONCILE:
            _take_back(held, location, body)
    return held


def _balances(reader: StoreReader, location: str) -> dict[str, tuple[int, str]]:
    rows = (found.row for found in reader.state_rows(STOCK_RULE))
    return {
        place_of(row.key)[1]: (int(str(row.value["quantity"])), str(row.value["uom"]))
        for row in rows
        if is_balance(row.key) and place_of(row.key)[0] == location
    }


def _take_back(held: dict[str, tuple[int, str]], location: str, body: Mapping[str, Any]) -> None:
    for end, sign in (("from", 1), ("to", -1)):
        if body[end]["location"] == location:
            quantity, uom = held.get(body["item"], (0, body["uom"]))
            held[body["item"]] = quantity + sign * body["quantity"], uom
