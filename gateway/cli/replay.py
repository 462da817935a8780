"""`shelfgate replay`: decide a recording again; the same recording gives the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.configured import DEFAULT_CONFIG, ConfigPath, configured, refuse, say, start
from gateway.cli.exits import PROBLEM
from gateway.ports import ConfigError
from gateway.recording import RecordingError, read_recording
from gateway.replay import replay as decide

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "replay", arguments)


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="What `shelfgate record` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Records go here, one a line; - is stdout.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Feed a recording to the rules of the configuration, and write what they decide."""
    configuration = configured(config)
    count = 0
    try:
        stdout = nullcontext(sys.stdout.buffer)
        with stdout if str(out) == "-" else out.open("wb") as file:
            for record in decide(read_recording(recording), configuration):
                file.write(record + b"\n")
                count += 1
    except ConfigError as error:
        refuse(error)
    except RecordingError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(PROBLEM)
    except OSError as error:
        sys.stderr.write(f"{out}: {error.strerror or error}\n")
        sys.exit(PROBLEM)
    if str(out) != "-":
        say(f"{out}: {count} records")
