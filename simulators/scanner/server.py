"""The server side of a scanner: it listens, and what is scanned goes to whoever is connected."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from random import Random
from typing import Self

HOST = "127.0.0.1"

ACCEPT_TURNS = 4
"""Loop turns that take a waiting connection in; asyncio leaks one that finds its server closed."""


@dataclass(frozen=True)
class Format:
    """How it is set up: what stands around each scan, and how its bytes are spread over packets.

    With `torn` it dies in the middle of so many of its scans, and with `noise` puts a byte into
    them that is no text; both are probabilities.
    """

    prefix: bytes = b""
    suffix: bytes = b"\r\n"
    packet_max_bytes: int = 64
    torn: float = 0.0
    noise: float = 0.0


class ScannerServer:
    """Use `async with`; `port` is where it listens. All connections get every scan."""

    def __init__(self, settings: Format | None = None, random: Random | None = None) -> None:
        self._format = settings or Format()
        self._random = random or Random(1)
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._connected = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start(0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def start(self, port: int) -> None:
        """Listen, on a free port if it is 0."""
        self._server = await asyncio.start_server(self._let_in, HOST, port)

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self._server is None:
            return
        for _turn in range(ACCEPT_TURNS):
            await asyncio.sleep(0)
        self._server.close()
        self.hang_up()
        await asyncio.gather(*self._serving)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def connected(self) -> None:
        """Wait until somebody is connected."""
        await self._connected.wait()

    async def scan(self, text: str) -> bool:
        """Somebody scans this; whether it was sent whole and clean."""
        settings, random = self._format, self._random
        body = text.encode()
        noisy = random.random() < settings.noise
        if noisy:
            place = random.randrange(len(body) + 1)
            body = body[:place] + b"\xff" + body[place:]
        frame = settings.prefix + body + settings.suffix
        torn = random.random() < settings.torn
        if torn:
            frame = frame[: random.randrange(1, len(frame) - len(settings.suffix) + 1)]
        await self.send(frame)
        if torn:
            self.hang_up()
        return not (noisy or torn)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are, in packets of any length up to the longest."""
        for packet in self._packets(data):
            for writer in list(self._writers):
                writer.write(packet)
                await writer.drain()
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Close every connection."""
        self._connected.clear()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def _packets(self, data: bytes) -> list[bytes]:
        packets = []
        while data:
            length = self._random.randint(1, self._format.packet_max_bytes)
            packets.append(data[:length])
            data = data[length:]
        return packets

    def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take note at once, not when its task begins: `stop` must find it."""
        self._writers.add(writer)
        self._connected.set()
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()  # a scanner hears nothing; this ends when the other side does
        self._writers.discard(writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
