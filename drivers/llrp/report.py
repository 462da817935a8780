"""RO_ACCESS_REPORT: the tag reads of a reader (LLRP 1.1 sections 14.2.3 and 17.2.7.3).

A reader repeats one and the same shape of TagReportData for as long as its report selector
stays. The first record of a shape is walked parameter by parameter, strictly, and the walk leaves
a template: one `struct` that checks every parameter header and takes every value at once.
"""

import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from gateway.ports import ProtocolError

from .frames import HEADER_BYTES, shown, type_of

RO_ACCESS_REPORT = 61

TEMPLATES_MAX = 64
"""Shapes kept. A reader has a handful; a peer that invents shapes must not fill the memory."""

Record: TypeAlias = tuple[
    bytes | None,  # EPC, whole bytes, unused bits of the last one zero
    int | None,  # antenna
    int | None,  # peak RSSI, dBm
    int | None,  # seen count
    int | None,  # first seen, microseconds of the reader's clock
    int | None,  # last seen, likewise
    int | None,  # Impinj: phase, 4096ths of a turn
    int | None,  # Impinj: RSSI, hundredths of a dBm
    int | None,  # Impinj: doppler, sixteenths of a hertz
]

_EPC, _ANTENNA, _RSSI, _COUNT, _FIRST, _LAST, _PHASE, _RSSI_CDBM, _DOPPLER = range(9)
_CARRIED = (_ANTENNA, _RSSI, _COUNT, _FIRST, _LAST)
NO_RECORD: Record = (None, None, None, None, None, None, None, None, None)

_TAG_REPORT_DATA = 240
_EPC_DATA = 241
_CUSTOM = 1023
_EPC_96 = 13
_IMPINJ = 25882

# Parameters without a length (TV) by type: format of the value, and where it goes. UTC and
# uptime stamps share a slot: a reader has one kind of clock.
_TV: dict[int, tuple[str, int | None]] = {
    1: ("H", _ANTENNA),
    2: ("Q", _FIRST),
    3: ("Q", _FIRST),
    4: ("Q", _LAST),
    5: ("Q", _LAST),
    6: ("b", _RSSI),
    7: ("2x", None),  # channel index
    8: ("H", _COUNT),
    9: ("4x", None),  # ROSpec id
    10: ("2x", None),  # inventory parameter spec id
    11: ("2x", None),  # C1G2 CRC
    12: ("2x", None),  # C1G2 PC
    _EPC_96: ("12s", _EPC),
    14: ("2x", None),  # spec index
    15: ("2x", None),  # client request OpSpec result
    16: ("4x", None),  # AccessSpec id
    17: ("2x", None),  # OpSpec id
    18: ("4x", None),  # C1G2 singulation details
    19: ("2x", None),  # C1G2 XPC W1
    20: ("2x", None),  # C1G2 XPC W2
}
_IMPINJ_VALUES: dict[int, tuple[str, int]] = {
    56: ("H", _PHASE),
    57: ("h", _RSSI_CDBM),
    68: ("h", _DOPPLER),
}

_integer = int.from_bytes
_two = struct.Struct("!HH").unpack_from
_three = struct.Struct("!HHH").unpack_from
_custom_head = struct.Struct("!HHII").unpack_from
_ABSENT = (None,)  # stands behind the values of a record, for the slots that it lacks
_KEY_BYTES = 5  # type and length of the record, first byte of its first parameter


class _UnknownTvError(Exception):
    """A TV parameter of unknown type: without a length, the rest of that tag is unreadable."""


class _Template(NamedTuple):
    size: int
    mask: int  # ones where the headers of the parameters are
    headers: int
    unpack_from: Callable[[bytes, int], tuple[Any, ...]]
    pick: Callable[[tuple[Any, ...]], Record]
    partial: int  # 0, or what the last byte of the EPC is masked with


_NO_TEMPLATE = _Template(0, 0, 1, lambda _, __: (), lambda _: NO_RECORD, 0)


class ReportDecoder:
    """Decodes the reports of one connection.

    A reader may leave out a parameter that is the same as in the tag before (LLRP 1.1 section
    14.2.3): it is carried over, within one connection. `tags_given_up` counts records that held
    a TV parameter of unknown type.
    """

    def __init__(self, antenna: int | None = None) -> None:
        """Take the antenna that reads are from when the reader never tells one."""
        self.tags_given_up = 0
        self._templates: dict[bytes, list[_Template]] = {}
        self._template_count = 0
        self._latest = _NO_TEMPLATE
        self._previous: Record = (None, antenna, *NO_RECORD[2:])

    def decode(self, frame: bytes) -> list[Record]:
        """Return the tag reads of one whole frame, in its order; ProtocolError if malformed."""
        if type_of(frame) != RO_ACCESS_REPORT or int.from_bytes(frame[2:6]) != len(frame):
            raise ProtocolError(f"not one whole RO_ACCESS_REPORT: {shown(frame)}")
        records: list[Record] = []
        template, previous = self._latest, self._previous
        size, mask, headers, unpack_from, pick, partial = template
        position, end = HEADER_BYTES, len(frame)
        while position < end:
            # All headers of the record are compared at once, as one large integer.
            if (
                position + size > end
                or _integer(frame[position : position + size]) & mask != headers
            ):
                length = _parameter_length(frame, position, end)
                found = self._template_of(frame, position, position + length)
                if found is None:
                    position += length
                    continue
                self._latest = found
                size, mask, headers, unpack_from, pick, partial = found
            record = pick(unpack_from(frame, position) + _ABSENT)
            if partial:
                record = _completed(record, previous, partial)
            previous = record
            records.append(record)
            position += size
        self._previous = previous
        return records

    def _template_of(self, frame: bytes, start: int, end: int) -> _Template | None:
        """Find or make the template of a record; None if it is no tag or cannot be read."""
        kept = self._templates.get(frame[start : start + _KEY_BYTES], ())
        content = _integer(frame[start:end])
        for template in kept:
            if content & template.mask == template.headers:
                return template
        return self._learn(frame, start, end)

    def _learn(self, frame: bytes, start: int, end: int) -> _Template | None:
        kind, _ = _two(frame, start)
        if kind != _TAG_REPORT_DATA:
            return None
        try:
            template = _template(frame, start, end)
        except _UnknownTvError:
            self.tags_given_up += 1
            return None
        if self._template_count >= TEMPLATES_MAX:
            self._templates.clear()
            self._template_count = 0
        self._template_count += 1
        self._templates.setdefault(frame[start : start + _KEY_BYTES], []).append(template)
        return template


def _parameter_length(frame: bytes, position: int, end: int) -> int:
    """Length of the TLV parameter at `position`, checked against where its parent ends."""
    if end - position >= 4:
        kind, length = _two(frame, position)
        if kind <= 0x3FF and 4 <= length <= end - position:
            return int(length)
    raise ProtocolError(f"a parameter overruns its parent at byte {position}: {shown(frame)}")


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


class _Shape:
    """What a walk over one record finds: where headers stand, and where values and what they are.

    The length of a record is in its first header, so that a template fits records of its size.
    """

    def __init__(self) -> None:
        self.format = "!"
        self.mask = bytearray()
        self.headers = bytearray()
        self.values = 0
        self.slots: dict[int, int] = {}
        self.epc_mask = 0xFF

    def header(self, content: bytes) -> None:
        self.format += f"{len(content)}x"
        self.mask += b"\xff" * len(content)
        self.headers += content

    def value(self, code: str, slot: int) -> None:
        self.slots[slot] = self.values
        self.values += 1
        self.format += code
        self._unchecked(struct.calcsize("!" + code))

    def skip(self, count: int) -> None:
        self.format += f"{count}x"
        self._unchecked(count)

    def _unchecked(self, count: int) -> None:
        self.mask += bytes(count)
        self.headers += bytes(count)


def _template(frame: bytes, start: int, end: int) -> _Template:
    shape = _Shape()
    shape.header(frame[start : start + 4])
    position = start + 4
    while position < end:
        walk = _walk_tv if frame[position] & 0x80 else _walk_tlv
        position = walk(shape, frame, position, end)
    absent = shape.values  # where _ABSENT comes to stand
    partial = any(slot not in shape.slots for slot in _CARRIED) or shape.epc_mask != 0xFF
    return _Template(
        size=end - start,
        mask=_integer(shape.mask),
        headers=_integer(shape.headers),
        unpack_from=struct.Struct(shape.format).unpack_from,
        pick=itemgetter(*(shape.slots.get(slot, absent) for slot in range(len(NO_RECORD)))),
        partial=shape.epc_mask if partial else 0,
    )


def _walk_tv(shape: _Shape, frame: bytes, position: int, end: int) -> int:
    known = _TV.get(frame[position] & 0x7F)
    if known is None:
        raise _UnknownTvError
    code, slot = known
    after = position + 1 + struct.calcsize("!" + code)
    if after > end:
        raise ProtocolError(f"a parameter overruns its tag at byte {position}: {shown(frame)}")
    shape.header(frame[position : position + 1])
    if slot is None:
        shape.skip(struct.calcsize(code))
    else:
        shape.value(code, slot)
    return after


def _walk_tlv(shape: _Shape, frame: bytes, position: int, end: int) -> int:
    length = _parameter_length(frame, position, end)
    kind, _ = _two(frame, position)
    if kind == _EPC_DATA:
        _walk_epc_data(shape, frame, position, length)
    elif kind == _CUSTOM and length >= 14 and _custom_head(frame, position)[2] == _IMPINJ:
        shape.header(frame[position : position + 12])
        code, slot = _IMPINJ_VALUES.get(_custom_head(frame, position)[3], ("2x", None))
        if slot is None:
            shape.skip(length - 12)
        else:
            shape.value(code, slot)
            shape.skip(length - 14)
    else:
        shape.header(frame[position : position + 4])
        shape.skip(length - 4)
    return position + length


def _walk_epc_data(shape: _Shape, frame: bytes, position: int, length: int) -> None:
    """EPCData says its length in bits; the last byte may be used in part."""
    bits = _three(frame, position)[2] if length >= 6 else -1
    size = (bits + 7) // 8
    if bits < 0 or 6 + size > length:
        raise ProtocolError(f"an EPC overruns its parameter at byte {position}: {shown(frame)}")
    shape.header(frame[position : position + 6])
    shape.value(f"{size}s", _EPC)
    shape.skip(length - 6 - size)
    shape.epc_mask = 0xFF << (-bits % 8) & 0xFF
