"""`shelfgate version`: the installed release and what it stands on."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import apsw
import typer

from gateway.assembly import product_version
from gateway.cli.configured import AsJson, say, say_json, start

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "version", arguments)


@app.command()
def version(as_json: AsJson = False) -> None:
    """The installed release and what it stands on."""
    told = {
        "shelfgate": product_version(),
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "machine": platform.machine(),
    }
    if as_json:
        say_json(told)
    else:
        say(", ".join(f"{name} {number}" for name, number in told.items()))
