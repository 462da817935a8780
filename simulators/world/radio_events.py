"""What is in front of a reader's antennas, and what happens to it: words of the simulated air."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeAlias

from simulators.world.parameters import SiteParameters

SILENCE_S = (0.5, 5.0, 1.5)
"""Least, most and commonest silence of a tag after an answer in session 1: median 2.2 s."""

Path: TypeAlias = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Antenna:
    """One antenna: its name, the zone it is to watch, and where it hangs. `facing_deg` is None for
    one that hears all around; `offset_m` is its distance from the plane the tags move in.
    """

    point: str
    zone: str
    x_m: float
    y_m: float
    offset_m: float
    facing_deg: float | None = None


@dataclass(slots=True, eq=False)
class Tag:
    """A tag, and what it is stuck on."""

    epc: str
    item: str
    material_db: float = 0.0
    silence_s: float = 2.2


class Stand(NamedTuple):
    """From `at_s` on a tag stands at a place."""

    at_s: float
    tag: Tag
    zone: str
    x_m: float
    y_m: float


class Lift(NamedTuple):
    """A tag stands no longer."""

    at_s: float
    tag: Tag


class Carry(NamedTuple):
    """Tags are on their way, each so far from `path`."""

    at_s: float
    until_s: float
    tags: tuple[Tag, ...]
    path: Path
    offsets: tuple[tuple[float, float], ...]
    loss_db: float


class Block(NamedTuple):
    """Somebody stands in front of a zone."""

    at_s: float
    until_s: float
    zone: str


class CableStep(NamedTuple):
    """An antenna hears so much less from now on; 200 dB is one that is unplugged."""

    at_s: float
    point: str
    loss_db: float


RadioEvent: TypeAlias = Stand | Lift | Carry | Block | CableStep


def draw_tag(epc: str, item: str, parameters: SiteParameters, random: Random) -> Tag:
    """A tag on a thing of cardboard, plastic, liquid or metal."""
    kind, material = random.random(), random.uniform(-2.0, 0.0)
    if kind < parameters.liquid_share:
        material = random.uniform(-12.0, -6.0)
    elif kind < parameters.liquid_share + parameters.metal_share:
        material = random.uniform(-18.0, -10.0)
    low, high, mode = SILENCE_S
    return Tag(epc, item, material, random.triangular(low, high, mode))
