"""Listens in on a connection and writes what it heard as a capture file."""

import asyncio
import struct
from pathlib import Path
from typing import NamedTuple, Self

LLRP_PORT = 5084
CLIENT_PORT = 40_000
RAW_IP = 101
SEGMENT_MAX_BYTES = 16_000


class Piece(NamedTuple):
    from_client: bool
    data: bytes


class Tap:
    """A TCP proxy on loopback that keeps every byte. `port` is where clients connect."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.pieces: list[Piece] = []
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection("127.0.0.1", self._target_port)
        for source, sink, from_client in ((reader, far[1], True), (far[0], writer, False)):
            task = asyncio.create_task(self._pump(source, sink, from_client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, from_client: bool
    ) -> None:
        try:
            while data := await source.read(SEGMENT_MAX_BYTES):
                self.pieces.append(Piece(from_client, data))
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


def write_capture(path: Path, pieces: list[Piece]) -> None:
    """Write the pieces as TCP segments between a client and port 5084."""
    sent = {True: 1, False: 1}
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, RAW_IP)
    for number, piece in enumerate(pieces):
        ports = (CLIENT_PORT, LLRP_PORT) if piece.from_client else (LLRP_PORT, CLIENT_PORT)
        sequence, acknowledged = sent[piece.from_client], sent[not piece.from_client]
        sent[piece.from_client] += len(piece.data)
        tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, 0x18, 65_535, 0, 0)
        ends = (b"\x0a\0\0\x01", b"\x0a\0\0\x02")
        source, target = ends if piece.from_client else ends[::-1]
        length = 40 + len(piece.data)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, length, number & 0xFFFF, 0, 64, 6, 0)
        packet = ip + source + target + tcp + piece.data
        out += struct.pack("<IIII", number // 1000, number % 1000 * 1000, length, length) + packet
    path.write_bytes(out)
