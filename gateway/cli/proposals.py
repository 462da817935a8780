"""`shelfgate proposals`: what the gateway proposes and books only if somebody says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "proposals", arguments)


@app.command()
def proposals(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """What waits for an answer, the oldest first; answer it: shelfgate approve CODE."""
    told = ask_command(config, "proposals", {})
    if as_json:
        say_json(told)
        return
    for proposal in told["proposals"]:
        for line in _text(proposal):
            say(line)
    unlisted = told["open"] - len(told["proposals"])
    if unlisted:
        say(f"and {unlisted} more")
    if not told["open"]:
        say("nothing waits for an answer")


def _text(proposal: Mapping[str, Any]) -> Iterator[str]:
    yield f"{proposal['code']}  {proposal['kind']} at {proposal['location']}"
    yield f"  since {proposal['since']}; {proposal['text']}"
    for line in proposal["lines"]:
        reason = f"  {line['reason']}" if "reason" in line else ""
        yield f"  {line['item']}  {line['expected']} expected, {line['found']} found{reason}"
    if proposal["left_off"]:
        yield f"  and {proposal['left_off']} lines more"
