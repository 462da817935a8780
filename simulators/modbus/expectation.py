"""The form of a known state: registers typed by hand, and what they must be read as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.modbus.scale import KILOGRAMS, Display, Flag, Image, ScaleState


class Expected(NamedTuple):
    """What a reader must make of one scale; `gross_g` is None where there is no weight to read."""

    gross_g: float | None
    flags: Flag = Flag(0)


@dataclass(frozen=True, slots=True)
class Known:
    """Scales in a state, the words that stand for it, and the reading that is right.

    `holding` and `input` map the first address of a run of registers to its words. A register that
    is not listed reads as zero. Of `display`, a reader must be told by configuration whatever the
    family does not transmit.
    """

    family: str
    title: str
    scales: tuple[ScaleState, ...]
    expected: tuple[Expected, ...]
    holding: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    input: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    display: Display = KILOGRAMS

    @property
    def image(self) -> Image:
        """The listed registers one by one."""
        return Image(holding=_spread(self.holding), input=_spread(self.input))


def _spread(runs: Mapping[int, tuple[int, ...]]) -> dict[int, int]:
    return {
        address: word for start, words in runs.items() for address, word in enumerate(words, start)
    }


EMPTY = ScaleState()
ONE_KILOGRAM = ScaleState(1_000)
HUNDRED_KILOGRAMS = ScaleState(100_000)
BELOW_ZERO_MOVING = ScaleState(-250, moving=True)
TARED = ScaleState(1_500, tare_g=400)
PRESET_TARED = ScaleState(1_500, tare_g=400, preset_tare=True)
TARED_AND_EMPTY = ScaleState(0, tare_g=400)
OVERLOADED = ScaleState(50_500, overload=True)
UNDERLOADED = ScaleState(-600, underload=True)
BROKEN = ScaleState(300, fault=True)
"""The usual states. What a family cannot express, its expected reading leaves out."""
