"""Keep telemetry flowing: drain the meter, spool the lines, send them, and never be in the way.

every second       meter.drain -> spool
every interval     resources -> gauges
when spooled       spool -> sink; on SinkError back to the spool and wait, jittered
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

import structlog

from gateway.ports import Clock, Sink, SinkError
from gateway.telemetry import names, resources
from gateway.telemetry.influx import SinkBusyError
from gateway.telemetry.meter import Meter
from gateway.telemetry.spool import Spool

DRAIN_S = 1.0
"""How late a change may show: a person at the shelf looks up no sooner."""

BATCH_POINTS_MAX = 1000
"""Some 150 kB before gzip: one request each for what a large gateway makes in a minute and a half,
and small enough that compressing it does not hold up the loop."""

CATCH_UP_PAUSE_S = 0.05
"""Between batches of a backlog: 20,000 points a second, and the loop stays free in between."""

BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 15.0
"""As everywhere in the gateway: what comes back is used again within a quarter of a minute."""

FLUSH_MAX_S = 3.0
"""What stopping may cost: the unit's stop time-out is far longer, and telemetry is lossy."""


class ClosableSink(Sink, Protocol):
    """A sink that holds a connection."""

    async def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The running side of telemetry."""

    meter: Meter
    sink: ClosableSink
    spool: Spool
    clock: Clock
    random: Random
    store: Path
    interval_s: float

    async def run(self) -> None:
        """Run until cancelled; then send for at most FLUSH_MAX_S what is left, close the sink."""
        filled = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._drain(filled), name="telemetry drain")
                tasks.create_task(self._send(filled), name="telemetry send")
                tasks.create_task(self._measure(), name="telemetry resources")
        finally:
            await self._flush()
            await self.sink.close()

    def _put_aside(self, *, whole: bool = False) -> None:
        dropped = self.spool.put(self.meter.drain(self.clock.now(), whole=whole))
        if dropped:
            self.meter.count(names.POINTS_DROPPED, dropped)
        self.meter.gauge(names.SPOOL_POINTS, len(self.spool))
        self.meter.gauge(names.SPOOL_BYTES, self.spool.bytes_held)

    async def _drain(self, filled: asyncio.Event) -> None:
        while True:
            self._put_aside()
            if self.spool:
                filled.set()
            await asyncio.sleep(DRAIN_S)

    async def _measure(self) -> None:
        place = resources.Place(self.store)
        at, used_ns = self.clock.now(), resources.processor_ns()
        while True:
            for name, value in (await asyncio.to_thread(resources.read, place)).items():
                self.meter.gauge(name, value)
            await asyncio.sleep(self.interval_s)
            now, now_used_ns = self.clock.now(), resources.processor_ns()
            if now > at:
                self.meter.gauge(names.CPU_PERCENT, 100 * (now_used_ns - used_ns) / (now - at))
            at, used_ns = now, now_used_ns

    async def _send(self, filled: asyncio.Event) -> None:
        log = structlog.get_logger("telemetry")
        failures = 0
        while True:
            await filled.wait()
            try:
                await self._send_batch()
            except SinkError as error:
                if not failures:
                    log.warning("telemetry server lost, spooling", cause=str(error))
                failures += 1
                await asyncio.sleep(self._patience_s(failures, error))
                continue
            if failures:
                log.info("telemetry server back", failures=failures, spooled=len(self.spool))
                failures = 0
            if not self.spool:
                filled.clear()
            else:
                await asyncio.sleep(CATCH_UP_PAUSE_S)

    async def _send_batch(self) -> None:
        batch = self.spool.take(BATCH_POINTS_MAX)
        try:
            await self.sink.send(batch)
        except BaseException:  # cancelled too: the flush sends it then
            dropped = self.spool.give_back(batch)
            if dropped:
                self.meter.count(names.POINTS_DROPPED, dropped)
            raise

    def _patience_s(self, failures: int, error: SinkError) -> float:
        """Full jitter, doubling up to the cap; a wait that the server asks for comes on top."""
        ceiling_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures, 10))
        asked_s = error.retry_after_s if isinstance(error, SinkBusyError) else 0.0
        return asked_s + self.random.uniform(ceiling_s / 10, ceiling_s)

    async def _flush(self) -> None:
        self._put_aside(whole=True)
        try:
            async with asyncio.timeout(FLUSH_MAX_S):
                while self.spool:
                    await self._send_batch()
        except (SinkError, TimeoutError) as error:
            structlog.get_logger("telemetry").warning(
                "telemetry left unsent", points=len(self.spool), cause=str(error) or "time-out"
            )
