"""Orders from the core's book to the scale and back, through a broker and a whole gateway."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.assembly import Gateway
from gateway.settings import load_configuration
from simulators.broker import mosquitto
from simulators.core import order
from simulators.core.book import Book
from simulators.core.contract import load_contract
from simulators.core.desk import Desk, Report
from simulators.core.orders import OrderLine
from simulators.core.service import Connection, Core
from tests.gateway.serving import serving
from tests.gateway.uplink.conftest import listening
from tests.polling import PATIENCE_S, until

pytestmark = pytest.mark.server

QUICK = """
[rules.weight]
window_s = 0.3
samples_min = 5
"""
BASE = "shelfgate/v1/test/edge-t"
TASK: dict[str, Any] = {
    "task_id": "T-4711/10",
    "type": "issue",
    "order": {"system": "erp", "type": "sales", "number": "4711", "line": "10"},
    "item": "BOLT",
    "quantity": 4,
    "from": {"location": "BIN-1"},
}


@dataclass
class Site:
    """A broker's port, and a core on it whose book lies in a file."""

    port: int
    core: Core
    path: Path
    reports: list[Report] = field(default_factory=list)

    def records(self, event: str) -> list[Any]:
        told = [report for report in self.reports if report["what"] == "accepted"]
        return [each["data"] for each in told if each["data"]["event"] == event]

    async def line(self, task: str = TASK["task_id"]) -> OrderLine | None:
        return await self.core._work(lambda: self.core.desk.book.orders.line(task))


@asynccontextmanager
async def site_of(port: int, path: Path) -> AsyncIterator[Site]:
    book = Book(path)
    reports: list[Report] = []
    desk = Desk(book, load_contract(), "test", Random(1), ["edge-t"])
    core = Core(desk, Connection("127.0.0.1", port), Random(1), reports.append)
    async with mosquitto(port):
        running = asyncio.create_task(core.run())
        try:
            await core.connected.wait()
            yield Site(port, core, path, reports)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            book.close()


@pytest.fixture
async def site(
    require: Callable[[str], str], free_port: int, tmp_path: Path
) -> AsyncIterator[Site]:
    """All that anybody says on it is checked against the contract."""
    require("mosquitto")
    async with (
        site_of(free_port, tmp_path / "core.db") as running,
        listening(free_port, f"{BASE}/#") as heard,
    ):
        yield running
        while heard.qsize():
            load_contract().check(*heard.get_nowait())


@pytest.fixture
async def gateway(
    site: Site, write_site: Callable[..., Path], fake_driver: Any
) -> AsyncIterator[Gateway]:
    """A gateway with 100 bolts on its scale, of which the core knows."""
    fake_driver.on_scale_g = 1000.0
    async with serving(load_configuration(write_site(rest=QUICK, port=site.port))) as gateway:
        await until(lambda: site.records("snapshot"))
        yield gateway


async def shown(site: Site, task: str) -> Mapping[str, Any]:
    """What the gateway tells of a task: nothing if it does not know it (any more)."""
    answer = await site.core.command("edge-t", "task-show", {"task_id": task})
    assert answer["ok"] or answer["error"] == f"no task {task!r} is known"
    told: Mapping[str, Any] = answer.get("result", {})
    return told


async def until_shown(site: Site, task: str, **expected: Any) -> None:
    """Wait until the gateway tells this of a task; without expectations, until it is gone."""
    wanted = expected or {"state": None}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = await shown(site, task)
            if all(told.get(name) == value for name, value in wanted.items()):
                return


@pytest.mark.usefixtures("gateway")
async def test_order_is_carried_out_confirmed_and_cleared(site: Site, fake_driver: Any) -> None:
    await site.core.order(TASK)
    await until_shown(site, TASK["task_id"], asked=4, done=0)
    fake_driver.on_scale_g = 970.0
    await until(lambda: len(site.records("movement")) == 1)
    found = await site.core.command("edge-t", "task-ls", {})
    (task,) = found["result"]["tasks"]
    assert (task["state"], task["done"], task["asked"]) == ("picking", 3, 4)
    line = await site.line()
    assert line is not None
    assert (line.moved, line.state) == (3, "open")
    fake_driver.on_scale_g = 960.0
    await until(lambda: site.records("task_confirmation"))
    (told,) = site.records("task_confirmation")
    movements = site.records("movement")
    assert [movement["order"] for movement in movements] == [TASK["order"]] * 2
    assert told["movement_ids"] == [movement["movement_id"] for movement in movements]
    line = await site.line()
    assert line is not None
    assert (line.state, line.done, line.backorder, line.difference) == ("done", 4, 0, 0)
    await until_shown(site, TASK["task_id"])
    assert (await site.core.command("edge-t", "task-ls", {}))["result"]["open"] == 0
    async with listening(site.port, f"{BASE}/task/+") as heard:
        await site.core.order(TASK | {"task_id": "T-2"})
        assert (await heard.get())[0] == f"{BASE}/task/T-2"


@pytest.mark.usefixtures("gateway")
async def test_order_of_the_command_line_is_taken_back_at_the_edge(
    site: Site, fake_driver: Any
) -> None:
    words = ["put", "T-9", "--number", "9", "--item", "BOLT", "--quantity", "5", "--from", "BIN-1"]
    assert await asyncio.to_thread(order.main, ["--db", str(site.path), *words]) == 0
    await until_shown(site, "T-9", asked=5)
    fake_driver.on_scale_g = 980.0
    await until(lambda: len(site.records("movement")) == 1)
    args = {"task_id": "T-9", "actor": "Ana"}
    answer = await site.core.command("edge-t", "task-cancel", args)
    assert (answer["ok"], answer["result"]) == (True, {"task_id": "T-9"})
    await until(lambda: site.records("task_confirmation"))
    line = await site.line("T-9")
    assert line is not None
    assert (line.state, line.done, line.difference, line.backorder) == ("cancelled", 2, -3, 3)
    await until_shown(site, "T-9")


@pytest.mark.usefixtures("gateway")
async def test_amended_order_replaces_its_task_and_a_withdrawn_one_goes(site: Site) -> None:
    await site.core.order(TASK)
    await site.core.order(TASK | {"quantity": 6, "priority": 9})
    await until_shown(site, TASK["task_id"], version=2, asked=6, priority=9)
    await site.core.withdraw(TASK["task_id"])
    await until_shown(site, TASK["task_id"])
    line = await site.line()
    assert line is not None
    assert (line.asked, line.done) == (6, 0)
    assert line.state != "open"
