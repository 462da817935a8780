"""Long, random and faulty lives of a reader, in virtual time: whatever happens, it serves on."""

import asyncio
from random import Random
from typing import Any

import pytest
from llrpkit.protocol import decode_message, enums

from simulators.llrp import PLAIN, LlrpReader, Options, StillField, numbered_epcs
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import Client
from tests.virtual_time import run

FAULTS = ("cut", "corrupt", "truncate", "unknown", "silence", "drop", "delay", "duplicate")
TRIGGERS = (
    enums.ROSpecStartTriggerType.Null,
    enums.ROSpecStartTriggerType.Immediate,
    enums.ROSpecStartTriggerType.GPI,
)


def some_rospec(random: Random) -> Any:
    start = random.choice(TRIGGERS)
    trigger = {"gpi_trigger_port": 1} if start == enums.ROSpecStartTriggerType.GPI else {}
    duration_ms = random.choice((None, 0, 300, 2000))
    spec = orders.rospec(
        session=random.randrange(4), start=start, duration_ms=duration_ms, **trigger
    )
    spec.ro_spec_id = random.randrange(1, 4)
    spec.ro_report_spec.n = random.choice((0, 1, 5))
    return spec


async def random_request(client: Client, random: Random) -> int:
    kind = random.choice((20, 20, 21, 22, 23, 24, 24, 25, 26, 3, 3))
    if kind == 20:
        body = orders.add(some_rospec(random))
    elif kind == 3:
        body = random.choice((orders.hold(), orders.keepalive(500), orders.events(0, 1, 2, 6)))
    else:
        body = orders.number(random.randrange(4))
    return (await client.ask(kind, body)).status


@pytest.mark.parametrize("seed", range(4))
def test_random_life_cycles_keep_table_and_radio_in_step(seed: int) -> None:
    async def main() -> None:
        random = Random(seed)
        device = Options(device=PLAIN) if seed % 2 else Options()
        field = StillField(numbered_epcs(5), random, (1, 2))
        statuses = set()
        async with LlrpReader(field, random, device) as reader:
            client = Client.in_memory(reader)
            await client.wait_for(63)
            for _turn in range(150):
                statuses.add(await random_request(client, random))
                if random.random() < 0.2:
                    reader.set_input(1, random.random() < 0.5)
                await asyncio.sleep(random.random())
                table = reader.requests.rospecs
                assert reader.inventorying is (table.active is not None)
                told: Any = decode_message((await client.ask(26)).whole)
                states = [rospec.current_state for rospec in told.ro_specs]
                assert states.count(2) == reader.inventorying
                assert len(states) <= device.device.rospecs_max
            assert {0, 101} <= statuses
            assert reader.runner.reads > 0

    run(main())


@pytest.mark.parametrize("seed", range(2))
def test_faulty_line_never_ends_the_reader(seed: int) -> None:
    async def main() -> None:
        random = Random(seed)
        async with LlrpReader(StillField(numbered_epcs(5), random, (1, 2)), random) as reader:
            connections = 0
            for name in FAULTS:
                setattr(reader.faults, name, 0.05)
            reader.faults.refuse = 0.2
            for _turn in range(30):
                client = Client.in_memory(reader)
                await asyncio.sleep(0.1)
                if not client.closed.is_set():
                    connections += 1
                    client.send(21, orders.number(0))
                    client.send(20, orders.add(session=0))
                    client.send(24, orders.number(1))
                await asyncio.sleep(random.uniform(0.0, 6.0))
                client.close()
                await asyncio.sleep(random.uniform(0.0, 5.0))
                assert not reader.connected
            assert connections > 10
            assert set(reader.faults.struck) == {*FAULTS, "refuse"}

    run(main())
