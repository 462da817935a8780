"""Where a difference that a count found may come from: what happened there that no order asked for,
that stayed open, or that was alerted, by shift and by person.

Hints, no proof: they say where to look first. The records say when, as wall time; the shifts are
those of the box, by its local time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from gateway.ports import Record

HINTS_MAX = 5
"""Hints for one difference, the most frequent first."""

NOTABLE = frozenset(
    {"over_issue", "wrong_item", "wrong_place", "short", "senses_disagree", "negative_stock"}
)
"""Alerts that tell of pieces which went another way than the books; their key names the place."""


def notable(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The records that may hint at something, read."""
    kinds = {"movement", "unresolved", "alert"}
    return [json.loads(record.body) for record in records if record.kind in kinds]


def hints(
    bodies: Iterable[Mapping[str, Any]], shifts: Mapping[str, str], location: str, item: str
) -> list[str]:
    """What the records say about an item at a location, in words."""
    found = Counter(_findings(bodies, shifts, location, item))
    return [
        f"{count} {_words(what, count)}{by} at {location}"
        for (what, by), count in found.most_common(HINTS_MAX)
    ]


def shift_of(at: str, shifts: Mapping[str, str]) -> str:
    """The shift of a moment (RFC 3339): the one that began last before it, by local time."""
    local = datetime.fromisoformat(at).astimezone().strftime("%H:%M")
    began = {start: name for name, start in shifts.items()}
    before = [start for start in sorted(began) if start <= local]
    return began[before[-1] if before else max(began)] if began else ""


def _findings(
    bodies: Iterable[Mapping[str, Any]], shifts: Mapping[str, str], location: str, item: str
) -> Iterator[tuple[str, str]]:
    for body in bodies:
        what = _what(body, location, item)
        if what:
            yield what, _by(body, shifts)


def _what(body: Mapping[str, Any], location: str, item: str) -> str:
    """What a record tells of that item there; "" for nothing that explains a difference."""
    if body["event"] == "movement":
        unplanned = body["kind"] == "issue" and "order" not in body and body["item"] == item
        if not unplanned or body["from"]["location"] != location:
            return ""
        return "found missing after a gap" if "at_since" in body else "unplanned issue"
    if body["event"] == "unresolved":
        here = body["location"] == location
        return (
            "unresolved change"
            if here and (item in body["candidates"] or not body["candidates"])
            else ""
        )
    parts = body["key"].split(":")
    concerned = body["raised"] and body["code"] in NOTABLE and location in parts
    return f"alert {body['code']}" if concerned else ""


def _by(body: Mapping[str, Any], shifts: Mapping[str, str]) -> str:
    shift = shift_of(body["at_event"], shifts)
    told = f" by {shift} shift" if shift else ""
    return f"{told} ({body['actor']})" if "actor" in body else told


def _words(what: str, count: int) -> str:
    plural = what in {"unplanned issue", "unresolved change"} and count > 1
    return f"{what}s" if plural else what
