"""The daily and weekly snapshots for the record, and what lies between the last two of them.

Of each item at a location: what was there before and after, and what movements between came to.
What these do not explain is stock that was stated anew meanwhile, and worth a look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.assembly import Gateway
from gateway.ports import JsonValue
from gateway.reconcile import RECONCILE
from gateway.schedule import DAILY, WEEKLY
from gateway.store import StoreReader
from gateway.uplink.commands import CommandError
from gateway.uplink.messages import BadPayloadError, Request

SNAPSHOTS_MAX = 10_000
"""Snapshots looked through: two of each location, on the largest of sites, and others between."""

CHUNK = 2_000
"""Records read at once."""

LISTED_MAX = 500
"""Lines in one answer."""


class Pair(NamedTuple):
    """The last two snapshots of a location."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


class Snapshots:
    """Compares snapshots."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def difference(self, request: Request) -> Mapping[str, JsonValue]:
        """What changed between the last two daily, or weekly, snapshots."""
        reason = request.args.get("of", DAILY)
        if reason not in (DAILY, WEEKLY):
            raise BadPayloadError(f"of: {DAILY} or {WEEKLY} is wanted")
        return await self._gateway.store.read(lambda reader: _difference(reader, reason))


def _difference(reader: StoreReader, reason: str) -> Mapping[str, JsonValue]:
    pairs = _pairs(reader, reason)
    if not pairs:
        raise CommandError(f"there are no two {reason} snapshots of one location yet")
    booked = _booked(reader, pairs)
    lines = [
        line
        for location, pair in sorted(pairs.items())
        for line in _lines(location, pair, booked.get(location, {}))
    ]
    return {
        "of": reason,
        "since": min(pair.before["at_event"] for pair in pairs.values()),
        "until": max(pair.after["at_event"] for pair in pairs.values()),
        "lines": lines[:LISTED_MAX],
        "left_off": len(lines[LISTED_MAX:]),
    }


def _pairs(reader: StoreReader, reason: str) -> dict[str, Pair]:
    newest: dict[str, Mapping[str, Any]] = {}
    pairs: dict[str, Pair] = {}
    for record in reader.newest("snapshot", SNAPSHOTS_MAX):
        body = json.loads(record.body)
        location = body["location"]
        if body["reason"] != reason or location in pairs:
            continue
        if location in newest:
            pairs[location] = Pair(body, newest[location])
        else:
            newest[location] = body
    return pairs


def _booked(reader: StoreReader, pairs: Mapping[str, Pair]) -> dict[str, dict[str, int]]:
    """What movements between the snapshots of each location came to, by item."""
    booked: dict[str, dict[str, int]] = {}
    seq = min(pair.before["seq"] for pair in pairs.values())
    last = max(pair.after["seq"] for pair in pairs.values())
    while seq < last:
        records = reader.records_after(seq, CHUNK)
        if not records:
            break
        seq = records[-1].seq
        for record in records:
            if record.kind == "movement":
                _count(booked, pairs, json.loads(record.body))
    return booked


def _count(
    booked: dict[str, dict[str, int]], pairs: Mapping[str, Pair], body: Mapping[str, Any]
) -> None:
    if body["reason"] == RECONCILE:
        return  # it corrects the core's book, not this one
    for end, sign in (("from", -1), ("to", 1)):
        pair = pairs.get(body[end]["location"])
        if pair is not None and pair.before["seq"] < body["seq"] < pair.after["seq"]:
            items = booked.setdefault(body[end]["location"], {})
            items[body["item"]] = items.get(body["item"], 0) + sign * body["quantity"]


def _lines(location: str, pair: Pair, booked: Mapping[str, int]) -> Iterator[dict[str, JsonValue]]:
    """The items that changed, or of which something is not explained."""
    before, after = ({line["item"]: line["quantity"] for line in body["lines"]} for body in pair)
    for item in sorted({*before, *after, *booked}):
        was, has, moved = (held.get(item, 0) for held in (before, after, booked))
        if (was, moved) != (has, 0):
            told: dict[str, JsonValue] = {"location": location, "item": item}
            told |= {"before": was, "after": has, "booked": moved}
            yield told | {"unexplained": has - was - moved}
