"""A receipt at a gate: it ends short when the door is closed after the load, and the core knows."""

import asyncio

import pytest

from simulators.demo.chain import Chain
from simulators.world.layout import CARTON, GATE_READER, HALL
from tests.chain.test_commands import PATIENCE_S, SHORT, asked
from tests.chain.test_orders import line_where

DOOR = 1
RECEIPT = SHORT | {
    "type": "receipt",
    "item": CARTON.code,
    "quantity": 3,
    "from": {"location": "unknown"},
    "to": {"location": HALL},
    "timeout_s": 3600,
}


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_closed_door_ends_a_receipt_with_what_is_missing(chain: Chain) -> None:
    world, reader = chain.world, chain.plant.readers[GATE_READER]
    text = chain.config.read_text(encoding="utf-8")
    head = f'[[device]]\nid = "{GATE_READER}"\n'
    assert head in text
    text = text.replace(head, f"{head}gpi_ports = [{DOOR}]\n")
    text = text.replace("[[portal]]\n", f'[[portal]]\ndoor = "{GATE_READER}:{DOOR}"\n')
    chain.config.write_text(text, encoding="utf-8")
    await chain.start_daemon()
    await chain.ready()
    await chain.core.order(RECEIPT)
    async with asyncio.timeout(PATIENCE_S):
        while not (await asked(chain, "task-show", task_id="T-1"))["ok"]:
            await chain.wait_until(lambda: False, 0.1)
    cartons = [world.make(CARTON) for _ in range(2)]
    world.carry("Ben", cartons, inward=True, speed_m_s=1.2)
    await line_where(chain, moved=2, state="open")
    reader.set_input(DOOR, level=True)
    line = await line_where(chain, state="short")
    assert (line.done, line.difference, line.backorder, line.exception) == (2, -1, 1, "SHORT")
    assert chain.statuses["rejected"] == 0
