"""What the stock rule's rows say, as figures for the core, a person and a dashboard: integers, in
named units. A figure that is not known is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.measure import readable
from gateway.model import Location
from gateway.places import around
from gateway.ports import JsonValue, Row

STOCK_RULE = "stock"

FORECAST = ("stockout_p10_h", "stockout_p50_h", "stockout_p90_h", "purchase_quantity")


def is_balance(key: str) -> bool:
    """The rule's other rows are the EPCs in a balance, and the bucket of the demand."""
    return key.count("\t") == 1


def place_of(key: str) -> tuple[str, str]:
    """The location and the item of a balance."""
    location, _, item = key.partition("\t")
    return location, item


def figures_of(row: Mapping[str, Any]) -> dict[str, int]:
    """`quantity` is never below zero: what more went out than was known is `quantity_open`.

    `variance` is what is there, less what is open, less what the core's `book` says.
    """
    balance: int = row["quantity"]
    figures = {"quantity": max(0, balance)}
    if balance < 0:
        figures["quantity_open"] = -balance
    for name in ("book", "safety", "reorder"):
        if name in row:
            figures[name] = row[name]
    if "book" in row:
        figures["variance"] = balance - row["book"]
    forecast = zip(FORECAST, row.get("forecast", ()), strict=False)
    return figures | {name: figure for name, figure in forecast if figure is not None}


def readable_of(quantity: int, uom: str) -> dict[str, JsonValue]:
    """What people read instead of grams and millilitres; nothing of what is counted in pieces."""
    text, unit = readable(quantity, uom)
    return {} if unit == uom else {"readable": {"quantity": text, "uom": unit}}


def stock_lines(
    rows: Iterable[Row], location: str = "", item: str = ""
) -> Iterator[dict[str, JsonValue]]:
    """A line for each balance, in order; of one location, or item, where it is named."""
    for row in sorted(rows, key=lambda row: row.key):
        if is_balance(row.key):
            place = place_of(row.key)
            if location in {"", place[0]} and item in {"", place[1]}:
                known = {"location": place[0], "item": place[1], "uom": row.value["uom"]}
                figures = figures_of(row.value)
                yield known | figures | readable_of(figures["quantity"], str(row.value["uom"]))


def stock_sums(
    lines: Iterable[Mapping[str, Any]], kind: str, locations: Iterable[Location]
) -> Iterator[dict[str, JsonValue]]:
    """What lies in each location of that kind, by item: the quantities of all that lies in it.

    What lies in none of that kind is told of "".
    """
    known = {location.code: location for location in locations}
    sums: dict[tuple[str, str, str], int] = {}
    for line in lines:
        key = (around(line["location"], kind, known), line["item"], line["uom"])
        sums[key] = sums.get(key, 0) + line["quantity"]
    for (location, item, uom), quantity in sorted(sums.items()):
        told: dict[str, JsonValue] = {"location": location, "item": item, "uom": uom}
        yield told | {"quantity": quantity} | readable_of(quantity, uom)
