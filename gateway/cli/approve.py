"""`shelfgate approve`: answer what `shelfgate proposals` lists."""

from __future__ import annotations

from collections.abc import Sequence
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


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "approve", arguments)


@app.command()
def approve(
    code: Annotated[str, typer.Argument(help="The proposal's code.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Book nothing of it.")] = False,
    actor: Annotated[str, typer.Option("--actor", help="Who answers.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Approve a proposal, which books what it says, or refuse it."""
    args: dict[str, Any] = {"code": code, "approved": not refuse}
    told = ask_command(config, "approve", args | ({"actor": actor} if actor else {}))
    if as_json:
        say_json(told)
    else:
        say(f"proposal {told['code']} is {'approved' if told['approved'] else 'refused'}")
