"""A gateway's daemon, as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path

STOP_WITHIN_S = 10.0
"""What the daemon may take to stop before it is killed."""

LOG, LOG_SHOWN_CHARS = "daemon.log", 3000


async def launch(config: Path, *command: str) -> Process:
    """Start `shelfgate run`, or another command, on a configuration; its log lies beside that."""
    command = command or (str(Path(sys.executable).with_name("shelfgate")), "run")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SHELFGATE__")}
    with (config.parent / LOG).open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            "--config",
            str(config),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )


async def halt(process: Process, how: signal.Signals = signal.SIGTERM) -> int:
    """Stop a daemon and return its exit code; killed if it does not stop in time."""
    with suppress(ProcessLookupError):
        process.send_signal(how)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait()


def check(process: Process | None, config: Path) -> None:
    """RuntimeError if the daemon has ended."""
    if process is not None and process.returncode is not None:
        log = (config.parent / LOG).read_text(errors="replace")[-LOG_SHOWN_CHARS:]
        raise RuntimeError(f"the daemon ended with {process.returncode}:\n{log}")
