"""The core's book in the running daemon: compared, told, kept over a restart."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import pytest

from gateway.status import NotRunningError, ask
from simulators.broker import mosquitto
from simulators.core.contract import DEFAULT_PREFIX
from simulators.demo.chain import Chain, run_chain
from simulators.demo.site_files import GATEWAY, SITE
from tests.chain.asking import held_events

PLACE, BOLT = "A-1", "BOLT-M8"
HOLD_S = 40
"""Longer than until a core that settles nothing is known to be behind."""
TOPIC = f"{DEFAULT_PREFIX}/{SITE}/{GATEWAY}/stock/{PLACE}/{BOLT}"


def told(chain: Chain) -> dict[str, Any]:
    """The line that `shelfgate stock` shows."""
    args = {"location": PLACE, "item": BOLT}
    request = {"request": "command", "id": str(uuid4()), "command": "stock", "args": args}
    try:
        lines = ask(chain.folder / "state", request)["result"]["lines"]
    except NotRunningError:
        return {}
    return dict(lines[0]) if lines else {}


async def retained(port: int) -> dict[str, Any]:
    """What a department sees that asks the broker."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(TOPIC, qos=1)
        message = await anext(aiter(client.messages))
        assert isinstance(message.payload, bytes)
        return dict(json.loads(message.payload))


def alerts(folder: Path) -> list[tuple[str, bool]]:
    return [
        (each["code"], each["raised"])
        for each in held_events(folder)
        if each["event"] == "alert" and each["code"] in {"reorder", "below_safety"}
    ]


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_book_is_compared_and_its_thresholds_are_watched_over_a_restart(
    tmp_path: Path, broker_port: int
) -> None:
    url = f"mqtt://127.0.0.1:{broker_port}"
    async with (
        run_chain(tmp_path, seed=21, broker_url=url, quiet=True) as chain,
        mosquitto(broker_port),
    ):
        await chain.start_daemon()
        await chain.ready()
        assert await chain.wait_until(lambda: told(chain).get("variance") == 0, 20)
        held = told(chain)["quantity"]
        line = {"item": BOLT, "quantity": held, "uom": "pcs", "safety": 1, "reorder": held - 1}
        body = {"code": PLACE, "at": "2026-11-24T06:00:00Z", "lines": [line]}
        await chain.core.put("book", PLACE, body)
        assert await chain.wait_until(lambda: told(chain).get("reorder") == held - 1, 10)
        assert alerts(tmp_path) == []

        chain.world.pick("Ana", chain.world.spots[PLACE], 4)
        assert await chain.wait_until(lambda: alerts(tmp_path) == [("reorder", True)], 30)
        assert await chain.wait_until(lambda: told(chain).get("variance") == 0, 20)
        seen = await retained(broker_port)
        assert {name: seen[name] for name in ("quantity", "book", "variance", "reorder")} == {
            "quantity": held - 4,
            "book": held - 4,
            "variance": 0,
            "reorder": held - 1,
        }

        await chain.stop_daemon()
        await chain.stop_core()
        await chain.start_daemon()
        assert await chain.wait_until(lambda: told(chain).get("book") == held - 4, 20)
        assert told(chain)["reorder"] == held - 1
        chain.start_core()
        chain.world.put("Ana", chain.world.spots[PLACE], 4)
        assert await chain.wait_until(lambda: len(alerts(tmp_path)) == 2, 30)
        assert alerts(tmp_path) == [("reorder", True), ("reorder", False)]
        await chain.stop_daemon()


def waited_s(chain: Chain) -> float:
    """How long the oldest record waits for the core."""
    try:
        told = ask(chain.folder / "state", {"request": "status"})["status"]
    except NotRunningError:
        return 0.0
    return float(told["oldest_unsettled_ms"]) / 1000


def is_told_to_differ(chain: Chain) -> bool:
    told = ask(chain.folder / "state", {"request": "status"})["status"]
    return any(alert["code"] == "stock_differs" for alert in told["alerts"])


@pytest.mark.server
@pytest.mark.timeout(240)
async def test_core_that_stands_still_is_no_difference_and_one_that_keeps_up_may_be(
    tmp_path: Path, broker_port: int
) -> None:
    url = f"mqtt://127.0.0.1:{broker_port}"
    async with (
        run_chain(tmp_path, seed=22, broker_url=url, quiet=True) as chain,
        mosquitto(broker_port),
    ):
        text = chain.config.read_text(encoding="utf-8")
        hold = f"\n[rules.stock]\nvariance_hold_s = {HOLD_S}\n"
        chain.config.write_text(text + hold, encoding="utf-8")
        await chain.start_daemon()
        await chain.ready()
        assert await chain.wait_until(lambda: told(chain).get("variance") == 0, 20)
        await chain.stop_core()
        chain.world.pick("Ana", chain.world.spots[PLACE], 2)
        assert await chain.wait_until(lambda: told(chain).get("variance") == -2, 30)
        assert await chain.wait_until(lambda: waited_s(chain) > HOLD_S + 5, HOLD_S + 20)
        assert not is_told_to_differ(chain)
        chain.start_core()
        assert await chain.wait_until(lambda: told(chain).get("variance") == 0, 30)
        assert not is_told_to_differ(chain)

        line = {"item": BOLT, "quantity": told(chain)["quantity"] + 3, "uom": "pcs"}
        body = {"code": PLACE, "at": "2026-11-24T06:00:00Z", "lines": [line]}
        await chain.core.put("book", PLACE, body)
        assert await chain.wait_until(lambda: is_told_to_differ(chain), HOLD_S + 30)
        await chain.stop_daemon()
