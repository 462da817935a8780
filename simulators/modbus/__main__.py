"""Serve simulated weighing shelves by hand."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from random import Random

from simulators.modbus.bus import Bus
from simulators.modbus.families import FAMILIES
from simulators.modbus.faults import Fault, Faults
from simulators.modbus.lamps import LampModule
from simulators.modbus.scale import GRAMS, Display
from simulators.modbus.server import HOST, serve_rtu, serve_rtu_over_tcp, serve_tcp
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter
from simulators.modbus.unit import Unit

UNITS_MAX = 247  # Modbus unit ids


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.modbus",
        description="Serve simulated weighing shelves over Modbus on 127.0.0.1 until interrupted.",
    )
    parser.add_argument("--family", choices=sorted(FAMILIES), default="laumas-tlb-w")
    parser.add_argument("--units", type=int, default=1, help="unit ids 1 to N (default 1)")
    parser.add_argument("--cells", type=int, default=1, help="scales per unit (default 1)")
    parser.add_argument("--grams", type=float, default=0.0, help="load on every cell")
    parser.add_argument("--noise-g", type=float, default=0.0, help="sd of the converter's noise")
    parser.add_argument("--unit", choices=sorted(GRAMS), default="kg", help="unit of the display")
    parser.add_argument("--decimals", type=int, default=3, help="decimals of the display")
    parser.add_argument("--step", type=int, default=1, help="scale interval in last digits")
    parser.add_argument(
        "--lamps", type=int, metavar="UNIT", help="unit id of a lamp module that is shown here, too"
    )
    parser.add_argument("--link", choices=("tcp", "rtu", "rtu-over-tcp"), default="tcp")
    parser.add_argument("--port", type=int, default=5020, help="TCP port (default 5020, 0 = free)")
    parser.add_argument("--baud", type=int, default=9600, help="pace of an RTU link")
    parser.add_argument("--seed", type=int, default=1, help="of noise and faults (default 1)")
    parser.add_argument(
        "--fault",
        action="append",
        type=_fault,
        default=[],
        metavar="KIND=PROBABILITY",
        help=f"may repeat; kinds: {', '.join(fault.value for fault in Fault)}",
    )
    return parser


def _fault(text: str) -> tuple[Fault, float]:
    kind, _, probability = text.partition("=")
    try:
        return Fault(kind), float(probability)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; expected KIND=PROBABILITY") from error


def build_bus(options: argparse.Namespace, random: Random) -> Bus:
    """The bus that the command line asks for, on the running loop's time."""
    units = {unit_id: _unit(unit_id, options, random) for unit_id in range(1, options.units + 1)}
    lamps = {} if options.lamps is None else {options.lamps: LampModule()}
    return Bus(units, asyncio.get_running_loop().time, Faults(random, dict(options.fault)), lamps)


async def show_lamps(bus: Bus) -> None:
    """Say each second what the lamp modules show, if that has changed."""
    before: dict[int, str] = {}
    while True:
        for unit, module in bus.lamps.items():
            lit = [coil for coil, level in module.coils.items() if level]
            codes = {number: value for number, value in module.registers.items() if value}
            now = f"lamps of unit {unit}: coils {lit}, registers {codes}"
            if before.get(unit) != now:
                before[unit] = now
                print(now, flush=True)  # noqa: T201 - its answer
        await asyncio.sleep(1.0)


def _unit(unit_id: int, options: argparse.Namespace, random: Random) -> Unit:
    display = Display(options.unit, options.decimals, options.step)
    cells = [f"{unit_id}.{index + 1}" for index in range(options.cells)]
    loads = FixedLoads(dict.fromkeys(cells, options.grams))
    settings = Transmitter(noise_sd_g=options.noise_g)
    shelf = Shelf(cells, loads, display, settings, random)
    return Unit(FAMILIES[options.family](display), shelf)


def _link(bus: Bus, options: argparse.Namespace) -> AbstractAsyncContextManager[int | str]:
    if options.link == "rtu":
        return serve_rtu(bus, options.baud)
    if options.link == "rtu-over-tcp":
        return serve_rtu_over_tcp(bus, options.port, options.baud)
    return serve_tcp(bus, options.port)


async def _serve(options: argparse.Namespace) -> None:
    bus = build_bus(options, Random(options.seed))
    async with _link(bus, options) as where:
        place = where if isinstance(where, str) else f"{HOST}:{where}"
        units = f"units 1 to {options.units}" if options.units > 1 else "unit 1"
        print(f"{options.family}: {units} by {options.link} on {place}", flush=True)  # noqa: T201 - its answer
        await show_lamps(bus)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; returns the exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not 1 <= options.units <= UNITS_MAX:
        parser.error(f"--units is 1 to {UNITS_MAX}")
    if options.lamps is not None and not options.units < options.lamps <= UNITS_MAX:
        parser.error(f"--lamps is above the other units, and at most {UNITS_MAX}")
    display = Display(options.unit, options.decimals, options.step)
    try:
        cells_max = FAMILIES[options.family](display).cells_max
    except KeyError:
        parser.error(f"{options.family} has no code for {display}")
    if not 1 <= options.cells <= cells_max:
        parser.error(f"--cells of {options.family} is 1 to {cells_max}")
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
