"""Lights in the running chain: lamps on Modbus, at a reader's outputs and behind the broker."""

import asyncio
import signal
from typing import Any

import pytest

from simulators.demo.chain import Chain
from simulators.modbus.lamps import LampModule
from simulators.mqtt_light.lights import Seen, Wled
from simulators.mqtt_light.serve import Plugged
from simulators.world.layout import GATE_READER

WITHIN_S = 15.0
GREEN = Seen((0, 255, 0), "Solid")

LIGHTS = """
[[device]]
id = "strip"
driver = "mqtt_light"
host = "127.0.0.1"
port = {broker_port}
lights = [{{ light = "a3", form = "wled", topic = "wled/shelf-a", segment = 3 }}]

[[light]]
light = "shelf-a:a1"
kind = "pick"
location = "A-1"

[[light]]
light = "strip:a3"
kind = "pick"
location = "A-3"

[[light]]
light = "{reader}:stack"
kind = "stack"

[[light]]
light = "{reader}:horn"
kind = "buzzer"
"""

LAMPS = '[[device.units]]\nunit_id = 1\nprofile = "dini-dgt4x-multiscale"'
LAMP = 'lights = [{ light = "a1", unit_id = 9, coil = 3, number_register = 7 }]\n'
OUTPUTS = """\
lights = [
  { light = "stack", ports = { red = 1, amber = 2, green = 3 } },
  { light = "horn", port = 4 },
]
"""


def wire(chain: Chain, broker_port: int) -> LampModule:
    """Lights on the devices that are there, and a strip behind the site's broker."""
    text = chain.config.read_text(encoding="utf-8")
    text = text.replace(LAMPS, LAMP + LAMPS)
    reader = f'id = "{GATE_READER}"\ndriver = "llrp"\n'
    text = text.replace(reader, reader + OUTPUTS)
    text += LIGHTS.format(broker_port=broker_port, reader=GATE_READER)
    chain.config.write_text(text, encoding="utf-8")
    bus = chain.plant.buses["shelf-a"]
    module = LampModule()
    bus.lamps = {9: module}
    return module


async def ordered(chain: Chain, code: str, item: str, location: str, quantity: int) -> None:
    task: dict[str, Any] = {
        "task_id": code,
        "type": "issue",
        "order": {"system": "erp", "type": "sales", "number": code, "line": "10"},
        "item": item,
        "quantity": quantity,
        "from": {"location": location},
    }
    await chain.core.order(task)


@pytest.mark.server
@pytest.mark.timeout(240)
async def test_lights_follow_an_order_through_stop_and_kill(chain: Chain, broker_port: int) -> None:
    module, strip = wire(chain, broker_port), Wled("shelf-a")
    outputs = chain.plant.readers[GATE_READER]
    pick = chain.world.pick

    def lamp() -> tuple[bool, int]:
        return module.coils[3], module.registers[7]

    async def comes(shown: tuple[bool, int], within_s: float = WITHIN_S) -> None:
        assert await chain.wait_until(lambda: lamp() == shown, within_s), lamp()

    async with Plugged(strip, "127.0.0.1", broker_port, chain.changed.set):
        await chain.start_daemon()
        await chain.ready()
        assert await chain.wait_until(lambda: outputs.outputs[3], WITHIN_S)
        await comes((False, 0))

        await ordered(chain, "T-1", "BOLT-M8", "A-1", 4)
        await ordered(chain, "T-2", "SENSOR-IR", "A-3", 1)
        await comes((True, 4))
        assert await chain.wait_until(lambda: strip.seen(3) == GREEN, WITHIN_S)
        pick("Ana", chain.world.spots["A-1"], 3)
        await comes((True, 1))

        await chain.stop_daemon()
        assert (lamp(), strip.seen(3)) == ((False, 0), Seen())
        assert not any(outputs.outputs.values())
        assert "lights out" in (chain.folder / "daemon.log").read_text(encoding="utf-8")
        await chain.start_daemon()
        await comes((True, 1), 30.0)
        assert await chain.wait_until(lambda: strip.seen(3) == GREEN, WITHIN_S)

        await chain.stop_daemon(signal.SIGKILL)
        assert lamp() == (True, 1)
        module.power_cycle()
        await chain.start_daemon()
        await comes((True, 1), 30.0)

        chain.world.put("Ana", chain.world.spots["A-1"], 1)
        await comes((True, 2))
        pick("Ana", chain.world.spots["A-1"], 2)
        pick("Ben", chain.world.spots["A-3"], 1)
        await comes((False, 0))
        assert await chain.wait_until(lambda: strip.seen(3) == Seen(), WITHIN_S)


@pytest.mark.server
@pytest.mark.timeout(120)
async def test_stack_light_and_buzzer_tell_of_a_dead_scale(chain: Chain, broker_port: int) -> None:
    wire(chain, broker_port)
    outputs = chain.plant.readers[GATE_READER]
    await chain.start_daemon()
    await chain.ready()
    assert await chain.wait_until(lambda: outputs.outputs[3], WITHIN_S)
    seen: list[dict[int, bool]] = []

    def note() -> bool:
        levels = {port: outputs.outputs[port] for port in (1, 2, 3, 4)}
        if not seen or seen[-1] != levels:
            seen.append(levels)
        return len([each for each in seen if each[1]]) >= 4

    for unit in chain.plant.buses["shelf-b"].units.values():
        unit.silent = True
    async with asyncio.timeout(40.0):
        while not note():  # noqa: ASYNC110 - a lamp sets no event
            await asyncio.sleep(0.02)
    assert any(each[4] for each in seen), "the buzzer sounded"
    assert not any(each[3] for each in seen if each[1]), "green is dark while red blinks"
    assert await chain.wait_until(lambda: not outputs.outputs[4], 10.0)
    await chain.wait_until(lambda: False, 2.0)
    assert not outputs.outputs[4]
    for unit in chain.plant.buses["shelf-b"].units.values():
        unit.silent = False
    assert await chain.wait_until(lambda: outputs.outputs[3], 40.0)
