"""Baykon MX08 and PT113."""

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
    bits,
    block,
    double_word,
    place,
)

CONTROL = 8
CONVERTER_OUT_OF_RANGE = 1
OVER = 2
UNDER = 3


class BaykonPt113:
    """Signed weights; bit 2 means unstable, bit 1 means good data, and an error has a code."""

    name = "baykon-mx08-pt113"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._control = 0

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Registers 0..8: displayed weight, status, tare, gross, control."""
        scale = scales[0]
        gross = self.display.counts(scale.gross_g)
        tare = self.display.counts(scale.tare_g)
        error = OVER if scale.overload else UNDER if scale.underload else 0
        error = CONVERTER_OUT_OF_RANGE if scale.fault else error
        status = error << 13 | bits(
            (1, not error),
            (2, scale.moving),
            (3, tare != 0),
            (12, self.display.near_zero(scale.gross_g)),
        )
        registers = block(0, 9)
        weights = (*double_word(gross - tare), status, *double_word(tare), *double_word(gross))
        place(registers, 0, weights)
        registers[CONTROL] = self._control
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """The control register at 8."""
        if address != CONTROL or len(words) != 1:
            raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
        command = words[0]
        commands = {0: lambda _: True, 1: bench.zero, 2: bench.tare, 3: bench.clear_tare}
        if command not in commands:
            raise ForbiddenWriteError(f"unknown command {command}")
        self._control = command
        commands[command](0)
