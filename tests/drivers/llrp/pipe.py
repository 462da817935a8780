"""Two protocols joined in memory, one turn of the loop per delivery."""

import asyncio
from typing import Any


class PipeEnd(asyncio.Transport):
    """What one protocol writes, the other receives."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.peer: PipeEnd | None = None
        self._loop = asyncio.get_running_loop()
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing and self.peer is not None:
            self._loop.call_soon(self.peer.deliver, bytes(data))

    def deliver(self, data: bytes) -> None:
        if not self._closing:
            self.protocol.data_received(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("memory", 0) if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return not self._closing

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._loop.call_soon(self.protocol.connection_lost, None)
        if self.peer is not None:
            self._loop.call_soon(self.peer.abort)


def join(one: asyncio.Protocol, other: asyncio.Protocol) -> tuple[PipeEnd, PipeEnd]:
    """Connect two protocols to each other."""
    ends = PipeEnd(one), PipeEnd(other)
    ends[0].peer, ends[1].peer = ends[1], ends[0]
    one.connection_made(ends[0])
    other.connection_made(ends[1])
    return ends
