"""The core behind a real broker: cut off, refused, and asked for things."""

import asyncio
import json
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest

from simulators.broker import mosquitto
from simulators.core.book import Book
from simulators.core.contract import load_contract
from simulators.core.desk import Desk, Report
from simulators.core.feed import json_line, text_line
from simulators.core.service import Connection, Core
from tests.conformance.gateway import FakeGateway, connect
from tests.conformance.records import encode, epoch_of, movement
from tests.fault_proxy import FaultProxy

pytestmark = pytest.mark.server

SITE = "hamburg"
EPOCH = epoch_of("service")
PATIENCE_S = 10.0


@pytest.fixture
async def broker(require: Callable[[str], str]) -> AsyncIterator[int]:
    """The port of a Mosquitto of our own."""
    require("mosquitto")
    async with mosquitto() as url:
        yield urlsplit(url).port or 0


class Served:
    """A core that runs in this process, and all that it told."""

    def __init__(self, book: Book, port: int, site: str) -> None:
        self.reports: list[Report] = []
        self.news = asyncio.Event()
        desk = Desk(book, load_contract(), site, Random(1))
        connection = Connection("127.0.0.1", port, 5, f"core-{site}")
        self.core = Core(desk, connection, Random(1), self.tell)

    def tell(self, report: Report) -> None:
        self.reports.append(report)
        self.news.set()

    async def told(self, what: str, times: int = 1) -> list[Report]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [report for report in self.reports if report["what"] == what]
                if len(found) >= times:
                    return found
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def serve(port: int, site: str) -> AsyncIterator[Served]:
    book = Book(Path(":memory:"))
    served = Served(book, port, site)
    task = asyncio.create_task(served.core.run())
    try:
        yield served
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        book.close()


@asynccontextmanager
async def gateway(port: int, site: str) -> AsyncIterator[FakeGateway]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    client = aiomqtt.Client(
        "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=options
    )
    async with connect(client, load_contract(), site, "edge-1", PATIENCE_S) as connected:
        yield connected


async def test_core_that_was_cut_off_comes_back_with_hello(broker: int) -> None:
    async with FaultProxy(broker) as proxy, serve(proxy.port, "cut") as served:
        async with gateway(broker, "cut") as edge:
            await served.told("connected")
            await edge.send(EPOCH, 1, 2)
            await edge.settled(EPOCH, 2)
            proxy.cut()
            await edge.until(lambda: edge.hellos, "hello of the core that came back")
            await served.told("connected", 2)
            await edge.send(EPOCH, 3)
            await edge.settled(EPOCH, 3)
        assert edge.hellos == [{"epoch": EPOCH, "hw": 2}]
        assert (await served.core.stock())["shelf-edge-1", "M6-NUT"] == 3


async def test_core_waits_for_a_broker_that_is_not_there(
    require: Callable[[str], str], free_port: int
) -> None:
    require("mosquitto")
    async with serve(free_port, "late") as served:
        [lost, *_] = await served.told("disconnected")
        assert "refused" in lost["reason"]
        async with mosquitto(free_port):
            await served.told("connected")
            assert served.core.connected.is_set()


async def test_burst_becomes_few_commits(broker: int) -> None:
    async with serve(broker, "burst") as served, gateway(broker, "burst") as edge:
        await served.told("connected")
        async with asyncio.TaskGroup() as sends:
            for seq in range(1, 201):
                sends.create_task(edge.send(EPOCH, seq))
        await edge.settled(EPOCH, 200)
        assert len(edge.acks) < 100


async def test_reference_is_retained_until_it_is_taken_back(broker: int) -> None:
    async with serve(broker, "reference") as served:
        await served.told("connected")
        async with gateway(broker, "reference") as edge:
            await edge.say_hello(EPOCH, 0)
        await served.core.put("item", "M6/8", {"code": "M6/8"})
        await served.core.put("location", "shelf", {"code": "shelf"})
        assert await retained(broker, "reference", 2) == {
            "item/M6%2F8": {"code": "M6/8", "version": 1},
            "location/shelf": {"code": "shelf", "version": 1},
        }
        await served.core.put("item", "M6/8", None)
        assert await retained(broker, "reference", 1) == {
            "location/shelf": {"code": "shelf", "version": 1}
        }


async def retained(port: int, site: str, count: int) -> dict[str, Any]:
    """What the broker keeps for the gateway, once it is that much."""
    base = f"shelfgate/v1/{site}/edge-1/"
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with aiomqtt.Client("127.0.0.1", port) as client:
                await client.subscribe(base + "#", qos=1)
                await client.publish(base + "end", qos=1)
                kept = {}
                async for message in client.messages:
                    leaf = str(message.topic).removeprefix(base)
                    if leaf == "end":
                        break
                    if message.retain:
                        kept[leaf] = json.loads(bytes(message.payload))
            if len(kept) == count:
                return kept


async def test_command_returns_the_response_of_the_gateway(broker: int) -> None:
    async with serve(broker, "command") as served, gateway(broker, "command") as edge:
        await served.told("connected")
        asked = asyncio.create_task(served.core.command("edge-1", "tare", {"cell": "shelf-1:3"}))
        await edge.until(lambda: edge.requests, "the request")
        [request] = edge.requests
        response = {"id": request["id"], "ok": True, "result": {}}
        await edge._publish("commandResponse", encode(response))
        assert await asked == response
        with pytest.raises(TimeoutError):
            await served.core.command("edge-1", "reload", {}, timeout_s=0.01)


async def test_broker_that_refuses_a_publish_is_told(
    require: Callable[[str], str], tmp_path: Path, free_port: int
) -> None:
    require("mosquitto")
    (tmp_path / "acl").write_text("topic read #\ntopic write +/+/+/+/event\n")
    config = ("user root", f"acl_file {tmp_path}/acl")
    async with mosquitto(free_port, config), serve(free_port, "acl") as served:
        await served.told("connected")
        async with gateway(free_port, "acl") as edge:
            await edge.send(EPOCH, 1)
            [refused] = await served.told("refused")
    assert refused["reason"] == "Not authorized"


@asynccontextmanager
async def run_cli(
    broker: int, folder: Path, *words: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.core", "--broker", f"mqtt://127.0.0.1:{broker}"),
        *("--db", folder / "core.db", "--site", folder.name, *words),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_command_line_serves_tells_and_forgets(broker: int, tmp_path: Path) -> None:
    (tmp_path / "reference.json").write_text(
        json.dumps({"item": [{"code": "M6-NUT"}], "location": [{"code": "shelf-edge-1"}]})
    )
    strict = ("--json", "--strict", "--reference", str(tmp_path / "reference.json"))
    async with gateway(broker, tmp_path.name) as edge:
        async with run_cli(broker, tmp_path, *strict) as process:
            assert process.stdout is not None
            while json.loads(await process.stdout.readline())["what"] != "connected":
                pass
            await edge.send(EPOCH, 1, 2)
            await edge.send(EPOCH, 3, item="M7-NUT")
            await edge.settled(EPOCH, 3)
            process.terminate()
            output, _ = await process.communicate()
        lines = [json.loads(line) for line in output.splitlines()]
        booked = [(line["what"], line["seq"]) for line in lines if "seq" in line]
        assert booked == [("accepted", 1), ("accepted", 2), ("rejected", 3)]
        assert lines[-1]["reason"] == "item is not known: M7-NUT"
        assert process.returncode == 0
        async with run_cli(broker, tmp_path, "--lose", "2") as process:
            await edge.until(lambda: {"epoch": EPOCH, "hw": 1} in edge.hellos, "hello without them")
            process.terminate()
            output, _ = await process.communicate()
    assert b"hello        edge-1" in output
    database = sqlite3.connect(tmp_path / "core.db")
    rows = database.execute("SELECT seq FROM record").fetchall()
    database.close()
    assert rows == [(1,)]


def test_lines_tell_what_happened() -> None:
    accepted = {
        "what": "accepted",
        "gateway": "edge-1",
        "epoch": EPOCH,
        "seq": 4,
        "document_no": "MAT-00000004",
        "reason": None,
        "data": movement("edge-1", EPOCH, 4),
    }
    assert json.loads(json_line(accepted)) == accepted
    assert text_line(accepted) == (
        "core  accepted     edge-1 #4        receipt 1 pcs M6-NUT  unknown -> shelf-edge-1"
        "  MAT-00000004"
    )
    rejected = accepted | {"what": "rejected", "document_no": None, "reason": "no", "data": {}}
    assert text_line(rejected) == "core  rejected     edge-1 #4          (no)"
    assert text_line({"what": "connected"}) == "core  connected"
