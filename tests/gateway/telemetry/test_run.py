"""The task: outages, overflow, stopping; with a sink at will, and with real servers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.model import NS_PER_S, DeviceStatus, Site
from gateway.ports import SinkError
from gateway.telemetry import names, run
from gateway.telemetry.influx import InfluxSink, SinkBusyError
from gateway.telemetry.meter import Meter
from gateway.telemetry.run import Telemetry
from gateway.telemetry.settings import TelemetrySettings
from gateway.telemetry.spool import Spool
from tests.polling import until

FROM_S = 1_700_000_000


class LoopClock:
    """Time as the event loop has it."""

    def now(self) -> int:
        return round(asyncio.get_running_loop().time() * NS_PER_S)


@dataclass
class Scripted:
    """A sink that fails when told to."""

    error: SinkError | None = None
    hangs: bool = False
    taken: list[bytes] = field(default_factory=list)
    attempts: int = 0
    closed: bool = False

    async def send(self, batch: Sequence[bytes]) -> None:
        self.attempts += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        self.taken += batch

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def telemetry(tmp_path: Path) -> Telemetry:
    settings = TelemetrySettings(url="http://127.0.0.1", interval_s=1)
    meter = Meter(settings, {"gateway": "gw-1"}, Site(), lambda at: FROM_S * NS_PER_S + at)
    return Telemetry(meter, Scripted(), Spool(), LoopClock(), Random(7), tmp_path, 1)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every wait; what they are in the field is named in the module."""
    for name, value in (("DRAIN_S", 0.02), ("BACKOFF_FIRST_S", 0.02), ("BACKOFF_MAX_S", 0.2)):
        monkeypatch.setattr(run, name, value)
    monkeypatch.setattr(run, "FLUSH_MAX_S", 0.3)


@asynccontextmanager
async def running(telemetry: Telemetry) -> AsyncIterator[None]:
    task = asyncio.create_task(telemetry.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def sink_of(telemetry: Telemetry) -> Scripted:
    assert isinstance(telemetry.sink, Scripted)
    return telemetry.sink


def points(first: int, last: int) -> list[bytes]:
    """One point a millisecond."""
    return [b"probe v=%d.5 %d" % (n, FROM_S * NS_PER_S + n * 1_000_000) for n in range(first, last)]


async def test_run_what_the_meter_saw_is_sent(telemetry: Telemetry) -> None:
    async with running(telemetry):
        telemetry.meter.observe(DeviceStatus("scale-1", up=True))
        await until(lambda: sink_of(telemetry).taken)
    assert b"shelfgate_device,device=scale-1,gateway=gw-1" in sink_of(telemetry).taken[0]
    assert sink_of(telemetry).closed


async def test_run_resources_reach_the_meter(telemetry: Telemetry) -> None:
    async with running(telemetry):
        await until(lambda: any(b"cpu_percent=" in line for line in sink_of(telemetry).taken))
    [line, *_] = [line for line in sink_of(telemetry).taken if b"cpu_percent=" in line]
    for name in (names.MEMORY_BYTES, names.DISK_FREE_BYTES, names.SPOOL_POINTS):
        assert name.encode() in line


async def test_run_outage_is_told_once_and_everything_arrives(telemetry: Telemetry) -> None:
    sink = sink_of(telemetry)
    sink.error = SinkError("connection refused")
    with capture_logs() as logs:
        async with running(telemetry):
            telemetry.spool.put(points(0, 2500))
            await until(lambda: sink.attempts >= 4)
            assert sink.taken == []
            sink.error = None
            await until(lambda: len(sink.taken) >= 2500)
    assert [line for line in sink.taken if line.startswith(b"probe")] == points(0, 2500)
    assert [(log["log_level"], log["event"]) for log in logs] == [
        ("warning", "telemetry server lost, spooling"),
        ("info", "telemetry server back"),
    ]


async def test_run_overflow_drops_oldest_and_is_counted(telemetry: Telemetry) -> None:
    sink = sink_of(telemetry)
    sink.error = SinkError("connection refused")
    small = Telemetry(
        telemetry.meter, sink, Spool(1200), telemetry.clock, Random(7), telemetry.store, 1
    )
    async with running(small):
        small.spool.put(points(0, 1200))
        await until(lambda: sink.attempts >= 2)
        small.meter.outcome((), 0)
        small.spool.put(points(1200, 1500))
        sink.error = None
        await until(lambda: len(sink.taken) >= 1200)
    taken = [line for line in sink.taken if line.startswith(b"probe")]
    assert taken[-1] == points(1499, 1500)[0]
    assert taken == points(1500 - len(taken), 1500), "the newest remain, in order"
    assert small.spool.dropped >= 300


async def test_run_dropped_points_are_reported_as_a_counter(telemetry: Telemetry) -> None:
    sink = sink_of(telemetry)
    sink.error = SinkError("connection refused")
    small = Telemetry(
        telemetry.meter, sink, Spool(1), telemetry.clock, Random(7), telemetry.store, 1
    )
    for number in range(3):
        small.meter.observe(DeviceStatus(f"scale-{number}", up=True))
    small._put_aside()
    assert small.spool.dropped == 2
    small.spool.take(1)
    small.meter.drain(small.clock.now() + NS_PER_S // 2)
    lines = small.meter.drain(small.clock.now() + 2 * NS_PER_S)
    assert any(
        b"counter=telemetry_points_dropped" in line and b"total=2i" in line for line in lines
    )


async def test_run_stop_sends_what_is_left(telemetry: Telemetry) -> None:
    async with running(telemetry):
        await until(lambda: telemetry.meter._gauges)
        telemetry.spool.put(points(0, 1500))
        telemetry.meter.gauge("inbox_depth", 3)
    sink = sink_of(telemetry)
    assert [line for line in sink.taken if line.startswith(b"probe")] == points(0, 1500)
    assert b"inbox_depth=3.0" in sink.taken[-1]
    assert len(telemetry.spool) == 0


@pytest.mark.parametrize("hangs", [True, False])
async def test_run_stop_with_the_server_away_is_bounded(telemetry: Telemetry, hangs: bool) -> None:
    sink = sink_of(telemetry)
    sink.hangs, sink.error = hangs, SinkError("connection refused")
    async with asyncio.timeout(2):
        async with running(telemetry):
            telemetry.spool.put(points(0, 10))
            await until(lambda: sink.attempts)
    assert sink.closed
    assert sink.taken == []
    assert len(telemetry.spool) >= 10, "undelivered points are still held"


def test_patience_doubles_up_to_its_cap_with_jitter(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    error = SinkError("away")
    waits = [
        [telemetry._patience_s(failures, error) for _ in range(200)] for failures in (1, 3, 99)
    ]
    for ceiling_s, drawn in zip((1.0, 4.0, 15.0), waits, strict=True):
        assert ceiling_s / 10 <= min(drawn) < ceiling_s / 2 < max(drawn) <= ceiling_s
    assert 30 < telemetry._patience_s(1, SinkBusyError("busy", 30)) <= 31


async def run_while_it_stops(telemetry: Telemetry, server: Any) -> None:
    """Send 5000 points to a server that is away for most of them."""
    async with running(telemetry):
        telemetry.spool.put(points(0, 500))
        await until(lambda: not telemetry.spool)
        await server.stop()
        for first in range(500, 5000, 500):
            telemetry.spool.put(points(first, first + 500))
            await asyncio.sleep(0.1)
        assert len(telemetry.spool) >= 4000
        await server.start()
        await until(lambda: not telemetry.spool)


@pytest.mark.server
async def test_run_victoria_metrics_stopped_and_started_gets_every_point(
    telemetry: Telemetry, victoria_metrics: Any
) -> None:
    await run_while_it_stops(with_sink(telemetry, victoria_metrics.url), victoria_metrics)
    expected = {FROM_S * 1000 + n: n + 0.5 for n in range(5000)}
    assert await victoria_metrics.points("probe_v") == expected


@pytest.mark.server
async def test_run_influxd_stopped_and_started_gets_every_point(
    telemetry: Telemetry, influxd: Any, v2_url: str
) -> None:
    await run_while_it_stops(with_sink(telemetry, v2_url), influxd)
    [series] = await influxd.query("SELECT v FROM probe")
    expected = {FROM_S * NS_PER_S + n * 1_000_000: n + 0.5 for n in range(5000)}
    assert dict(series["values"]) == expected


def with_sink(telemetry: Telemetry, url: str) -> Telemetry:
    settings = TelemetrySettings(url=url, interval_s=1)
    sink = InfluxSink(settings, "", telemetry.meter.count)
    return Telemetry(telemetry.meter, sink, Spool(), telemetry.clock, Random(7), telemetry.store, 1)
