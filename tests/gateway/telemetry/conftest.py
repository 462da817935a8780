"""Real time-series servers on loopback, and what stands in front of the old one."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.model import (
    NS_PER_S,
    Alert,
    Arrival,
    Cell,
    CountChange,
    Departure,
    DeviceFault,
    DeviceStatus,
    Movement,
    Portal,
    Site,
    TagRead,
    TagReport,
    Unresolved,
    WeightReport,
    WeightSample,
    WeightStep,
    Zone,
)
from gateway.telemetry import names
from gateway.telemetry.meter import Meter
from gateway.telemetry.settings import TelemetrySettings

READY_S = 20.0
STOP_S = 10.0
POLL_S = 0.05


@dataclass
class Server:
    """A server process that can be stopped and started again on the same port and data."""

    command: list[str]
    url: str
    ping: str
    process: asyncio.subprocess.Process | None = field(default=None)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await until(self._answers, READY_S)

    async def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, f"{self.command[0]} ended by itself"
        try:
            async with aiohttp.ClientSession() as http, http.get(self.url + self.ping) as answer:
                return answer.status < 300
        except aiohttp.ClientError:
            return False


async def until(condition: Callable[[], Any], within_s: float = 10.0) -> None:
    """Wait until an async condition holds."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - a server tells nobody when it is ready
            await asyncio.sleep(POLL_S)


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def victoria_metrics(
    require: Callable[[str], str], tmp_path: Path
) -> AsyncIterator["VictoriaMetrics"]:
    address = f"127.0.0.1:{port()}"
    server = VictoriaMetrics(
        [
            require("victoria-metrics"),
            f"-httpListenAddr={address}",
            f"-storageDataPath={tmp_path / 'victoria-metrics'}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=64MB",
        ],
        f"http://{address}",
        "/health",
    )
    await server.start()
    yield server
    await server.stop()


class VictoriaMetrics(Server):
    """Takes v2 writes by itself."""

    async def points(self, metric: str) -> dict[int, float]:
        """Return value by time stamp in milliseconds of the one series of that name."""
        query = {"match[]": f'{{__name__="{metric}"}}', "start": "0"}
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{self.url}/internal/force_flush") as answer:
                assert answer.status == 200
            async with http.get(f"{self.url}/api/v1/export", params=query) as answer:
                found: dict[int, float] = {}
                for text in (await answer.text()).splitlines():
                    series = json.loads(text)
                    found |= dict(zip(series["timestamps"], series["values"], strict=True))
                return found


INFLUXD_CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  unix-socket-enabled = false
  log-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
"""


class Influxd(Server):
    """InfluxDB 1.6: the strict parser, and InfluxQL. Knows `/write`, not yet `/api/v2/write`."""

    async def query(self, influxql: str) -> list[dict[str, Any]]:
        """Return the series that a query finds; an error of the server fails the test."""
        params = {"db": "shelfgate", "q": influxql, "epoch": "ns"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.url}/query", params=params) as answer,
        ):
            body = await answer.json()
            assert answer.status == 200, f"{influxql}: {body}"
            result = body["results"][0]
            assert "error" not in result, f"{influxql}: {result}"
            return list(result.get("series", []))


@pytest.fixture
async def influxd(require: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Influxd]:
    folder = tmp_path / "influxd"
    folder.mkdir()
    http = port()
    config = folder / "influxd.conf"
    config.write_text(INFLUXD_CONFIG.format(folder=folder, rpc=port(), http=http))
    server = Influxd(
        [require("influxd"), "-config", str(config)], f"http://127.0.0.1:{http}", "/ping"
    )
    await server.start()
    await server.query("CREATE DATABASE shelfgate")
    yield server
    await server.stop()


@pytest.fixture
async def v2_url(influxd: Influxd) -> AsyncIterator[str]:
    """The URL of a v2 write API in front of influxd: bucket becomes database."""

    async def write(request: web.Request) -> web.Response:
        params = {"db": request.query["bucket"], "precision": request.query["precision"]}
        body = await request.read()  # the server undoes gzip by itself
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{influxd.url}/write", params=params, data=body) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_post("/api/v2/write", write)
    async with Served(app) as url:
        yield url


class Served:
    """Serves an aiohttp application on a free port of loopback."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


@pytest.fixture
def serve() -> type[Served]:
    return Served


BUSY_FROM_S = 1_700_000_000
BUSY_S = 300


@pytest.fixture(scope="session")
def busy_span() -> tuple[int, int]:
    """First and last moment of `busy_lines`, in Unix milliseconds."""
    return BUSY_FROM_S * 1000, (BUSY_FROM_S + BUSY_S) * 1000


@pytest.fixture(scope="session")
def busy_lines() -> list[bytes]:
    """What a small gateway writes in five busy minutes, from BUSY_FROM_S on."""
    site = Site(
        zones=(Zone("A-1", ("shelf-reader:1", "shelf-reader:2")),),
        cells=tuple(Cell(f"scale-1:{n}", f"A-1-{n}", zone="A-1") for n in range(1, 5)),
        portals=(Portal("dock", ("dock-reader:1",), ("dock-reader:2",), "yard", "hall"),),
    )
    settings = TelemetrySettings(url="http://127.0.0.1", interval_s=10)
    tags = {"gateway": "gw-1", "site": "plant-1"}
    meter = Meter(settings, tags, site, lambda at: BUSY_FROM_S * NS_PER_S + at)
    random, lines = Random(7), list[bytes]()
    for second in range(BUSY_S):
        busy_second(meter, random, second)
        lines += meter.drain(second * NS_PER_S)
    return lines


def busy_second(meter: Meter, random: Random, second: int) -> None:
    """Everything that a gateway can tell happens now and then."""
    for reader in ("dock-reader", "shelf-reader"):
        reads = (
            TagRead(f"{reader}:{random.randint(1, 2)}", f"e{n}", random.randint(-7000, -4000))
            for n in range(20)
        )
        meter.observe(TagReport(reader, tuple(reads)))
    samples = (
        WeightSample(f"scale-1:{n}", 5000 - second // 20 * 50 + random.gauss(0, 1))
        for n in range(1, 5)
    )
    meter.observe(WeightReport("scale-1", tuple(samples)))
    if second % 60 == 0:
        for device in ("dock-reader", "shelf-reader", "scale-1"):
            meter.observe(DeviceStatus(device, up=True))
        meter.observe(DeviceStatus("shelf-reader", up=second % 120 == 0, reason="no_answer"))
        meter.observe(DeviceFault("dock-reader", "antenna_lost", second % 120 == 0, antenna=2))
    count = meter.device_counter("scale-1")
    count("round_trip_us", random.randint(2000, 9000))
    count("time_outs", second % 7 == 0)
    if second % 20 == 10:
        busy_decision(meter, second)
    for gauge in vars(names).values():
        if isinstance(gauge, str) and gauge.islower() and not gauge.startswith("telemetry_points"):
            meter.gauge(gauge, random.uniform(1, 50))
    for counter in (names.POINTS_SENT, names.POINTS_DROPPED, names.POINTS_REFUSED):
        meter.count(counter)


def busy_decision(meter: Meter, second: int) -> None:
    """Three pieces are taken from a cell, a tag goes with them."""
    at = second * NS_PER_S
    step = WeightStep("scale-1:1", 5000.0, 4950.0, 0.5, at)
    meter.observe(Arrival("A-1", f"e{second}", at, 3, -5000, 990))
    meter.observe(Departure("A-1", f"e{second - 20}", at, 3, -5000, 990))
    meter.observe(CountChange("scale-1:1", "M6x20", -3, 100 - second // 20, 990, step))
    taken = Movement(
        movement_id=f"m{second}",
        kind="issue",
        reason="taken",
        item="M6x20",
        quantity=3,
        uom="pcs",
        from_location="A-1-1",
        to_location="unknown",
        at_event=at,
        at_decided=at + NS_PER_S,
        confidence_permille=980,
    )
    doubt = Unresolved(f"u{second}", "no tag", "A-1-1", ("M6x20",), at, at)
    alert = Alert("reader_down", "shelf-reader", second % 40 == 10, "critical", "", at)
    meter.outcome((taken, doubt, alert), at + NS_PER_S + 5_000_000)
    meter.latency("recorded_to_settled", 30_000_000 + second)
    meter.latency("commit", 3_000_000 + second)
