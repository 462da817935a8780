"""An order that people carry out in the running chain, through a kill of the daemon."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from simulators.core.orders import OrderLine
from simulators.demo.chain import Chain
from simulators.demo.site_files import GATEWAY

PATIENCE_S = 40.0
TASK: dict[str, Any] = {
    "task_id": "T-1",
    "type": "issue",
    "order": {"system": "erp", "type": "sales", "number": "4711", "line": "10"},
    "item": "BOLT-M8",
    "quantity": 4,
    "from": {"location": "A-1"},
}


async def line_where(chain: Chain, **expected: Any) -> OrderLine:
    """The core's line of the order, once it is so; TimeoutError if it never is."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            line = await chain.core._work(lambda: chain.core.desk.book.orders.line("T-1"))
            if line is not None and {n: getattr(line, n) for n in expected} == expected:
                return line
            await chain.wait_until(lambda: False, 0.1)


async def asked_by_cli(chain: Chain, *words: str) -> Any:
    """What `shelfgate task` answers."""
    shelfgate = str(Path(sys.executable).with_name("shelfgate"))
    process = await asyncio.create_subprocess_exec(
        *(shelfgate, "task", *words, "--json", "--config", str(chain.config)),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(told)


async def shown(chain: Chain) -> bool:
    """Whether the daemon knows the task."""
    return bool((await chain.core.command(GATEWAY, "task-show", {"task_id": "T-1"}))["ok"])


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_order_goes_on_after_a_kill_and_is_confirmed_once(chain: Chain) -> None:
    await chain.start_daemon()
    await chain.ready()
    await chain.core.order(TASK)
    async with asyncio.timeout(PATIENCE_S):
        while not await shown(chain):
            await chain.wait_until(lambda: False, 0.1)
    chain.world.pick("Ana", chain.world.spots["A-1"], 3)
    await line_where(chain, moved=3)
    await chain.stop_daemon(signal.SIGKILL)
    await chain.start_daemon()
    await chain.wait_until(lambda: False, 8.0)
    told = await asked_by_cli(chain, "ls")
    assert [(task["task_id"], task["done"], task["state"]) for task in told["tasks"]] == [
        ("T-1", 3, "picking")
    ]
    chain.world.pick("Ana", chain.world.spots["A-1"], 1)
    line = await line_where(chain, state="done")
    assert (line.done, line.difference, line.backorder, line.moved) == (4, 0, 0, 4)
    assert line.exception is None
    assert chain.statuses["rejected"] == 0
