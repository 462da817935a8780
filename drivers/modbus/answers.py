"""Judges raw answers before the library sees them; knows bytes only, no I/O and no clock.

The library skips a foreign transaction id or unit id in silence, takes a late RTU answer for the
reply to the next request, takes fewer registers than were asked for, and lets an undecodable
frame escape into the event loop. So nothing but the exact answer that is awaited is handed on.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from gateway.ports import ProtocolError

ABANDONED_MAX = 64
"""Transaction ids given up and still remembered: two minutes of a unit that never answers."""

MBAP_LENGTH_MAX = 254
"""Unit id and PDU (Modbus Messaging on TCP/IP 1.0b, 3.1.3; PDU at most 253 bytes)."""

RTU_EXCEPTION_LENGTH = 5
RTU_OVERHEAD = 3
"""Unit id before the PDU, CRC of two bytes behind it."""

_MBAP = Struct(">HHHBB")
_MBAP_LENGTH = 6


class UnitError(ProtocolError):
    """One unit did not answer as it should; the link and its other units are fine.

    `kind` is a stable name that is counted: timeout, exception, garbage, short_answer,
    wrong_unit, stalled.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


class DesyncError(ProtocolError):
    """The stream cannot be trusted any more: the connection has to be made anew.

    `unit_asked` tells whether it came while a unit was asked, who may then be the culprit.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.unit_asked = False


class Expected(NamedTuple):
    """The answer awaited: `body` is the PDU after its function code (of a read, its count only)."""

    unit: int
    function: int
    body: bytes
    length: int

    def fits(self, pdu: bytes) -> bool:
        """Whether this PDU (function code first) is the answer, or the exception in its place."""
        if pdu[0] == self.function | 0x80:
            return len(pdu) == 2
        fits = pdu[0] == self.function and len(pdu) == 1 + self.length
        return fits and self.begins(pdu[1:])

    def begins(self, data: bytes) -> bool:
        """Whether these bytes after the function code can still become the answer."""
        return data[: len(self.body)] == self.body[: len(data)]


def read_answer(unit: int, function: int, count: int) -> Expected:
    """Return what answers a read of `count` registers."""
    return Expected(unit, function, bytes([2 * count]), 1 + 2 * count)


def write_answer(unit: int, address: int, value: int, function: int = 6) -> Expected:
    """Return what answers a write of one register, or of one coil by function 5: its echo."""
    echo = address.to_bytes(2, "big") + value.to_bytes(2, "big")
    return Expected(unit, function, echo, len(echo))


class TcpAnswers:
    """Modbus TCP: transaction ids tell answers apart, so a late one is known and dropped."""

    def __init__(self) -> None:
        self.late = 0
        self._awaited: Expected | None = None
        self._transaction = 0
        self._abandoned: dict[int, bool] = {}

    def await_answer(self, expected: Expected) -> None:
        """The next frame sent asks for this."""
        self._awaited = expected

    def sent(self, frame: bytes) -> None:
        """Note the transaction id of the request that goes out."""
        self._transaction = int.from_bytes(frame[:2], "big")

    def give_up(self) -> None:
        """The answer to the last request, should it still come, is late."""
        self._awaited = None
        self._abandoned[self._transaction] = False
        if len(self._abandoned) > ABANDONED_MAX:
            del self._abandoned[next(iter(self._abandoned))]

    def answered(self) -> None:
        """The answer has arrived."""
        self._awaited = None

    def received(self, buffer: bytes) -> bytes:
        """Return the leading part of `buffer` that may be taken; raise DesyncError or UnitError."""
        at = 0
        while len(buffer) - at >= _MBAP.size:
            transaction, protocol, length, unit, _ = _MBAP.unpack_from(buffer, at)
            if protocol or not 3 <= length <= MBAP_LENGTH_MAX:
                raise DesyncError("garbage", f"no Modbus frame: {buffer[at : at + 16].hex()}")
            end = at + _MBAP_LENGTH + length
            if self._awaited is None or transaction != self._transaction:
                self._expect_late(transaction, complete=end <= len(buffer))
                if end > len(buffer) or self._awaited is None:
                    return buffer[:at] if self._awaited else b""
                at = end
                continue
            self._check_unit(unit)
            if end > len(buffer):
                return buffer[:at]
            self._check_body(buffer[at + _MBAP.size - 1 : end])
            return buffer[:end]
        return buffer[:at]

    def _expect_late(self, transaction: int, *, complete: bool) -> None:
        counted = self._abandoned.get(transaction)
        if counted is None:
            raise DesyncError("wrong_transaction", f"answer {transaction} belongs to no request")
        if complete and not counted:
            self._abandoned[transaction] = True
            self.late += 1

    def _check_unit(self, unit: int) -> None:
        assert self._awaited is not None
        # A device asked as unit 0 (it has TCP to itself) may answer with any unit id. Else a
        # gateway has mixed up its own line: the transaction id is right, so ours is in step.
        if self._awaited.unit not in (0, unit):
            raise UnitError("wrong_unit", f"asked unit {self._awaited.unit}, unit {unit} answered")

    def _check_body(self, pdu: bytes) -> None:
        assert self._awaited is not None
        if not self._awaited.fits(pdu):
            raise UnitError("short_answer", f"not the answer that was asked for: {pdu[:16].hex()}")


class RtuAnswers:
    """Modbus RTU: silence alone tells answers apart, so any doubt is answered by waiting."""

    def __init__(self) -> None:
        self.late = 0
        self.heard = 0
        self._awaited: Expected | None = None

    def await_answer(self, expected: Expected) -> None:
        """The next frame sent asks for this."""
        self._awaited = expected
        self.heard = 0

    def sent(self, frame: bytes) -> None:
        """Nothing to note: RTU frames carry no transaction id."""

    def give_up(self) -> None:
        """Whatever comes from now on is late."""
        self._awaited = None

    def answered(self) -> None:
        """The answer has arrived."""
        self._awaited = None

    def received(self, buffer: bytes) -> bytes:
        """Return the complete awaited frame, or nothing; raise UnitError for anything else."""
        self.heard += 1
        awaited = self._awaited
        if awaited is None:
            self.late += 1
            return b""
        if awaited.unit and buffer[0] != awaited.unit:
            raise UnitError("wrong_unit", f"asked unit {awaited.unit}, got {buffer[:16].hex()}")
        if len(buffer) < RTU_OVERHEAD:
            return b""
        if buffer[1] == awaited.function | 0x80:
            length = RTU_EXCEPTION_LENGTH
        elif buffer[1] == awaited.function:
            length = RTU_OVERHEAD + 1 + awaited.length
        else:
            raise UnitError("garbage", f"no answer to that request: {buffer[:16].hex()}")
        if length != RTU_EXCEPTION_LENGTH and not awaited.begins(buffer[2:]):
            raise UnitError("short_answer", f"not the answer asked for: {buffer[:16].hex()}")
        if len(buffer) < length:
            return b""
        if len(buffer) > length:
            raise UnitError("garbage", f"bytes after the answer: {buffer[length:][:16].hex()}")
        return buffer
