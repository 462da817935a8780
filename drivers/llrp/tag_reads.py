"""From records of a report to tag reads: the one place that runs for every single read."""

from gateway.model import NS_PER_S, Ns, ReadPoint, TagRead
from gateway.ports import Counter

from .reader_time import ReaderTime
from .template import Record

EPCS_MAX = 131_072
"""EPC strings kept, so that one tag is one string in the whole gateway: the 100,000 known tags
of the memory budget and room for strays. When full it starts anew."""

HELD_MAX_NS = 7 * 86_400 * NS_PER_S
"""Oldest stamp that is believed. Readers hold back reads for as long as the link is down, or the
gateway stalls, and their buffer lasts; older than a week is a clock that went wrong."""

UNKNOWN_ANTENNA = 0

_new_tuple = tuple.__new__  # TagRead's own constructor costs twice as much, on every read


class TagReads:
    """Builds the tag reads of one device. The reader's clock is replaced on every connection."""

    def __init__(
        self, device: str, rssi_floor_dbm: int | None, late_ns: Ns, count: Counter
    ) -> None:
        self.reader_time = ReaderTime()
        self._device = device
        self._floor_cdbm = -1_000_000 if rssi_floor_dbm is None else rssi_floor_dbm * 100
        self._late_ns = late_ns
        self._count = count
        self._epcs: dict[bytes | None, str] = {}
        self._read_points: dict[int | None, ReadPoint] = {}

    def build(
        self, records: list[Record], received: Ns, report_at: Ns, *, uptime: bool = False
    ) -> list[TagRead]:
        """Return the reads with their ages at the later moment `report_at`, in their order.

        Reads older than `late_ns` on arrival are counted as `reads_late`: the reader held them.
        """
        reads: list[TagRead] = []
        append, epcs, points = reads.append, self._epcs, self._read_points
        # The anchor is never later than the newest stamp: no age is below that of the arrival.
        arrival_age = report_at - received
        oldest_age = arrival_age + self._late_ns
        origin = report_at - self._offset(records, received, uptime)
        late = 0
        for epc_bytes, antenna, rssi, seen, first, last, phase, cdbm, doppler in records:
            epc = epcs.get(epc_bytes) or self._new_epc(epc_bytes)
            if not epc:
                continue
            strength = rssi * 100 if cdbm is None and rssi is not None else cdbm
            if strength is not None and strength < self._floor_cdbm:
                self._count("reads_below_floor")
                continue
            stamp = last or first
            if stamp is None:
                age = arrival_age
            else:
                age = origin - stamp * 1000
                if age > oldest_age:
                    late += 1
                    age = self._believed(age, arrival_age)
            span = (stamp - first) * 1000 if stamp and first and first < stamp else 0
            append(
                _new_tuple(
                    TagRead,
                    (
                        points.get(antenna) or self._new_point(antenna),
                        epc,
                        strength,
                        seen or 1,
                        age,
                        span,
                        phase,
                        doppler,
                        stamp,
                    ),
                )
            )
        if late:
            self._count("reads_late", late)
        return reads

    def _offset(self, records: list[Record], received: Ns, uptime: bool) -> Ns:
        newest = 0
        for record in records:
            stamp = record[5] or record[4]
            if stamp is not None and stamp > newest:
                newest = stamp
        return self.reader_time.see_reads(received, newest, uptime=uptime) if newest else 0

    def _believed(self, age: Ns, arrival_age: Ns) -> Ns:
        if age <= arrival_age + HELD_MAX_NS:
            return age
        self._count("stamps_implausible")
        return arrival_age

    def _new_epc(self, epc_bytes: bytes | None) -> str:
        if not epc_bytes:
            self._count("tags_without_epc")
            return ""
        if len(self._epcs) >= EPCS_MAX:
            self._epcs.clear()
        epc = self._epcs[epc_bytes] = epc_bytes.hex()
        return epc

    def _new_point(self, antenna: int | None) -> ReadPoint:
        if antenna is None:
            self._count("reads_without_antenna")
            return f"{self._device}:{UNKNOWN_ANTENNA}"
        # Bounded by the 16 bits of an antenna id.
        point = self._read_points[antenna] = f"{self._device}:{antenna}"
        return point
