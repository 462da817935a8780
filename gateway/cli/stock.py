"""`shelfgate stock`: what locations hold, as the running gateway sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    ask_command,
    say,
    say_json,
    start,
)

app = typer.Typer(add_completion=False)

HOURS_MAX = 72
"""Beyond three days a person counts in days."""


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "stock", arguments)


@app.command()
def stock(
    location: Annotated[str, typer.Argument(help="One location; all without it.")] = "",
    item: Annotated[str, typer.Argument(help="One item; all without it.")] = "",
    by: Annotated[
        str, typer.Option("--by", help="Sums by site, area, shelf, cell or bin instead.")
    ] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """What locations hold: on hand, the core's book, thresholds, and when it runs out."""
    named = {"location": location, "item": item, "by": by}
    args = {name: code for name, code in named.items() if code}
    result = ask_command(config, "stock", args)
    if as_json:
        say_json(result)
    else:
        for line in _text(result):
            say(line)


def _text(result: Mapping[str, Any]) -> Iterator[str]:
    for line in result["lines"]:
        read = line.get("readable", line)
        held = (
            f"{line['location'] or 'elsewhere'}  {line['item']}  {read['quantity']} {read['uom']}"
        )
        yield "  ".join([held, *_said(line)])
    if result["left_off"]:
        yield f"... and {result['left_off']} more; name a location"
    if not result["lines"]:
        yield "nothing is known there"


def _said(line: Mapping[str, Any]) -> Iterator[str]:
    if "quantity_open" in line:
        yield f"{line['quantity_open']} more went out than were known"
    if "book" in line:
        yield f"book {line['book']} ({line['variance']:+d})"
    for name in ("safety", "reorder"):
        if name in line:
            yield f"{name} {line[name]}"
    if "stockout_p50_h" in line:
        earliest = line.get("stockout_p10_h", line["stockout_p50_h"])
        latest = line.get("stockout_p90_h")
        span = f"{_span(earliest)} to {_span(latest) if latest is not None else 'more than a year'}"
        yield f"out in {_span(line['stockout_p50_h'])} ({span})"
    if line.get("purchase_quantity"):
        yield f"buy {line['purchase_quantity']}"


def _span(hours: int) -> str:
    return f"{hours} h" if hours <= HOURS_MAX else f"{round(hours / 24)} d"
