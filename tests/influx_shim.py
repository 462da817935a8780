"""Real time-series servers on loopback, and what stands in front of the old one."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

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
        found = await self.courses(metric)
        assert len(found) <= 1, f"{metric} has {len(found)} series"
        return found[0] if found else {}

    async def courses(self, metric: str, **labels: str) -> list[dict[int, float]]:
        """Return value by time stamp in milliseconds of each series of that name and labels."""
        wanted = {"__name__": metric, **labels}
        selector = ",".join(f'{label}="{value}"' for label, value in wanted.items())
        query = {"match[]": f"{{{selector}}}", "start": "0"}
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{self.url}/internal/force_flush") as answer:
                assert answer.status == 200
            async with http.get(f"{self.url}/api/v1/export", params=query) as answer:
                series = [json.loads(text) for text in (await answer.text()).splitlines()]
                return [dict(zip(s["timestamps"], s["values"], strict=True)) for s in series]

    async def metrics(self) -> set[str]:
        """Return the names of all metrics: measurement and field, joined by an underscore."""
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{self.url}/internal/force_flush") as answer:
                assert answer.status == 200
            names = f"{self.url}/api/v1/label/__name__/values"
            async with http.get(names, params={"start": "0"}) as answer:
                return set((await answer.json())["data"])


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
