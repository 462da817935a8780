"""A TCP proxy on loopback that can cut, hold back or swallow what it forwards."""

import asyncio
from collections.abc import Callable
from typing import Literal, Self

CHUNK_BYTES = 64 * 1024
PUBACK = 0x40
ACCEPT_TURNS = 4
"""Loop turns that take a waiting connection in; asyncio leaks one that finds its server closed."""


class FaultProxy:
    """Forwards to one target. Set `mode` at any time:

    `pass` forwards; `swallow_acks` drops MQTT PUBACKs on their way to the client; `black_hole`
    drops all bytes both ways and keeps the connections open. `cut` ends all connections.
    """

    def __init__(self, target_port: int) -> None:
        self.mode: Literal["pass", "swallow_acks", "black_hole"] = "pass"
        self.port = 0
        self.connections = 0
        self.refuse = False
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        for _turn in range(ACCEPT_TURNS):
            await asyncio.sleep(0)
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """End every connection with a reset, both sides."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take note at once, not when its task begins: `__aexit__` must find it."""
        self._writers.add(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            if self.refuse:
                return
            self.connections += 1
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(far)
            up = asyncio.create_task(self._forward(reader, far, lambda data: data))
            down = asyncio.create_task(self._forward(far_reader, writer, _without_pubacks()))
            try:
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                up.cancel()
                down.cancel()
                await asyncio.gather(up, down, return_exceptions=True)
        except OSError:
            pass  # the target is down: the client's connection ends
        finally:
            for each in (writer, far):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        without_acks: Callable[[bytes], bytes],
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            kept = without_acks(data)
            if self.mode == "black_hole":
                continue
            writer.write(kept if self.mode == "swallow_acks" else data)
            await writer.drain()


def _without_pubacks() -> Callable[[bytes], bytes]:
    """Cut a stream of MQTT packets; give back what is complete, but for the PUBACKs.

    It follows the stream in every mode, so that it is in step when swallowing begins. A packet
    that arrives in pieces goes out once whole; that matters to nobody while acks are swallowed.
    """
    buffer = bytearray()

    def feed(data: bytes) -> bytes:
        buffer.extend(data)
        kept = bytearray()
        while (length := _packet_length(buffer)) is not None and len(buffer) >= length:
            if buffer[0] & 0xF0 != PUBACK:
                kept += buffer[:length]
            del buffer[:length]
        return bytes(kept)

    return feed


def _packet_length(buffer: bytearray) -> int | None:
    """Bytes of the packet at the head, its header included; None while that is not known."""
    remaining = 0
    for place in range(4):
        if len(buffer) < place + 2:
            return None
        remaining |= (buffer[place + 1] & 0x7F) << (7 * place)
        if not buffer[place + 1] & 0x80:
            return place + 2 + remaining
    raise ValueError("not MQTT")
