"""`shelfgate task`: what is ordered and how far it is, and to take a task back."""

from __future__ import annotations

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

TaskId = Annotated[str, typer.Argument(help="The task's id.")]


def main(arguments: Sequence[str]) -> None:
    """The commands."""
    start(app, "task", arguments)


@app.command()
def ls(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """The open tasks, the first to be done first."""
    told = ask_command(config, "task-ls", {})
    if as_json:
        say_json(told)
        return
    for task in told["tasks"]:
        say(_line(task))
    unlisted = told["open"] - len(told["tasks"])
    if unlisted:
        say(f"and {unlisted} more")


@app.command()
def show(task_id: TaskId, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """One task with all that is known of it."""
    told = ask_command(config, "task-show", {"task_id": task_id})
    if as_json:
        say_json(told)
        return
    say(_line(told))
    order, tolerance = told["order"], told["tolerance"]
    number = "/".join(filter(None, (order["number"], order["line"])))
    say(f"order      {order['system']} {order['type']} {number}, version {told['version']}")
    say(
        f"tolerance  {tolerance['pieces']} pieces, {tolerance['permille']} per mille,"
        f" {told['policy']}"
    )
    say(f"priority   {told['priority']}, closed {told['timeout_s']} s after its last act")
    if "told" in told:
        say(f"told as    {told['told']['quantity']} {told['told'].get('uom', '')}".rstrip())
    if "lot" in told:
        say(f"lot        {told['lot']}")
    for serial in told["serials"]:
        say(f"serial     {serial}")


@app.command()
def cancel(
    task_id: TaskId,
    actor: Annotated[str, typer.Option("--actor", help="Who takes it back.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take a task back; what was done until now is confirmed to the core."""
    args = {"task_id": task_id} | ({"actor": actor} if actor else {})
    told = ask_command(config, "task-cancel", args)
    if as_json:
        say_json(told)
    else:
        say(f"task {told['task_id']} is cancelled")


def _line(task: Mapping[str, Any]) -> str:
    """A task in a line."""
    places = [task.get(end, {}).get("location", "unknown") for end in ("from", "to")]
    due = f"  due {task['due']}" if "due" in task else ""
    return (
        f"{task['task_id']}  {task['type']} {task['done']} of {task['asked']} {task['item']}"
        f"  {places[0]} -> {places[1]}  {task['state']}{due}"
    )
