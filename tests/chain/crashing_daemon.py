"""The daemon, made to kill itself at a named point: `crashing_daemon.py POINT NTH --config F`.

The points lie around the seams where a crash could lose or double something. Nothing of this is
in the product: the functions are wrapped here, in the process that dies.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway import daemon
from gateway.settings import load_configuration
from gateway.store.file import StoreFile
from gateway.store.outbox import EpochOutbox
from gateway.supervisor import Supervisor
from gateway.uplink.link import Link

SEAMS: dict[str, tuple[type, str]] = {
    "commit": (StoreFile, "transact"),
    "publish": (Link, "send"),
    "puback": (Link, "_on_publish"),
    "core_ack": (EpochOutbox, "acknowledge"),
    "action": (Supervisor, "act"),
}


def arm(point: str, nth: int) -> None:
    """Wrap the seam of `before_X` or `after_X` so that its nth call is the last thing done."""
    when, _, name = point.partition("_")
    owner, method = SEAMS[name]
    original = getattr(owner, method)
    calls = 0

    def die(moment: str) -> None:
        nonlocal calls
        calls += moment == when
        if moment == when and calls >= nth:
            os.kill(os.getpid(), signal.SIGKILL)

    async def awaited(*arguments: Any, **named: Any) -> Any:
        die("before")
        result = await original(*arguments, **named)
        die("after")
        return result

    def called(*arguments: Any, **named: Any) -> Any:
        die("before")
        result = original(*arguments, **named)
        die("after")
        return result

    wrapped: Callable[..., Any] = awaited if asyncio.iscoroutinefunction(original) else called
    setattr(owner, method, wrapped)


if __name__ == "__main__":
    _, point, nth, _, config = sys.argv
    arm(point, int(nth))
    asyncio.run(daemon.run(load_configuration(Path(config))))
