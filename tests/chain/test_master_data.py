"""Master data that the core tells: applied by the running daemon, refused by name, kept."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from tests.chain.asking import held_events, held_movements

BASE = f"{DEFAULT_PREFIX}/{SITE}/{GATEWAY}"
ORDER = {"system": "erp", "type": "production", "number": "4711", "line": "10"}
TASK = {"task_id": "T-1", "type": "issue", "order": ORDER, "from": {"location": "A-1"}}
NUT: dict[str, Any] = {
    "code": "NUT-M20",
    "names": {"zh": "螺母", "de": "Mutter"},
    "unit_mg": 60_000,
    "uoms": {"BOX": "12"},
    "lot_rule": "fefo",
}
TREE = {"A-1": ("bin", "RACK"), "RACK": ("shelf", "NORTH"), "NORTH": ("area", "")}


def noted(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    """What the daemon has on its disk that was told by the core."""
    store = sqlite3.connect(f"file:{folder}/state/shelfgate.db?mode=ro", uri=True)
    try:
        question = "SELECT code, value FROM reference WHERE kind = ? AND version > 0"
        return {code: json.loads(value) for code, value in store.execute(question, (kind,))}
    finally:
        store.close()


def asked(chain: Chain, command: str, **args: str) -> dict[str, Any]:
    """The answer to a command, as a person at the box gets it; empty while nobody answers."""
    request = {"request": "command", "id": str(uuid4()), "command": command, "args": args}
    try:
        return dict(ask(chain.folder / "state", request).get("result", {}))
    except NotRunningError:
        return {}


@asynccontextmanager
async def refusals(port: int) -> AsyncIterator[dict[str, str]]:
    """What the gateway refuses, by topic; it grows while it is looked at."""
    told: dict[str, str] = {}

    async def hear() -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            answer = json.loads(message.payload)
            if "topic" in answer:
                told[answer["topic"]] = answer["error"]

    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(f"{BASE}/cmd/response", qos=1)
        hearing = asyncio.create_task(hear())
        yield told
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def put_raw(port: int, kind: str, code: str, body: dict[str, Any]) -> None:
    """What a core says that does not keep to the contract."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        payload = json.dumps(body, ensure_ascii=False).encode()
        await client.publish(f"{BASE}/{kind}/{code}", payload, qos=1, retain=True)


def of_tree(code: str) -> dict[str, Any]:
    kind, parent = TREE[code]
    return {"code": code, "kind": kind} | ({"parent": parent} if parent else {})


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_master_data_is_applied_or_refused_by_name_and_survives_a_restart(
    tmp_path: Path, broker_port: int
) -> None:
    url = f"mqtt://127.0.0.1:{broker_port}"
    async with (
        run_chain(tmp_path, seed=31, broker_url=url, quiet=True) as chain,
        mosquitto(broker_port),
        refusals(broker_port) as refused,
    ):
        await chain.start_daemon()
        await chain.ready()

        # In boxes before anybody says what a box is; inside out, too.
        boxes = TASK | {"item": "NUT-M20", "quantity": "2.5", "uom": "BOX"}
        await put_raw(broker_port, "task", "T-1", boxes | {"version": 1})
        await chain.core.put("location", "A-1", of_tree("A-1"))
        assert await chain.wait_until(lambda: {"task/T-1", "location/A-1"} <= refused.keys(), 10)
        assert "'BOX' cannot be converted before its item is told" in refused["task/T-1"]
        assert "no location 'RACK' is known" in refused["location/A-1"]
        await chain.core.put("item", "NUT-M20", NUT)
        for code in ("RACK", "NORTH"):
            await chain.core.put("location", code, of_tree(code))
        assert await chain.wait_until(lambda: len(noted(tmp_path, "location")) == 3, 10)
        assert await chain.wait_until(lambda: "T-1" in noted(tmp_path, "task"), 10)
        shown = asked(chain, "task-show", task_id="T-1")
        assert (shown["asked"], shown["told"]) == (30, {"quantity": "2.5", "uom": "BOX"})

        # What does not fit is refused, and what was known stays.
        refused.clear()
        before = {kind: noted(tmp_path, kind) for kind in ("item", "location", "task")}
        await put_raw(broker_port, "item", "NUT-M20", NUT | {"version": 9, "lot_rule": "lifo"})
        await put_raw(broker_port, "item", "X", {"code": "X", "version": 1, "uoms": {"BOX": "1e3"}})
        circle = {"code": "NORTH", "kind": "area", "parent": "A-1", "version": 9}
        await put_raw(broker_port, "location", "NORTH", circle)
        third = boxes | {"quantity": "0.3", "version": 9}
        await put_raw(broker_port, "task", "T-1", third)
        assert await chain.wait_until(lambda: len(refused) == 4, 10)
        assert refused["item/NUT-M20"] == "lot_rule: one of none, fefo, fifo is wanted"
        assert refused["item/X"] == "uoms.BOX: a decimal above 0 as a string is wanted"
        assert "(NORTH in A-1 in RACK in NORTH)" in refused["location/NORTH"]
        assert refused["task/T-1"] == "quantity: 0.3 BOX is no whole number of pcs"
        assert {kind: noted(tmp_path, kind) for kind in before} == before

        await chain.stop_daemon()
        await chain.stop_core()
        await chain.start_daemon()
        assert await chain.wait_until(
            lambda: bool(asked(chain, "stock", by="area").get("lines")), 30
        )
        sums = asked(chain, "stock", by="area")["lines"]
        assert {line["location"] for line in sums} == {"", "NORTH"}
        assert {kind: noted(tmp_path, kind) for kind in before} == before
        assert noted(tmp_path, "item")["NUT-M20"]["names"] == [["de", "Mutter"], ["zh", "螺母"]]
        await chain.stop_daemon()


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_item_that_becomes_bulk_goods_is_booked_in_grams_by_order(
    tmp_path: Path, broker_port: int
) -> None:
    url = f"mqtt://127.0.0.1:{broker_port}"
    async with (
        run_chain(tmp_path, seed=32, broker_url=url, quiet=True) as chain,
        mosquitto(broker_port),
    ):
        await chain.start_daemon()
        await chain.ready()
        await chain.core.put("item", "BOLT-M8", {"code": "BOLT-M8", "uom": "kg"})
        order = TASK | {"item": "BOLT-M8", "quantity": "0.085", "uom": "kg"}
        await put_raw(broker_port, "task", "T-1", order | {"version": 1})
        assert await chain.wait_until(lambda: "T-1" in noted(tmp_path, "task"), 10)
        chain.world.pick("Ana", chain.world.spots["A-1"], 4)

        def confirmed() -> list[dict[str, Any]]:
            events = held_events(tmp_path)
            return [each for each in events if each["event"] == "task_confirmation"]

        assert await chain.wait_until(lambda: bool(confirmed()), 40)
        [movement] = [
            each
            for each in held_movements(tmp_path)
            if each["item"] == "BOLT-M8" and each["from"]["location"] == "A-1"
        ]
        assert movement["uom"] == "g"
        assert movement["quantity"] == pytest.approx(85, abs=4)
        assert movement["order"]["number"] == "4711"
        assert (confirmed()[0]["state"], confirmed()[0]["quantity_asked"]) == ("done", 85)
        assert confirmed()[0]["quantity_done"] == movement["quantity"]
        await chain.stop_daemon()
