"""The units of one link and its faults: requests in, exact answer bytes out, no I/O."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.modbus.faults import Fault, Faults
from simulators.modbus.frame import (
    EXCEPTION_BIT,
    READ_FUNCTIONS,
    WRITE_MANY,
    WRITE_ONE,
    Request,
    rtu_frame,
    tcp_frame,
)
from simulators.modbus.lamps import LampModule
from simulators.modbus.scale import Exceptional, ModbusError
from simulators.modbus.unit import Unit

BROADCAST = 0
EXCEPTION_FAULTS = {
    Fault.ILLEGAL_ADDRESS: Exceptional.ILLEGAL_ADDRESS,
    Fault.DEVICE_FAILURE: Exceptional.DEVICE_FAILURE,
    Fault.BUSY: Exceptional.BUSY,
}


class Reply(NamedTuple):
    """Bytes to send after a delay. A detached reply holds nothing up; `close` ends a connection."""

    data: bytes
    delay_s: float = 0.0
    detached: bool = False
    close: bool = False


@dataclass(slots=True, eq=False)
class Bus:
    """Many units on one link, and lamp modules. `clock` gives the moment of each request in
    seconds. Faults are those of the weight transmitters; a lamp module is there or silent.
    """

    units: Mapping[int, Unit]
    clock: Callable[[], float]
    faults: Faults
    lamps: Mapping[int, LampModule] = field(default_factory=dict)

    def reply_tcp(self, request: Request) -> Reply | None:
        """The answer on Modbus/TCP; an unknown unit id gives exception 11, as a gateway does."""
        if request.unit in self.lamps:
            lit = self._lamps(request)
            return None if lit is None else Reply(tcp_frame(request.transaction, request.unit, lit))
        unit = self.units.get(request.unit)
        if unit is None:
            pdu = _exception(request.pdu, Exceptional.TARGET_SILENT)
            return Reply(tcp_frame(request.transaction, request.unit, pdu))
        if unit.silent:
            return None
        faults, fault, pdu = self._answer(unit, request)
        transaction, unit_id = request.transaction, request.unit
        if fault is Fault.WRONG_TRANSACTION:
            transaction = (transaction + 1) & 0xFFFF
        if fault is Fault.WRONG_UNIT:
            unit_id = _other_unit(unit_id)
        return _spoil(tcp_frame(transaction, unit_id, pdu), fault, faults)

    def reply_rtu(self, request: Request) -> Reply | None:
        """The answer on a serial line; nobody answers for an unknown unit or a broadcast."""
        if request.unit in self.lamps:
            lit = self._lamps(request)
            return None if lit is None else Reply(rtu_frame(request.unit, lit))
        unit = self.units.get(request.unit)
        if unit is None:
            if request.unit == BROADCAST and request.pdu[0] in (WRITE_ONE, WRITE_MANY):
                for each in self.units.values():
                    self._execute(each, request.pdu, None)
            return None
        if unit.silent:
            return None
        faults, fault, pdu = self._answer(unit, request)
        unit_id = _other_unit(request.unit) if fault is Fault.WRONG_UNIT else request.unit
        frame = rtu_frame(unit_id, pdu)
        if fault is Fault.BAD_CHECKSUM:
            bit = faults.random.randrange(8 * len(frame))
            frame = (int.from_bytes(frame) ^ 1 << bit).to_bytes(len(frame))
        return _spoil(frame, fault, faults)

    def _lamps(self, request: Request) -> bytes | None:
        module = self.lamps[request.unit]
        if module.silent:
            return None
        try:
            return module.answer(request.pdu)
        except ModbusError as error:
            return _exception(request.pdu, error.code)

    def _answer(self, unit: Unit, request: Request) -> tuple[Faults, Fault | None, bytes]:
        faults = unit.faults or self.faults
        fault = faults.draw()
        if fault is Fault.FROZEN:
            at_s = self.clock()
            unit.shelf.advance(at_s)
            unit.freeze(at_s + faults.frozen_s)
        if fault in EXCEPTION_FAULTS:
            return faults, fault, _exception(request.pdu, EXCEPTION_FAULTS[fault])
        pdu = self._execute(unit, request.pdu, fault)
        return faults, fault, _shorten(pdu) if fault is Fault.SHORT else pdu

    def _execute(self, unit: Unit, pdu: bytes, fault: Fault | None) -> bytes:
        try:
            return self._run(unit, pdu, fault)
        except ModbusError as error:
            return _exception(pdu, error.code)

    def _run(self, unit: Unit, pdu: bytes, fault: Fault | None) -> bytes:
        function = pdu[0]
        if function not in (*READ_FUNCTIONS, WRITE_ONE, WRITE_MANY):
            raise ModbusError(Exceptional.ILLEGAL_FUNCTION)
        if len(pdu) < 5:
            raise ModbusError(Exceptional.ILLEGAL_VALUE)
        address, second = struct.unpack_from(">HH", pdu, 1)
        at_s = self.clock()
        if function == WRITE_ONE:
            unit.write(address, (second,), at_s)
            return pdu[:5]
        if function == WRITE_MANY:
            if len(pdu) < 6 or pdu[5] != 2 * second or len(pdu) != 6 + pdu[5]:
                raise ModbusError(Exceptional.ILLEGAL_VALUE)
            unit.write(address, struct.unpack_from(f">{second}H", pdu, 6), at_s)
            return pdu[:5]
        words = unit.read_states(function, address, second, unit.states(at_s, fault))
        return struct.pack(f">BB{len(words)}H", function, 2 * len(words), *words)


def _exception(pdu: bytes, code: Exceptional) -> bytes:
    return bytes((pdu[0] | EXCEPTION_BIT, code))


def _other_unit(unit_id: int) -> int:
    return unit_id % 247 + 1


def _shorten(pdu: bytes) -> bytes:
    """One register fewer, with the byte count to match; an exception or an echo stays."""
    if pdu[0] not in READ_FUNCTIONS or pdu[1] < 2:
        return pdu
    return bytes((pdu[0], pdu[1] - 2)) + pdu[2:-2]


def _spoil(frame: bytes, fault: Fault | None, faults: Faults) -> Reply | None:
    """What becomes of the whole frame on its way out."""
    if fault is Fault.SILENT:
        return None
    if fault is Fault.SLOW:
        return Reply(frame, faults.slow_s)
    if fault is Fault.LATE:
        return Reply(frame, faults.late_s, detached=True)
    if fault is Fault.GARBAGE:
        return Reply(faults.random.randbytes(len(frame)))
    if fault is Fault.CUT:
        return Reply(frame[: len(frame) // 2], close=True)
    return Reply(frame)
