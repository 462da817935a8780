"""The commands about counts of the stock (docs/asyncapi.yaml, CommandRequest).

What a count has come to stands in the row `count` of the rule `stocktake`; what it found, in its
reports in the ledger.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.assembly import Gateway
from gateway.hints import hints, notable
from gateway.model import CountRequest, CountScope
from gateway.ports import JsonValue, Record
from gateway.proposals import open_codes
from gateway.store import StoreReader
from gateway.uplink.commands import CommandError
from gateway.uplink.messages import KEY_MAX, BadPayloadError, Object, Request, key_of

STOCKTAKE_RULE = "stocktake"
COUNT_ROW = "count"

LOCATIONS_MAX = 4096
"""Named in one request, as the contract says."""

SEARCHED_MAX = 20_000
"""Records looked through for the reports of a count: hours of a busy site."""

HINTED_MAX = 20
"""Differences that are looked into, each through all these records."""

LISTED_MAX = 200
"""Differences in one answer; the reports have them all."""

_SCOPES: dict[str, CountScope] = {"full": "full", "cycle": "cycle"}


class Counts:
    """Starts counts, and tells how far they are."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def start(self, request: Request) -> Mapping[str, JsonValue]:
        """Begin a count. One that the same request began is answered, not begun again."""
        asked = self._request(request)
        running = await self._gateway.store.read(_current)
        if running.get("pending") and running["count_id"] != asked.count_id:
            left, all_of_it = len(running["pending"]), running["locations"]
            raise CommandError(
                f"count {running['count_id']} runs: {left} of {all_of_it} locations are left"
            )
        if not self._gateway.engine.takes(CountRequest):
            raise CommandError("no rule that runs counts")
        await self._gateway.pipeline.feed([asked])
        begun = await self._gateway.store.read(_current)
        if begun.get("count_id") != asked.count_id:
            raise CommandError("there is nothing that could be counted")
        return {"count": asked.count_id, "locations": begun["locations"]}

    async def status(self, _request: Request) -> Mapping[str, JsonValue]:
        """The count that runs, or ran last, and what it found to differ."""
        shifts = self._gateway.configuration.schedule.shifts
        return await self._gateway.store.read(lambda reader: _status(reader, shifts))

    def _request(self, request: Request) -> CountRequest:
        args = request.args
        actor = key_of(args, "actor") if "actor" in args else ""
        count_id = str(uuid.uuid5(uuid.UUID(self._gateway.store.epoch.uuid), request.id))
        if "locations" in args:
            if "scope" in args:
                raise BadPayloadError("scope: locations are named, so there is none")
            locations = self._locations(args)
            return CountRequest(count_id, "places", locations, "command", actor)
        scope = _SCOPES.get(str(args.get("scope", "full")))
        if scope is None:
            raise BadPayloadError(f"scope: one of {', '.join(_SCOPES)} is wanted")
        return CountRequest(count_id, scope, (), "command", actor)

    def _locations(self, args: Object) -> tuple[str, ...]:
        named = args["locations"]
        if not isinstance(named, list) or not 0 < len(named) <= LOCATIONS_MAX:
            raise BadPayloadError(f"locations: a list of 1 to {LOCATIONS_MAX} is wanted")
        site = self._gateway.configuration.site
        known = {zone.location for zone in site.zones} | {cell.location for cell in site.cells}
        for location in named:
            if not isinstance(location, str) or location not in known:
                raise CommandError(f"nothing watches a location {location!r:.{KEY_MAX}}")
        return tuple(named)


def _current(reader: StoreReader) -> Mapping[str, Any]:
    rows = (found.row for found in reader.state_rows(STOCKTAKE_RULE))
    return next((row.value for row in rows if row.key == COUNT_ROW), {})


def _status(reader: StoreReader, shifts: Mapping[str, str]) -> Mapping[str, JsonValue]:
    row = _current(reader)
    if not row:
        return {"state": "none"}
    last = reader.windows()[-1].last_seq
    records = reader.records_after(max(0, last - SEARCHED_MAX), SEARCHED_MAX)
    differences, bodies = _differences(records, row["count_id"]), notable(records)
    for told in differences[:HINTED_MAX]:
        if "item" in told:
            told["hints"] = hints(bodies, shifts, str(told["location"]), str(told["item"]))
    return {
        "state": "running" if row["pending"] else "done",
        "count": row["count_id"],
        "scope": row["scope"],
        "asked_by": row["asked_by"],
        "actor": row["actor"],
        "locations": row["locations"],
        "remaining": len(row["pending"]),
        "disturbed": row["disturbed"],
        "proposals": open_codes(reader, "stocktake", ""),
        "differences": differences[:LISTED_MAX],
        "left_off": len(differences[LISTED_MAX:]),
    }


def _differences(records: Sequence[Record], count_id: str) -> list[dict[str, JsonValue]]:
    """The lines of that count that are not as expected, and the places that were never quiet."""
    found: list[dict[str, JsonValue]] = []
    for record in records:
        if record.kind != "count_report":
            continue
        body = json.loads(record.body)
        if body["count_id"] != count_id:
            continue
        if body["disturbed"]:
            found.append({"location": body["location"], "disturbed": True})
        for line in body["lines"]:
            if "reason" in line:
                told = {name: value for name, value in line.items() if name != "epcs"}
                found.append({"location": body["location"], **told})
    return found
