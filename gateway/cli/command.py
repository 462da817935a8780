"""`shelfgate command`: what the core can ask by MQTT, a person can ask here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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

app = typer.Typer(add_completion=False, no_args_is_help=True)

Cell = Annotated[str, typer.Argument(help="The cell, device:cell.")]


def main(arguments: Sequence[str]) -> None:
    """The commands."""
    start(app, "command", arguments)


@app.command()
def tare(cell: Cell, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let the transmitter take the present weight for its tare."""
    _give("tare", {"cell": cell}, config, as_json=as_json)


@app.command()
def zero(cell: Cell, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let the transmitter take the present weight for zero; the cell must be empty."""
    _give("zero", {"cell": cell}, config, as_json=as_json)


@app.command()
def snapshot(
    location: Annotated[str, typer.Argument(help="One location; all without it.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Tell the core the absolute stock, as the gateway sees it."""
    _give("snapshot", {"location": location} if location else {}, config, as_json=as_json)


@app.command()
def requeue(
    seq: Annotated[int, typer.Argument(help="The record's number.", min=1)],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Book a quarantined record anew, under a new number."""
    _give("requeue", {"seq": seq}, config, as_json=as_json)


@app.command("replay-from")
def replay_from(
    epoch: Annotated[str, typer.Argument(help="The epoch of the records.")],
    seq: Annotated[int, typer.Argument(help="The first record to send again.", min=1)],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Send records to the core again, from a number on; it knows doubles."""
    _give("replay-from", {"epoch": epoch, "seq": seq}, config, as_json=as_json)


def _give(name: str, args: Mapping[str, Any], config: ConfigPath, *, as_json: bool) -> None:
    result = ask_command(config, name, args)
    if as_json:
        say_json(result)
    else:
        say(f"{name}: done {json.dumps(result, ensure_ascii=False) if result else ''}".rstrip())
