"""`shelfgate epc`: what a tag says, whose it is, and which tags say nothing of an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    configured,
    say,
    say_json,
    start,
)
from gateway.cli.exits import OK, PROBLEM
from gateway.cli.ledger import reading
from gateway.epc import QUARANTINE_ROW, EpcError, EpcIndex, decode_epc
from gateway.model import Item
from gateway.store import StoreReader

RULE = "movement"
"""The rule that keeps tags aside."""

app = typer.Typer(add_completion=False, no_args_is_help=True)


def main(arguments: Sequence[str]) -> None:
    """The commands."""
    start(app, "epc", arguments)


@app.command()
def decode(
    epc: Annotated[str, typer.Argument(help="The EPC, in hexadecimal digits.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """What a tag says, and which of the known items it is of; exit 1 if neither can be told."""
    digits = epc.strip().lower()
    told = _told(digits)
    with reading(configured(config)) as reader:
        item = _item_of(reader, digits)
    if item is not None:
        told |= {"item": item.code, "name": item.name}
    if as_json:
        say_json(told)
    else:
        for name, value in told.items():
            say(f"{name:<15} {value}".rstrip())
        if item is None:
            say("item            none that is known")
    raise typer.Exit(OK if "scheme" in told or item else PROBLEM)


@app.command()
def quarantine(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """The tags that are kept aside because they say nothing of an item; with --json each a line."""
    with reading(configured(config)) as reader:
        rows = [each.row for each in reader.state_rows(RULE)]
    for row in rows:
        if not row.key.startswith(QUARANTINE_ROW):
            continue
        told = {"epc": row.key.removeprefix(QUARANTINE_ROW)}
        told |= {name: str(row.value[name]) for name in ("place", "reason")}
        if as_json:
            say_json(told)
        else:
            say("  ".join(told.values()))


def _told(digits: str) -> dict[str, str | int]:
    try:
        epc = decode_epc(digits)
    except EpcError as error:
        return {"epc": digits, "not decoded": str(error)}
    told: dict[str, str | int] = {
        "epc": digits,
        "scheme": epc.scheme,
        "filter": epc.filter_value,
        "gtin": epc.gtin,
        "serial": epc.serial,
        "company prefix": epc.company_prefix,
        "elements": epc.element_string,
        "identity": epc.uri,
        "link": epc.digital_link,
    }
    return {name: value for name, value in told.items() if value != ""}


def _item_of(reader: StoreReader, digits: str) -> Item | None:
    items = [fact for fact in reader.references() if isinstance(fact, Item)]
    return EpcIndex((item.pattern, item) for item in items).owner(digits)
