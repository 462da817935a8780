"""A reader in virtual time: switches antennas, gathers reads into reports, keeps alive, falls out.

It makes what the gateway would be handed by a driver, not wire bytes: the wire simulators do those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from simulators.world.air import Air, Heard
from simulators.world.radio_events import RadioEvent
from simulators.world.truth import Alive, Fault, Link, Observed, Read, Reads, ns

GATHER_S = 0.05
"""Reads of so long come in one report."""

KEEPALIVE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outage:
    """The link is gone from `at_s` to `until_s`; what was read in the last `held_s` of it comes
    at once after the reconnect.
    """

    at_s: float
    until_s: float
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """The reader tells a fault of one antenna."""

    at_s: float
    antenna: int
    active: bool


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """Everything that happens to one reader. `make_air` makes its air anew for each stream."""

    device: str
    dwell_s: float
    length_s: float
    seed: str
    make_air: Callable[[Random], Air]
    events: Sequence[RadioEvent]
    delay_s: float = 0.0
    outages: tuple[Outage, ...] = ()
    told: tuple[Told, ...] = ()
    idle: tuple[tuple[float, float], ...] = ()
    """Spans in which a gate reader is not triggered and reads nothing."""


@dataclass(frozen=True, slots=True)
class ReaderStream:
    """What a reader hands over, in order of time; anew with each call, and counted when it ends."""

    plan: ReaderPlan
    counts: Callable[[Air], None]

    def __call__(self) -> Iterator[Observed]:
        """Begin at the beginning."""
        return stream(self.plan, self.counts)


def stream(plan: ReaderPlan, counts: Callable[[Air], None] | None = None) -> Iterator[Observed]:
    """What this reader hands over, in order of time."""
    random = Random(plan.seed)
    air = plan.make_air(random)
    events, next_event = sorted(plan.events, key=lambda event: event.at_s), 0
    reporter = _Reporter(plan, random)
    now_s, turn, idle = 0.0, 0, deque(plan.idle)
    while now_s < plan.length_s:
        while next_event < len(events) and events[next_event].at_s <= now_s:
            air.take(events[next_event])
            next_event += 1
        while idle and idle[0][1] <= now_s:
            idle.popleft()
        asleep = bool(idle) and idle[0][0] <= now_s
        end_s = min(idle[0][1] if asleep else now_s + plan.dwell_s, plan.length_s)
        if next_event < len(events):
            end_s = min(end_s, max(events[next_event].at_s, now_s + 1e-3))
        heard = [] if asleep else air.dwell(turn % len(air.ears), now_s, end_s)
        yield from reporter.report(heard, end_s)
        turn += 1
        now_s = end_s
    yield from reporter.report([], plan.length_s + 1.0)
    if counts is not None:
        counts(air)


class _Reporter:
    """Turns what is heard into reports, keepalives and the news of the link."""

    def __init__(self, plan: ReaderPlan, random: Random) -> None:
        self._plan = plan
        self._random = random
        self._open: list[Heard] = []
        self._open_from_s = 0.0
        self._alive_s = 0.0
        self._last_at = 0
        self._outages = list(plan.outages)
        self._told = list(plan.told)
        self._ready: list[Observed] = []
        self._down = False

    def report(self, heard: list[Heard], until_s: float) -> Iterator[Observed]:
        """Hand over what is complete until then."""
        for read in heard:
            if read[0] - self._open_from_s >= GATHER_S:
                self._close()
                self._open_from_s = read[0]
            self._open.append(read)
        if self._open and until_s - self._open_from_s >= GATHER_S:
            self._close()
        while self._alive_s <= until_s:
            self._put(Alive(ns(self._alive_s), self._plan.device))
            self._alive_s += KEEPALIVE_S
        while self._told and self._told[0].at_s <= until_s:
            told = self._told.pop(0)
            self._put(Fault(ns(told.at_s), self._plan.device, told.antenna, told.active))
        self._ready.sort(key=lambda observed: observed.at)
        ready, self._ready = self._ready, []
        if self._outages:
            ready = self._cut(ready, until_s)
        for observed in ready:
            self._last_at = max(self._last_at, observed.at)
            yield observed if observed.at == self._last_at else _later(observed, self._last_at)

    def _put(self, observed: Observed) -> None:
        self._ready.append(observed)

    def _close(self) -> None:
        reads, self._open = self._open, []
        if not reads:
            return
        at = ns(reads[-1][0] + self._random.uniform(0.0, self._plan.delay_s))
        told = [Read(point, epc, rssi, max(0, at - ns(at_s))) for at_s, point, epc, rssi in reads]
        self._put(Reads(at, self._plan.device, told))

    def _cut(self, ready: list[Observed], until_s: float) -> list[Observed]:
        """Drop what an outage swallows, and tell of it."""
        outage = self._outages[0]
        begin, end, device = ns(outage.at_s), ns(outage.until_s), self._plan.device
        kept: list[Observed] = []
        begun = until_s >= outage.at_s
        for observed in ready:
            if not begin <= observed.at < end:
                kept.append(observed)
            elif isinstance(observed, Reads) and observed.at >= end - ns(outage.held_s):
                kept.append(_held(observed, end))
                begun = True
        if begun and not self._down:
            self._down = True
            kept.append(Link(begin, device, up=False))
        if until_s >= outage.until_s:
            self._down = False
            kept.append(Link(end, device, up=True))
            self._outages.pop(0)
        return sorted(kept, key=lambda observed: (observed.at, not isinstance(observed, Link)))


def _held(reads: Reads, at: int) -> Reads:
    """The same reads, handed over later."""
    late = at - reads.at
    aged = [read._replace(age_ns=read.age_ns + late) for read in reads.reads]
    return Reads(at + 1, reads.device, aged)


def _later(observed: Observed, at: int) -> Observed:
    if isinstance(observed, Reads):
        late = at - observed.at
        reads = [read._replace(age_ns=read.age_ns + late) for read in observed.reads]
        return Reads(at, observed.device, reads)
    return observed._replace(at=at)
