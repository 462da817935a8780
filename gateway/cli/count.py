"""`shelfgate count`: have the stock counted, and say what is to be booked of that."""

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

app = typer.Typer(add_completion=False, no_args_is_help=True)

Actor = Annotated[str, typer.Option("--actor", help="Who asks.")]


def main(arguments: Sequence[str]) -> None:
    """The commands."""
    start(app, "count", arguments)


@app.command("start")
def begin(
    locations: Annotated[
        list[str] | None, typer.Argument(help="Which to count; all that are watched without it.")
    ] = None,
    cycle: Annotated[bool, typer.Option("--cycle", help="Those that are due.")] = False,
    actor: Actor = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Begin a count; it takes half a minute, and is told by count status."""
    args: dict[str, Any] = {"locations": locations} if locations else {}
    args |= {"scope": "cycle"} if cycle else {}
    told = ask_command(config, "count-start", args | ({"actor": actor} if actor else {}))
    if as_json:
        say_json(told)
    else:
        say(f"count {told['count']} of {told['locations']} locations has begun")


@app.command()
def status(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """The count that runs, or ran last, and what it found to differ."""
    told = ask_command(config, "count-status", {})
    if as_json:
        say_json(told)
        return
    for line in _text(told):
        say(line)


@app.command()
def approve(
    location: Annotated[str, typer.Argument(help="One location; all without it.")] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Book nothing of it.")] = False,
    actor: Actor = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Approve all that counts propose, which books it, or refuse it; one: shelfgate approve."""
    args: dict[str, Any] = {"approved": not refuse}
    args |= {"location": location} if location else {}
    told = ask_command(config, "count-approve", args | ({"actor": actor} if actor else {}))
    if as_json:
        say_json(told)
        return
    for code in told["codes"]:
        say(f"proposal {code} is {'approved' if told['approved'] else 'refused'}")


@app.command()
def difference(
    weekly: Annotated[bool, typer.Option("--weekly", help="Of the weekly ones.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """What changed between the last two daily snapshots, and what movements explain of it."""
    told = ask_command(config, "snapshot-difference", {"of": "weekly" if weekly else "daily"})
    if as_json:
        say_json(told)
        return
    say(f"{told['of']} snapshots, from {told['since']} to {told['until']}")
    for line in told["lines"]:
        odd = f", {line['unexplained']:+d} not explained" if line["unexplained"] else ""
        change = f"{line['before']} -> {line['after']}, {line['booked']:+d} booked{odd}"
        say(f"  {line['location']}  {line['item']}  {change}")
    if told["left_off"]:
        say(f"  and {told['left_off']} more")


def _text(told: Mapping[str, Any]) -> Iterator[str]:
    if told["state"] == "none":
        yield "nothing was counted yet"
        return
    asked = " of ".join(filter(None, (told["asked_by"], told["actor"])))
    counted = told["locations"] - told["remaining"]
    yield f"count {told['count']} ({told['scope']}, by {asked}): {told['state']}"
    yield f"{counted} of {told['locations']} locations counted, {told['disturbed']} disturbed"
    for line in told["differences"]:
        yield f"  {line['location']}  {_difference(line)}"
        yield from (f"    {hint}" for hint in line.get("hints", ()))
    if told["left_off"]:
        yield f"  and {told['left_off']} more"
    for code in told["proposals"]:
        yield f"waits for an answer: {code}"


def _difference(line: Mapping[str, Any]) -> str:
    if "disturbed" in line:
        return "was never quiet: count it again"
    counted = line.get("counted", "not known how many")
    return f"{line['item']}  {line['expected']} expected, {counted} counted: {line['reason']}"
