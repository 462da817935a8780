"""A simulated reader in a process of its own that sends ready-made reports as fast as it can.

`python -m tests.bench.blast`: prints its port, handshakes with a client, and after the client has
started its inventory sends one read per report: 1,000 EPCs on 4 antennas, 51 bytes a tag. First for
some seconds at a slow pace, so that every tag is present, then as fast as the client takes them.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import Callable
from random import Random

from simulators.llrp import LlrpReader, StillField
from tests.bench.site import ANTENNAS, EPCS, epc

REPORTS_A_LOT = 200
WARM_READS = 20_000
WARM_LOT_GAP_S = 0.03
READS = 220_000


def report(number: int, stamp: int) -> bytes:
    """One RO_ACCESS_REPORT with one TagReportData: EPC-96 and the usual seven parameters."""
    antenna = number % EPCS % ANTENNAS + 1
    tag = (
        b"\x8d"
        + epc(number % EPCS)
        + struct.pack("!BI", 0x89, 1)
        + struct.pack("!BH", 0x81, antenna)
        + struct.pack("!Bb", 0x86, -45)
        + struct.pack("!BH", 0x87, 1)
        + struct.pack("!BQ", 0x82, stamp)
        + struct.pack("!BQ", 0x84, stamp)
        + struct.pack("!BH", 0x88, 1)
    )
    body = struct.pack("!HH", 240, 4 + len(tag)) + tag
    return struct.pack("!HII", 0x400 | 61, 10 + len(body), number & 0xFFFFFFFF) + body


async def send(reader: LlrpReader) -> None:
    """Send everything to the client that inventories now, as fast as it takes it."""
    session = reader._client
    assert session is not None
    for start in range(0, READS, REPORTS_A_LOT):
        stamp = reader.clock.stamp_us()
        numbers = range(start, start + REPORTS_A_LOT)
        session.send(b"".join(report(number, stamp) for number in numbers))
        await asyncio.sleep(WARM_LOT_GAP_S if start < WARM_READS else 0)
        await until(lambda: session.writable or session.closing)


async def until(done: Callable[[], bool]) -> None:
    """Look every millisecond: nothing else happens in this process."""
    while not done():  # noqa: ASYNC110 - the simulated reader has no such event
        await asyncio.sleep(0.001)


async def main() -> None:
    """Serve one client, then wait to be ended."""
    async with LlrpReader(StillField([], Random(1)), Random(1)) as reader:
        sys.stdout.write(f"{reader.port}\n")
        sys.stdout.flush()
        await until(lambda: reader.inventorying)
        await send(reader)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
