"""What the core tells of its items takes effect in the running daemon, and is kept."""

from pathlib import Path

import pytest

from simulators.broker import mosquitto
from simulators.demo.chain import Chain, run_chain
from simulators.demo.result import decided_movements
from simulators.demo.site_files import gtin_of
from simulators.world.layout import HALL, Ware
from tests.chain.asking import device_is_up, held_movements, known_items

MOTOR = Ware("MOTOR-9", "Motor 9 kW, carton", 5000.0, 0.01, "30340a1b2c00090000")
"""Stands in no file of the gateway's: only the core tells of it."""

BOLTS_G = 42.8
"""The core calls two bolts a piece from now on, which its stock then shows."""

CELLS = ("shelf-a", "shelf-b", "gate-reader")


def act(chain: Chain) -> None:
    """Take four bolts, and carry a motor in."""
    chain.world.pick("Ana", chain.world.spots["A-1"], 4)
    chain.world.carry("Ben", [chain.world.make(MOTOR)], inward=True, speed_m_s=1.2)


def told(folder: Path, item: str) -> list[tuple[int, str, str]]:
    """Movements of an item in the core: quantity and both ends."""
    return [
        (each["quantity"], each["from"]["location"], each["to"]["location"])
        for each in held_movements(folder)
        if each["item"] == item
    ]


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_items_that_the_core_tells_take_effect_and_survive_a_restart(
    tmp_path: Path, broker_port: int
) -> None:
    url = f"mqtt://127.0.0.1:{broker_port}"
    async with run_chain(tmp_path, seed=14, broker_url=url, quiet=True) as chain:
        async with mosquitto(broker_port):
            await chain.start_daemon()
            await chain.ready()
            heavier = {"code": "BOLT-M8", "unit_mg": round(BOLTS_G * 1000), "unit_sd_mg": 400}
            await chain.core.put("item", "BOLT-M8", {**heavier, "name": "Two bolts", "uom": "pcs"})
            tagged = {"code": MOTOR.code, "gtins": [gtin_of(MOTOR)], "uom": "pcs"}
            await chain.core.put("item", MOTOR.code, {**tagged, "name": MOTOR.name})
            known = {"BOLT-M8", MOTOR.code}
            assert await chain.wait_until(lambda: known_items(tmp_path, 1) == known, 10)
            act(chain)
            assert await chain.wait_until(lambda: len(chain.booked) == 2, 30)
            await chain.stop_daemon()
        assert told(tmp_path, "BOLT-M8") == [(2, "A-1", "unknown")]
        assert told(tmp_path, MOTOR.code) == [(1, "unknown", HALL)]

        # No broker: nobody can tell it anew. What it decides now, it decides by what it kept.
        await chain.start_daemon()
        assert await chain.wait_until(
            lambda: all(device_is_up(chain, device) for device in CELLS), 20
        )
        await chain.wait_until(lambda: False, 2.0)
        act(chain)
        assert await chain.wait_until(lambda: len(decided_movements(tmp_path)) == 4, 30)
        async with mosquitto(broker_port):
            assert await chain.wait_until(lambda: len(chain.booked) == 4, 30)
            await chain.stop_daemon()
        assert told(tmp_path, "BOLT-M8") == [(2, "A-1", "unknown")] * 2
        assert told(tmp_path, MOTOR.code) == [(1, "unknown", HALL)] * 2
