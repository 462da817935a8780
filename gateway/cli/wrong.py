"""`shelfgate wrong`: a movement did not happen as it was told, and is taken back."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    ask_command,
    configured,
    give_up,
    say,
    say_json,
    start,
)
from gateway.cli.ledger import reading
from gateway.corrections import exported_labels

app = typer.Typer(add_completion=False, no_args_is_help=True)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "wrong", arguments)


@app.command()
def wrong(
    movement: Annotated[
        str, typer.Argument(help="Its number, document number (its own or the core's) or id.")
    ] = "",
    actor: Annotated[str, typer.Option("--actor", help="Who says so; else who asks.")] = "",
    note: Annotated[str, typer.Option("--note", help="What truly happened.")] = "",
    export: Annotated[
        bool, typer.Option("--export", help="Tell all that was called wrong, with its readings.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take a movement back that did not happen as it was told. It is remembered for tuning, and
    with --export each that was is a line of JSON.
    """
    if export == bool(movement):
        give_up("name one movement, or ask for --export")
    if export:
        with reading(configured(config)) as reader:
            for label in exported_labels(reader):
                say(json.dumps(label, ensure_ascii=False))
        return
    args = {"movement": movement, "actor": actor or getpass.getuser()}
    told = ask_command(config, "wrong", args | ({"note": note} if note else {}))
    if as_json:
        say_json(told)
    else:
        say(f"{told['document_no']} is taken back by {told['reversed_by']['document_no']}")
