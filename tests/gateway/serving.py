"""A whole gateway that runs in the test's own process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from gateway.assembly import Gateway, assemble
from gateway.daemon import serve
from gateway.settings import Configuration
from gateway.status import SOCKET_FILE, ask
from tests.polling import until


@asynccontextmanager
async def serving(configuration: Configuration) -> AsyncIterator[Gateway]:
    """Run a gateway that answers on its socket already."""
    gateway = await assemble(configuration, Random(1))
    stop = asyncio.Event()
    running = asyncio.create_task(serve(gateway, stop))
    try:
        await until((configuration.gateway.state_folder / SOCKET_FILE).exists)
        yield gateway
    finally:
        stop.set()
        await running
        await gateway.store.close()


async def command(gateway: Gateway, name: str, number: str = "1", **args: Any) -> dict[str, Any]:
    """Ask as `shelfgate` does; the same `number` twice is the same request."""
    request = {"request": "command", "id": number, "command": name, "args": args}
    folder = gateway.configuration.gateway.state_folder
    result: dict[str, Any] = (await asyncio.to_thread(ask, folder, request))["result"]
    return result


async def recorded(gateway: Gateway, *kinds: str) -> list[dict[str, Any]]:
    """What the ledger holds of these kinds, oldest first."""
    records = await gateway.store.records_after(0, 1000)
    return [json.loads(each.body) for each in records if each.kind in kinds]
