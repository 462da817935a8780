"""Joins two protocols in memory, so that a client can talk to a reader without a socket and in
virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

BACKLOG_MAX_BYTES = 64 * 1024
"""Unread bytes after which the writer is told to pause, as a socket's buffer would."""


class MemoryTransport(asyncio.Transport):
    """One end of a joined pair."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("memory", 0)})
        self.protocol = protocol
        self.peer: MemoryTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._inbound = bytearray()
        self._reading = True
        self._peer_ended = False
        self._closing = False
        self._peer_paused = False

    @property
    def unread(self) -> int:
        """Bytes that have come but were not taken yet."""
        return len(self._inbound)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hand bytes to the other end; they arrive in a later turn of the loop."""
        if not self._closing and self.peer is not None:
            self.peer.arrive(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Hand several pieces to the other end."""
        for data in list_of_data:
            self.write(data)

    def is_closing(self) -> bool:
        """Tell whether this end has been closed."""
        return self._closing

    def pause_reading(self) -> None:
        """Take no more bytes for now."""
        self._reading = False

    def resume_reading(self) -> None:
        """Take what has waited."""
        self._reading = True
        self._loop.call_soon(self._deliver)

    def is_reading(self) -> bool:
        """Tell whether this end takes bytes."""
        return self._reading

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the other end has not taken yet."""
        return self.peer.unread if self.peer is not None else 0

    def close(self) -> None:
        """Close this end; the other end reads what was written, then learns of it."""
        if self._closing:
            return
        self._closing = True
        if self.peer is not None:
            self.peer.end()
        self._loop.call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        """Close this end; there is no buffer of its own to lose."""
        self.close()

    def arrive(self, data: bytes) -> None:
        """Take bytes from the other end."""
        self._inbound += data
        if len(self._inbound) > BACKLOG_MAX_BYTES and not self._peer_paused and self.peer:
            self._peer_paused = True
            self.peer.protocol.pause_writing()
        self._loop.call_soon(self._deliver)

    def end(self) -> None:
        """Learn that no more bytes will come."""
        self._peer_ended = True
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._closing or not self._reading:
            return
        if self._inbound:
            data = bytes(self._inbound)
            self._inbound.clear()
            self.protocol.data_received(data)
        if self._peer_paused and self.peer is not None:
            self._peer_paused = False
            self.peer.protocol.resume_writing()
        if self._peer_ended and not self._inbound:
            self.close()


def join(client: asyncio.Protocol, reader: asyncio.Protocol) -> MemoryTransport:
    """Connect a client's protocol to a reader's session; return the client's transport."""
    near, far = MemoryTransport(client), MemoryTransport(reader)
    near.peer, far.peer = far, near
    client.connection_made(near)
    reader.connection_made(far)
    return near
