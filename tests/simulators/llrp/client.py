"""A bare client for the tests: it frames bytes and nothing more."""

import asyncio
import struct
from typing import NamedTuple, Self

from simulators.llrp.memory import join
from simulators.llrp.reader import LlrpReader

PATIENCE_S = 5.0


class Message(NamedTuple):
    type: int
    message_id: int
    body: bytes

    @property
    def status(self) -> int:
        """The code of the LLRPStatus at the start of an answer."""
        assert self.body[:2] == b"\x01\x1f", "no LLRPStatus"
        return int.from_bytes(self.body[4:6], "big")

    @property
    def whole(self) -> bytes:
        return struct.pack("!HII", 1 << 10 | self.type, 10 + len(self.body), self.message_id) + (
            self.body
        )


class Client(asyncio.Protocol):
    """Talks to a reader over memory or a socket; unasked messages go to `unasked`."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed = asyncio.Event()
        self.unasked: list[Message] = []
        self.received = bytearray()
        self._buffer = bytearray()
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._arrived = asyncio.Event()
        self._next_id = 1000

    @classmethod
    async def over_socket(cls, port: int) -> Self:
        loop = asyncio.get_running_loop()
        _transport, client = await loop.create_connection(cls, "127.0.0.1", port)
        return client

    @classmethod
    def in_memory(cls, reader: LlrpReader) -> Self:
        client = cls()
        join(client, reader.session())
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._buffer += data
        while len(self._buffer) >= 10:
            first, length, message_id = struct.unpack_from("!HII", self._buffer)
            if len(self._buffer) < length:
                return
            message = Message(first & 0x3FF, message_id, bytes(self._buffer[10:length]))
            del self._buffer[:length]
            waiting = (
                self._answers.pop(message_id, None) if message.type not in {61, 62, 63} else None
            )
            if waiting is None:
                self.unasked.append(message)
                self._arrived.set()
            else:
                waiting.set_result(message)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.closed.set()
        self._arrived.set()

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def send(self, message_type: int, body: bytes = b"", version: int = 1) -> int:
        """Send a frame without waiting; return its id."""
        self._next_id += 1
        head = struct.pack("!HII", version << 10 | message_type, 10 + len(body), self._next_id)
        self.write(head + body)
        return self._next_id

    async def ask(self, message_type: int, body: bytes = b"", version: int = 1) -> Message:
        """Send a frame and wait for the answer with its id."""
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._next_id + 1] = answer
        self.send(message_type, body, version)
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    async def wait_for(self, message_type: int, part: bytes = b"", count: int = 1) -> list[Message]:
        """Wait until `count` unasked messages of that type holding `part` are there."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = self.of(message_type, part)
                if len(found) >= count:
                    return found
                assert not self.closed.is_set(), "closed by the reader"
                self._arrived.clear()
                await self._arrived.wait()

    def of(self, message_type: int, part: bytes = b"") -> list[Message]:
        return [m for m in self.unasked if m.type == message_type and part in m.body]

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
