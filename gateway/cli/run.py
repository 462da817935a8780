"""`shelfgate run`: the daemon in the foreground. Argparse, since it starts faster than typer."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from gateway.cli.exits import BUG, CONFIG, DISK, OK
from gateway.cli.logs import set_up_logs
from gateway.daemon import run
from gateway.ports import ConfigError
from gateway.settings import DEFAULT_PATH, load_configuration
from gateway.store import StoreFailed

log = structlog.get_logger("gateway")


def main(arguments: Sequence[str]) -> None:
    """Run until SIGTERM or SIGINT; the exit code tells what ended it."""
    parser = argparse.ArgumentParser("shelfgate run", description="Run the gateway.")
    parser.add_argument("--config", type=Path, default=DEFAULT_PATH, help="%(default)s")
    path: Path = parser.parse_args(arguments).config
    set_up_logs()
    sys.exit(_run(path))


def _run(path: Path) -> int:
    try:
        asyncio.run(run(load_configuration(path)))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIG
    except (OSError, StoreFailed) as error:
        log.critical("the store does not open", error=str(error))
        return DISK
    except Exception as error:  # the last word before systemd starts us anew
        if _is_of_the_store(error):
            log.critical("the store failed", exc_info=error)
            return DISK
        log.critical("a bug ended the gateway", exc_info=error)
        return BUG
    return OK


def _is_of_the_store(error: Exception) -> bool:
    return isinstance(error, ExceptionGroup) and error.subgroup(StoreFailed) is not None
