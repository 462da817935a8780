"""HBM/HBK WTX110 and WTX120."""

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

CONTROL = 0
STATUS = 4
MODE = 5
BLOCK = 38
UNIT_CODE = {"kg": 0, "g": 1, "t": 2}

TARE = 1 << 0
GROSS_NET = 1 << 1
ZERO = 1 << 6
FORBIDDEN = {1 << 7: "adjust zero", 1 << 8: "adjust nominal"}
KNOWN = TARE | GROSS_NET | ZERO | (1 << 7) | (1 << 8)
# Written, these are the adjustment's calibration weight, dead load and nominal value.
ADJUSTMENT = (46, 47, 48, 49, 50, 51)


class HbkWtx120:
    """Signed 32-bit weights; reading and writing address 0 mean different things.

    A command is one bit of the control word. The device runs it once, raises the handshake bit
    together with the command status, and takes the next command only after a 0.
    """

    name = "hbk-wtx120"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._handshake = False
        self._succeeded = False
        self._gross_shown = False

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Registers 0..37: net, gross, status, mode and decimals, the rest unused."""
        scale = scales[0]
        gross = self.display.counts(scale.gross_g)
        net = gross - self.display.counts(scale.tare_g)
        limit = 2 if scale.overload else int(scale.underload)
        status = limit << 2 | bits(
            (0, scale.fault),
            (4, scale.moving),
            (6, scale.preset_tare),
            (7, scale.tare_g != 0 and not self._gross_shown),
            (11, self.display.near_zero(scale.gross_g)),
        )
        mode = self.display.decimals << 4 | UNIT_CODE[self.display.unit] << 7
        mode |= bits((14, self._handshake), (15, self._succeeded))
        registers = block(0, BLOCK)
        place(registers, 0, (*double_word(net), *double_word(gross), status, mode))
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """The control word at 0."""
        if address in ADJUSTMENT:
            raise ForbiddenWriteError("calibration weight")
        if address != CONTROL or len(words) != 1:
            raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
        control = words[0]
        for bit, reason in FORBIDDEN.items():
            if control & bit:
                raise ForbiddenWriteError(reason)
        if control & ~KNOWN:
            raise ForbiddenWriteError(f"unknown control bits {control & ~KNOWN:#06x}")
        if not control:
            self._handshake = False
        elif not self._handshake:
            self._succeeded = self._run(control, bench)
            self._handshake = True

    def _run(self, control: int, bench: Bench) -> bool:
        if control & GROSS_NET:
            self._gross_shown = not self._gross_shown
            return True
        if control & ZERO:
            return bench.zero(0)
        return bench.tare(0)
