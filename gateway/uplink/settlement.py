"""Takes the core's acks and hellos to the store, and only then lets the broker forget them."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from gateway.model import Ns
from gateway.ports import Clock, Counter
from gateway.uplink.delivery import Position
from gateway.uplink.inbound import Inbound
from gateway.uplink.messages import Ack, BadPayloadError, CoreHello, parse_ack, parse_hello
from gateway.uplink.outbox import Outbox, Result

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Desk:
    """Whom settlement deals with. `ask_results` asks the core for results from a seq on."""

    outbox: Outbox
    clock: Clock
    count: Counter
    settled: Callable[[int], None]
    ask_results: Callable[[int], Awaitable[None]]
    wake: Callable[[], None]


class Settlement:
    """Acks that come while one commit runs go into the next one together."""

    def __init__(self, position: Position, desk: Desk) -> None:
        self.by_broker = position.pace.settle == "broker"
        self._position = position
        self._desk = desk
        self._epoch = desk.outbox.epoch
        self._ask_at: Ns = 0
        self._mark = 0
        self._waiting: list[tuple[str, Inbound]] = []
        self._arrived = asyncio.Event()

    def take(self, path: str, inbound: Inbound) -> None:
        """An `ack` or `hello/core` came in; the link bounds how many wait here."""
        self._waiting.append((path, inbound))
        self._arrived.set()

    def mark(self, high_water: int | None) -> None:
        """The broker's word settles up to there (mode `settle = "broker"`)."""
        if high_water is not None:
            self._mark = high_water
            self._arrived.set()

    async def run(self) -> None:
        """Commit what comes in, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            await self._settle(batch)
            for _, inbound in batch:
                inbound.acknowledge()
            self._desk.wake()

    async def _settle(self, batch: Sequence[tuple[str, Inbound]]) -> None:
        acks, hellos = self._read(batch)
        before = self._desk.outbox.bounds()
        held = [ack for ack in acks if ack.high_water <= before.last]
        marks = [self._mark, *(ack.high_water for ack in acks)]
        marks += [hello.high_water for hello in hellos]
        high_water = max(mark for mark in marks if mark <= before.last)
        results = [result for ack in held for result in ack.results]
        if results or high_water > before.high_water:
            await self._desk.outbox.acknowledge(self._epoch, high_water, results)
        if high_water > before.high_water:
            self._desk.settled(high_water)
        now = self._desk.clock.now()
        self._position.know(self._desk.outbox.bounds())
        for ack in acks:
            self._position.ack(now, ack.high_water)
        for hello in hellos:
            self._position.hello(now, hello.high_water)
        self._tell(results)
        if not self.by_broker:
            await self._ask_missing(now, before.high_water, high_water, results)

    def _read(self, batch: Sequence[tuple[str, Inbound]]) -> tuple[list[Ack], list[CoreHello]]:
        acks: list[Ack] = []
        hellos: list[CoreHello] = []
        for path, inbound in batch:
            try:
                if path == "ack":
                    acks.append(parse_ack(inbound.payload))
                else:
                    hellos.append(parse_hello(inbound.payload))
            except BadPayloadError as error:
                self._desk.count("uplink_payloads_bad")
                log.warning("bad payload", topic=inbound.topic, error=str(error))
        ours = [ack for ack in acks if ack.epoch == self._epoch]
        our_hellos = [hello for hello in hellos if hello.epoch == self._epoch]
        foreign = len(acks) + len(hellos) - len(ours) - len(our_hellos)
        if foreign:
            self._desk.count("uplink_epoch_foreign", foreign)
        return ([], []) if self.by_broker else (ours, our_hellos)

    def _tell(self, results: Sequence[Result]) -> None:
        for status, number in Tally(result.status for result in results).items():
            self._desk.count(f"core_{status}", number)

    async def _ask_missing(
        self, now: Ns, before: int, high_water: int, results: Sequence[Result]
    ) -> None:
        """Ask for results that got lost on the way, seldom: they decide nothing."""
        known = {result.seq for result in results}
        missing = before + 1
        while missing in known:
            missing += 1
        if missing <= high_water and now >= self._ask_at:
            self._ask_at = now + self._position.pace.ack_timeout_ns
            await self._desk.ask_results(missing)
