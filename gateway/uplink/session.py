"""One connection's conversation: records up, acks down, references and commands in, health out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import NamedTuple

import structlog

from gateway.catalogue import Refused
from gateway.model import NS_PER_S, Reference
from gateway.ports import Clock, Counter, JsonValue, LinkError, Record
from gateway.uplink.commands import ERROR_MAX, Commands
from gateway.uplink.delivery import Alarm, Position, Room
from gateway.uplink.endpoint import NO_MATCHING_SUBSCRIBERS, RejectedError
from gateway.uplink.envelope import MEDIA_TYPE, OVERHEAD_MAX_BYTES, Envelopes
from gateway.uplink.inbound import Inbound
from gateway.uplink.link import Link
from gateway.uplink.messages import BadPayloadError, parse_request
from gateway.uplink.outbox import Outbox
from gateway.uplink.reference import parse_reference
from gateway.uplink.retained import RetainedState
from gateway.uplink.settlement import Desk, Settlement
from gateway.uplink.topics import Topics

HEALTH_PERIOD_S = 10.0
"""How often the gateway says how it is (contract)."""

LEARN_MAX = 64
"""References taken over in one transaction."""

log = structlog.get_logger(__name__)


class EpochDrainedError(Exception):
    """All of an old epoch is settled: the conversation goes on with the next one."""


def _unheard(_seq: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class House:
    """What the gateway gives to the uplink.

    `outbox` names what is to be delivered next; an old epoch is delivered to its end first.
    `learn` returns after its commit, and tells what it refuses. `snapshot` is asked for absolute
    stock when the core misses records that are pruned. `restored` is called when the core holds
    more than this ledger: it shall begin a new epoch, or raise LinkError: then it is called again
    on the next connection. `published` hears of each seq that the broker took, `settled` of each
    new mark.
    """

    outbox: Callable[[], Outbox]
    clock: Clock
    random: Random
    count: Counter
    commands: Commands
    learn: Callable[[Sequence[Reference]], Awaitable[Sequence[Refused]]]
    health: Callable[[], Mapping[str, JsonValue]]
    alarm: Callable[[Alarm], None]
    snapshot: Callable[[], None]
    restored: Callable[[], Awaitable[None]]
    published: Callable[[int], None] = _unheard
    settled: Callable[[int], None] = _unheard


class Matter(NamedTuple):
    """What a session delivers, and under which addresses."""

    outbox: Outbox
    position: Position
    topics: Topics
    envelopes: Envelopes


class Session:
    """Everything that goes on over one link for one epoch."""

    def __init__(
        self,
        link: Link,
        house: House,
        matter: Matter,
        retained: RetainedState,
    ) -> None:
        self._link = link
        self._house = house
        self._outbox, self._position, self._topics, self._envelopes = matter
        self._retained = retained
        self._changed = asyncio.Event()
        self._references: asyncio.Queue[Inbound] = asyncio.Queue()
        self._tasks: asyncio.TaskGroup | None = None
        self._asked = 0
        desk = Desk(
            outbox=matter.outbox,
            clock=house.clock,
            count=house.count,
            settled=house.settled,
            ask_results=self._ask_results,
            wake=self.wake,
        )
        self._settlement = Settlement(matter.position, desk)

    async def run(self, status: bytes) -> None:
        """Greet, then serve until the link is lost (LinkError) or the epoch is drained."""
        lost: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._watch_link(), name="uplink link")
                await self._introduce(status)
                for part in (
                    self._pump,
                    self._watch_ledger,
                    self._settlement.run,
                    self._learn,
                    self._tell_health,
                    self._tell_state,
                ):
                    tasks.create_task(part(), name=f"uplink {part.__name__.strip('_')}")
        except* (LinkError, EpochDrainedError) as group:
            lost = group.exceptions[0]
        finally:
            self._link.hold()
        while isinstance(lost, BaseExceptionGroup):
            lost = lost.exceptions[0]
        raise lost or LinkError("the conversation ended")

    @property
    def in_flight(self) -> int:
        """Publishes that wait for the broker's word."""
        return self._link.in_flight

    def wake(self) -> None:
        """Something changed that the pump should look at."""
        self._changed.set()

    # The way in

    async def _introduce(self, status: bytes) -> None:
        topics = self._topics
        self._link.receive(self._deliver)
        needed = (topics.core_hello, topics.ack)
        wanted = (*needed, topics.command, *topics.reference_filters)
        for name in await self._link.subscribe(wanted):
            if name in needed:
                raise LinkError(f"the broker refuses our subscription to {name}")
            log.error("the broker refuses a subscription", topic=name)
            self._house.count("uplink_subscriptions_refused")
        await self._post(topics.status, status, retain=True)
        self._position.connect(self._house.clock.now(), self._outbox.bounds())
        self._retained.renew()

    def _deliver(self, inbound: Inbound) -> None:
        """Send a message to its receiver. A retained ack or command is old: it counts for nothing.

        The queues behind are bounded by the link, which stops reading at INBOUND_MAX.
        """
        path = self._topics.relative(inbound.topic)
        if path in ("ack", "hello/core") and not inbound.retained:
            self._settlement.take(path, inbound)
        elif path == "cmd/request" and not inbound.retained and self._tasks is not None:
            command = self._command(inbound)
            try:
                self._tasks.create_task(command, name="uplink command")
            except RuntimeError:  # the group is ending: the next conversation takes it
                command.close()
        elif path.startswith(("item/", "location/", "task/", "book/", "badge/")):
            self._references.put_nowait(inbound)
        else:
            self._house.count("uplink_messages_ignored")
            inbound.acknowledge()

    async def _watch_link(self) -> None:
        raise await self._link.wait_lost()

    # Records

    async def _pump(self) -> None:
        position, clock = self._position, self._house.clock
        while True:
            self._changed.clear()
            now = clock.now()
            position.timer(now)
            if position.take_hello():
                await self._say_hello()
            await self._report()
            if self._outbox.drained:
                raise EpochDrainedError
            room = position.room(now)
            if room is None:
                await self._wait_change()
            else:
                await self._publish(room)

    async def _wait_change(self) -> None:
        wake_at = self._position.wake_at
        wait_s = None
        if wake_at is not None:
            wait_s = max(0, wake_at - self._house.clock.now()) / NS_PER_S
        try:
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _publish(self, room: Room) -> None:
        records = await self._outbox.records_after(room.after, room.limit)
        if not records or records[0].seq != room.after + 1:
            raise LinkError(f"record {room.after + 1} is not kept any more: greeting anew")
        for record in records:
            await self._link.slot()
            if record.seq != self._position.next_seq:
                self._link.give_back()  # the core has put the position elsewhere meanwhile
                return
            payload = self._wrap(record)
            self._position.sent(self._house.clock.now(), record.seq, len(payload))
            future = self._link.send(self._topics.event, payload, media_type=MEDIA_TYPE)
            future.add_done_callback(partial(self._answered, record.seq))

    def _wrap(self, record: Record) -> bytes:
        withheld, limit = self._position.withheld, self._link.packet_max_bytes
        if len(record.body) + OVERHEAD_MAX_BYTES > limit and record.seq not in withheld:
            reason = f"{len(record.body)} bytes; the limit is {limit}"
            self._position.withhold(record.seq, reason)
        if record.seq in withheld:
            self._house.count("uplink_records_withheld")
            return self._envelopes.stand_in(record, withheld[record.seq])
        return self._envelopes.wrap(record)

    def _answered(self, seq: int, future: asyncio.Future[int]) -> None:
        error = None if future.cancelled() else future.exception()
        now = self._house.clock.now()
        if isinstance(error, RejectedError):
            self._house.count("uplink_publishes_refused")
            self._position.refused(now, seq, error.code, error.reason)
        elif error is None and not future.cancelled():
            nobody = future.result() == NO_MATCHING_SUBSCRIBERS
            if nobody:
                self._house.count("uplink_nobody_listens")
            if nobody and self._settlement.by_broker:
                self._position.refused(now, seq, NO_MATCHING_SUBSCRIBERS, "nobody listens")
            else:
                self._settlement.mark(self._position.passed(seq))
                self._house.published(seq)
        self._changed.set()

    async def _say_hello(self) -> None:
        bounds = self._outbox.bounds()
        self._position.know(bounds)
        hello: dict[str, JsonValue] = {
            "epoch": self._envelopes.epoch,
            "first_kept": bounds.first_kept,
            "last": bounds.last,
        }
        await self._post(self._topics.hello, _encode(hello))

    async def _report(self) -> None:
        if self._position.snapshot_wanted:
            self._position.snapshot_wanted = False
            self._house.snapshot()
        alarms, self._position.alarms = self._position.alarms, []
        for alarm in alarms:
            self._house.alarm(alarm)
        if self._position.epoch_wanted:
            self._position.epoch_wanted = False
            await self._house.restored()

    async def _watch_ledger(self) -> None:
        last = self._outbox.bounds().last
        while True:
            self._position.know(self._outbox.bounds())
            self._changed.set()
            last = await self._outbox.recorded_beyond(last)

    async def _ask_results(self, seq: int) -> None:
        self._asked += 1
        request: dict[str, JsonValue] = {
            "id": f"{self._envelopes.gateway}-{self._envelopes.epoch[:8]}-{self._asked}",
            "command": "results-from",
            "args": {"epoch": self._envelopes.epoch, "seq": seq},
        }
        self._house.count("uplink_results_asked")
        await self._post(self._topics.core_request, _encode(request))

    # Everything else

    async def _learn(self) -> None:
        while True:
            batch = [await self._references.get()]
            while len(batch) < LEARN_MAX and not self._references.empty():
                batch.append(self._references.get_nowait())
            references: dict[Reference, str] = {}
            for inbound in batch:
                path = self._topics.relative(inbound.topic)
                try:
                    references[parse_reference(path, inbound.payload)] = path
                except BadPayloadError as error:
                    await self._refuse(path, str(error))
            if references:
                for fact, reason in await self._house.learn(list(references)):
                    await self._refuse(references[fact], reason)
            for inbound in batch:
                inbound.acknowledge()

    async def _command(self, inbound: Inbound) -> None:
        try:
            request = parse_request(inbound.payload)
        except BadPayloadError as error:
            await self._refuse(self._topics.relative(inbound.topic), str(error))
        else:
            answer = await self._house.commands.answer(request)
            await self._post(self._topics.response, answer)
        inbound.acknowledge()

    async def _refuse(self, path: str, reason: str) -> None:
        """Say why what came on a topic is not taken over: whoever sent it has no other answer."""
        self._house.count("uplink_payloads_bad")
        log.warning("bad payload", topic=path, error=reason)
        told, topic = reason[:ERROR_MAX], path[:ERROR_MAX]
        refusal = _encode({"topic": topic, "ok": False, "error": told})
        await self._post(self._topics.response, refusal)

    async def _tell_health(self) -> None:
        while True:
            await self._post(self._topics.health, _encode(self._house.health()), retain=True)
            await asyncio.sleep(HEALTH_PERIOD_S)

    async def _tell_state(self) -> None:
        while True:
            topic, payload = await self._retained.take()
            try:
                await self._post(topic, payload, retain=True)
            except LinkError:
                self._retained.failed(topic)
                raise
            self._retained.sent(topic, payload)

    async def _post(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish; a refusal is counted and said, and does not stop the others."""
        try:
            await self._link.publish(topic, payload, retain=retain)
        except RejectedError as error:
            self._house.count("uplink_publishes_refused")
            log.warning("the broker refuses a publish", topic=topic, reason=error.reason)


def _encode(value: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
