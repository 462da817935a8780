"""Makes one world out of a family, a level and a seed: the same three, the same world.

`python -m simulators.world.scenarios FAMILY LEVEL SEED` prints its parameters, and its truth log
as JSON lines: acts, then order lines and what became of them, then mistakes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import NamedTuple

from simulators.world.families.fused import SmartShelfPlan, fused_block
from simulators.world.families.orders import orders_block
from simulators.world.families.portal import GateBusiness, portal_block
from simulators.world.families.shelf import ShelfPlan, shelf_block
from simulators.world.families.still import day_block, faulty_block, quiet_block
from simulators.world.families.weight import ScaleBusiness, weight_block
from simulators.world.forklifts import drives
from simulators.world.parameters import LEVELS, Level, SiteParameters
from simulators.world.truth import Block, Scenario

OPENING_S = 90.0
"""Nobody acts so early: whoever watches may first find out what is there."""


class Span(NamedTuple):
    """A world's seconds: nobody acts before the opening."""

    opening_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Family:
    """What a family is called in the table, how long one world of it is, and how it is made."""

    length_s: float
    make: Callable[[SiteParameters, Random, Span], Block]


def _shelf(parameters: SiteParameters, random: Random, span: Span) -> Block:
    opening_s, length_s = span
    lane, busy = drives(parameters, random, length_s), ((opening_s, length_s - 60.0),)
    return shelf_block(ShelfPlan("A", length_s, busy, lane=lane), parameters, random)


def _portal(parameters: SiteParameters, random: Random, span: Span) -> Block:
    return portal_block(GateBusiness("GATE", span.length_s, (span,)), parameters, random)


def _portal_single(parameters: SiteParameters, random: Random, span: Span) -> Block:
    plan = GateBusiness("GATE", span.length_s, (span,), pallet_tags=1)
    return portal_block(plan, parameters, random)


def _portal_order(parameters: SiteParameters, random: Random, span: Span) -> Block:
    plan = GateBusiness("GATE", span.length_s, (span,), announced_share=1.0)
    return portal_block(plan, parameters, random)


def _weight(parameters: SiteParameters, random: Random, span: Span) -> Block:
    lane = drives(parameters, random, span.length_s)
    plan = ScaleBusiness("W", span.length_s, (span,), lane=lane)
    return weight_block(plan, parameters, random)


def _fused(parameters: SiteParameters, random: Random, span: Span) -> Block:
    lane = drives(parameters, random, span.length_s)
    plan = SmartShelfPlan("S", span.length_s, (span,), lane=lane)
    return fused_block(plan, parameters, random)


def _orders(parameters: SiteParameters, random: Random, span: Span) -> Block:
    return orders_block(span, drives(parameters, random, span.length_s), parameters, random)


def _quiet(parameters: SiteParameters, random: Random, span: Span) -> Block:
    return quiet_block(parameters, random, span.length_s)


def _faulty(parameters: SiteParameters, random: Random, span: Span) -> Block:
    return faulty_block(parameters, random, span.length_s)


def _day(parameters: SiteParameters, random: Random, span: Span) -> Block:
    return day_block(parameters, random, span.length_s)


FAMILIES: dict[str, Family] = {
    "shelf": Family(1800.0, _shelf),
    "portal": Family(1200.0, _portal),
    "portal_order": Family(1200.0, _portal_order),
    "portal_single": Family(1200.0, _portal_single),
    "weight": Family(3600.0, _weight),
    "fused": Family(1800.0, _fused),
    "quiet": Family(86_400.0, _quiet),
    "faulty": Family(3600.0, _faulty),
    "day": Family(86_400.0, _day),
    "orders": Family(4950.0, _orders),
}


def make_scenario(
    family: str,
    level: Level,
    seed: int,
    length_s: float | None = None,
    opening_s: float = OPENING_S,
) -> tuple[Scenario, SiteParameters]:
    """The world of that family, level and seed, and the parameters of its site. `quiet`, `faulty`
    and `day` have a timetable of their own.
    """
    known = FAMILIES[family]
    length_s = known.length_s if length_s is None else length_s
    random = Random(f"{family.removesuffix('_order')}/{level}/{seed}")
    parameters = SiteParameters.draw(random, level)
    block = known.make(parameters, random, Span(opening_s, length_s))
    return Scenario(family, level, seed, opening_s, length_s, block, parameters), parameters


def main(arguments: list[str]) -> None:
    """Print a world."""
    family, level, seed = arguments
    if family not in FAMILIES or level not in LEVELS:
        sys.exit(f"one of {', '.join(FAMILIES)} and one of {', '.join(LEVELS)}")
    scenario, parameters = make_scenario(family, next(n for n in LEVELS if n == level), int(seed))
    sys.stdout.write(json.dumps({"parameters": parameters.told()}) + "\n")
    for act in scenario.acts:
        sys.stdout.write(json.dumps(asdict(act)) + "\n")
    for line in scenario.block.lines:
        told = line._asdict() | {"line": line.line._asdict()}
        sys.stdout.write(json.dumps(told) + "\n")
    for slip in scenario.block.slips:
        sys.stdout.write(json.dumps(slip._asdict()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
