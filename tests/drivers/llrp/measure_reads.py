"""Measure what a read costs from bytes to TagReport. Run by hand:

python -m tests.drivers.llrp.measure_reads
"""

import asyncio
import statistics
import struct
import sys
from collections.abc import Callable
from random import Random
from time import process_time_ns

from drivers.llrp.frames import FrameCutter
from drivers.llrp.observer import Observer
from drivers.llrp.outbox import Outbox
from drivers.llrp.session import Session
from drivers.llrp.settings import LlrpSettings
from drivers.llrp.transport import Connection
from gateway.model import Ns, Observation, TagReport
from gateway.ports import DriverContext
from tests.drivers.llrp.wire import custom, message, tlv
from tests.virtual_time import VirtualClock, run

EPCS = 1000
READS = 40_000
ROUNDS = 15
TURN_NS = 5_000_000


def tags(impinj: bool) -> list[bytes]:
    """TagReportData of 51 bytes, or 93 with the Impinj parameters."""
    extra = b""
    if impinj:
        extra = custom(25882, 56, b"\x01\x02") + custom(25882, 57, b"\xec\x00")
        extra += custom(25882, 68, b"\xff\xf0")
    return [
        tlv(
            240,
            b"\x8d" + number.to_bytes(12)
            + struct.pack("!BI", 0x89, 1)
            + struct.pack("!BH", 0x81, 1 + number % 4)
            + struct.pack("!Bb", 0x86, -40)
            + struct.pack("!BH", 0x87, 1)
            + struct.pack("!BQ", 0x82, 1_000_000_000)
            + struct.pack("!BQ", 0x84, 1_000_000_000)
            + struct.pack("!BH", 0x88, 1)
            + extra,
        )
        for number in range(EPCS)
    ]  # fmt: skip


class Sink:
    def __init__(self) -> None:
        self.reads = 0

    async def __call__(self, observation: Observation, _: Ns = 0) -> None:
        if isinstance(observation, TagReport):
            self.reads += len(observation.reads)

    def blind(self, lost: int, reason: str) -> None:
        raise AssertionError((lost, reason))


async def measure(impinj: bool, per_message: int, per_segment: int) -> float:
    """Microseconds of CPU per read: TCP segments of some messages each, a turn of 5 ms."""
    cost = statistics.median(
        [await _round(impinj, per_message, per_segment) for _ in range(ROUNDS)]
    )
    return cost / 1000 / READS


async def _round(impinj: bool, per_message: int, per_segment: int) -> int:
    def count(name: str, amount: int = 1) -> None:
        raise AssertionError((name, amount))

    records = tags(impinj)
    messages = [
        message(61, b"".join(records[(start + i) % EPCS] for i in range(per_message)))
        for start in range(0, READS, per_message)
    ]
    segments = [
        b"".join(messages[start : start + per_segment])
        for start in range(0, len(messages), per_segment)
    ]
    clock, sink = VirtualClock(), Sink()
    outbox = Outbox("dock", clock, 60_000_000_000, count)
    context = DriverContext("dock", clock, Random(1), count)
    observer = Observer(LlrpSettings(host="reader", lateness_s=60), context, outbox, {})
    connection = Connection(FrameCutter())
    connection.receiver = Session(connection, observer, count)
    drain = asyncio.create_task(outbox.drain(sink))
    feed: Callable[[bytes], None] = connection.data_received
    started = process_time_ns()
    for _ in range(READS // 5):
        await asyncio.sleep(TURN_NS / 1e9)
    idle = process_time_ns() - started
    started = process_time_ns()
    for number, segment in enumerate(segments):
        feed(segment)
        if number * per_segment * per_message % 5 == 0:  # 5 reads a turn: 1,000 reads/s
            await asyncio.sleep(TURN_NS / 1e9)
    outbox.finish()
    await drain
    spent = process_time_ns() - started - idle
    assert sink.reads == READS
    return spent


def main() -> None:
    lines = ["CPU per read in microseconds, 5 reads a report, the bench's own loop turns left out:"]
    for impinj, per_message in ((False, 1), (True, 1), (False, 10), (True, 10)):
        cost = run(measure(impinj, per_message, 1))
        size = 93 if impinj else 51
        lines.append(f"{size} B a tag, {per_message:2} tags a message: {cost:.2f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
