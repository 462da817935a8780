"""Everything that the running daemon publishes, against the contract (docs/asyncapi.yaml)."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from random import Random

import aiomqtt
import pytest

from simulators.core.contract import DEFAULT_PREFIX, load_contract
from simulators.demo.chain import Chain
from simulators.demo.result import stock_error
from simulators.demo.site_files import GATEWAY, SITE
from simulators.world.people import Crew, Habits


class Listener:
    """Hears every topic of the site, as one more client of the broker."""

    def __init__(self, port: int) -> None:
        self.payloads: dict[str, bytes] = {}
        self.wrong: list[str] = []
        self.kinds: Counter[str] = Counter()
        self._port = port
        self._contract = load_contract(DEFAULT_PREFIX)

    async def listen(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            await client.subscribe(f"{DEFAULT_PREFIX}/#", qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                self._take(str(message.topic), message.payload)

    def _take(self, topic: str, payload: bytes) -> None:
        level = topic.removeprefix(f"{DEFAULT_PREFIX}/{SITE}/{GATEWAY}/")
        self.kinds[level.partition("/")[0]] += 1
        self.payloads[level] = payload
        try:
            self._contract.check(topic, payload)
        except ValueError as error:
            self.wrong.append(f"{topic}: {error}: {payload[:200]!r}")


@pytest.mark.server
async def test_daemon_publishes_by_the_contract(chain: Chain, broker_port: int) -> None:
    listener = Listener(broker_port)
    listening = asyncio.create_task(listener.listen())
    await chain.start_daemon()
    await chain.ready()
    habits = Habits(pause_s=(0.5, 1.5), gate_share=0.3)
    crew = Crew(chain.world, Random("people"), chain.watch_act, habits)
    await crew.work(chain.world.now() + 10)
    for _ in range(60):
        if await stock_error(chain) == 0:
            break
        await chain.wait_until(lambda: False, 0.5)
    assert await stock_error(chain) == 0
    assert (await chain.core.command(GATEWAY, "snapshot", {}))["ok"]
    for _ in range(40):
        told = {
            (body["location"], body["item"]): body["quantity"]
            for level, payload in listener.payloads.items()
            if level.startswith("stock/") and payload
            for body in [json.loads(payload)]
        }
        known = {place: int(held) for place, held in (await chain.core.stock()).items()}
        seen = {place: held for place, held in known.items() if place[0] != "unknown"}
        if {place: held for place, held in told.items() if held} == seen:
            break
        await asyncio.sleep(0.25)
    else:
        pytest.fail(f"stock topics {told} differ from the core's {known}")
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    assert not listener.wrong, "\n".join(listener.wrong)
    assert {"event", "hello", "ack", "status", "health", "stock", "cmd"} <= set(listener.kinds)
