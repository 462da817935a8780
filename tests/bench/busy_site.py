"""A busy site in a process of its own: a reader with 1,000 tags, and shelves that change.

`python -m tests.bench.busy_site`: prints the port of an LLRP reader (1,000 reads a second on four
antennas) and of a link of four shelves of eight cells, on which some six cells a second are taken
from or put back to. Another line is printed at the first poll.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from random import Random

from simulators.llrp import LlrpReader, StillField
from simulators.llrp.radio import RadioSettings
from simulators.llrp.reader import Options
from tests.bench.shelf_server import CELLS
from tests.bench.site import ANTENNAS, EPCS, epc

UNITS = 4
PIECE_DECIGRAMS = 214
CHANGE_S = (2.0, 8.0)
READS_PER_S = 1000.0


class BusyShelves(asyncio.Protocol):
    """Four units of eight cells; each changes by one piece now and then."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._pieces = [10] * UNITS * CELLS
        self._due = [random.uniform(6.0, 10.0) for _ in range(UNITS * CELLS)]
        self._begin = asyncio.get_running_loop().time()
        self._transport: asyncio.Transport | None = None
        self._polled = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if not self._polled:
            self._polled = True
            sys.stdout.write("polled\n")
            sys.stdout.flush()
        now = asyncio.get_running_loop().time() - self._begin
        while len(data) >= 12:
            transaction, _, _, unit, function, _, count = struct.unpack_from("!HHHBBHH", data)
            data = data[12:]
            words: list[int] = []
            for cell in range((unit - 1) * CELLS, unit * CELLS):
                if now >= self._due[cell]:
                    self._pieces[cell] += 1 if self._pieces[cell] == 9 else -1
                    self._due[cell] = now + self._random.uniform(*CHANGE_S)
                noise = self._random.randint(-1, 1)
                words += [0b10, 0, PIECE_DECIGRAMS * self._pieces[cell] + noise]
            body = struct.pack(f"!BBB{count}H", unit, function, 2 * count, *words[:count])
            self._transport.write(struct.pack("!HHH", transaction, 0, len(body)) + body)


async def main() -> None:
    """Serve until ended."""
    loop = asyncio.get_running_loop()
    random = Random(5)
    server = await loop.create_server(lambda: BusyShelves(random), "127.0.0.1", 0)
    field = StillField(
        [epc(number) for number in range(EPCS)], random, antennas=range(1, ANTENNAS + 1)
    )
    options = Options(radio=RadioSettings(reads_per_s=READS_PER_S))
    async with LlrpReader(field, random, options) as reader:
        sys.stdout.write(f"{reader.port} {server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
