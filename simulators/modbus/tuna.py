"""Tuna ID551PN with four scales."""

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
    float_words,
    place,
)

SCALES = 4
STATUS = 4
DEMAND = 5
ZERO = 1 << 11
TARE = 1 << 12
CLEAR = 1 << 13


class TunaId551:
    """Floats per scale; bit 12 means motion, bit 15 good data; commands run on a rising bit.

    `spacing` is the number of registers per scale: 10 in the device's mode 1, 6 in mode 2.
    """

    name = "tuna-id551"
    cells_max = SCALES
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS, spacing: int = 10) -> None:
        self.display = display
        self._spacing = spacing
        self._demands = [0] * SCALES

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Displayed weight, gross, status, demand for each scale; the others read as zero."""
        registers = block(0, SCALES * self._spacing)
        for index, scale in enumerate(scales):
            start = index * self._spacing
            words = (*self._weights(scale), self._status(scale), self._demands[index])
            place(registers, start, words)
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """The demand word of one scale."""
        index, offset = divmod(address, self._spacing)
        if offset != DEMAND or index >= SCALES or len(words) != 1:
            raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
        demand = words[0]
        if demand & ~(ZERO | TARE | CLEAR):
            raise ForbiddenWriteError(f"unknown demand bits {demand:#06x}")
        rising = demand & ~self._demands[index]
        self._demands[index] = demand
        if rising & ZERO:
            bench.zero(index)
        if rising & TARE:
            bench.tare(index)
        if rising & CLEAR:
            bench.clear_tare(index)

    def _weights(self, scale: ScaleState) -> tuple[int, ...]:
        if scale.not_a_number:
            return float_words(float("nan")) * 2
        gross = self.display.counts(scale.gross_g)
        net = gross - self.display.counts(scale.tare_g)
        shown = self.display.shown
        return (*float_words(shown(net)), *float_words(shown(gross)))

    def _status(self, scale: ScaleState) -> int:
        return bits(
            (8, self.display.near_zero(scale.gross_g)),
            (9, scale.underload),
            (10, scale.overload),
            (11, scale.tare_g != 0),
            (12, scale.moving),
            (13, True),
            (15, not scale.fault),
        )
