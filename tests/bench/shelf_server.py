"""Modbus shelves in a process of their own: `python -m tests.bench.shelf_server LINKS`.

Prints one port per link. Each link answers function 3 for any unit with eight cells of three
registers: status, and the gross weight as a 32-bit magnitude, which wanders by a digit.
"""

from __future__ import annotations

import asyncio
import struct
import sys

CELLS = 8
PROFILE = """\
id = "bench-shelf"
models = ["eight cells in one block"]
grade = "A"
sources = ["tests/bench/shelf_server.py"]

block = {{ function = 3, start = 0, count = {count} }}
value = {{ type = "u32", gross_negative_bit = 0, net_negative_bit = 0 }}
decimals = {{ source = "setting" }}
unit = {{ source = "setting" }}
{cells}
[[flags]]
bits = [1, 1]
values = [0]
flag = "MOTION"

[[flags]]
bits = [3, 3]
values = [1]
flag = "OVERLOAD"
"""


def profile() -> str:
    """The profile of the served registers."""
    cells = "".join(
        f"\n[[cells]]\nstatus = {3 * cell}\ngross = {3 * cell + 1}\n" for cell in range(CELLS)
    )
    return PROFILE.format(count=3 * CELLS, cells=cells)


class Shelf(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._polls = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        while len(data) >= 12:
            transaction, _, _, unit, function, _, count = struct.unpack_from("!HHHBBHH", data)
            data = data[12:]
            self._polls += 1
            words: list[int] = []
            for cell in range(CELLS):
                words += [0b10, 0, 12_800 + 1000 * cell + self._polls % 2]
            body = struct.pack(f"!BBB{count}H", unit, function, 2 * count, *words[:count])
            self._transport.write(struct.pack("!HHH", transaction, 0, len(body)) + body)


async def main(links: int) -> None:
    """Serve until ended."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Shelf, "127.0.0.1", 0) for _ in range(links)]
    ports = [str(server.sockets[0].getsockname()[1]) for server in servers]
    sys.stdout.write(" ".join(ports) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
