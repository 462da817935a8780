"""Dini Argeo DGT4X, DGT1P and DGT1S. Decimals and unit are not transmitted by any of them."""

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

COMMAND = 0
ZERO = 1
TARE = 2
PRESET_TARE = 3
FORBIDDEN = {25: "digital output setting", 31: "store in the alibi memory", 34: "reboot"}
FAILED = 1
SCALES = 4


class CommandRegisters:
    """Holding 0..2: a command runs when its number appears; 0 must come before a repeat."""

    def __init__(self, display: Display) -> None:
        self.registers = block(COMMAND, 3)
        self._display = display
        self._processed = 0
        self._result = 0

    @property
    def status(self) -> int:
        """Last command in the high byte; below it the result, and the count of commands run."""
        return self.registers[COMMAND] << 8 | self._result << 4 | self._processed

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Take a write, parameter before command."""
        previous = self.registers[COMMAND]
        for register, word in enumerate(words, address):
            if register not in self.registers:
                raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
            self.registers[register] = word
        command = self.registers[COMMAND]
        if command and command != previous:
            self._run(command, bench)

    def _run(self, command: int, bench: Bench) -> None:
        if command == ZERO:
            done = bench.zero(0)
        elif command == TARE:
            done = bench.tare(0)
        elif command == PRESET_TARE:
            counts = self.registers[1] << 16 | self.registers[2]
            done = bench.preset_tare(0, counts * self._display.digit_g)
        else:
            raise ForbiddenWriteError(FORBIDDEN.get(command, f"unknown command {command}"))
        self._result = 0 if done else FAILED
        self._processed = (self._processed + 1) & 0xF


def _single_status(scale: ScaleState, gross: int, net: int) -> int:
    """Status word of the one-scale maps. A broken cell saturates and so shows as overload."""
    return bits(
        (0, net < 0),
        (1, gross < 0),
        (2, not scale.moving),
        (3, scale.underload),
        (4, scale.overload or scale.fault),
        (5, scale.tare_g != 0),
        (6, scale.preset_tare),
        (7, gross == 0),
    )


class DiniDgt4xInput:
    """One scale in the input registers: magnitudes, with the signs in the status word."""

    name = "dini-dgt4x-input"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._commands = CommandRegisters(display)

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Input 0..6 and the channel's microvolts at 110; holding 0..2."""
        scale = scales[0]
        gross = self.display.counts(scale.gross_g)
        net = gross - self.display.counts(scale.tare_g)
        registers = block(0, 7) | block(110, 4)
        place(registers, 0, (*double_word(abs(gross)), *double_word(abs(net))))
        registers[4] = _single_status(scale, gross, net)
        registers[5] = self._commands.status
        return Image(holding=self._commands.registers, input=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Command and parameter at holding 0..2."""
        self._commands.write(address, words, bench)


class DiniDgt4xMultiscale:
    """Four independent scales in the holding registers; other status bits than with one scale.

    No command register for this mode is in a source at hand: any write is an illegal address.
    """

    name = "dini-dgt4x-multiscale"
    cells_max = SCALES
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Holding 201..220; a scale that is not fitted reads as zero throughout."""
        registers = block(201, 20)
        for index, scale in enumerate(scales):
            gross = self.display.counts(scale.gross_g)
            net = gross - self.display.counts(scale.tare_g)
            status = bits(
                (0, gross < 0),
                (1, not scale.moving),
                (2, scale.underload),
                (3, scale.overload or scale.fault),
                (4, gross == 0),
                (5, net < 0),
                (6, scale.tare_g != 0),
                (7, scale.preset_tare),
            )
            place(registers, 201 + 3 * index, (status, *double_word(abs(gross))))
            place(registers, 213 + 2 * index, double_word(abs(net)))
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Always refused."""
        del address, words, bench
        raise ModbusError(Exceptional.ILLEGAL_ADDRESS)


class DiniDgt1s:
    """One scale in the holding registers: gross, net and tare as magnitudes, then the status.

    The status bits are those of the one-scale input map of the same device.
    """

    name = "dini-dgt1s"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._commands = CommandRegisters(display)

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Holding 0..2 and 100..106."""
        scale = scales[0]
        gross = self.display.counts(scale.gross_g)
        tare = self.display.counts(scale.tare_g)
        net = gross - tare
        registers = dict(self._commands.registers)
        weights = (*double_word(abs(gross)), *double_word(abs(net)), *double_word(abs(tare)))
        place(registers, 100, (*weights, _single_status(scale, gross, net)))
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Command and parameter at holding 0..2."""
        self._commands.write(address, words, bench)
