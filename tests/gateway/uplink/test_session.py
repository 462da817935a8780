"""A conversation over a link that a test holds in its hands."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import cast

import pytest

import gateway.uplink.uplink as uplink_module
from gateway.model import NS_PER_S
from gateway.ports import LinkError
from gateway.uplink.delivery import Pace, Position
from gateway.uplink.endpoint import RejectedError
from gateway.uplink.envelope import Envelopes
from gateway.uplink.inbound import Deliver, Inbound
from gateway.uplink.link import Link
from gateway.uplink.retained import RetainedState
from gateway.uplink.session import EpochDrainedError, Matter, Session
from gateway.uplink.topics import topics_of
from tests.gateway.uplink.peers import BASE, EPOCH, Gateway
from tests.polling import until
from tests.virtual_time import run


class HandLink:
    """What a session needs of a link. Slots and answers are given by the test."""

    packet_max_bytes = 100_000

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self.slots = asyncio.Semaphore(0)
        self.sent: list[int] = []
        self.said: list[tuple[str, bytes]] = []
        self.lost: asyncio.Future[LinkError] = asyncio.get_running_loop().create_future()
        self.rejects: set[str] = set()
        self._refused = refused
        self.heard: list[Inbound] = []
        self._deliver: Deliver = lambda _inbound: None

    def receive(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def hold(self) -> None:
        self._deliver = self.heard.append

    async def subscribe(self, _filters: object) -> list[str]:
        return list(self._refused)

    async def wait_lost(self) -> LinkError:
        return await asyncio.shield(self.lost)

    async def slot(self) -> None:
        await self.slots.acquire()

    def give_back(self) -> None:
        self.slots.release()

    def send(self, _topic: str, payload: bytes, **_how: object) -> asyncio.Future[int]:
        self.sent.append(json.loads(payload)["data"]["seq"])
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        answer.set_result(0)
        return answer

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        self.said.append((topic.removeprefix(f"{BASE}/"), payload))
        if topic.removeprefix(f"{BASE}/") in self.rejects:
            raise RejectedError("Not authorized", 0x87)
        return int(retain)

    def hear(self, path: str, value: object) -> Inbound:
        payload = json.dumps(value).encode()
        inbound = Inbound(f"{BASE}/{path}", payload, retained=False, mid=1, flush=lambda: None)
        self._deliver(inbound)
        return inbound


@asynccontextmanager
async def conversation(gateway: Gateway, link: HandLink) -> AsyncIterator[asyncio.Task[None]]:
    matter = Matter(
        gateway.outbox,
        Position(Pace("core", 5 * NS_PER_S), Random(1)),
        topics_of("shelfgate/v1", "site-1", "edge-1"),
        Envelopes("site-1", "edge-1", EPOCH),
    )
    session = Session(cast("Link", link), gateway.uplink._house, matter, RetainedState())
    task = asyncio.create_task(session.run(b"{}"))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_record_that_waits_for_the_window_is_dropped_when_the_position_moves() -> None:
    gateway, link = Gateway(1), HandLink()
    await gateway.outbox.record(6)
    async with conversation(gateway, link):
        await until(lambda: any(topic == "hello" for topic, _ in link.said))
        for _ in range(3):
            link.give_back()
        link.hear("hello/core", {"epoch": EPOCH, "hw": 0})
        await until(lambda: link.sent == [1, 2, 3])
        moved = link.hear("hello/core", {"epoch": EPOCH, "hw": 1})
        await until(lambda: moved.settled)
        for _ in range(5):
            link.give_back()
        await until(lambda: len(link.sent) == 8)
        assert link.sent == [1, 2, 3, 2, 3, 4, 5, 6]


async def test_acks_that_come_during_a_commit_are_committed_together() -> None:
    gateway, link = Gateway(1), HandLink()
    await gateway.outbox.record(50)
    async with conversation(gateway, link):
        link.slots = asyncio.Semaphore(1000)
        await until(lambda: link.said)
        link.hear("hello/core", {"epoch": EPOCH, "hw": 0})
        await until(lambda: len(link.sent) == 50)
        gateway.outbox.delay_s = 0.05
        acks = [
            link.hear("ack", {"epoch": EPOCH, "hw": seq, "results": []}) for seq in range(1, 51)
        ]
        assert not any(ack.settled for ack in acks)
        await until(lambda: all(ack.settled for ack in acks))
        assert gateway.outbox.high_water == 50
        assert gateway.outbox.commits_begun <= 2


async def test_drained_epoch_ends_the_conversation() -> None:
    gateway, link = Gateway(1), HandLink()
    await gateway.outbox.record(1)
    async with conversation(gateway, link) as task:
        link.slots = asyncio.Semaphore(1000)
        await until(lambda: link.said)
        gateway.outbox.drained = True
        link.hear("ack", {"epoch": EPOCH, "hw": 1, "results": []})
        with pytest.raises(EpochDrainedError):
            await task


async def test_refused_subscription_to_the_acks_ends_the_conversation() -> None:
    gateway, link = Gateway(1), HandLink(refused=(f"{BASE}/ack",))
    async with conversation(gateway, link) as task:
        with pytest.raises(LinkError, match="refuses our subscription"):
            await task


async def test_refused_side_matters_do_not_stop_delivery() -> None:
    gateway, link = Gateway(1), HandLink(refused=(f"{BASE}/item/+", f"{BASE}/cmd/request"))
    link.rejects = {"status", "health"}
    await gateway.outbox.record(3)
    async with conversation(gateway, link):
        link.slots = asyncio.Semaphore(1000)
        await until(lambda: any(topic == "hello" for topic, _ in link.said))
        link.hear("hello/core", {"epoch": EPOCH, "hw": 0})
        await until(lambda: link.sent == [1, 2, 3])
        assert gateway.counts["uplink_subscriptions_refused"] == 2
        assert gateway.counts["uplink_publishes_refused"] == 2


async def test_loss_ends_the_conversation_with_its_reason() -> None:
    gateway, link = Gateway(1), HandLink()
    async with conversation(gateway, link) as task:
        await until(lambda: link.said)
        link.lost.set_result(LinkError("cable pulled"))
        with pytest.raises(LinkError, match="cable pulled"):
            await task


@pytest.mark.parametrize("turns", range(6))
async def test_stop_that_meets_a_loss_stops(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    gateway = Gateway(1)
    link = HandLink()

    async def open_hand(*_how: object) -> HandLink:
        return link

    monkeypatch.setattr(uplink_module, "open_link", open_hand)
    monkeypatch.setattr(HandLink, "cut", lambda *_: None, raising=False)
    monkeypatch.setattr(HandLink, "version", "5", raising=False)
    running = asyncio.create_task(gateway.uplink.run())
    await until(lambda: link.said)
    link.lost.set_result(LinkError("cable pulled"))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=2)
    running.cancel()
    assert done == {running}


def test_day_without_a_core_costs_little_and_its_return_is_served_at_once() -> None:
    async def main() -> None:
        gateway, link = Gateway(1, ack_timeout_s=5), HandLink()
        await gateway.outbox.record(1000)
        async with conversation(gateway, link):
            link.slots = asyncio.Semaphore(10_000)
            await asyncio.sleep(86_400)
            hellos = [payload for topic, payload in link.said if topic == "hello"]
            healths = [payload for topic, payload in link.said if topic == "health"]
            assert 1300 < len(hellos) < 4000  # one in 5 to 65 s
            assert set(link.sent) == {1}
            assert len(link.sent) == len(hellos) - 1
            assert len(healths) == 8640 or len(healths) == 8641
            link.sent.clear()
            before = asyncio.get_running_loop().time()
            link.hear("hello/core", {"epoch": EPOCH, "hw": 0})
            await asyncio.sleep(0.001)  # virtual: all that can be done at once is done before
            assert asyncio.get_running_loop().time() - before < 0.002
            assert link.sent == list(range(1, 501))

    run(main())


async def test_message_that_comes_as_an_epoch_ends_waits_for_the_next() -> None:
    gateway, link = Gateway(1), HandLink()
    await gateway.outbox.record(1)
    async with conversation(gateway, link) as task:
        await until(lambda: any(topic == "hello" for topic, _ in link.said))
        gateway.outbox.drained = True
        link.hear("hello/core", {"epoch": EPOCH, "hw": 1})
        while not task.done():
            link.hear("cmd/request", {"id": "1", "command": "tare", "args": {}})
            await asyncio.sleep(0)
        with pytest.raises(EpochDrainedError):
            task.result()
        late = link.hear("cmd/request", {"id": "2", "command": "tare", "args": {}})
        assert not late.settled
        assert link.heard[-1] is late
