"""A whole gateway with a tiny driver, asked over its socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import Gateway
from gateway.model import BookLine, BookStock
from gateway.ports import Record
from gateway.recording import End, Fed, Head, Known, RuleRow, read_recording
from gateway.replay import replay
from gateway.settings import load_configuration
from gateway.status import Conversation, NotRunningError, RefusedError, ask
from tests.gateway.serving import serving
from tests.polling import until

QUICK = """
[rules.weight]
window_s = 0.3
samples_min = 5
"""


@pytest.fixture
async def gateway(write_site: Callable[..., Path], fake_driver: Any) -> AsyncIterator[Gateway]:
    fake_driver.on_scale_g = 1000.0
    async with serving(load_configuration(write_site(rest=QUICK))) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        yield gateway


async def asked(gateway: Gateway, **request: Any) -> dict[str, Any]:
    folder = gateway.configuration.gateway.state_folder
    return await asyncio.to_thread(ask, folder, request)


async def command(gateway: Gateway, name: str, args: Any, number: str = "1") -> dict[str, Any]:
    return await asked(gateway, request="command", id=number, command=name, args=args)


async def movements(gateway: Gateway) -> list[dict[str, Any]]:
    records: tuple[Record, ...] = await gateway.store.records_after(0, 1000)
    return [json.loads(record.body) for record in records if record.kind == "movement"]


async def test_status_tells_how_the_gateway_is(gateway: Gateway, fake_driver: Any) -> None:
    known = gateway.store.last_seq
    fake_driver.on_scale_g = 980.0
    await until(lambda: gateway.store.last_seq > known)
    told = (await asked(gateway, request="status"))["status"]
    assert told["gateway"] == "edge-t"
    assert told["devices"] == [{"device": "scale", "state": "up"}]
    assert told["last"] == gateway.store.last_seq
    assert told["settled"] == 0
    assert told["queues"]["outbox"] == told["last"]
    assert told["uplink"]["connected"] is False
    assert "refused" in told["uplink"]["reason"]
    assert [(m["item"], m["quantity"]) for m in told["last_movements"]] == [("BOLT", 2)]


async def test_command_tare_reaches_the_device_once(gateway: Gateway, fake_driver: Any) -> None:
    assert (await command(gateway, "tare", {"cell": "scale:1"}, "77"))["result"] == {
        "cell": "scale:1",
        "kind": "tare",
    }
    await command(gateway, "tare", {"cell": "scale:1"}, "77")
    await until(lambda: len(fake_driver.acts) >= 1)
    pulses = await gateway.store.read(lambda reader: reader.pulses())
    assert [pulse.kind for pulse in pulses] == ["tare"]


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("tare", {"cell": "scale:9"}, "no cell 'scale:9' is wired"),
        ("requeue", {"seq": 1}, "is not in quarantine"),
        ("format-disk", {}, "unknown command 'format-disk'; known: "),
        ("replay-from", {"epoch": "x", "seq": 1}, "another epoch"),
    ],
)
async def test_command_that_cannot_be_done_is_refused(
    gateway: Gateway, name: str, args: dict[str, Any], expected: str
) -> None:
    with pytest.raises(RefusedError, match=expected):
        await command(gateway, name, args)


async def test_command_without_its_parts_is_refused(gateway: Gateway) -> None:
    with pytest.raises(RefusedError, match="a command has `command`, `id`"):
        await asked(gateway, request="command", command="tare")


async def test_command_snapshot_books_a_snapshot(gateway: Gateway) -> None:
    before = gateway.store.last_seq
    result = (await command(gateway, "snapshot", {}))["result"]
    assert result["as_of_seq"] == before + 1


async def test_command_stock_tells_what_is_there_with_the_core_s_book(gateway: Gateway) -> None:
    result = (await command(gateway, "stock", {}))["result"]
    assert [(line["item"], line["uom"]) for line in result["lines"]] == [("BOLT", "pcs")]
    assert result["left_off"] == 0
    (held,) = result["lines"]
    line = BookLine("BOLT", held["quantity"] + 3, "pcs", safety=2)
    await gateway.pipeline.feed([BookStock(held["location"], (line,), 1)])
    args = {"location": held["location"], "item": "BOLT"}
    (told,) = (await command(gateway, "stock", args, "2"))["result"]["lines"]
    assert (told["book"], told["variance"], told["safety"]) == (held["quantity"] + 3, -3, 2)
    assert (await command(gateway, "stock", {"location": "?"}, "3"))["result"]["lines"] == []


async def test_record_replays_to_what_was_booked_meanwhile(
    gateway: Gateway, fake_driver: Any, tmp_path: Path
) -> None:
    folder = gateway.configuration.gateway.state_folder
    conversation = await asyncio.to_thread(Conversation, folder, {"request": "record"})
    path, last_seq = tmp_path / "r.jsonl", gateway.store.last_seq
    collected = asyncio.create_task(asyncio.to_thread(lambda: b"".join(conversation.lines())))
    fed = gateway.engine.now
    await until(lambda: gateway.engine.now > fed + 1_000_000_000)
    fake_driver.on_scale_g = 950.0
    await until(lambda: gateway.store.last_seq > last_seq)
    conversation.enough()
    path.write_bytes(await collected)
    conversation.close()
    lines = list(read_recording(path))
    assert isinstance(lines[0], Head)
    assert {RuleRow, Known, Fed, End} <= {type(line) for line in lines}
    (replayed,) = (
        record
        for record in map(json.loads, replay(read_recording(path), gateway.configuration))
        if record["event"] == "movement"
    )
    (booked,) = await movements(gateway)
    same = ("item", "quantity", "from", "to", "seq", "epoch", "document_no", "reason")
    assert {key: replayed[key] for key in same} == {key: booked[key] for key in same}


@pytest.mark.parametrize("seconds", [0, -1, "x", True, 1e9])
async def test_record_of_no_sensible_length_is_refused(gateway: Gateway, seconds: Any) -> None:
    with pytest.raises(RefusedError, match="seconds: more than 0"):
        await asked(gateway, request="record", seconds=seconds)


async def test_record_leaves_no_tap_behind(gateway: Gateway) -> None:
    before = len(gateway.pipeline.taps), len(gateway.pipeline.wake_taps)
    folder = gateway.configuration.gateway.state_folder
    conversation = await asyncio.to_thread(Conversation, folder, {"request": "record"})
    assert len(gateway.pipeline.taps) == before[0] + 1
    conversation.close()
    await until(lambda: len(gateway.pipeline.taps) == before[0])
    assert len(gateway.pipeline.wake_taps) == before[1]


async def test_a_stopped_gateway_does_not_answer(
    write_site: Callable[..., Path], fake_driver: Any
) -> None:
    assert fake_driver
    configuration = load_configuration(write_site())
    folder = configuration.gateway.state_folder
    async with serving(configuration):
        assert await asyncio.to_thread(ask, folder, {"request": "status"})
    with pytest.raises(NotRunningError):
        ask(folder, {"request": "status"})
