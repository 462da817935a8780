"""Every shipped profile against simulated transmitters whose words were typed independently."""

import asyncio
from functools import partial
from random import Random

import pytest

from drivers.modbus.decode import CellNames
from drivers.modbus.profiles_folder import find_folder, load_profile
from drivers.modbus.selftest import SelfTest
from drivers.modbus.settings import UnitSettings
from gateway.model import CellFlag, Pulse
from gateway.ports import ProtocolError
from simulators.modbus.bus import Bus
from simulators.modbus.expectation import Known
from simulators.modbus.families import FAMILIES
from simulators.modbus.faults import Fault, Faults
from simulators.modbus.known import known_states
from simulators.modbus.scale import Display
from simulators.modbus.server import serve_rtu, serve_rtu_over_tcp, serve_tcp
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter
from simulators.modbus.unit import Unit
from tests.drivers.modbus.peer import Counts, Observed, make_driver, running
from tests.polling import until

# One bit tells that the weight is out of range and not at which end: to us a fault.
OUT_OF_RANGE = {
    ("laumas-tlb-w", "more digits than it shows"),
    ("siwarex-wp251", "out of range"),
}
FOLDER = find_folder()
CAPACITY_G = 1_000_000


def _unit_settings(family: str, display: Display, **more: object) -> dict[str, object]:
    profile = load_profile(family, FOLDER)
    told: dict[str, object] = {}
    if profile.decimals.source == "setting":
        told["decimals"] = display.decimals
    if profile.unit.source == "setting":
        told["weight_unit"] = display.unit
    return {"profile": family, "capacity_g": CAPACITY_G, **told, **more}


def _registers(known: Known) -> list[int]:
    profile = load_profile(known.family, FOLDER)
    block, image = profile.block, known.image
    space = image.holding if block.function == 3 else image.input
    first = block.start - profile.address_base
    return [space.get(address, 0) for address in range(first, first + block.count)]


@pytest.mark.parametrize("known", known_states(), ids=lambda known: f"{known.family}-{known.title}")
def test_typed_registers_read_as_the_typed_grams(known: Known) -> None:
    profile = load_profile(known.family, FOLDER)
    places = tuple(range(len(known.scales)))
    cells = CellNames(places, tuple(f"shelf:{place}" for place in places))
    settings = UnitSettings.model_validate(_unit_settings(known.family, known.display, unit_id=1))
    registers = _registers(known)
    test = SelfTest(profile, settings, cells)

    outcome = test.examine(registers)
    samples = outcome.decoder.samples(registers)

    assert outcome.verdict in ("proved", "open"), outcome.detail
    for sample, expected in zip(samples, known.expected, strict=True):
        if expected.gross_g is None:
            assert sample.flags & CellFlag.FAULT
            assert sample.gross_g == 0.0
        else:
            assert sample.gross_g == pytest.approx(expected.gross_g, abs=1e-3)
            if (known.family, known.title) in OUT_OF_RANGE:
                assert sample.flags & CellFlag.UNUSABLE
            else:
                assert sample.flags == expected.flags


def test_every_shipped_profile_has_a_simulated_family() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(FAMILIES)


def _shelf(family: str, cells: int, grams: float) -> tuple[Unit, FixedLoads]:
    names = [str(number) for number in range(cells)]
    loads = FixedLoads({name: grams + 100 * place for place, name in enumerate(names)})
    device = FAMILIES[family](Display())
    transmitter = Transmitter(capacity_g=CAPACITY_G)
    return Unit(device, Shelf(names, loads, device.display, transmitter, Random(1))), loads


def _bus(units: dict[int, Unit]) -> Bus:
    return Bus(units, asyncio.get_running_loop().time, Faults(Random(1)))


@pytest.mark.parametrize("family", sorted(FAMILIES))
async def test_driver_reads_tares_and_zeroes_a_family_over_tcp(family: str) -> None:
    profile = load_profile(family, FOLDER)
    unit, _ = _shelf(family, len(profile.cells), 1_000.0)
    counts, seen = Counts(), Observed()
    async with serve_tcp(_bus({1: unit})) as port:
        settings = _unit_settings(family, unit.family.display, unit_id=1)
        driver = make_driver(
            counts, link="tcp", host="127.0.0.1", port=port, poll_hz=50, units=[settings]
        )
        async with running(driver, seen):
            await until(lambda: any(not s.flags for s in seen.of("shelf:1")))
            last = [seen.of(f"shelf:{n}")[-1] for n in range(1, len(profile.cells) + 1)]
            assert [s.gross_g for s in last] == pytest.approx(
                [1_000.0 + 100 * place for place in range(len(profile.cells))]
            )
            assert not seen.faults()
            await _act(driver, unit, sorted(profile.commands))
    assert not unit.forbidden_writes


async def _act(driver: object, unit: Unit, kinds: list[str]) -> None:
    for kind in kinds:
        pulse = Pulse("shelf", kind, "shelf:1")  # type: ignore[arg-type]
        await driver.act(pulse)  # type: ignore[attr-defined]
        state = unit.shelf.states(asyncio.get_running_loop().time())[0]
        if kind == "tare":
            assert state.tare_g == pytest.approx(1_000.0)
        else:
            assert state.gross_g == pytest.approx(0.0)


async def test_family_without_tare_refuses_it_and_writes_nothing() -> None:
    unit, _ = _shelf("laumas-tlb-w", 1, 1_000.0)
    counts, seen = Counts(), Observed()
    async with serve_tcp(_bus({1: unit})) as port:
        settings = _unit_settings("laumas-tlb-w", unit.family.display, unit_id=1)
        driver = make_driver(counts, link="tcp", host="127.0.0.1", port=port, units=[settings])
        async with running(driver, seen):
            await until(lambda: bool(seen.samples))
            with pytest.raises(ProtocolError, match="no tare"):
                await driver.act(Pulse("shelf", "tare", "shelf:1"))
    assert not unit.writes


@pytest.mark.parametrize("link", ["serial", "rtu_over_tcp"])
async def test_driver_reads_two_families_on_one_rtu_line(link: str) -> None:
    hbk, _ = _shelf("hbk-wtx120", 1, 70_000.0)
    tuna, _ = _shelf("tuna-id551", 4, 500.0)
    counts, seen = Counts(), Observed()
    bus = _bus({1: hbk, 2: tuna})
    serve = serve_rtu(bus, 115_200) if link == "serial" else serve_rtu_over_tcp(bus)
    async with serve as end:
        place = {"path": end, "baud": 115_200} if link == "serial" else {"port": end}
        driver = make_driver(
            counts,
            link=link,
            host="127.0.0.1",
            quiet_gap_s=0.02,
            units=[
                _unit_settings("hbk-wtx120", hbk.family.display, unit_id=1),
                _unit_settings("tuna-id551", tuna.family.display, unit_id=2),
            ],
            **place,
        )
        async with running(driver, seen):
            await until(lambda: bool(seen.of("shelf:1")) and bool(seen.of("shelf:5")))
    assert seen.of("shelf:1")[-1].gross_g == pytest.approx(70_000.0)
    assert seen.of("shelf:5")[-1].gross_g == pytest.approx(800.0)


async def test_no_fault_of_the_simulator_gives_a_wrong_weight() -> None:
    unit, _ = _shelf("dini-dgt4x-multiscale", 4, 2_000.0)
    unit.faults = Faults(
        Random(7),
        dict.fromkeys(Fault, 0.04),
        slow_s=0.15,
        late_s=0.12,
        frozen_s=0.01,
    )
    counts, seen = Counts(), Observed()
    async with serve_tcp(_bus({1: unit})) as port:
        settings = _unit_settings("dini-dgt4x-multiscale", unit.family.display, unit_id=1)
        driver = make_driver(
            counts,
            link="tcp",
            host="127.0.0.1",
            port=port,
            poll_hz=50,
            timeout_s=0.1,
            units=[settings],
        )
        loop = asyncio.get_running_loop()
        end = loop.time() + 2.0
        while loop.time() < end:
            async with running(driver, seen) as task:
                await until(partial(_over, task, end))
    right = {f"shelf:{n}": 1_900.0 + 100 * n for n in range(1, 5)}
    wrong = [
        sample
        for sample in seen.samples
        if not sample.flags & CellFlag.UNUSABLE
        and sample.gross_g != pytest.approx(right[sample.cell])
    ]
    assert len(seen.samples) > 100
    assert not wrong
    assert sum(unit.faults.counts.values()) > 10


def _over(task: asyncio.Task[None], end: float) -> bool:
    return task.done() or asyncio.get_running_loop().time() > end
