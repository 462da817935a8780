"""The faults of a world on the wire: what its plans say of readers and scales, when its time comes.

A reader that is away refuses whoever connects; an antenna that comes off is told and hears nothing;
a scale that is away answers nothing. A cell that freezes is part of the plates themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from simulators.llrp.reader import LlrpReader
from simulators.modbus.bus import Bus
from simulators.world.plate import ScalePlan
from simulators.world.reader import ReaderPlan
from simulators.world.truth import NS_PER_S, ReaderClockStep


class Happening(NamedTuple):
    """Something that is done to a device at a moment of the world, in seconds."""

    at_s: float
    do: Callable[[], None]


def of_reader(
    plan: ReaderPlan, reader: LlrpReader, steps: Iterable[ReaderClockStep]
) -> list[Happening]:
    """What happens to a reader; `steps` are those of its own clock."""
    told: list[Happening] = []
    for outage in plan.outages:
        told.append(Happening(outage.at_s, lambda: _leave(reader)))
        told.append(Happening(outage.until_s - outage.held_s, reader.outbox.clear))
        told.append(Happening(outage.until_s, lambda: _come_back(reader)))
    plugs = [Happening(one.at_s, _plug(reader, one.antenna, not one.active)) for one in plan.told]
    sets = [Happening(one.at / NS_PER_S, _set(reader, one.span / NS_PER_S)) for one in steps]
    return [*told, *plugs, *sets]


def of_scale(plan: ScalePlan, bus: Bus) -> list[Happening]:
    """What happens to a scale device."""
    told: list[Happening] = []
    for begin_s, end_s in plan.down:
        told.append(Happening(begin_s, lambda: _silence(bus, silent=True)))
        told.append(Happening(end_s, lambda: _silence(bus, silent=False)))
    return told


async def stage(happenings: Iterable[Happening], start_s: float, now: Callable[[], float]) -> None:
    """Let everything happen in its time; the world began at `start_s` of that clock."""
    for happening in sorted(happenings, key=lambda one: one.at_s):
        await asyncio.sleep(max(0.0, start_s + happening.at_s - now()))
        happening.do()


def _leave(reader: LlrpReader) -> None:
    reader.faults.refuse = 1.0
    reader.cut_cable()


def _come_back(reader: LlrpReader) -> None:
    reader.faults.refuse = 0.0


def _plug(reader: LlrpReader, antenna: int, connected: bool) -> Callable[[], None]:
    return lambda: reader.set_antenna(antenna, connected)


def _set(reader: LlrpReader, span_s: float) -> Callable[[], None]:
    def step() -> None:
        reader.clock.offset_s += span_s

    return step


def _silence(bus: Bus, *, silent: bool) -> None:
    for unit in bus.units.values():
        unit.silent = silent
