"""Faults of a world on the wire: as the plan says, when it says."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from simulators.llrp.events import REFUSED_OTHER
from simulators.llrp.reader import LlrpReader
from simulators.world.live import AirField, _bus
from simulators.world.live_faults import of_reader, of_scale, stage
from simulators.world.plate import ScaleStream
from simulators.world.reader import ReaderStream
from simulators.world.scenarios import make_scenario
from simulators.world.truth import Scenario
from tests.simulators.llrp.client import Client
from tests.simulators.llrp.readers import attempt, connected, inventory
from tests.virtual_time import run

LENGTH_S = 144.0
"""An hour of `faulty` in so short a time: 25 seconds of it are one second here."""


def faulty() -> Scenario:
    return make_scenario("faulty", "normal", 1, LENGTH_S)[0]


def plan_of(kind: type, device: str) -> Any:
    return next(
        stream.plan
        for stream in faulty().block.streams
        if type(stream) is kind and stream.plan.device == device
    )


class Staged:
    """A device whose faults are staged, and its clock."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.start_s = self.loop.time()

    async def until(self, second: float) -> None:
        """Wait for a second of an hour of `faulty`."""
        at_s = self.start_s + second * LENGTH_S / 3600.0
        await asyncio.sleep(max(0.0, at_s - self.loop.time()))


def staged_reader(play: Callable[[Staged, LlrpReader], Any]) -> None:
    async def main() -> None:
        clock, plan = Staged(), plan_of(ReaderStream, "a-reader-1")
        field = AirField(plan, clock.start_s)
        async with LlrpReader(field, Random(1)) as reader:
            steps = [one for one in faulty().block.clocks if one.device == plan.device]
            told = of_reader(plan, reader, steps)
            staging = asyncio.create_task(stage(told, clock.start_s, clock.loop.time))
            await play(clock, reader)
            staging.cancel()

    run(main())


def test_a_reader_is_away_and_refuses_until_it_is_back() -> None:
    async def play(clock: Staged, reader: LlrpReader) -> None:
        client = await connected(reader)
        await inventory(client)
        await clock.until(465)
        assert not client.closed.is_set()
        await clock.until(475)
        assert client.closed.is_set()
        refused = Client.in_memory(reader)
        await refused.wait_for(63, attempt(REFUSED_OTHER))
        assert not reader.connected
        await clock.until(1375)
        await connected(reader)
        assert reader.connected

    staged_reader(play)


def test_an_antenna_comes_off_and_a_clock_is_set() -> None:
    async def play(clock: Staged, reader: LlrpReader) -> None:
        plugged, offsets = [], []
        for second in (1550, 1570, 1790, 1900, 2120, 2360):
            await clock.until(second)
            plugged.append(reader.runner.usable(2))
            offsets.append(round(reader.clock.offset_s))
        assert plugged == [True, True, True, False, True, True]
        assert offsets == [0, -3600, -3600, -3600, -3600, 0]

    staged_reader(play)


def test_a_scale_is_silent_and_one_cell_freezes() -> None:
    async def main() -> None:
        clock = Staged()
        stream = next(one for one in faulty().block.streams if type(one) is ScaleStream)
        bus = _bus(stream, clock.start_s, clock.loop.time)
        told = of_scale(stream.plan, bus)
        staging = asyncio.create_task(stage(told, clock.start_s, clock.loop.time))
        silent = []
        for second in (2470, 2490, 2550, 2570):
            await clock.until(second)
            silent.append([unit.silent for unit in bus.units.values()])
        assert silent == [[False] * 4, [True] * 4, [True] * 4, [False] * 4]
        levels: dict[int, set[float]] = {1: set(), 2: set()}
        for second in range(2620, 2780, 5):
            await clock.until(second)
            for number, seen in levels.items():
                [state] = bus.units[number].shelf.states(clock.loop.time())
                seen.add(round(state.gross_g, 6))
        assert len(levels[1]) == 1 < len(levels[2])
        staging.cancel()

    run(main())
