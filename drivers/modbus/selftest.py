"""Start-up self-test of a unit: do its registers mean what the profile says?

Where gross, net and tare stand in the block, `gross - tare = net` must hold within one division;
and always the numbers must be weights. Where the profile only assumes the order, all four orders
of words and bytes are tried, but they are not equal: bytes within a register are high byte first
by the Modbus specification (1.1b3, 4.2), so a swap of bytes that fits too holds nothing up; it
only keeps the test going until a load has ruled it out.
Another order than the declared one is taken only on proof by the equation with a tare in it; a
number that merely looks like a weight is not proof (a NaN read backwards looks like one).
A weight of zero fits every order and decides nothing, so the test goes on until there is a load.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from drivers.modbus.decode import ORDERS, PLAUSIBLE_SHARE, CellNames, Decoder, Order, Reading
from drivers.modbus.profile import Profile
from drivers.modbus.settings import UnitSettings
from gateway.model import CellFlag

DIVISIONS_OF_CAPACITY = 3000
"""Divisions of a class III scale (OIML R 76), where the installer does not tell his own."""

TINY_DIVISIONS = 1e-6
"""A float that is not zero and yet below this part of a division is bytes in a wrong order."""


class Outcome(NamedTuple):
    """What one poll tells.

    `proved`: take the decoder for good; `open`: take it and test again; `waiting`: two orders
    fit and disagree, book nothing; `refused`: the declared order does not fit, book nothing.
    """

    verdict: Literal["proved", "open", "waiting", "refused"]
    decoder: Decoder
    detail: str = ""


class SelfTest:
    """The decoders of one unit in every order that its profile leaves open."""

    def __init__(self, profile: Profile, settings: UnitSettings, cells: CellNames) -> None:
        declared = Order(
            settings.word_order or profile.value.word_order,
            settings.byte_order or profile.value.byte_order,
        )
        told = settings.word_order is not None and settings.byte_order is not None
        orders = ORDERS if profile.order_assumed and not told else (declared,)
        self._profile = profile
        self._capacity_g = settings.capacity_g
        self._division_g = settings.division_g or settings.capacity_g / DIVISIONS_OF_CAPACITY
        self._float = profile.value.type == "f32"
        self._decoders: Mapping[Order, Decoder] = {
            order: Decoder(profile, settings, cells, order) for order in orders
        }
        self.declared = self._decoders[declared]
        self._rivals = [decoder for order, decoder in self._decoders.items() if order != declared]

    def examine(self, registers: Sequence[int]) -> Outcome:
        """Judge one block. While the device itself reports a fault the test stays open."""
        usable = self._usable_cells(registers)
        if not usable or self.declared.empty(registers):
            return Outcome("open", self.declared)
        fitting = [d for d in self._decoders.values() if self._fits(d, registers, usable)]
        if self.declared in fitting:
            self._rivals = [rival for rival in self._rivals if rival in fitting]
            return self._declared_fits(registers, usable)
        proved = [d for d in fitting if self._solved(d, registers, usable)]
        if len(proved) == 1:
            return Outcome("proved", proved[0])
        return Outcome("refused", self.declared, self._advice(registers, fitting))

    def _declared_fits(self, registers: Sequence[int], usable: Sequence[int]) -> Outcome:
        if not self._rivals:
            return Outcome("proved", self.declared)
        ours = self.declared.samples(registers)
        theirs = [
            rival.samples(registers)
            for rival in self._rivals
            if rival.order.byte == self.declared.order.byte
        ]
        if all(samples[place] == ours[place] for samples in theirs for place in usable):
            return Outcome("open", self.declared)
        return Outcome(
            "waiting",
            self.declared,
            "this weight makes sense in both word orders: put another load on it, or set "
            "word_order and byte_order",
        )

    def _usable_cells(self, registers: Sequence[int]) -> list[int]:
        readings = self.declared.readings(registers) or ()
        return [
            place
            for place, reading in enumerate(readings)
            if not reading.verdict.flags & CellFlag.UNUSABLE and math.isfinite(reading.gross_g)
        ]

    def _fits(self, decoder: Decoder, registers: Sequence[int], usable: Sequence[int]) -> bool:
        readings = decoder.readings(registers)
        division_g = self._division_g
        if not self._float:
            division_g = max(division_g, decoder.grams_per_count(registers) or 0.0)
        return readings is not None and all(
            self._plausible(readings[place]) and _consistent(readings[place], division_g)
            for place in usable
        )

    def _solved(self, decoder: Decoder, registers: Sequence[int], usable: Sequence[int]) -> bool:
        """Whether the equation was put to the test: with a tare, and a load beside it."""
        readings = decoder.readings(registers) or ()
        return any(
            readings[place].tare_g
            and (readings[place].net_g or readings[place].display_g)
            and self._profile.cells[0].gross is not None
            and abs(readings[place].gross_g) > self._division_g
            for place in usable
        )

    def _plausible(self, reading: Reading) -> bool:
        limit_g = self._capacity_g * PLAUSIBLE_SHARE
        tiny_g = self._division_g * TINY_DIVISIONS if self._float else 0.0
        numbers = (reading.gross_g, reading.net_g, reading.tare_g, reading.display_g)
        return all(
            number is None
            or number == 0
            or (math.isfinite(number) and tiny_g <= abs(number) <= limit_g)
            for number in numbers
        )

    def _advice(self, registers: Sequence[int], fitting: Sequence[Decoder]) -> str:
        readings = self.declared.readings(registers)
        assert readings is not None, "cells were usable, so the codes are known"
        first = readings[0]
        read = (
            f"read gross {first.gross_g:.6g} g, net {_shown(first.net_g)}, "
            f"tare {_shown(first.tare_g)}: gross - tare = net does not hold, or the weight is "
            f"beyond capacity_g"
        )
        advice = [read, f"check profile {self._profile.id}, capacity_g, decimals, weight_unit"]
        advice += [
            f'word_order = "{d.order.word}", byte_order = "{d.order.byte}" would make sense'
            for d in fitting
        ]
        if self._profile.assumed:
            advice.append("the profile assumes: " + "; ".join(self._profile.assumed))
        return "; ".join(advice)


def _consistent(reading: Reading, division_g: float) -> bool:
    """Whether the values of one cell agree within a division."""
    # A hair above one division: the rounding of floats must not decide.
    allowed_g = division_g * 1.001
    net_g, tare_g, display_g = reading.net_g, reading.tare_g, reading.display_g
    if net_g is not None and tare_g is not None:
        return abs(reading.gross_g - tare_g - net_g) <= allowed_g
    if display_g is not None and not reading.verdict.net_mode:
        return abs(display_g - reading.gross_g) <= allowed_g
    if display_g is not None and tare_g is not None:
        return abs(reading.gross_g - tare_g - display_g) <= allowed_g
    return True


def _shown(number: float | None) -> str:
    return "none" if number is None else f"{number:.6g} g"
