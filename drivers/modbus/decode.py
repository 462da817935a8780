"""Registers to grams: a profile compiled for one unit, so that a poll costs microseconds.

All weights of a block are cut out with one unpack, whatever their order; status words and
division codes are looked up in tables that fill as values turn up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from struct import Struct
from typing import NamedTuple, TypeVar

from drivers.modbus.profile import GRAMS, Code, Endian, Profile
from drivers.modbus.settings import UnitSettings
from gateway.model import CellFlag, CellId, WeightSample
from gateway.ports import ConfigError

OVERLOAD_SHARE = 1.1
"""Above this share of its capacity a cell is overloaded, whether the device says so or not."""

PLAUSIBLE_SHARE = 2.0
"""Beyond this share of the capacity a number is no weight: wrong order, wrong decimals."""

TABLE_ENTRIES_MAX = 1024
"""Status words remembered per unit; real devices show a few dozen."""

T = TypeVar("T")

_FORMATS = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "f32": "f"}
_FLAGS = {name: getattr(CellFlag, name) for name in ("MOTION", "UNDERLOAD", "OVERLOAD", "FAULT")}


class Order(NamedTuple):
    """How the bytes of a value lie: order of words, and of bytes within a word."""

    word: Endian
    byte: Endian


ORDERS = tuple(Order(word, byte) for word in ("big", "little") for byte in ("big", "little"))


class Verdict(NamedTuple):
    """What a status word (and fault word) says about a cell."""

    flags: int
    gross_sign: int
    net_sign: int
    net_mode: bool


class Reading(NamedTuple):
    """All that a block tells about one cell, in grams; None where there is no register."""

    gross_g: float
    net_g: float | None
    tare_g: float | None
    display_g: float | None
    verdict: Verdict


class CellNames(NamedTuple):
    """The cells of a unit that are used: places in the profile, and their ids."""

    places: tuple[int, ...]
    ids: tuple[CellId, ...]


def picker(places: Sequence[int]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """Return a function that takes these places out of a sequence, always as a tuple."""
    if not places:
        return lambda _registers: ()
    if len(places) == 1:
        place = places[0]
        return lambda registers: (registers[place],)
    return itemgetter(*places)


class Values:
    """Cuts values at some places of the block out of its registers, in one order."""

    def __init__(self, profile: Profile, starts: Sequence[int], order: Order) -> None:
        words = profile.value.words
        places = [start + word for start in starts for word in range(words)]
        if order.word == "little" and words == 2:
            places = [start + word for start in starts for word in (1, 0)]
        self.pick = picker(places)
        self._pack = Struct(f"{'>' if order.byte == 'big' else '<'}{len(places)}H").pack
        self._unpack = Struct(f">{len(starts)}{_FORMATS[profile.value.type]}").unpack

    def __call__(self, registers: Sequence[int]) -> tuple[float, ...]:
        """Return the numbers, without decimals, unit or sign bits."""
        return self._unpack(self._pack(*self.pick(registers)))


class Scale:
    """Grams per count of a unit; None while the device's codes mean nothing to us."""

    def __init__(self, profile: Profile, settings: UnitSettings) -> None:
        self._profile = profile
        self._settings = settings
        self._decimals = _expanded(profile.decimals.table)
        self._units = _expanded(profile.unit.table)
        codes = [part.code for part in (profile.decimals, profile.unit) if part.code]
        start = profile.block.start
        self._words = picker([code.number - start for code in codes])
        self._known: dict[tuple[int, ...], float | None] = {}
        self._require_settings()

    def __call__(self, registers: Sequence[int]) -> float | None:
        """Return the grams per count that the codes in this block stand for."""
        words = self._words(registers)
        if words in self._known:
            return self._known[words]
        if len(self._known) >= TABLE_ENTRIES_MAX:
            self._known.clear()
        factor = self._known[words] = self._work_out(registers)
        return factor

    def _work_out(self, registers: Sequence[int]) -> float | None:
        start = self._profile.block.start
        decimals, unit = self._settings.decimals or 0, self._settings.weight_unit

        def code_of(code: Code) -> int:
            return code.of(registers[code.number - start])

        if self._profile.decimals.code is not None:
            number = code_of(self._profile.decimals.code)
            if self._decimals and number not in self._decimals:
                return None
            decimals = self._decimals[number] if self._decimals else number
        if self._profile.unit.code is not None:
            unit = self._units.get(code_of(self._profile.unit.code))
        return None if unit is None else GRAMS[unit] / 10**decimals

    def _require_settings(self) -> None:
        for key, part, value in (
            ("decimals", self._profile.decimals, self._settings.decimals),
            ("weight_unit", self._profile.unit, self._settings.weight_unit),
        ):
            if part.source == "setting" and value is None:
                raise ConfigError(
                    f"unit {self._settings.unit_id}: {key}: profile {self._profile.id} does not "
                    f"transmit it; set it as the transmitter is set"
                )
            if part.source != "setting" and value is not None:
                raise ConfigError(
                    f"unit {self._settings.unit_id}: {key}: profile {self._profile.id} reads it "
                    f"from the transmitter; leave it out"
                )


class Judge:
    """Reads status words by the profile's table of flags."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._known: dict[int, Verdict] = {}

    def __call__(self, status: int, faults: int) -> Verdict:
        """Return what these two words say; 0 stands for a register that is not there."""
        key = status | faults << 16
        verdict = self._known.get(key)
        if verdict is None:
            if len(self._known) >= TABLE_ENTRIES_MAX:
                self._known.clear()
            verdict = self._known[key] = self._work_out(status, faults)
        return verdict

    def _work_out(self, status: int, faults: int) -> Verdict:
        flags = 0
        for rule in self._profile.flags:
            if rule.unless_told and flags & CellFlag.UNUSABLE:
                continue
            word = status if rule.of == "status" else faults
            number = Code(register=0, bits=rule.bits).of(word)
            if number in rule.values or (rule.nonzero and number):
                flags |= _FLAGS[rule.flag]
        value, mode = self._profile.value, self._profile.net_mode_bit
        return Verdict(
            flags,
            _sign(status, value.gross_negative_bit),
            _sign(status, value.net_negative_bit),
            mode is not None and bool(status >> mode & 1),
        )


class Decoder:
    """Turns the registers of one poll into weight samples."""

    def __init__(
        self, profile: Profile, settings: UnitSettings, cells: CellNames, order: Order
    ) -> None:
        self.order = order
        self._maps = [profile.cells[place] for place in cells.places]
        self._ids = cells.ids
        self._start = profile.block.start
        self._scale = Scale(profile, settings)
        self._judge = Judge(profile)
        self._overload_g = settings.capacity_g * OVERLOAD_SHARE
        self._plausible_g = settings.capacity_g * PLAUSIBLE_SHARE
        self._profile = profile
        self._summed = self._maps[0].gross is None
        starts = [self._starts(name) for name in (("net", "tare") if self._summed else ("gross",))]
        self._values = Values(profile, [place for group in starts for place in group], order)
        self._status = self._words("status")
        self._faults = self._words("faults")
        self._readings: dict[str, Values] = {}

    def samples(self, registers: Sequence[int]) -> tuple[WeightSample, ...]:
        """Return one sample a cell. What is no weight becomes 0 g with FAULT, never a number."""
        factor = self._scale(registers)
        if factor is None:
            return tuple(WeightSample(cell, 0.0, CellFlag.FAULT) for cell in self._ids)
        values = self._values(registers)
        if self._summed:
            half = len(self._ids)
            values = tuple(map(float.__add__, values[:half], values[half:]))
        judge, overload_g = self._judge, self._overload_g
        samples = []
        for cell, value, status, faults in zip(
            self._ids, values, self._status(registers), self._faults(registers), strict=True
        ):
            flags, sign, _, _ = judge(status, faults)
            gross_g = value * factor * sign
            if not -overload_g <= gross_g <= overload_g:
                gross_g, flags = self._out_of_range(gross_g, flags)
            samples.append(WeightSample(cell, gross_g, flags))
        return tuple(samples)

    def readings(self, registers: Sequence[int]) -> tuple[Reading, ...] | None:
        """Return everything the block holds about each cell; None if its codes mean nothing."""
        factor = self._scale(registers)
        if factor is None:
            return None
        verdicts = [
            self._judge(status, faults)
            for status, faults in zip(self._status(registers), self._faults(registers), strict=True)
        ]
        gross = self._column("gross", registers, [v.gross_sign * factor for v in verdicts])
        net = self._column("net", registers, [v.net_sign * factor for v in verdicts])
        tare = self._column("tare", registers, [factor for _ in verdicts])
        display = self._column("display", registers, [factor for _ in verdicts])
        readings = []
        for place, verdict in enumerate(verdicts):
            net_g, tare_g = net[place], tare[place]
            gross_g = gross[place]
            if gross_g is None:
                assert net_g is not None
                assert tare_g is not None
                gross_g = net_g + tare_g
            readings.append(Reading(gross_g, net_g, tare_g, display[place], verdict))
        return tuple(readings)

    def grams_per_count(self, registers: Sequence[int]) -> float | None:
        """Grams that the last digit of the transmitted value stands for."""
        return self._scale(registers)

    def empty(self, registers: Sequence[int]) -> bool:
        """Whether every weight register is zero, which says nothing about their order."""
        return not any(self._values.pick(registers))

    def _out_of_range(self, gross_g: float, flags: int) -> tuple[float, int]:
        if math.isfinite(gross_g) and abs(gross_g) <= self._plausible_g:
            return gross_g, flags | (CellFlag.OVERLOAD if gross_g > 0 else CellFlag.UNDERLOAD)
        return 0.0, flags | CellFlag.FAULT

    def _starts(self, name: str) -> list[int]:
        registers = [getattr(cell, name) for cell in self._maps]
        return [register - self._start for register in registers if register is not None]

    def _words(self, name: str) -> Callable[[Sequence[int]], tuple[int, ...]]:
        places = self._starts(name)
        absent = (0,) * len(self._maps)
        return picker(places) if places else lambda _registers: absent

    def _column(
        self, name: str, registers: Sequence[int], factors: Sequence[float]
    ) -> Sequence[float | None]:
        if name not in self._readings:
            self._readings[name] = Values(self._profile, self._starts(name), self.order)
        values = self._readings[name](registers)
        if not values:
            return (None,) * len(factors)
        return tuple(value * factor for value, factor in zip(values, factors, strict=True))


def _sign(status: int, bit: int | None) -> int:
    return 1 if bit is None or not status >> bit & 1 else -1


def _expanded(table: Mapping[str, T]) -> dict[int, T]:
    expanded: dict[int, T] = {}
    for key, value in table.items():
        low, _, high = key.partition("-")
        for code in range(int(low), int(high or low) + 1):
            expanded[code] = value
    return expanded
