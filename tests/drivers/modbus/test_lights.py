"""Lights on a link, against simulated lamp modules, alone and beside scales."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus import ModbusDriver
from drivers.modbus.settings import LightSettings, ModbusSettings
from gateway.model import Heartbeat, ShowLight
from gateway.ports import LightAbility, LinkError, ProtocolError
from simulators.modbus.bus import Bus
from simulators.modbus.families import FAMILIES
from simulators.modbus.faults import Faults
from simulators.modbus.lamps import LampModule
from simulators.modbus.scale import Display
from simulators.modbus.server import serve_rtu, serve_rtu_over_tcp, serve_tcp
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter
from simulators.modbus.unit import Unit
from tests.drivers.modbus.peer import Counts, Observed, make_driver, running
from tests.polling import until

PLAIN = {"light": "plain", "unit_id": 9, "coil": 4, "number_register": 10}
STACK = {"light": "stack", "unit_id": 9, "coils": {"red": 0, "amber": 1, "green": 2}}
CODES = {
    "light": "codes",
    "unit_id": 9,
    "colour_register": 20,
    "colours": {"red": 1, "amber": 2, "green": 3, "blue": 4, "white": 5},
    "pattern_register": 21,
    "patterns": {"steady": 1, "slow": 2, "fast": 3, "double": 4},
    "number_register": 22,
    "blank": 0xFFFF,
}
LIGHTS = [PLAIN, STACK, CODES]


def a_bus(module: LampModule, *, scales: bool = False) -> Bus:
    units = {}
    if scales:
        display, random = Display(), Random(1)
        shelf = Shelf(["1"], FixedLoads({"1": 1000.0}), display, Transmitter(), random)
        units = {1: Unit(FAMILIES["laumas-tlb-w"](display), shelf)}
    return Bus(units, asyncio.get_running_loop().time, Faults(Random(1)), {9: module})


def serve(link: str, bus: Bus) -> AbstractAsyncContextManager[int | str]:
    if link == "serial":
        return serve_rtu(bus)
    return serve_tcp(bus) if link == "tcp" else serve_rtu_over_tcp(bus)


@asynccontextmanager
async def lit(
    module: LampModule, link: str = "tcp", **settings: Any
) -> AsyncIterator[tuple[ModbusDriver, Observed, asyncio.Task[None]]]:
    """A driver with lights on a link, what it emits, and the server behind it."""
    scales = "units" in settings
    async with serve(link, a_bus(module, scales=scales)) as where:
        end = {"path": where} if link == "serial" else {"host": "127.0.0.1", "port": where}
        driver = make_driver(Counts(), link=link, lights=LIGHTS, **end, **settings)
        seen = Observed()
        async with running(driver, seen) as task:
            await until(lambda: seen.observations)
            yield driver, seen, task


@pytest.mark.parametrize("link", ["tcp", "rtu_over_tcp", "serial"])
async def test_coils_and_registers_show_what_is_told(link: str) -> None:
    module = LampModule()
    async with lit(module, link) as (driver, _, _):
        await driver.act(ShowLight("shelf:plain", "green", number=3))
        assert (module.coils[4], module.registers[10]) == (True, 3)
        await driver.act(ShowLight("shelf:plain", None, number=3))
        assert (module.coils[4], module.registers[10]) == (False, 3)
        await driver.act(ShowLight("shelf:stack", "red"))
        assert [module.coils[number] for number in (0, 1, 2)] == [True, False, False]
        await driver.act(ShowLight("shelf:stack", "amber"))
        assert [module.coils[number] for number in (0, 1, 2)] == [False, True, False]
        await driver.act(ShowLight("shelf:codes", "blue", "double", 12))
        assert [module.registers[number] for number in (20, 21, 22)] == [4, 4, 12]
        await driver.act(ShowLight("shelf:codes"))
        assert [module.registers[number] for number in (20, 21, 22)] == [0, 0, 0xFFFF]


async def test_only_what_has_changed_is_written() -> None:
    module = LampModule()
    async with lit(module) as (driver, _, _):
        await driver.act(ShowLight("shelf:plain", "green", number=3))
        before = module.writes
        await driver.act(ShowLight("shelf:plain", "red", number=3))
        assert module.writes == before
        await driver.act(ShowLight("shelf:plain", "red", number=12345))
        assert (module.writes, module.registers[10]) == (before + 1, 9999)


async def test_module_that_lost_its_power_lights_again_by_itself() -> None:
    module = LampModule()
    async with lit(module) as (driver, _, _):
        await driver.act(ShowLight("shelf:plain", "green", number=3))
        await driver.act(ShowLight("shelf:stack", "red"))
        module.power_cycle()
        assert not module.coils[4]
        await until(lambda: module.coils[4] and module.coils[0] and module.registers[10] == 3)


async def test_link_of_lights_alone_proves_itself_and_is_lost_with_them() -> None:
    module = LampModule()
    async with lit(module, timeout_s=0.05) as (driver, seen, task):
        await driver.act(ShowLight("shelf:plain", "green"))
        await until(lambda: sum(isinstance(o, Heartbeat) for o, _ in seen.observations) >= 3)
        module.silent = True
        with pytest.raises(ProtocolError):
            await driver.act(ShowLight("shelf:plain"))
        await until(task.done)
        assert _link_error(task.exception())
    with pytest.raises(LinkError, match="not connected"):
        await driver.act(ShowLight("shelf:plain"))


async def test_lights_beside_scales_prove_nothing_of_them() -> None:
    module = LampModule()
    unit = {"unit_id": 1, "profile": "laumas-tlb-w", "capacity_g": 50_000}
    async with lit(module, units=[unit]) as (driver, seen, task):
        await driver.act(ShowLight("shelf:plain", "green", number=1))
        await until(lambda: seen.samples)
        module.silent = True
        before = len(seen.samples)
        with pytest.raises(ProtocolError):
            await driver.act(ShowLight("shelf:stack", "red"))
        await until(lambda: len(seen.samples) > before + 20)
        assert not any(isinstance(o, Heartbeat) for o, _ in seen.observations)
        assert not task.done()


async def test_address_that_the_module_does_not_have_is_refused() -> None:
    async with lit(LampModule(coils_count=4)) as (driver, _, _):
        with pytest.raises(ProtocolError, match="illegal register address"):
            await driver.act(ShowLight("shelf:plain", "red"))
        with pytest.raises(ProtocolError, match="no light shelf:other"):
            await driver.act(ShowLight("shelf:other", "red"))


def test_driver_says_what_its_lights_can_show() -> None:
    driver = make_driver(Counts(), link="tcp", host="192.0.2.1", lights=LIGHTS)
    every = frozenset({"red", "amber", "green", "blue", "white"})
    assert driver.lights() == {
        "shelf:plain": LightAbility(),
        "shelf:stack": LightAbility(frozenset({"red", "amber", "green"})),
        "shelf:codes": LightAbility(every, blinks=True),
    }
    assert driver.points() == frozenset()


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"coil": None}, "needs a coil"),
        ({"coils": {"red": 1}}, "one of both"),
        ({"coil": 70_000}, "less than or equal to 65535"),
        ({"unit_id": 300}, "less than or equal to 247"),
        ({"colours": {"red": 1}}, "belong together"),
        ({"colour_register": 1, "colours": {"red": 1}}, "each of red, amber"),
        ({"pattern_register": 1}, "belong together"),
        ({"pattern_register": 1, "patterns": {"fast": 1}}, "each of steady, slow"),
    ],
)
def test_light_that_makes_no_sense_is_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        LightSettings(**{**PLAIN, **wrong})


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"lights": []}, "a link needs one, or lights"),
        ({"lights": [PLAIN, PLAIN]}, "each name may stand once"),
        ({"link": "rtu_over_tcp", "lights": [{**PLAIN, "unit_id": 0}]}, "unit_id 0 is for all"),
    ],
)
def test_link_whose_lights_make_no_sense_is_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        ModbusSettings(**{"link": "tcp", "host": "192.0.2.1", **settings})


def _link_error(error: BaseException | None) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_link_error(each) for each in error.exceptions)
    return isinstance(error, LinkError)
