"""The sink against real servers, and against one that misbehaves on purpose."""

import asyncio
import gzip
import subprocess
import sys
from collections import Counter as Tally
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.ports import SinkError
from gateway.telemetry.influx import PIECES_MAX, InfluxSink, SinkBusyError
from gateway.telemetry.settings import TelemetrySettings

AT = 1_700_000_000_000_000_000


@dataclass
class Counts:
    totals: Tally[str] = field(default_factory=Tally)

    def __call__(self, name: str, amount: int = 1) -> None:
        self.totals[name] += amount


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
async def sink_for(counts: Counts) -> AsyncIterator[Callable[..., InfluxSink]]:
    sinks: list[InfluxSink] = []

    def make(url: str, **settings: Any) -> InfluxSink:
        sinks.append(InfluxSink(TelemetrySettings(url=url, **settings), "s3cret", counts))
        return sinks[-1]

    yield make
    for sink in sinks:
        await sink.close()


def point(number: int, value: str = "1.5") -> bytes:
    return f"probe,n={number % 10} v={value} {AT + number}".encode()


@pytest.mark.server
async def test_sink_points_arrive_in_victoria_metrics_with_their_stamps(
    victoria_metrics: Any, sink_for: Callable[..., InfluxSink], counts: Counts
) -> None:
    await sink_for(victoria_metrics.url).send(
        [f"probe v={n}.5 {AT + n * 1_000_000}".encode() for n in range(1000)]
    )
    expected = {AT // 1_000_000 + n: n + 0.5 for n in range(1000)}
    assert await victoria_metrics.points("probe_v") == expected
    assert counts.totals == {"telemetry_points_sent": 1000}


@pytest.mark.server
async def test_sink_partial_write_names_and_drops_bad_points_only(
    influxd: Any, v2_url: str, sink_for: Callable[..., InfluxSink], counts: Counts
) -> None:
    sink = sink_for(v2_url)
    batch = [point(number) for number in range(1000)]
    batch[300] = point(300, "3i")
    batch[301] = point(301, "1u")
    batch[999] = b"bad line here"
    with capture_logs() as logs:
        await sink.send(batch)
    [series] = await influxd.query("SELECT v FROM probe")
    assert len(series["values"]) == 997
    assert {row[0] for row in series["values"]} == {
        AT + n for n in range(1000) if n not in {300, 301, 999}
    }
    assert counts.totals == {"telemetry_points_sent": 997, "telemetry_points_refused": 3}
    assert [log["point"] for log in logs] == [batch[n].decode() for n in (300, 301, 999)]
    assert "field type conflict" in logs[0]["cause"]
    assert "unable to parse" in logs[1]["cause"]
    with capture_logs() as logs:
        await sink.send([point(5, "4i"), point(6)])
    assert logs == [], "the same cause is logged once"
    assert counts.totals["telemetry_points_refused"] == 4


@pytest.mark.server
async def test_sink_all_points_bad_ends_within_its_bound(
    influxd: Any, v2_url: str, sink_for: Callable[..., InfluxSink], counts: Counts
) -> None:
    sink = sink_for(v2_url)
    await sink.send([point(0)])
    await sink.send([point(number, "3i") for number in range(1, 1001)])
    assert counts.totals == {"telemetry_points_sent": 1, "telemetry_points_refused": 1000}
    [series] = await influxd.query("SELECT v FROM probe")
    assert len(series["values"]) == 1


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def server(serve: Any) -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Serve one handler as the write API."""
    opened: list[Any] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        opened.append(serve(app))
        return str(await opened[-1].__aenter__())

    yield start
    for one in opened:
        await one.__aexit__()


async def test_sink_request_is_a_gzipped_v2_write(
    server: Callable[[Handler], Awaitable[str]], sink_for: Callable[..., InfluxSink]
) -> None:
    seen: list[web.Request] = []
    bodies: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.read())
        return web.Response(status=204)

    await sink_for(await server(take), org="plant", bucket="edge").send([point(1), point(2)])
    [request] = seen
    assert request.path == "/api/v2/write"
    assert dict(request.query) == {"org": "plant", "bucket": "edge", "precision": "ns"}
    assert request.headers["Authorization"] == "Token s3cret"
    assert request.headers["Content-Encoding"] == "gzip"
    body = bodies[0] if bodies[0].startswith(b"probe") else gzip.decompress(bodies[0])
    assert body == point(1) + b"\n" + point(2)


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"Retry-After": "2"}, 2.0),
        (503, {"Retry-After": "7"}, 7.0),
        (429, {"Retry-After": "86400"}, 300.0),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (429, {}, None),
        (500, {}, None),
        (503, {}, None),
        (401, {}, None),
        (404, {}, None),
        (307, {"Location": "/elsewhere"}, None),
        (200, {}, None),
    ],
)
async def test_sink_answer_keeps_the_batch(
    server: Callable[[Handler], Awaitable[str]],
    sink_for: Callable[..., InfluxSink],
    counts: Counts,
    status: int,
    headers: dict[str, str],
    wait_s: float | None,
) -> None:
    paths: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers=headers, text="not now")

    with pytest.raises(SinkError) as caught:
        await sink_for(await server(answer)).send([point(1)])
    assert getattr(caught.value, "retry_after_s", None) == wait_s
    assert isinstance(caught.value, SinkBusyError) == (wait_s is not None)
    assert paths == ["/api/v2/write"], "no retry and no redirect of its own"
    assert counts.totals == {}
    assert "s3cret" not in str(caught.value)


async def test_sink_silent_server_times_out(
    server: Callable[[Handler], Awaitable[str]], sink_for: Callable[..., InfluxSink]
) -> None:
    released = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response(status=204)

    sink = sink_for(await server(hang), timeout_s=0.2)
    with pytest.raises(SinkError, match="Timeout"):
        await sink.send([point(1)])
    released.set()
    await sink.send([point(1)])


async def test_sink_nobody_listening_keeps_the_batch(
    free_port: int, sink_for: Callable[..., InfluxSink]
) -> None:
    with pytest.raises(SinkError, match=str(free_port)):
        await sink_for(f"http://127.0.0.1:{free_port}").send([point(1)])


@pytest.mark.parametrize("token", ["two\nlines", "smile \U0001f600 \ud800"])
async def test_sink_token_unfit_for_a_header_keeps_the_batch(
    free_port: int, counts: Counts, token: str
) -> None:
    sink = InfluxSink(TelemetrySettings(url=f"http://127.0.0.1:{free_port}"), token, counts)
    with pytest.raises(SinkError) as caught:
        await sink.send([point(1)])
    await sink.close()
    assert token not in str(caught.value)


async def test_sink_missing_ca_file_keeps_the_batch(sink_for: Callable[..., InfluxSink]) -> None:
    with pytest.raises(SinkError, match=r"nowhere\.pem"):
        await sink_for("https://127.0.0.1:1", ca_file="/nowhere.pem").send([point(1)])


async def test_sink_too_large_a_request_is_sent_in_pieces(
    server: Callable[[Handler], Awaitable[str]], sink_for: Callable[..., InfluxSink], counts: Counts
) -> None:
    taken: list[bytes] = []

    async def small_only(request: web.Request) -> web.Response:
        lines = (await request.read()).split(b"\n")
        if len(lines) > 100:
            return web.Response(status=413)
        taken.extend(lines)
        return web.Response(status=204)

    batch = [point(number) for number in range(500)]
    await sink_for(await server(small_only)).send(batch)
    assert taken == batch
    assert counts.totals == {"telemetry_points_sent": 500}


async def test_sink_link_lost_while_searching_counts_nothing(
    server: Callable[[Handler], Awaitable[str]], sink_for: Callable[..., InfluxSink], counts: Counts
) -> None:
    answers = iter([400, 204, 400, 500])

    async def fail_later(_: web.Request) -> web.Response:
        return web.Response(status=next(answers, 204))

    with pytest.raises(SinkError):
        await sink_for(await server(fail_later)).send([point(number) for number in range(4)])
    assert counts.totals == {}, "the batch is sent again, so its bad points would count twice"


async def test_sink_requests_for_one_batch_are_bounded(
    server: Callable[[Handler], Awaitable[str]], sink_for: Callable[..., InfluxSink], counts: Counts
) -> None:
    requests = 0

    async def refuse(_: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        return web.Response(status=400, text="no")

    await sink_for(await server(refuse)).send([point(number) for number in range(1000)])
    assert PIECES_MAX <= requests <= PIECES_MAX + 12
    assert counts.totals == {"telemetry_points_sent": 0, "telemetry_points_refused": 1000}


async def test_sink_nothing_to_send_asks_nobody(
    free_port: int, sink_for: Callable[..., InfluxSink]
) -> None:
    sink = sink_for(f"http://127.0.0.1:{free_port}")
    assert await sink.send([]) is None


def test_sink_client_is_imported_only_when_used() -> None:
    code = (
        "import sys, gateway.telemetry.run, gateway.telemetry.influx;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'aiohttp', 'influxdb_client'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
