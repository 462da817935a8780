"""RO_ACCESS_REPORT: the tag reads of a reader (LLRP 1.1 sections 14.2.3 and 17.2.7.3).

A reader repeats one and the same shape of TagReportData for as long as its report selector stays:
each shape is walked once and read by its template from then on.
"""

from gateway.ports import ProtocolError

from .frames import HEADER_BYTES, shown, type_of
from .template import (
    NO_RECORD,
    NO_TEMPLATE,
    TAG_REPORT_DATA,
    Record,
    Template,
    UnknownTvError,
    parameter_length,
    template_of,
)

RO_ACCESS_REPORT = 61

TEMPLATES_MAX = 64
"""Shapes kept. A reader has a handful; a peer that invents shapes must not fill the memory."""

_integer = int.from_bytes
_ABSENT = (None,)  # stands behind the values of a record, for the slots that it lacks
_KEY_BYTES = 5  # type and length of the record, first byte of its first parameter


class ReportDecoder:
    """Decodes the reports of one connection.

    A reader may leave out a parameter that is the same as in the tag before (LLRP 1.1 section
    14.2.3): it is carried over, within one connection. `tags_given_up` counts records that held
    a TV parameter of unknown type.
    """

    def __init__(self, antenna: int | None = None) -> None:
        """Take the antenna that reads are from when the reader never tells one."""
        self.tags_given_up = 0
        self._templates: dict[bytes, list[Template]] = {}
        self._template_count = 0
        self._latest = NO_TEMPLATE
        self._previous: Record = (None, antenna, *NO_RECORD[2:])

    @property
    def uptime(self) -> bool:
        """Whether the stamps of the last report are uptime, not UTC."""
        return self._latest.uptime

    def decode(self, frame: bytes) -> list[Record]:
        """Return the tag reads of one whole frame, in its order; ProtocolError if malformed."""
        if type_of(frame) != RO_ACCESS_REPORT or int.from_bytes(frame[2:6]) != len(frame):
            raise ProtocolError(f"not one whole RO_ACCESS_REPORT: {shown(frame)}")
        records: list[Record] = []
        template, previous = self._latest, self._previous
        size, mask, headers, unpack_from, pick, partial, _ = template
        position, end = HEADER_BYTES, len(frame)
        while position < end:
            # All headers of the record are compared at once, as one large integer.
            if (
                position + size > end
                or _integer(frame[position : position + size]) & mask != headers
            ):
                length = parameter_length(frame, position, end)
                found = self._template_of(frame, position, position + length)
                if found is None:
                    position += length
                    continue
                self._latest = found
                size, mask, headers, unpack_from, pick, partial, _ = found
            record = pick(unpack_from(frame, position) + _ABSENT)
            if partial:
                record = _completed(record, previous, partial)
            previous = record
            records.append(record)
            position += size
        self._previous = previous
        return records

    def _template_of(self, frame: bytes, start: int, end: int) -> Template | None:
        """Find or make the template of a record; None if it is no tag or cannot be read."""
        kept = self._templates.get(frame[start : start + _KEY_BYTES], ())
        content = _integer(frame[start:end])
        for template in kept:
            if content & template.mask == template.headers:
                return template
        return self._learn(frame, start, end)

    def _learn(self, frame: bytes, start: int, end: int) -> Template | None:
        if _integer(frame[start : start + 2]) != TAG_REPORT_DATA:
            return None
        try:
            template = template_of(frame, start, end)
        except UnknownTvError:
            self.tags_given_up += 1
            return None
        if self._template_count >= TEMPLATES_MAX:
            self._templates.clear()
            self._template_count = 0
        self._template_count += 1
        self._templates.setdefault(frame[start : start + _KEY_BYTES], []).append(template)
        return template


def _completed(record: Record, previous: Record, epc_mask: int) -> Record:
    """Fill in what the reader left out, and clear the unused bits of an odd EPC."""
    epc, antenna, rssi, seen, first, last, *impinj = record
    _, antenna_before, rssi_before, seen_before, first_before, last_before, *_ = previous
    if epc:
        epc = epc[:-1] + bytes((epc[-1] & epc_mask,))
    return (
        epc,
        antenna_before if antenna is None else antenna,
        rssi_before if rssi is None else rssi,
        seen_before if seen is None else seen,
        first_before if first is None else first,
        last_before if last is None else last,
        impinj[0],
        impinj[1],
        impinj[2],
    )
