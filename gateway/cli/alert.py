"""`shelfgate alert`: what needs a person, and to say that one has seen it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from gateway.alert_texts import entries, markdown
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
    """The commands."""
    start(app, "alert", arguments)


@app.command()
def ls(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """The alerts that stand: first those that nobody has seen, the gravest before the others."""
    told = ask_command(config, "alert-ls", {})
    if as_json:
        say_json(told)
        return
    if not told["alerts"]:
        say("no alert stands")
    for alert in told["alerts"]:
        for line in _lines(alert):
            say(line)
    if told["left_off"]:
        say(f"and {told['left_off']} more")


@app.command()
def ack(
    key: Annotated[str, typer.Argument(help="The alert's key, as `alert ls` tells it.")],
    actor: Annotated[str, typer.Option("--actor", help="Who sees to it; else who asks.")] = "",
    note: Annotated[str, typer.Option("--note", help="What is being done about it.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say that somebody sees to an alert: it is not told again until it has been cleared."""
    args = {"key": key, "actor": actor or getpass.getuser()} | ({"note": note} if note else {})
    told = ask_command(config, "alert-ack", args)
    if as_json:
        say_json(told)
    else:
        say(f"{', '.join(told['codes'])} {told['key']} is acknowledged by {args['actor']}")


@app.command()
def codes(
    in_markdown: Annotated[bool, typer.Option("--markdown", help="As docs/alerts.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """All alerts that there are: how grave, what each means and asks for, what clears it."""
    if as_json:
        say_json({code: asdict(entry) for code, entry in entries().items()})
    elif in_markdown:
        for line in markdown():
            say(line)
    else:
        for code, entry in entries().items():
            say(f"{code} ({', '.join(entry.severity)})")
            say(f"  {entry.en} Cleared when {entry.clears_en}.")
            say(f"  {entry.zh} 解除条件：{entry.clears_zh}。")


def _lines(alert: Mapping[str, Any]) -> Iterator[str]:
    """An alert: what it says, and below it what one needs to go on."""
    yield f"{alert['severity']:<9} {alert['code']}: {alert['text']}"
    seen = alert.get("acknowledged")
    yield f"{'':<9} key {alert['key']}, told by record {alert['seq']}"
    if seen is not None:
        note = f": {seen['note']}" if "note" in seen else ""
        yield f"{'':<9} seen by {seen['actor']} at {seen['at']}{note}"
