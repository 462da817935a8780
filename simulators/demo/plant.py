"""The devices of the simulated warehouse, on loopback ports, in front of one world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from simulators.demo.lights import MODULE, PickLights
from simulators.demo.site_files import scanner_at
from simulators.llrp.radio import RadioSettings
from simulators.llrp.reader import LlrpReader, Options
from simulators.modbus.bus import Bus
from simulators.modbus.families import FAMILIES
from simulators.modbus.faults import Faults
from simulators.modbus.scale import Display
from simulators.modbus.server import serve_tcp
from simulators.modbus.shelf import Shelf, Transmitter
from simulators.modbus.unit import Unit
from simulators.scanner import ScannerServer
from simulators.world.layout import DOCK_READER, GATE_READER, SHELF_READER, SHELF_X_M, SPOTS
from simulators.world.world import World

GRAMS = Display("g", 1, 1)
"""What the transmitters show: grams with one decimal."""


DWELL_S = {SHELF_READER: 0.2, GATE_READER: 0.08, DOCK_READER: 0.08}
"""Time on one antenna: a gate sees few tags at once, and each of them for a moment only."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Where the devices listen. They are handed out so that people can scan, and faults be staged.

    Scanners go by their shelf.
    """

    ports: dict[str, int]
    readers: dict[str, LlrpReader]
    buses: dict[str, Bus]
    scanners: dict[str, ScannerServer]
    lights: PickLights = field(default_factory=PickLights)


@asynccontextmanager
async def run_plant(
    world: World, random: Random, *, by_order: bool = False, dock: bool = False
) -> AsyncIterator[Plant]:
    """Start two readers and two weighing shelves of four cells; stop them at the end.

    A third reader watches the `dock`.

    Shelf A is one four-channel transmitter; shelf B is four transmitters behind one link. With
    `by_order` each has a scanner, and shelf A its lamp module.
    """
    async with AsyncExitStack() as stack:
        plant = Plant({}, {}, {}, {})
        for name in (SHELF_READER, GATE_READER, DOCK_READER)[: 3 if dock else 2]:
            options = Options(radio=RadioSettings(dwell_s=DWELL_S[name]))
            own = Random(random.getrandbits(64))
            reader = LlrpReader(world.field(name), own, options, world.now)
            await stack.enter_async_context(reader)
            plant.ports[name] = reader.port
            plant.readers[name] = reader
        noise_g = random.uniform(0.1, 0.5)
        for device, family in (("shelf-a", "dini-dgt4x-multiscale"), ("shelf-b", "laumas-tlb-w")):
            bus = Bus(_units(world, device, family, (noise_g, random)), world.now, Faults(random))
            plant.ports[device] = await stack.enter_async_context(serve_tcp(bus))
            plant.buses[device] = bus
        if by_order:
            plant.buses["shelf-a"].lamps = {MODULE: plant.lights.module}
        for shelf in SHELF_X_M if by_order else ():
            scanner = await stack.enter_async_context(ScannerServer(random=random))
            plant.scanners[shelf] = scanner
            plant.ports[scanner_at(shelf)] = scanner.port
        yield plant


def _units(world: World, device: str, family: str, chance: tuple[float, Random]) -> dict[int, Unit]:
    noise_g, random = chance
    cells = [spot.name for spot in SPOTS if spot.device == device]
    groups = [cells] if family == "dini-dgt4x-multiscale" else [[cell] for cell in cells]
    settings = Transmitter(noise_sd_g=noise_g)
    return {
        number: Unit(FAMILIES[family](GRAMS), Shelf(group, world, GRAMS, settings, random))
        for number, group in enumerate(groups, start=1)
    }
