"""A whole gateway that runs in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from gateway.assembly import Gateway, assemble
from gateway.daemon import serve
from gateway.settings import Configuration
from gateway.status import SOCKET_FILE
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
