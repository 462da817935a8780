"""`quiet`, `faulty` and `day`: whole sites with everything in them.

`quiet`: nobody is there, only the weather, the heating, lorries outside, paths that open and close.
`faulty`: a reader is away for a quarter of an hour, an antenna comes off, a cell freezes, the
process stands still, a reader sends what it held back, another's clock is set; a shelf, a scale and
a gate have their share of it. `day`: three shifts, and a fault at night.
A step of the gateway's wall clock changes nothing for who counts from boot; it does for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from simulators.world.families.fused import SmartShelfPlan, fused_block
from simulators.world.families.portal import GateBusiness, portal_block
from simulators.world.families.shelf import ShelfPlan, shelf_block
from simulators.world.families.weight import ScaleBusiness, weight_block
from simulators.world.forklifts import drives
from simulators.world.parameters import SiteParameters
from simulators.world.radio_events import CableStep
from simulators.world.reader import Outage, Told
from simulators.world.truth import (
    Block,
    ClockStep,
    Observed,
    ReaderClockStep,
    Standstill,
    Trouble,
    ns,
)

SAVING_READS_PER_S = 40.0
"""Readers of these sites save power: a tag is read now and then, not all the time."""

SAVING_POLL_S = 0.5
"""So seldom are scales polled at night."""

EMPTY_HALL = 20.0
"""So much more seldom is a tag shaded where nobody walks."""

UNPLUGGED_DB = 200.0

STALL_S, STEP_S = 15.0, 3600.0
"""How long the process stands still, and how far its wall clock is set."""

STALLS_S, STEPS_S = (2450, 2800, 3120), (1500, 2200, 3300, 3500)
FAULTS = (
    ("outage", 470, 1370),
    ("unplugged", 1800, 2080),
    ("scale down", 2480, 2560),
    ("frozen", 2590, 2790),
    ("burst", 3080, 3105),
    ("gate outage", 1900, 2070),
    ("gate unplugged", 2200, 2400),
    ("gate burst", 2900, 2906),
)
"""Seconds within an hour of `faulty`."""

READER_STEPS = (
    (1560, "a-reader-1", -3600.0),
    (1650, "gate-reader", -40.0),
    (2350, "a-reader-1", 3600.0),
    (3420, "gate-reader", 40.0),
)
"""When a reader's own clock is set, and by how many seconds: far away, and by as little as could be
taken for reads that were held back.
"""

GATE_TAGS, GATE_PAUSE_S = 20, (20.0, 60.0)
"""How much goes through the gate of a faulty site."""

SHOWS_S = 60.0
"""What is told so long after a fault may be of it."""


def quiet_block(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    """A shelf, a gate with racks and a scale, and nobody there who could shade a tag."""
    p = _saving(parameters)
    p = replace(p, shadow_every_s=p.shadow_every_s * EMPTY_HALL)
    block = shelf_block(ShelfPlan("A", length_s, (), zones=4, tags=60, wares=6), p, random)
    lane = drives(p, random, length_s)
    scale = ScaleBusiness("W", length_s, (), cells=6, poll_s=SAVING_POLL_S, lane=lane)
    block.add(weight_block(scale, p, random))
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
    unplugged, lane = (at(1800), at(2080)), drives(parameters, random, length_s)
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
        lane=lane,
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
        lane=lane,
    )
    block.add(weight_block(scale, parameters, random))
    block.add(_faulty_gate(parameters, random, busy, length_s))
    _upset(block, [at(second) for second in STALLS_S], [at(second) for second in STEPS_S])
    _set_reader_clocks(block, [(at(when), device, by_s) for when, device, by_s in READER_STEPS])
    for kind, begin, end in FAULTS:
        block.troubles.append(Trouble(kind, ns(at(begin)), ns(at(end) + SHOWS_S)))
    return block


def _faulty_gate(
    parameters: SiteParameters,
    random: Random,
    busy: tuple[tuple[float, float], ...],
    length_s: float,
) -> Block:
    """A gate whose reader is away while nothing passes, loses an antenna while something does, and
    for a few seconds can send nothing; what it held back comes late.
    """
    fault = {kind: (begin, end) for kind, begin, end in FAULTS}
    stretch = length_s / 3600.0
    away, off, late = (
        (begin * stretch, end * stretch)
        for begin, end in (fault["gate outage"], fault["gate unplugged"], fault["gate burst"])
    )
    worn = "gate-reader:2"
    gate = GateBusiness(
        "GATE",
        length_s,
        busy,
        pause_s=GATE_PAUSE_S,
        pallet_tags=GATE_TAGS,
        outages=(Outage(*away), Outage(*late, held_s=late[1] - late[0])),
        told=(Told(off[0] + 0.6, 2, active=True), Told(off[1] + 0.6, 2, active=False)),
        steps=(CableStep(off[0], worn, UNPLUGGED_DB), CableStep(off[1], worn, 0.0)),
    )
    return portal_block(gate, parameters, random)


def _set_reader_clocks(block: Block, steps: Sequence[tuple[float, str, float]]) -> None:
    block.clocks = [ReaderClockStep(ns(at_s), device, ns(span_s)) for at_s, device, span_s in steps]
    for step in block.clocks:
        block.troubles.append(Trouble("reader clock", step.at, step.at + ns(SHOWS_S)))
    block.streams.append(partial(iter, block.clocks))


def _upset(block: Block, stalls_s: Sequence[float], steps_s: Sequence[float]) -> None:
    """The process stands still now and then, and its wall clock is set forward, then back."""
    upsets: list[Observed] = [Standstill(ns(at_s), "", ns(STALL_S)) for at_s in stalls_s]
    for number, at_s in enumerate(steps_s):
        upsets.append(ClockStep(ns(at_s), "", ns(-STEP_S if number % 2 else STEP_S)))
    for upset in upsets:
        until = upset.at + ns(STALL_S + SHOWS_S)
        block.troubles.append(Trouble(type(upset).__name__.lower(), upset.at, until))
    upsets.sort(key=lambda upset: upset.at)
    block.streams.append(partial(iter, upsets))


def day_block(parameters: SiteParameters, random: Random, length_s: float) -> Block:
    """Three shifts with breaks between them, everything a site has; faults at night."""
    p = _saving(parameters)
    lane = drives(p, random, length_s)
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
        lane=lane,
    )
    block = shelf_block(shelf, p, random)
    scale = ScaleBusiness("W", length_s, busy, cells=6, act_every_s=60.0, poll_s=0.2, lane=lane)
    block.add(weight_block(scale, p, random))
    gate = GateBusiness(
        "GATE",
        length_s,
        busy,
        pause_s=(200.0, 900.0),
        pallet_tags=20,
        announced_share=0.5,
        triggered=True,
    )
    block.add(portal_block(gate, parameters, random))
    smart = SmartShelfPlan("S", length_s, busy, zones=2, act_every_s=60.0, poll_s=0.2, lane=lane)
    block.add(fused_block(smart, p, random))
    block.troubles.append(Trouble("outage", ns(away_s), ns(away_s + 900.0 + SHOWS_S)))
    _upset(block, (0.93 * length_s,), (0.3 * length_s, 0.6 * length_s))
    return block


def _saving(parameters: SiteParameters) -> SiteParameters:
    return replace(parameters, reads_per_s=min(parameters.reads_per_s, SAVING_READS_PER_S))
