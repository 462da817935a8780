"""The book at the edge as hashes, for the core to compare its own with. Part of the stock rule.

Only locations that are watched have one: what lies behind a gate, another gateway may change, too.
The hash of a location is the SHA-256 of the JSON of its items that are not zero, in order, each
with its quantity: `[["BOLT",12],["NUT",3]]`, no spaces, UTF-8 (docs/asyncapi.yaml, Digest).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256

from gateway.model import Digest, DigestLine, Ns
from gateway.ports import Identify
from rules.stock_line import Line, Place

LINES_MAX = 1_000
"""Locations in one record: with codes of the greatest length that is what a message holds."""


def digests(now: Ns, lines: Iterable[tuple[Place, Line]], identify: Identify) -> Iterator[Digest]:
    """All locations of these lines, which come in order; as many records as it takes."""
    held: dict[str, list[tuple[str, int]]] = {}
    for (location, item), line in lines:
        kept = held.setdefault(location, [])
        if line.quantity:
            kept.append((item, line.quantity))
    told = [DigestLine(location, digest_of(items)) for location, items in held.items()]
    for start in range(0, len(told), LINES_MAX):
        part = tuple(told[start : start + LINES_MAX])
        yield Digest(identify("digest", now, start), part, now)


def digest_of(items: Iterable[tuple[str, int]]) -> str:
    """The hash of what a location holds."""
    text = json.dumps(sorted(items), separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
