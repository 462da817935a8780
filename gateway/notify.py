"""sd_notify(3): ready, stopping, and a watchdog that only a living gateway feeds."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

WATCHDOG_SHARE = 3
"""Fed three times per period: two may come late."""


def notify(state: str) -> None:
    """Tell systemd; nothing where it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(state.encode(), address)


async def feed_watchdog(alive: Callable[[], bool]) -> None:
    """Feed the watchdog while `alive` says that every critical task has moved since last asked."""
    period_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    if not period_us:
        return
    while True:
        await asyncio.sleep(period_us / 1e6 / WATCHDOG_SHARE)
        if alive():
            notify("WATCHDOG=1")
