"""The proposals that wait for an answer, as a person or the core sees them.

The store keeps the record of each from its Proposal until its Dismissal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.ports import JsonValue
from gateway.store import StoreReader
from gateway.store.schema import PROPOSAL_ROWS

LISTED_BYTES_MAX = 200_000
"""So much of them in one answer, the oldest first: it must fit into one message of the broker."""

LINES_MAX = 20
"""Lines told of each; the record has them all."""

EPCS_MAX = 20
"""Pieces told of a line; the record has them all."""


def listed_proposals(reader: StoreReader) -> Mapping[str, JsonValue]:
    """All that wait, the oldest first; `open` is how many there are, those that are not told among
    them.
    """
    bodies = [found.row.value for found in reader.state_rows(PROPOSAL_ROWS)]
    bodies.sort(key=lambda body: (str(body["at_recorded"]), str(body["proposal_id"])))
    listed, size = list[JsonValue](), 0
    for body in bodies:
        told = _told(body)
        size += len(json.dumps(told, ensure_ascii=False).encode())
        if size > LISTED_BYTES_MAX:
            break
        listed.append(told)
    return {"open": len(bodies), "proposals": listed}


def is_open(reader: StoreReader, code: str) -> bool:
    """Whether a proposal waits for an answer."""
    return any(found.row.key == code for found in reader.state_rows(PROPOSAL_ROWS))


def open_codes(reader: StoreReader, kind: str, location: str) -> list[str]:
    """The codes of those of a kind that wait at a location, or at all (""), the oldest first."""
    bodies = [found.row.value for found in reader.state_rows(PROPOSAL_ROWS)]
    bodies.sort(key=lambda body: (str(body["at_recorded"]), str(body["proposal_id"])))
    return [
        str(body["proposal_id"])
        for body in bodies
        if body["kind"] == kind and location in {"", body["location"]}
    ]


def _told(body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    lines = body["lines"]
    assert isinstance(lines, list)
    return {
        "code": body["proposal_id"],
        "kind": body["kind"],
        "location": body["location"],
        "since": body["at_event"],
        "text": body["text"],
        "lines": [{**line, "epcs": line["epcs"][:EPCS_MAX]} for line in lines[:LINES_MAX]],
        "left_off": len(lines[LINES_MAX:]),
    }
