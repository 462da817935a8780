"""The flow, on one screen.

    drivers --> inbox --> engine --> store (one transaction) --> whoever waits for committed rows
                   '--> taps (telemetry, recorder)

The pump takes facts in order of arrival, runs the engine, and hands the outcomes of one lot to the
store as one submission. It waits for the store only when the store is more than a lot behind:
then the inbox fills, and the drivers hold what they read. It never waits for the uplink.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.coverage import TICK_NS, LoopPulse
from gateway.engine import Engine
from gateway.inbox import Inbox
from gateway.model import NS_PER_S, Fact, Ns, Stall
from gateway.outcome import Outcome
from gateway.ports import Clock
from gateway.store import Committed

ALARM_MAX_S = 3600.0
"""A wake-up further away is looked at again each hour; the loop's own timers are floats."""

LOT_FACTS_MAX = 64
"""Facts taken at once, before other tasks get their turn: about a millisecond of work."""

Tap = Callable[[Ns, Fact], None]
"""Sees every fact that the engine is fed, with its event time. Must be cheap and may not fail."""


class Booking(Protocol):
    """What the pipeline asks of the store."""

    async def submit(self, outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        """Queue the outcomes for one transaction; wait only while the store is too far behind."""
        ...


class Pipeline:
    """Drives the engine from the inbox and the clock. `beats` counts the turns of the pump."""

    def __init__(
        self, engine: Engine, inbox: Inbox, booking: Booking, clock: Clock, pulse: LoopPulse
    ) -> None:
        self.taps: list[Tap] = []
        self.explain: Callable[[Outcome], Outcome] = lambda outcome: outcome
        self.wake_taps: list[Callable[[Ns], None]] = []
        self.beats = self._beats_seen = 0
        self._engine = engine
        self._inbox = inbox
        self._booking = booking
        self._clock = clock
        self._pulse = pulse
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: Ns = 0

    async def run(self) -> None:
        """Pump until cancelled; an error here is a bug or a lost disk, and ends the process."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pump(), name="pump")
            tasks.create_task(self._beat(), name="pulse")

    async def feed(self, facts: Sequence[Fact], besides: Sequence[Outcome] = ()) -> None:
        """Feed facts past the inbox, and wait until what they came to is on disk; `besides` is
        booked in the same transaction.
        """
        self._look_for_stall()
        outcomes: list[Outcome] = []
        for fact in facts:
            at = self._inbox.before_waiting(self._clock.now())
            for tap in self.taps:
                tap(at, fact)
            outcomes.extend(self._engine.feed(at, fact))
        outcomes.extend(besides)
        self._inbox.poke()  # a rule may want to be woken sooner now
        if outcomes:
            await (await self._book(outcomes))

    def moved(self) -> bool:
        """Whether the pump has turned since last asked; with nothing to do it turns for this."""
        moved, self._beats_seen = self.beats != self._beats_seen, self.beats
        self._inbox.poke()
        return moved

    async def _pump(self) -> None:
        while True:
            self.beats += 1
            outcomes = self._lot()
            if outcomes:
                await self._book(outcomes)
            if len(self._inbox):
                await asyncio.sleep(0)
            else:
                self._set_alarm()
                await self._inbox.wait()

    async def _book(self, outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        return await self._booking.submit([self.explain(outcome) for outcome in outcomes])

    def _lot(self) -> list[Outcome]:
        """Feed one lot of facts, then run what the clock says is due.

        After a stall the pump may run before the pulse: facts that waited are newer than wake-ups
        that fell due unwatched, so the stall is looked for here too.
        """
        self._look_for_stall()
        engine, outcomes = self._engine, list[Outcome]()
        for at, fact in self._inbox.take(LOT_FACTS_MAX):
            for tap in self.taps:
                tap(at, fact)
            outcomes.extend(engine.feed(at, fact))
        now = self._clock.now()
        if engine.next_wake <= now and not len(self._inbox):
            for tap_wake in self.wake_taps:
                tap_wake(now)
            outcomes.extend(engine.wake(now))
        return outcomes

    def _set_alarm(self) -> None:
        """Be woken when the engine wants to be; the inbox is what the pump waits on."""
        wake_at = self._engine.next_wake
        loop = asyncio.get_running_loop()
        if self._alarm is not None:
            if wake_at == self._alarm_at and self._alarm.when() > loop.time():
                return
            self._alarm.cancel()
        self._alarm_at = wake_at
        delay_s = max(0, wake_at - self._clock.now()) / NS_PER_S
        self._alarm = loop.call_later(min(delay_s, ALARM_MAX_S), self._inbox.poke)

    async def _beat(self) -> None:
        """Show that the loop runs; tell the rules when it did not, before their wake-ups."""
        while True:
            await asyncio.sleep(TICK_NS / NS_PER_S)
            self._look_for_stall()

    def _look_for_stall(self) -> None:
        stall_ns = self._pulse.beat()
        if stall_ns:
            self._inbox.put_first(self._pulse.last - stall_ns, Stall(stall_ns))
