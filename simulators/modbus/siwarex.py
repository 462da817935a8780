"""Siemens SIWAREX WP251 and WP351 HF.

The manuals number registers from 1; on the wire they are one less.
"""

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


def _wire(documented: int) -> int:
    return documented - 1


def _weights(scale: ScaleState, display: Display) -> tuple[int, ...]:
    gross = float("nan") if scale.not_a_number else display.amount(scale.gross_g)
    tare = display.amount(scale.tare_g)
    return (*float_words(gross), *float_words(gross - tare), *float_words(tare))


def _rounded(scale: ScaleState, display: Display) -> tuple[int, int]:
    if scale.not_a_number:
        return float_words(float("nan"))
    counts = display.counts(scale.gross_g) - display.counts(scale.tare_g)
    return float_words(display.shown(counts))


class SiwarexWp251:
    """Floats, a standstill bit, and one bit for out of range either way; read only.

    A broken cell saturates the converter and so shows as out of range. The command mailbox's
    registers are in no source at hand, so any write is refused as an illegal address.
    """

    name = "siwarex-wp251"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Documented registers 3004..3015."""
        scale = scales[0]
        registers = block(_wire(3004), 12)
        registers[_wire(3004)] = bits(
            (0, self.display.near_zero(scale.gross_g)),
            (1, scale.overload or scale.underload or scale.fault),
            (2, scale.tare_g != 0),
            (3, scale.preset_tare),
            (6, not scale.moving),
        )
        place(registers, _wire(3008), _weights(scale, self.display))
        place(registers, _wire(3014), _rounded(scale, self.display))
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Always refused."""
        del address, words, bench
        raise ModbusError(Exceptional.ILLEGAL_ADDRESS)


CODE = _wire(910)
TRIGGER = _wire(911)
ZERO = 21
FORBIDDEN = {1: "service mode on", 2: "service mode off", 82: "automatic calibration"}


class SiwarexWp351:
    """Floats, a fault word, a refresh counter, and a command mailbox.

    Only the standstill bit of the status word is known. The fault word's layout is not known
    either: bit 0 stands here for anything that makes the weight unusable.
    """

    name = "siwarex-wp351"
    cells_max = 1
    registers_max = 125

    def __init__(self, display: Display = KILOGRAMS) -> None:
        self.display = display
        self._refreshes = 0
        self._mailbox = block(CODE, 2)

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """Documented registers 3000..3088 and the mailbox 910..911."""
        scale = scales[0]
        registers = block(_wire(3000), 89) | self._mailbox
        registers[_wire(3000)] = bits((6, not scale.moving))
        registers[_wire(3001)] = bits((0, scale.overload or scale.underload or scale.fault))
        place(registers, _wire(3006), _weights(scale, self.display))
        registers[_wire(3036)] = self._refreshes
        self._refreshes = (self._refreshes + 1) & 0xFFFF
        return Image(holding=registers)

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Code, then trigger; both may come in one request."""
        for register, word in enumerate(words, address):
            if register not in self._mailbox:
                raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
            self._mailbox[register] = word
            if register == TRIGGER and word:
                self._run(self._mailbox[CODE], bench)
                self._mailbox[TRIGGER] = 0

    def _run(self, code: int, bench: Bench) -> None:
        if code == ZERO:
            bench.zero(0)
        elif 4000 <= code < 5000:
            raise ForbiddenWriteError(f"write data record {code - 4000}")
        elif not 2000 <= code < 3000:
            raise ForbiddenWriteError(FORBIDDEN.get(code, f"unknown command {code}"))
