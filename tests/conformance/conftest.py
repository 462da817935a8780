"""A broker for the cores under test.

To test a core of your own, give its command line (see `Rig` in rig.py for what is filled in):

    SHELFGATE_CORE='./my-core --mqtt {host}:{port} --files {state} ...' pytest tests/conformance
"""

from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest_asyncio

from simulators.broker import mosquitto

SETTINGS = (
    "set_tcp_nodelay true",  # else an ack waits 40 ms behind the PUBACK of the record
    "max_queued_messages 0",  # else it drops what a core cannot take at once, and says nothing
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(require: Callable[[str], str]) -> AsyncIterator[int]:
    """The port of a Mosquitto of our own."""
    require("mosquitto")
    async with mosquitto(settings=SETTINGS) as url:
        yield urlsplit(url).port or 0
