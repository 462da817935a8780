"""Brokers for the uplink's tests, and links to them."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.uplink.endpoint import Endpoint, Will

READY_TIMEOUT_S = 10.0


class Mosquitto:
    """A mosquitto of our own on a loopback port, to be stopped and started at will."""

    def __init__(self, binary: str, folder: Path, port: int) -> None:
        self.port = port
        self.folder = folder
        self.config: list[str] = ["allow_anonymous true"]
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *config: str) -> "Mosquitto":
        if config:
            self.config = list(config)
        path = self.folder / "mosquitto.conf"
        lines = ["user root", f"listener {self.port} 127.0.0.1", *self.config]
        path.write_text("\n".join(lines) + "\n")
        self._spawn(path)
        async with asyncio.timeout(READY_TIMEOUT_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.01)
                    continue
                writer.close()
                await writer.wait_closed()
                return self

    def _spawn(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [self._binary, "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def reload(self) -> None:
        """Let it read its files again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def mosquitto(require: Callable[[str], str], tmp_path: Path, free_port: int) -> Iterator[Mosquitto]:
    broker = Mosquitto(require("mosquitto"), tmp_path, free_port)
    yield broker
    broker.stop()


def endpoint_to(port: int, **changes: object) -> Endpoint:
    """An endpoint on loopback with the shortest keepalive."""
    will = Will("shelfgate/v1/s/g/status", b'{"state":"offline"}')
    values: dict[str, object] = {"client_id": "g", "will": will, "keepalive_s": 5} | changes
    return Endpoint("127.0.0.1", port, **values)  # type: ignore[arg-type] # named by the test


@asynccontextmanager
async def listening(
    port: int, topic: str = "#"
) -> AsyncIterator["asyncio.Queue[tuple[str, bytes]]"]:
    """An independent peer (aiomqtt) that hears `topic`."""
    import aiomqtt  # noqa: PLC0415 - tests without a broker do not pay for it

    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(topic, qos=1)

        async def listen() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                heard.put_nowait((message.topic.value, message.payload))

        task = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
