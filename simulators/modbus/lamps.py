"""A lamp module on a link: coils that are lamps, holding registers that are digits and codes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from simulators.modbus.scale import Exceptional, ModbusError

READ_COILS, READ_HOLDING, WRITE_COIL, WRITE_REGISTER = 1, 3, 5, 6
ON, OFF = 0xFF00, 0
READ_MAX = {READ_COILS: 2000, READ_HOLDING: 125}


@dataclass(slots=True, eq=False)
class LampModule:
    """So many coils and registers from address 0, all dark at first; a `silent` one is off."""

    coils_count: int = 32
    registers_count: int = 64
    silent: bool = False
    writes: int = 0
    coils: dict[int, bool] = field(init=False)
    registers: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.power_cycle()

    def power_cycle(self) -> None:
        """It forgets what it showed."""
        self.coils = dict.fromkeys(range(self.coils_count), False)
        self.registers = dict.fromkeys(range(self.registers_count), 0)

    def answer(self, pdu: bytes) -> bytes:
        """The answer to a request. ModbusError as the standard has it."""
        if len(pdu) != 5:
            raise ModbusError(Exceptional.ILLEGAL_VALUE)
        function, address, second = struct.unpack(">BHH", pdu)
        if function in READ_MAX:
            return self._read(function, address, second)
        if function == WRITE_COIL:
            if second not in (ON, OFF):
                raise ModbusError(Exceptional.ILLEGAL_VALUE)
            if address not in self.coils:
                raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
            self.coils[address] = second == ON
        elif function == WRITE_REGISTER:
            if address not in self.registers:
                raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
            self.registers[address] = second
        else:
            raise ModbusError(Exceptional.ILLEGAL_FUNCTION)
        self.writes += 1
        return pdu

    def _read(self, function: int, address: int, count: int) -> bytes:
        if not 1 <= count <= READ_MAX[function]:
            raise ModbusError(Exceptional.ILLEGAL_VALUE)
        wanted = range(address, address + count)
        known = self.coils if function == READ_COILS else self.registers
        if any(place not in known for place in wanted):
            raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
        if function == READ_HOLDING:
            words = [self.registers[place] for place in wanted]
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        number = sum(self.coils[place] << index for index, place in enumerate(wanted))
        size = (count + 7) // 8
        return bytes((function, size)) + number.to_bytes(size, "little")
