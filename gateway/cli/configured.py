"""What the commands share: the configuration, the running gateway, and how to answer."""

from __future__ import annotations

import json
import logging
import sys
import textwrap
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from gateway.cli.exits import CONFIG, PROBLEM
from gateway.cli.logs import set_up_logs
from gateway.ports import ConfigError
from gateway.settings import DEFAULT_PATH, Configuration, load_configuration
from gateway.status import Conversation, NotRunningError, RefusedError

ConfigPath = Annotated[Path, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
DEFAULT_CONFIG = DEFAULT_PATH


def start(app: typer.Typer, name: str, arguments: Sequence[str]) -> None:
    """Run a command. What is logged meanwhile goes to stderr, and only if something is wrong."""
    set_up_logs(level=logging.WARNING)
    try:
        app(list(arguments), prog_name=f"shelfgate {name}")
    except PermissionError as error:
        give_up(f"{error.filename}: permission denied; ask as root or as the gateway's user")


def configured(path: Path) -> Configuration:
    """The configuration; a wrong one ends the process with its problems, one a line."""
    try:
        return load_configuration(path)
    except ConfigError as error:
        refuse(error)


def refuse(error: ConfigError) -> NoReturn:
    """End the process because of the configuration."""
    sys.stderr.write(f"{error}\n")
    sys.exit(CONFIG)


def give_up(reason: object) -> NoReturn:
    """End the process because of a problem, which is said in a line."""
    sys.stderr.write(f"{reason}\n")
    sys.exit(PROBLEM)


def converse(configuration: Configuration, request: Mapping[str, Any]) -> Conversation:
    """Ask the running gateway; ends the process if it does not run or refuses."""
    try:
        return Conversation(configuration.gateway.state_folder, request)
    except NotRunningError as error:
        give_up(f"{error}; start it: systemctl start shelfgate")
    except RefusedError as error:
        give_up(error)


def ask_gateway(configuration: Configuration, request: Mapping[str, Any]) -> dict[str, Any]:
    """The one-line answer of the running gateway. See converse."""
    conversation = converse(configuration, request)
    conversation.close()
    return conversation.first


def ask_command(config: Path, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a command that the running gateway was given, under a new request id."""
    request = {"request": "command", "id": str(uuid.uuid4()), "command": name, "args": args}
    result: dict[str, Any] = ask_gateway(configured(config), request)["result"]
    return result


def say(text: str) -> None:
    """One line of the answer."""
    sys.stdout.write(f"{text}\n")


def say_json(answer: object) -> None:
    """The answer as JSON, on one line unless a person reads it."""
    say(json.dumps(answer, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def movement_text(body: Mapping[str, Any]) -> str:
    """A movement in a line, with its order and the person where they are known."""
    order, actor = body.get("order"), body.get("actor")
    whose = [] if order is None else [f"for {order_text(order)}"]
    whose += [] if actor is None else [f"by {actor}"]
    return (
        f"#{body['seq']} {body['at_event']} {body['kind']} {body['quantity']} {body['uom']} "
        f"{body['item']}  {body['from']['location']} -> {body['to']['location']}  "
        f"{''.join(f'{each}, ' for each in whose)}"
        f"{body['confidence_permille'] / 10:.1f} % sure, {body['reason']}"
    )


def order_text(order: Mapping[str, Any]) -> str:
    """An order, and its line if it names one."""
    line = f"/{order['line']}" if order.get("line") else ""
    return f"{order['type']} {order['number']}{line}"


def wrapped(head: str, text: str, width: int, indent: int) -> list[str]:
    """A text behind its head, in lines of at most `width` that go on under it, `indent` from the
    left. Words stay whole: numbers and codes are there to be copied.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
