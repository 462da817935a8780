"""The book of one location, as it is issued to the gateways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from simulators.core.stock import Stock

UNSEEN = "unknown"
"""The end of a movement that no gateway sees: there is no book of it."""

OF_LOTS = {"lot", "expires", "received"}


def locations_of(data: Mapping[str, Any]) -> Iterator[str]:
    """The locations whose stock a record changes."""
    if data["event"] == "movement":
        ends = (data["from"]["location"], data["to"]["location"])
        yield from (end for end in ends if end != UNSEEN)
    elif data["event"] == "snapshot":
        yield data["location"]


def booklet(
    location: str, stock: Stock, taken: Iterable[Mapping[str, Any]], before: Mapping[str, Any]
) -> dict[str, Any]:
    """What the book says of a location after these records, the last of which tells when.

    `before` is what it said: its thresholds stay, and so does a line of what there is none of.
    """
    lines: dict[str, dict[str, Any]] = {}
    for line in before.get("lines", ()):
        kept = {key: value for key, value in line.items() if key not in OF_LOTS}
        lines[line["item"]] = {**lines.get(line["item"], {}), **kept, "quantity": 0}
    at = ""
    for data in taken:
        if location in locations_of(data):
            at = data["at_recorded"]
            for line in data["lines"] if data["event"] == "snapshot" else [data]:
                lines.setdefault(line["item"], {"item": line["item"], "quantity": 0})
                lines[line["item"]]["uom"] = line["uom"]
    held = {item: quantity for (place, item), quantity in stock.items() if place == location}
    for item, quantity in held.items():
        lines.setdefault(item, {"item": item, "uom": "pcs"})["quantity"] = _plain(quantity)
    return {"code": location, "at": at, "lines": [lines[item] for item in sorted(lines)]}


def _plain(quantity: Decimal) -> int | str:
    whole = int(quantity)
    return whole if whole == quantity else f"{quantity:f}"
