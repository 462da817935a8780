"""A broker for the cores under test.

To test a core of your own, give its command line (see `Rig` in rig.py for what is filled in):

    SHELFGATE_CORE='./my-core --mqtt {host}:{port} --files {state} ...' pytest tests/conformance
"""

import asyncio
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
"""
START_DEADLINE_S = 10.0


@pytest.fixture(scope="session")
def broker(
    require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The port of a Mosquitto of our own."""
    tool = require("mosquitto")
    folder = tmp_path_factory.mktemp("mosquitto")
    port = _free_port()
    (folder / "mosquitto.conf").write_text(CONFIG.format(port=port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([tool, "-c", str(folder / "mosquitto.conf")], stderr=log)
    try:
        asyncio.run(_listening(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_DEADLINE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return
