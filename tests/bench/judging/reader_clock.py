"""What the LLRP driver makes of the stamps of a reader whose clock was set.

Worlds tell how old reads are. From the moment at which a reader's clock is set its reads carry
stamps of that clock instead, and the driver's own code makes ages of them.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.llrp.reader_time import ReaderTime
from drivers.llrp.tag_reads import TagReads
from drivers.llrp.template import Record
from gateway.model import NS_PER_S, Ns, TagReport
from simulators.world.truth import Read, Reads

UTC_NS = 1_767_225_600 * NS_PER_S
"""What the reader's clock shows when the gateway's shows nothing: anything that is far from it."""


class ReaderClock:
    """The clock of one reader, which stamped its reads right until `at`. Times (ns) are the
    gateway's.
    """

    def __init__(self, device: str, at: Ns, late_ns: Ns, count: Callable[..., None]) -> None:
        self._reads = TagReads(device, None, late_ns, count)
        self._set: list[tuple[Ns, int]] = [(0, UTC_NS)]
        self.connect(at)
        self._reads.reader_time.see_reads(at, self._stamp_us(at))

    def connect(self, at: Ns) -> None:
        """A connection begins; the reader tells its time in its first event."""
        self._reads.reader_time = ReaderTime()
        self._reads.reader_time.see_event(at, self._stamp_us(at))

    def set(self, at: Ns, span_ns: int) -> None:
        """Set the clock forward; later reads carry its new time."""
        self._set.append((at, self._set[-1][1] + span_ns))

    def report(self, reads: Reads, told_at: Ns, received: Ns) -> TagReport:
        """The reads as the driver hands them over; `told_at` is when they were sent."""
        records = [self._record(read, told_at) for read in reads.reads]
        return TagReport(reads.device, tuple(self._reads.build(records, received, received)))

    def _record(self, read: Read, told_at: Ns) -> Record:
        antenna, stamp = int(read.point.rpartition(":")[2]), self._stamp_us(told_at - read.age_ns)
        epc = bytes.fromhex(read.epc)
        return (epc, antenna, None, 1, stamp, stamp, None, read.rssi_cdbm, None)

    def _stamp_us(self, at: Ns) -> int:
        offset = next(offset for since, offset in reversed(self._set) if at >= since or not since)
        return (at + offset) // 1000
