"""Templates of TagReportData (LLRP 1.1 section 17.2.7.3.1): one record's shape, ready to be used.

The first record of a shape is walked parameter by parameter, strictly. The walk leaves a mask that
checks every parameter header at once and a `struct` that takes every value at once.
"""

import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from gateway.ports import ProtocolError

from .frames import shown

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

TAG_REPORT_DATA = 240
_EPC_DATA = 241
_CUSTOM = 1023
_EPC_96 = 13
_IMPINJ = 25882

_UPTIME = (3, 5)

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

_two = struct.Struct("!HH").unpack_from
_three = struct.Struct("!HHH").unpack_from
_custom_head = struct.Struct("!HHII").unpack_from


class UnknownTvError(Exception):
    """A TV parameter of unknown type: without a length, the rest of that tag is unreadable."""


class Template(NamedTuple):
    """How to read all records of one shape.

    A record is of it if it has `size` bytes that, as one integer under `mask`, are `headers`.
    `pick` makes the record of the unpacked values with one None behind them.
    """

    size: int
    mask: int
    headers: int
    unpack_from: Callable[[bytes, int], tuple[Any, ...]]
    pick: Callable[[tuple[Any, ...]], Record]
    partial: int  # 0, or what the last byte of the EPC is masked with
    uptime: bool  # whether its stamps are uptime


NO_TEMPLATE = Template(0, 0, 1, lambda _, __: (), lambda _: NO_RECORD, 0, False)


def parameter_length(frame: bytes, position: int, end: int) -> int:
    """Length of the TLV parameter at `position`, checked against where its parent ends."""
    if end - position >= 4:
        kind, length = _two(frame, position)
        if kind <= 0x3FF and 4 <= length <= end - position:
            return int(length)
    raise ProtocolError(f"a parameter overruns its parent at byte {position}: {shown(frame)}")


def template_of(frame: bytes, start: int, end: int) -> Template:
    """Walk the record from `start` to `end`; return its template.

    Raises UnknownTvError where the rest of the record cannot be read, ProtocolError where the
    record contradicts itself.
    """
    shape = _Shape()
    shape.header(frame[start : start + 4])
    position = start + 4
    while position < end:
        walk = _walk_tv if frame[position] & 0x80 else _walk_tlv
        position = walk(shape, frame, position, end)
    absent = shape.values  # where the None behind the values comes to stand
    partial = any(slot not in shape.slots for slot in _CARRIED) or shape.epc_mask != 0xFF
    return Template(
        size=end - start,
        mask=int.from_bytes(shape.mask),
        headers=int.from_bytes(shape.headers),
        unpack_from=struct.Struct(shape.format).unpack_from,
        pick=itemgetter(*(shape.slots.get(slot, absent) for slot in range(len(NO_RECORD)))),
        partial=shape.epc_mask if partial else 0,
        uptime=shape.uptime,
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
        self.uptime = False

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


def _walk_tv(shape: _Shape, frame: bytes, position: int, end: int) -> int:
    known = _TV.get(frame[position] & 0x7F)
    if known is None:
        raise UnknownTvError
    code, slot = known
    after = position + 1 + struct.calcsize("!" + code)
    if after > end:
        raise ProtocolError(f"a parameter overruns its tag at byte {position}: {shown(frame)}")
    shape.header(frame[position : position + 1])
    shape.uptime |= frame[position] & 0x7F in _UPTIME
    if slot is None:
        shape.skip(struct.calcsize(code))
    else:
        shape.value(code, slot)
    return after


def _walk_tlv(shape: _Shape, frame: bytes, position: int, end: int) -> int:
    length = parameter_length(frame, position, end)
    kind, _ = _two(frame, position)
    if kind == _EPC_DATA:
        _walk_epc_data(shape, frame, position, length)
    elif kind == _CUSTOM and length >= 12:
        _walk_custom(shape, frame, position, length)
    else:
        shape.header(frame[position : position + 4])
        shape.skip(length - 4)
    return position + length


def _walk_custom(shape: _Shape, frame: bytes, position: int, length: int) -> None:
    _, _, vendor, subtype = _custom_head(frame, position)
    shape.header(frame[position : position + 12])
    known = _IMPINJ_VALUES.get(subtype) if vendor == _IMPINJ and length >= 14 else None
    if known is None:
        shape.skip(length - 12)
    else:
        shape.value(*known)
        shape.skip(length - 14)


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
