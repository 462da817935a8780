"""`shelfgate record`: record what the running gateway observes (docs/recording.md)."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from gateway.cli.configured import DEFAULT_CONFIG, ConfigPath, configured, converse, say, start
from gateway.cli.exits import PROBLEM
from gateway.status import Conversation

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "record", arguments)


def _end_on_signal(conversation: Conversation) -> None:
    """The first asks the gateway to end the recording; the second ends us."""

    def enough(number: int, _frame: FrameType | None) -> None:
        conversation.enough()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, enough)


@app.command()
def record(
    out: Annotated[Path, typer.Option("--out", help="The file to write; it must not exist.")],
    seconds: Annotated[float, typer.Option("--seconds", help="Stop by itself.", min=0.1)] = 86_400,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Record until Ctrl-C, or for some seconds."""
    conversation = converse(configured(config), {"request": "record", "seconds": seconds})
    _end_on_signal(conversation)
    lines, last = 0, b""
    try:
        with out.open("xb") as file:
            for line in conversation.lines():
                file.write(line)
                lines, last = lines + 1, line
    except OSError as error:
        sys.stderr.write(f"{out}: {error.strerror or error}\n")
        sys.exit(PROBLEM)
    finally:
        conversation.close()
    if not last.startswith(b'{"end":'):
        sys.stderr.write(f"{out}: cut off after {lines} lines: the gateway hung up\n")
        sys.exit(PROBLEM)
    say(f"{out}: {lines} lines")
