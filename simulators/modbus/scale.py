"""What a weight transmitter knows about one scale, and what every family must be able to do."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Protocol


class Flag(IntFlag):
    """The transmitter's verdict on a weight, as far as its family can express one."""

    MOTION = 1
    UNDERLOAD = 2
    OVERLOAD = 4
    FAULT = 8


class Exceptional(IntEnum):
    """Modbus exception codes (Modbus Application Protocol 1.1b3, section 7)."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    BUSY = 6
    TARGET_SILENT = 11


class ModbusError(Exception):
    """The device answers this request with an exception code."""

    def __init__(self, code: Exceptional, reason: str = "") -> None:
        super().__init__(reason or code.name)
        self.code = code


class ForbiddenWriteError(ModbusError):
    """A write that no gateway may send: calibration, EEPROM, set-up, or a command nobody knows."""

    def __init__(self, reason: str) -> None:
        super().__init__(Exceptional.ILLEGAL_VALUE, reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ScaleState:
    """One scale at one moment. `gross_g` is counted from the zero in force."""

    gross_g: float = 0.0
    tare_g: float = 0.0
    preset_tare: bool = False
    moving: bool = False
    underload: bool = False
    overload: bool = False
    fault: bool = False
    not_a_number: bool = False


@dataclass(frozen=True, slots=True)
class Display:
    """How a transmitter shows a weight: unit, decimals, and the scale interval in last digits."""

    unit: str = "kg"
    decimals: int = 3
    step: int = 1

    @property
    def digit_g(self) -> float:
        """Grams per last digit."""
        return GRAMS[self.unit] / float(10**self.decimals)

    @property
    def division_g(self) -> float:
        """The scale interval d in grams."""
        return self.digit_g * self.step

    def counts(self, weight_g: float) -> int:
        """Digits shown for a weight: rounded to the scale interval, halves away from zero."""
        # 1e-6 of a division undoes what binary fractions lose, so that 2.5 d rounds up as typed.
        steps = math.floor(abs(weight_g) / self.division_g + 0.5 + 1e-6) * self.step
        return -steps if weight_g < 0 else steps

    def shown(self, counts: int) -> float:
        """Digits with the decimal point in its place, in the display's unit."""
        return counts / float(10**self.decimals)

    def amount(self, weight_g: float) -> float:
        """The weight in the display's unit, not rounded."""
        return weight_g / GRAMS[self.unit]

    def near_zero(self, weight_g: float) -> bool:
        """Whether the weight is within a quarter of a division of zero."""
        return abs(weight_g) <= self.division_g / 4


GRAMS = {"g": 1.0, "kg": 1_000.0, "t": 1_000_000.0}
KILOGRAMS = Display()


@dataclass(frozen=True, slots=True)
class Image:
    """The registers of a device at one moment, by 0-based protocol address."""

    holding: Mapping[int, int] = field(default_factory=dict)
    input: Mapping[int, int] = field(default_factory=dict)


class Bench(Protocol):
    """What a command can do to the scales of a device. False means refused, nothing changed."""

    def zero(self, index: int, *, moving: bool = False) -> bool:
        """Make the present weight the new zero; `moving` allows it without standstill."""

    def tare(self, index: int, *, moving: bool = False) -> bool:
        """Make the present gross weight the tare."""

    def preset_tare(self, index: int, tare_g: float) -> bool:
        """Set a tare by hand; 0 clears it."""

    def clear_tare(self, index: int) -> bool:
        """Go back to gross."""


class Family(Protocol):
    """One instance is the register side of one device: its map and its command registers."""

    name: str
    display: Display
    cells_max: int
    registers_max: int

    def image(self, scales: Sequence[ScaleState]) -> Image:
        """All readable registers for these scales, as this device would show them."""

    def write(self, address: int, words: Sequence[int], bench: Bench) -> None:
        """Take a write to holding registers.

        Raises:
            ForbiddenWriteError: the command calibrates, saves, sets up, or is not known.
            ModbusError: no such register.

        """


def double_word(value: int) -> tuple[int, int]:
    """A 32-bit integer, signed or not, as two registers, high word first."""
    return (value >> 16) & 0xFFFF, value & 0xFFFF


def float_words(value: float) -> tuple[int, int]:
    """An IEEE 754 single as two registers, high word first."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return high, low


def block(start: int, count: int) -> dict[int, int]:
    """A run of registers that read as zero until something is placed in them."""
    return dict.fromkeys(range(start, start + count), 0)


def place(registers: dict[int, int], address: int, words: Sequence[int]) -> None:
    """Put words into consecutive registers."""
    registers.update(enumerate(words, address))


def bits(*pairs: tuple[int, bool]) -> int:
    """A word from (bit number, level) pairs; bit 0 is the least significant."""
    return sum(1 << number for number, level in pairs if level)
