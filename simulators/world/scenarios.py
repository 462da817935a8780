"""Makes one world out of a family, a level and a seed: the same three, the same world.

`python -m simulators.world.scenarios FAMILY LEVEL SEED` prints its parameters, and its truth log
as JSON lines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random

from simulators.world.families.fused import SmartShelfPlan, fused_block
from simulators.world.families.portal import GateBusiness, portal_block
from simulators.world.families.shelf import ShelfPlan, shelf_block
from simulators.world.families.still import day_block, faulty_block, quiet_block
from simulators.world.families.weight import ScaleBusiness, weight_block
from simulators.world.forklifts import drives
from simulators.world.parameters import LEVELS, Level, SiteParameters
from simulators.world.truth import Block, Scenario

OPENING_S = 90.0
"""Nobody acts so early: whoever watches may first find out what is there."""


@dataclass(frozen=True, slots=True)
class Family:
    """What a family is called in the table, how long one world of it is, and how it is made."""

    length_s: float
    make: Callable[[SiteParameters, Random, float], Block]


def _shelf(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    lane, busy = drives(parameters, random, length_s), ((OPENING_S, length_s - 60.0),)
    return shelf_block(ShelfPlan("A", length_s, busy, lane=lane), parameters, random)


def _portal(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    busy = ((OPENING_S, length_s),)
    return portal_block(GateBusiness("GATE", length_s, busy), parameters, random)


def _portal_order(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    plan = GateBusiness("GATE", length_s, ((OPENING_S, length_s),), announced_share=1.0)
    return portal_block(plan, parameters, random)


def _weight(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    lane = drives(parameters, random, length_s)
    plan = ScaleBusiness("W", length_s, ((OPENING_S, length_s),), lane=lane)
    return weight_block(plan, parameters, random)


def _fused(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    lane = drives(parameters, random, length_s)
    plan = SmartShelfPlan("S", length_s, ((OPENING_S, length_s),), lane=lane)
    return fused_block(plan, parameters, random)


FAMILIES: dict[str, Family] = {
    "shelf": Family(1800.0, _shelf),
    "portal": Family(1200.0, _portal),
    "portal_order": Family(1200.0, _portal_order),
    "weight": Family(3600.0, _weight),
    "fused": Family(1800.0, _fused),
    "quiet": Family(86_400.0, quiet_block),
    "faulty": Family(3600.0, faulty_block),
    "day": Family(86_400.0, day_block),
}


def make_scenario(
    family: str, level: Level, seed: int, length_s: float | None = None
) -> tuple[Scenario, SiteParameters]:
    """The world of that family, level and seed, and the parameters of its site."""
    known = FAMILIES[family]
    length_s = known.length_s if length_s is None else length_s
    random = Random(f"{family.removesuffix('_order')}/{level}/{seed}")
    parameters = SiteParameters.draw(random, level)
    block = known.make(parameters, random, length_s)
    return Scenario(family, level, seed, OPENING_S, length_s, block, parameters), parameters


def main(arguments: list[str]) -> None:
    """Print a world."""
    family, level, seed = arguments
    if family not in FAMILIES or level not in LEVELS:
        sys.exit(f"one of {', '.join(FAMILIES)} and one of {', '.join(LEVELS)}")
    scenario, parameters = make_scenario(family, next(n for n in LEVELS if n == level), int(seed))
    sys.stdout.write(json.dumps({"parameters": parameters.told()}) + "\n")
    for act in scenario.acts:
        sys.stdout.write(json.dumps(asdict(act)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
