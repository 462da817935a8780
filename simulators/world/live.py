"""A world of any family in real time, behind the simulators of its devices' protocols.

    python -m simulators.world.live FAMILY LEVEL SEED [--seconds S] [--opening S] [--site FOLDER]

serves one LLRP reader and one Modbus/TCP link for each of the world's, on free loopback ports. The
first line tells the ports and the site's parameters; then the truth log, each act as it happens.
With `--site` a configuration for the gateway is written there before anything moves.

What happens in the air and on the plates is the same as in virtual time, and so are the faults of
readers and scales; sessions, the reader's rate and antenna switching are those of the LLRP
simulator. Standstills of the gateway and steps of its clock are left to whoever stages them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from simulators.llrp.field import Sighting
from simulators.llrp.radio import RadioSettings
from simulators.llrp.reader import LlrpReader, Options
from simulators.modbus.bus import Bus
from simulators.modbus.families import FAMILIES as TRANSMITTERS
from simulators.modbus.faults import Faults
from simulators.modbus.scale import Display
from simulators.modbus.server import serve_tcp
from simulators.modbus.shelf import Shelf, Transmitter
from simulators.modbus.unit import Unit
from simulators.world.live_faults import Happening, of_reader, of_scale, stage
from simulators.world.live_site import TRANSMITTER, write_site
from simulators.world.parameters import LEVELS, SiteParameters
from simulators.world.plate import Scale, ScaleStream
from simulators.world.reader import ReaderPlan, ReaderStream
from simulators.world.scenarios import FAMILIES, OPENING_S, make_scenario
from simulators.world.truth import NS_PER_S, Scenario

GRAMS = Display("g", 1, 1)
"""What the transmitters show."""

AFTER_S = 30.0
"""So long a world goes on after its length, for whoever watches to make up their mind."""

NOMINAL_DBM = 30.0
"""The conducted power that a world's levels are stated for."""


class AirField:
    """The tags in front of one reader's antennas (`TagField`); time begins at `start_s`."""

    def __init__(self, plan: ReaderPlan, start_s: float) -> None:
        self._air = plan.make_air(Random(plan.seed))
        self._events, self._next = sorted(plan.events, key=lambda event: event.at_s), 0
        self._start_s = start_s

    def inventory(self, antenna: int, power_dbm: float, at_s: float) -> Sequence[Sighting]:
        """See `simulators.llrp.field.TagField`."""
        now_s, events = at_s - self._start_s, self._events
        while self._next < len(events) and events[self._next].at_s <= now_s:
            self._air.take(events[self._next])
            self._next += 1
        if not 1 <= antenna <= len(self._air.ears):
            return []
        return [
            Sighting(bytes.fromhex(epc), level_dbm + power_dbm - NOMINAL_DBM)
            for epc, level_dbm in self._air.answers(antenna - 1, now_s)
        ]


class PlateField:
    """What lies on the cells of one scale device (`LoadField`)."""

    def __init__(self, scale: Scale, start_s: float) -> None:
        self._scale = scale
        self._start_s = start_s

    def gross_g(self, cell: str, at_s: float) -> float:
        """See `simulators.modbus.shelf.LoadField`."""
        return self._scale.gross_g(cell, at_s - self._start_s)


@dataclass(frozen=True, slots=True)
class Live:
    """A world that runs: when it began, on the clock it was given, and where its devices listen."""

    start_s: float
    ports: dict[str, int]


@asynccontextmanager
async def serve(scenario: Scenario, now: Callable[[], float]) -> AsyncIterator[Live]:
    """Serve all devices of a world, whose time begins now."""
    live = Live(now(), {})
    site, happenings = scenario.site, list[Happening]()
    async with AsyncExitStack() as stack:
        for stream in scenario.block.streams:
            if isinstance(stream, ReaderStream):
                plan = stream.plan
                radio = RadioSettings(reads_per_s=site.reads_per_s, dwell_s=plan.dwell_s)
                field, options = AirField(plan, live.start_s), Options(radio=radio)
                reader = LlrpReader(field, Random(plan.seed), options, now)
                await stack.enter_async_context(reader)
                live.ports[plan.device] = reader.port
                steps = [step for step in scenario.block.clocks if step.device == plan.device]
                happenings += of_reader(plan, reader, steps)
            elif isinstance(stream, ScaleStream):
                device = stream.plan.device
                bus = _bus(stream, live.start_s, now)
                live.ports[device] = await stack.enter_async_context(serve_tcp(bus))
                happenings += of_scale(stream.plan, bus)
        staged = asyncio.create_task(stage(happenings, live.start_s, now), name="faults")
        stack.callback(staged.cancel)
        yield live


def _bus(stream: ScaleStream, start_s: float, now: Callable[[], float]) -> Bus:
    """One transmitter for each cell, behind one link."""
    plan, random = stream.plan, Random(stream.plan.seed)
    field = PlateField(Scale(plan), start_s)
    units = {
        number: Unit(
            TRANSMITTERS[TRANSMITTER](GRAMS), Shelf([cell], field, GRAMS, Transmitter(), random)
        )
        for number, cell in enumerate(plan.cells, 1)
    }
    return Bus(units, now, Faults(random))


async def run(asked: argparse.Namespace) -> None:
    """Serve until the world is over, and tell the truth as it happens."""
    scenario, parameters = make_scenario(
        asked.family, asked.level, asked.seed, asked.seconds, asked.opening
    )
    loop = asyncio.get_running_loop()
    async with serve(scenario, loop.time) as live:
        if asked.site is not None:
            write_site(asked.site, scenario, live.ports)
        _tell(live, parameters)
        for act in scenario.acts:
            await asyncio.sleep(max(0.0, live.start_s + act.at / NS_PER_S - loop.time()))
            sys.stdout.write(json.dumps(asdict(act)) + "\n")
            sys.stdout.flush()
        await asyncio.sleep(max(0.0, live.start_s + scenario.length_s + AFTER_S - loop.time()))


def _tell(live: Live, parameters: SiteParameters) -> None:
    sys.stdout.write(json.dumps({"ports": live.ports, "parameters": parameters.told()}) + "\n")
    sys.stdout.flush()


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.world.live", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("family", choices=[*FAMILIES])
    parser.add_argument("level", choices=LEVELS)
    parser.add_argument("seed", type=int)
    parser.add_argument("--seconds", type=float, help="length, instead of the family's")
    parser.add_argument("--opening", type=float, default=OPENING_S, help="nobody acts before")
    parser.add_argument("--site", type=Path, help="write the gateway's configuration here")
    return parser.parse_args(words)


if __name__ == "__main__":
    asyncio.run(run(parse(sys.argv[1:])))
