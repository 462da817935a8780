"""What the commands share: the option that names the configuration, and how errors are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from gateway.cli.exits import CONFIG
from gateway.ports import ConfigError
from gateway.settings import DEFAULT_PATH, Configuration, load_configuration

ConfigPath = Annotated[Path, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as one JSON object.")]
DEFAULT_CONFIG = DEFAULT_PATH


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


def say(text: str) -> None:
    """One line of the answer."""
    sys.stdout.write(f"{text}\n")


def say_json(answer: Mapping[str, Any]) -> None:
    """The answer as one JSON object."""
    say(json.dumps(answer, ensure_ascii=False, indent=None if not sys.stdout.isatty() else 2))
