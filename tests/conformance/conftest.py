"""A broker for the cores under test.

To test a core of your own, give its command line (see `Rig` in rig.py for what is filled in):

    SHELFGATE_CORE='./my-core --mqtt {host}:{port} --files {state} ...' pytest tests/conformance
"""

from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest_asyncio

from simulators.broker import mosquitto


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(require: Callable[[str], str]) -> AsyncIterator[int]:
    """The port of a Mosquitto of our own."""
    require("mosquitto")
    async with mosquitto() as url:
        yield urlsplit(url).port or 0
