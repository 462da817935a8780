"""The words for lights: what one can show, and when a lamp of it is lit.

Part of `gateway.model`; import them from there.

A pattern means the same everywhere, whatever the colour, so that nobody needs to tell colours
apart. Steady, slow and fast keep to the rates of IEC 60073 (4.2.3), the fastest below the three
flashes a second that are safe for everybody (WCAG 2.3.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal, TypeAlias

from gateway.units import NS_PER_MS, Ns

LightId: TypeAlias = str
"""One light of one device, written `device:light`, for example `pick-lights:A-1`."""

LightKind: TypeAlias = Literal["pick", "stack", "buzzer"]

LightColour: TypeAlias = Literal["red", "amber", "green", "blue", "white"]

LightPattern: TypeAlias = Literal["steady", "slow", "fast", "double"]

PATTERN_MS: Final[Mapping[LightPattern, tuple[int, ...]]] = {
    "steady": (),
    "slow": (1000, 1000),
    "fast": (250, 250),
    "double": (150, 150, 150, 1050),
}
"""Milliseconds lit and dark by turns, over and over; a steady one is always lit."""


@dataclass(frozen=True, slots=True)
class ShowLight:
    """A level: what a light shows from now on, asserted again on every connect. Without a `colour`
    its lamp is dark, without a `number` its digits are; a buzzer sounds in any colour. What is not
    `lasting` is shown once: what is asserted anew is darkness.
    """

    light: LightId
    colour: LightColour | None = None
    pattern: LightPattern = "steady"
    number: int | None = None
    lasting: bool = True

    @property
    def device(self) -> str:
        """The device that it is a light of."""
        return self.light.rpartition(":")[0]


def is_lit(pattern: LightPattern, at: Ns) -> bool:
    """Whether a lamp that blinks so is lit at a moment. All lamps of a gateway blink in step."""
    phases = PATTERN_MS[pattern]
    return not phases or _phase(phases, at)[0] % 2 == 0


def next_edge(pattern: LightPattern, at: Ns) -> Ns | None:
    """When a lamp that blinks so changes next; None if it never does."""
    phases = PATTERN_MS[pattern]
    return at + _phase(phases, at)[1] if phases else None


def _phase(phases: tuple[int, ...], at: Ns) -> tuple[int, Ns]:
    """Which phase it is in, and what is left of it."""
    place = at % (sum(phases) * NS_PER_MS)
    ends = (end * NS_PER_MS for end in accumulate(phases))
    return next((index, end - place) for index, end in enumerate(ends) if place < end)
