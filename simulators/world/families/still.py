"""`quiet`, `faulty` and `day`: whole sites with everything in them.

`quiet`: nobody is there, only the weather, the heating, lorries outside, paths that open and close.
`faulty`: a reader is away for a quarter of an hour, an antenna comes off, a cell freezes, the
process stands still, a reader sends what it held back. `day`: three shifts, and a fault at night.
A step of anybody's clock changes nothing here: what a device says is timed by when it is received.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from simulators.world.air import CableStep
from simulators.world.families.portal import GateBusiness, portal_block
from simulators.world.families.shelf import ShelfPlan, shelf_block
from simulators.world.families.weight import ScaleBusiness, weight_block
from simulators.world.parameters import SiteParameters
from simulators.world.reader import Outage, Told
from simulators.world.truth import Block, Observed, Standstill, ns

SAVING_READS_PER_S = 40.0
"""Readers of these sites save power: a tag is read now and then, not all the time."""

EMPTY_HALL = 20.0
"""So much more seldom is a tag shaded where nobody walks."""

UNPLUGGED_DB = 200.0


def quiet_block(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    """A shelf, a gate with racks and a scale, and nobody there who could shade a tag."""
    p = _saving(parameters)
    p = replace(p, shadow_every_s=p.shadow_every_s * EMPTY_HALL)
    block = shelf_block(ShelfPlan("A", length_s, (), zones=4, tags=60, wares=6), p, random)
    block.add(weight_block(ScaleBusiness("W", length_s, (), cells=6), p, random))
    block.add(portal_block(GateBusiness("GATE", length_s, ()), p, random))
    return block


def faulty_block(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    """Work, a fault, work, the next fault; the times are those of an hour, stretched."""
    stretch = length_s / 3600.0

    def at(second: float) -> float:
        return second * stretch

    busy = tuple(
        (at(begin), at(end))
        for begin, end in ((90, 420), (1440, 1740), (2140, 2420), (2830, 3030), (3160, 3560))
    )
    outages = (Outage(at(470), at(1370)), Outage(at(3080), at(3105), held_s=10.0))
    unplugged = (at(1800), at(2080))
    shelf = ShelfPlan(
        "A",
        length_s,
        busy,
        zones=4,
        tags=60,
        wares=6,
        act_every_s=8.0,
        blind=((at(900), at(1370) + 45.0),),
        outages=outages,
        told=(Told(unplugged[0] + 0.6, 2, active=True), Told(unplugged[1] + 0.6, 2, active=False)),
        steps=(
            CableStep(unplugged[0], "a-reader-1:2", UNPLUGGED_DB),
            CableStep(unplugged[1], "a-reader-1:2", 0.0),
        ),
    )
    block = shelf_block(shelf, parameters, random)
    scale = ScaleBusiness(
        "W",
        length_s,
        busy,
        cells=4,
        act_every_s=10.0,
        mixed_cells=0,
        equal_cells=0,
        down=((at(2480), at(2560)),),
        frozen=((at(2590), at(2790), 0),),
    )
    block.add(weight_block(scale, parameters, random))
    stalls: list[Observed] = [
        Standstill(ns(at(second)), "", ns(15.0)) for second in (2450, 2800, 3120)
    ]
    block.streams.append(lambda: iter(stalls))
    return block


def day_block(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    """Three shifts with breaks between them; a reader is away for a quarter of an hour at night."""
    p = _saving(parameters)
    shift_s = length_s / 3
    busy = tuple((begin + 90.0, begin + 0.9 * shift_s) for begin in (0.0, shift_s, 2 * shift_s))
    away_s = 0.95 * length_s
    shelf = ShelfPlan(
        "A",
        length_s,
        busy,
        zones=4,
        tags=60,
        wares=6,
        act_every_s=60.0,
        outages=(Outage(away_s, away_s + 900.0),),
    )
    block = shelf_block(shelf, p, random)
    scale = ScaleBusiness("W", length_s, busy, cells=6, act_every_s=60.0, poll_s=0.2)
    block.add(weight_block(scale, p, random))
    gate = GateBusiness(
        "GATE", length_s, busy, pause_s=(200.0, 900.0), pallet_tags=20, triggered=True
    )
    block.add(portal_block(gate, parameters, random))
    return block


def _saving(parameters: SiteParameters) -> SiteParameters:
    return replace(parameters, reads_per_s=min(parameters.reads_per_s, SAVING_READS_PER_S))
