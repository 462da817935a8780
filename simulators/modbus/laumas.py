"""Laumas TLB, TLB4, TLU, W100 and their rebadged kin."""

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

COMMAND = 5
GROSS = 7
NET = 9
DIVISION_UNIT = 13
SAMPLE_WEIGHT = 36
PRESET_TARE = 72
SHOWN_MAX = 999_999

ZERO = 8
TAKE_PRESET_TARE = 130
FORBIDDEN = {99: "save to EEPROM", 100: "zero calibration", 101: "span calibration"}

# Division code by (scale interval in last digits, decimals), 100 down to 0.0001.
DIVISION_CODE = {
    (100, 0): 0,
    (50, 0): 1,
    (20, 0): 2,
    (10, 0): 3,
    (5, 0): 4,
    (2, 0): 5,
    (1, 0): 6,
    (5, 1): 7,
    (2, 1): 8,
    (1, 1): 9,
    (5, 2): 10,
    (2, 2): 11,
    (1, 2): 12,
    (5, 3): 13,
    (2, 3): 14,
    (1, 3): 15,
    (5, 4): 16,
    (2, 4): 17,
    (1, 4): 18,
}
UNIT_CODE = {"kg": 0, "g": 1, "t": 2}


class LaumasTlb:
    """Magnitudes in u32, signs in the status word; decimals and unit travel with the weight.

    It has no underload bit: a scale below its range shows its negative weight and nothing else.
    """

    name = "laumas-tlb-w"
    cells_max = 1
    registers_max = 32  # the maker's limit for one request

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._division_unit = (
            UNIT_CODE[display.unit] << 8 | DIVISION_CODE[display.step, display.decimals]
        )
        self._memory = block(COMMAND, 1) | block(SAMPLE_WEIGHT, 2) | block(PRESET_TARE, 2)

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Registers 5..37 and the preset tare at 72."""
        scale = scales[0]
        gross = self.display.counts(scale.gross_g)
        net = gross - self.display.counts(scale.tare_g)
        status = bits(
            (0, scale.fault),
            (2, scale.overload),
            (4, abs(gross) > SHOWN_MAX),
            (5, abs(net) > SHOWN_MAX),
            (7, gross < 0),
            (8, net < 0),
            (10, scale.tare_g != 0),
            (11, not scale.moving),
            (12, self.display.near_zero(scale.gross_g)),
        )
        registers = block(COMMAND, 33) | self._memory
        place(registers, COMMAND + 1, (status, *double_word(abs(gross)), *double_word(abs(net))))
        registers[DIVISION_UNIT] = self._division_unit
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Preset tare (72..73) and the command register (5)."""
        for register, word in enumerate(words, address):
            if register in (SAMPLE_WEIGHT, SAMPLE_WEIGHT + 1):
                raise ForbiddenWriteError("calibration sample weight")
            if register not in self._memory:
                raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
            self._memory[register] = word
            if register == COMMAND:
                self._run(word, bench)

    def _run(self, command: int, bench: Bench) -> None:
        if command == ZERO:
            bench.zero(0)
        elif command == TAKE_PRESET_TARE:
            counts = self._memory[PRESET_TARE] << 16 | self._memory[PRESET_TARE + 1]
            bench.preset_tare(0, counts * self.display.digit_g)
        elif command:
            raise ForbiddenWriteError(FORBIDDEN.get(command, f"unknown command {command}"))
