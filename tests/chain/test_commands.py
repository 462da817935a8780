"""What people and the core ask of the running daemon, over its socket and over the broker."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from simulators.core.contract import DEFAULT_PREFIX
from simulators.demo.chain import Chain
from simulators.demo.site_files import GATEWAY, SITE
from tests.chain.asking import held_movements

PATIENCE_S = 40.0
SHORT: dict[str, Any] = {
    "task_id": "T-1",
    "type": "issue",
    "order": {"system": "erp", "type": "sales", "number": "4711", "line": "10"},
    "item": "BOLT-M8",
    "quantity": 4,
    "from": {"location": "A-1"},
    "timeout_s": 2,
}


async def shelfgate(chain: Chain, *words: str) -> Any:
    """What a command of the command line answers as JSON."""
    program = str(Path(sys.executable).with_name("shelfgate"))
    process = await asyncio.create_subprocess_exec(
        *(program, *words, "--json", "--config", str(chain.config)),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(told)


async def asked(chain: Chain, command: str, **args: Any) -> dict[str, Any]:
    """What the daemon answers the core."""
    answer: dict[str, Any] = await chain.core.command(GATEWAY, command, args)
    return answer


async def refusal(port: int, command: str, args: Any) -> str:
    """Why the daemon refuses a request that no core would make, as the response topic says."""
    topic = f"{DEFAULT_PREFIX}/{SITE}/{GATEWAY}/cmd"
    request = {"id": f"malformed {command} {args}", "command": command, "args": args}
    async with asyncio.timeout(PATIENCE_S), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(f"{topic}/response", qos=1)
        await client.publish(f"{topic}/request", json.dumps(request), qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            answer = json.loads(message.payload)
            if answer.get("id") == request["id"]:
                assert answer["ok"] is False
                return str(answer["error"])
    raise AssertionError("the broker hung up")


async def seen_by(chain: Chain, key: str) -> list[str | None]:
    """Who sees to that alert, as the core has it; an empty list if it does not stand."""
    standing = await chain.core._work(chain.core.desk.book.alerts)
    return [each.seen_by for each in standing if each.key == key]


async def told_to_core(chain: Chain, key: str, *who: str | None) -> None:
    """Wait until the core has it so; TimeoutError if it never has."""
    async with asyncio.timeout(PATIENCE_S):
        while await seen_by(chain, key) != list(who):
            await chain.wait_until(lambda: False, 0.1)


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_alert_is_listed_and_acknowledged_and_the_core_knows_who_sees_to_it(
    chain: Chain, broker_port: int
) -> None:
    await chain.start_daemon()
    await chain.ready()
    await chain.core.order(SHORT)
    async with asyncio.timeout(PATIENCE_S):
        while not (await asked(chain, "task-show", task_id="T-1"))["ok"]:
            await chain.wait_until(lambda: False, 0.1)
    chain.world.pick("Ana", chain.world.spots["A-1"], 3)
    await told_to_core(chain, "short:T-1", None)
    (told,) = [
        each
        for each in (await shelfgate(chain, "alert", "ls"))["alerts"]
        if each["key"] == "short:T-1"
    ]
    assert (told["code"], told["severity"]) == ("short", "warning")
    assert "acknowledged" not in told
    refused = await asked(chain, "alert-ack", key="short:T-2", actor="ana")
    assert (refused["ok"], refused["error"]) == (False, "no alert 'short:T-2' stands")
    refused_for = await refusal(broker_port, "alert-ack", {"key": "short:T-1"})
    assert refused_for == "actor: a key of 1 to 128 characters is wanted"
    answer = await asked(chain, "alert-ack", key="short:T-1", actor="ana", note="count tonight")
    assert answer["result"] == {"key": "short:T-1", "codes": ["short"]}
    await told_to_core(chain, "short:T-1", "ana")
    again = await shelfgate(chain, "alert", "ack", "short:T-1", "--actor", "ben")
    assert again == answer["result"]
    listed = (await asked(chain, "alert-ls"))["result"]["alerts"]
    (seen,) = [each["acknowledged"] for each in listed if each["key"] == "short:T-1"]
    assert (seen["actor"], seen["note"]) == ("ana", "count tonight")
    assert await seen_by(chain, "short:T-1") == ["ana"]
    assert chain.statuses["rejected"] == 0


async def booked(chain: Chain, count: int) -> list[dict[str, Any]]:
    """The movements that the core has accepted, once there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while len(held := held_movements(chain.folder)) < count:
            await chain.wait_until(lambda: False, 0.1)
    return held


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_movement_that_was_wrong_is_taken_back_in_the_core_too(
    chain: Chain, broker_port: int
) -> None:
    await chain.start_daemon()
    await chain.ready()
    before = int((await chain.core.stock())["A-1", "BOLT-M8"])
    chain.world.pick("Ana", chain.world.spots["A-1"], 3)
    [movement] = await booked(chain, 1)
    told = await shelfgate(
        chain, "wrong", movement["document_no"], "--actor", "ana", "--note", "a hand lay there"
    )
    [_, back] = await booked(chain, 2)
    assert (back["reverses"], back["actor"]) == (movement["movement_id"], "ana")
    assert told["reversed_by"]["document_no"] == back["document_no"]
    assert int((await chain.core.stock())["A-1", "BOLT-M8"]) == before
    await told_to_core(chain, f"told_wrong:{movement['movement_id']}", None)
    again = await asked(chain, "wrong", movement=movement["movement_id"], actor="ben")
    assert (again["ok"], again["error"]) == (
        False,
        f"{movement['movement_id']} was taken back already, by {back['document_no']}",
    )
    refused_for = await refusal(broker_port, "wrong", {"movement": movement["movement_id"]})
    assert refused_for == "actor: a key of 1 to 128 characters is wanted"
    by_mqtt = (await asked(chain, "why", record=movement["movement_id"]))["result"]
    by_hand = await shelfgate(chain, "why", movement["document_no"])
    assert by_mqtt == by_hand
    assert (by_hand["record"], by_hand["rule"]) == (movement, "movement")
    assert by_hand["core"]["core_document_no"].startswith("MAT-")
    assert [
        each["record"]["reason"] for each in by_hand["timeline"] if each["what"] == "movement"
    ] == ["told_wrong"]
    assert {"weighed", "happened", "decided", "recorded"} <= {
        each["what"] for each in by_hand["timeline"]
    }
    label = await shelfgate(chain, "wrong", "--export")
    assert (label["movement"], label["note"]) == (movement, "a hand lay there")
    assert label["readings"]["weights"]
    assert chain.statuses["rejected"] == 0
