"""Mettler-Toledo Modbus load cell (SMART5 register list)."""

from collections.abc import Sequence

from simulators.modbus.scale import (
    KILOGRAMS,
    Bench,
    Display,
    Exceptional,
    ForbiddenWriteError,
    Image,
    ModbusError,
    ScaleState,
    block,
    float_words,
    place,
)

STABILITY_TIME = 235
BYTE_ORDER = 990
TARE = 1000
OPERATION = 1005

CONFIGURATION = (STABILITY_TIME, 236, 237, 238, BYTE_ORDER)


class MettlerSmartCell:
    """Tare and net as floats; the gross weight is their sum.

    The layout of its status word is in no source at hand: it reads as zero here, so neither motion
    nor overload can be seen. A broken cell shows as a weight that is no number.
    """

    name = "mt-smart-cell"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._operation = 0

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Registers 1000..1005, and the configuration that a gateway may read but not write."""
        scale = scales[0]
        lost = scale.not_a_number or scale.fault
        tare = self.display.amount(scale.tare_g)
        net = float("nan") if lost else self.display.amount(scale.gross_g) - tare
        registers = block(STABILITY_TIME, 4) | block(BYTE_ORDER, 1) | block(TARE, 6)
        place(registers, TARE, (*float_words(tare), *float_words(net)))
        registers[OPERATION] = self._operation
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """The operation word at 1005."""
        if address in CONFIGURATION:
            raise ForbiddenWriteError(f"configuration register {address}")
        if address != OPERATION or len(words) != 1:
            raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
        operation = words[0]
        if operation == 0x01:
            bench.tare(0)
        elif operation == 0x02:
            bench.clear_tare(0)
        elif operation == 0x04:
            bench.zero(0)
        elif operation == 0x10:
            bench.tare(0, moving=True)
        elif operation == 0x20:
            bench.zero(0, moving=True)
        elif operation:
            raise ForbiddenWriteError(f"unknown operation {operation:#06x}")
        self._operation = operation
