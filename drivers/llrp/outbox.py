"""What the driver has observed and the gateway has not taken yet.

Reads are gathered for a few milliseconds into one report. While the gateway is busy they wait
here, so that the socket is read on; beyond the bound the oldest go and the time is blind.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    DeviceFault,
    Heartbeat,
    Ns,
    Observation,
    TagRead,
    TagReport,
)
from gateway.ports import Clock, Emit

GATHER_NS = 5 * NS_PER_MS
"""How long the first read of a report waits for others: at 1,100 reads/s five share the cost of
one turn, and a person at a gate moves 1 cm."""

BATCH_READS_MAX = 1000
"""Reads in one report: a turn of the rules stays within milliseconds."""

HELD_READS_MAX = 100_000
"""Reads that may wait: 90 s of a portal at 1,100/s, about 20 MB."""

HELD_OBSERVATIONS_MAX = 1000
"""Other observations that may wait: events come a few a minute, heartbeats once a second."""


class _Waiting(NamedTuple):
    observation: Observation
    at: Ns


class Outbox:
    """Waiting observations of one run, oldest first."""

    def __init__(
        self, device: str, clock: Clock, lateness_max_ns: Ns, count: Callable[[str, int], None]
    ) -> None:
        self._device = device
        self._clock = clock
        self._lateness_max_ns = lateness_max_ns
        self._count = count
        self._loop = asyncio.get_running_loop()
        self._open: list[TagRead] = []
        self._open_until: Ns = 0
        self._reports: deque[_Waiting] = deque()
        self._others: deque[_Waiting] = deque()
        self._held = 0
        self._heartbeat_waits = False
        self._finished = False
        self._lost: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def report_at(self, now: Ns) -> Ns:
        """Return when a read that came in now will be reported: what its age is relative to."""
        if self._timer is not None and now > self._open_until:
            self._close_batch()  # the loop is late with its timer
        if self._timer is None:
            self._open_until = now + GATHER_NS
            self._timer = self._loop.call_later(GATHER_NS / NS_PER_S, self._close_batch)
        return self._open_until

    def put_reads(self, reads: list[TagRead]) -> None:
        """Add reads whose ages were made for the last `report_at`."""
        self._open += reads
        self._held += len(reads)
        if len(self._open) >= BATCH_READS_MAX:
            self._close_batch()
        while self._held > HELD_READS_MAX and self._reports:
            dropped = self._reports.popleft().observation
            assert isinstance(dropped, TagReport)
            self._held -= len(dropped.reads)
            self._count("reads_dropped", len(dropped.reads))
            self.lose(len(dropped.reads), "gateway_busy")

    def put(self, observation: Observation) -> None:
        """Add an observation other than reads, observed now.

        One heartbeat at a time waits: two that are handed over together prove no more than one.
        """
        if isinstance(observation, Heartbeat):
            if self._heartbeat_waits:
                return
            self._heartbeat_waits = True
        if len(self._others) >= HELD_OBSERVATIONS_MAX:
            self._drop()
        self._others.append(_Waiting(observation, self._clock.now()))
        self._wake.set()

    def lose(self, lost: int, reason: str) -> None:
        """Note that readings went missing, told before the next observation is handed over.

        `reason` is a stable name, since it becomes part of a counter's name.
        """
        self._lost[reason] = self._lost.get(reason, 0) + lost
        self._wake.set()

    async def drain(self, emit: Emit) -> None:
        """Hand everything over, until told to finish and nothing is left."""
        while True:
            await self._hand_over(emit)
            if self._finished:
                return
            await self._wake.wait()
            self._wake.clear()

    async def _hand_over(self, emit: Emit) -> None:
        while True:
            lost, self._lost = self._lost, {}
            for reason, amount in lost.items():
                emit.blind(amount, reason)
            waiting = self._next()
            if waiting is None:
                return
            age_ns = max(0, self._clock.now() - waiting.at)
            excess_ns = age_ns - self._lateness_max_ns
            if excess_ns <= 0:
                await emit(waiting.observation, age_ns)
            else:
                self._count("observations_late", 1)
                await emit(_aged(waiting.observation, excess_ns), self._lateness_max_ns)

    def finish(self) -> None:
        """Let `drain` end when it has handed over what is here now."""
        self._close_batch()
        self._finished = True
        self._wake.set()

    def close(self) -> None:
        """Stop the timer; what waits is dropped."""
        if self._timer is not None:
            self._timer.cancel()

    def _next(self) -> _Waiting | None:
        reports, others = self._reports, self._others
        if reports and not (others and others[0].at < reports[0].at):
            waiting = reports.popleft()
            assert isinstance(waiting.observation, TagReport)
            self._held -= len(waiting.observation.reads)
            return waiting
        if not others:
            return None
        waiting = others.popleft()
        if isinstance(waiting.observation, Heartbeat):
            self._heartbeat_waits = False
        return waiting

    def _drop(self) -> None:
        """Make room for one more: that an antenna is blind must be known, before all else."""
        others = self._others
        index = next((i for i, each in enumerate(others) if not _blinds(each)), None)
        index = _outdated(others) if index is None else index
        if isinstance(others[index].observation, Heartbeat):
            self._heartbeat_waits = False
        del others[index]
        self._count("observations_dropped", 1)

    def _close_batch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._open:
            return
        # Closed early, a report goes out before its own time: its ages are up to GATHER_NS too old.
        for start in range(0, len(self._open), BATCH_READS_MAX):
            reads = tuple(self._open[start : start + BATCH_READS_MAX])
            self._reports.append(_Waiting(TagReport(self._device, reads), self._open_until))
        self._open = []
        self._wake.set()


def _aged(observation: Observation, by_ns: Ns) -> Observation:
    """Put the age that an emission may not have into the reads themselves."""
    if not isinstance(observation, TagReport):
        return observation
    reads = (read._replace(age_ns=read.age_ns + by_ns) for read in observation.reads)
    return TagReport(observation.device, tuple(reads))


def _blinds(waiting: _Waiting) -> bool:
    return isinstance(waiting.observation, DeviceFault) and waiting.observation.blinds


def _outdated(faults: Iterable[_Waiting]) -> int:
    """Where the older of two words on the same antenna stands; else the oldest of all."""
    last: dict[tuple[str, int], int] = {}
    for index, (fault, _) in enumerate(faults):
        assert isinstance(fault, DeviceFault)
        key = (fault.code, fault.antenna)
        if key in last:
            return last[key]
        last[key] = index
    return 0
