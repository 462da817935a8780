"""Bench `latency`: from the last observation that a decision needed to the broker's PUBACK.

The real gateway with a busy site in front of it (1,000 tags on four antennas at 1,000 reads a
second, 32 cells at 10 Hz, some six movements a second), telemetry on, Mosquitto and the reference
core in processes of their own. The rules' own windows are not part of the figure.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import structlog

from gateway import daemon
from gateway.assembly import Gateway, assemble
from gateway.model import Ns
from gateway.outcome import Outcome
from gateway.settings import load_configuration
from gateway.store import Committed
from gateway.uplink.delivery import Position
from simulators.broker import mosquitto
from tests.bench.report import finish, metric
from tests.bench.shelf_server import profile
from tests.bench.site import write_busy_config

MEASURED_S = 60.0
EVENTS_MIN = 200


class Stopwatch:
    """Follows each record from the turn that decided it to its PUBACK."""

    def __init__(self, gateway: Gateway) -> None:
        self.commit_ns: list[Ns] = []
        self.puback_ns: list[Ns] = []
        self._gateway = gateway
        self._submitted: deque[Ns] = deque()
        self._decided: dict[int, Ns] = {}
        gateway.booker.submit = self._submit(gateway.booker.submit)  # type: ignore[method-assign]
        gateway.store.observe(self._committed)
        passed = Position.passed

        def timed(position: Position, seq: int) -> int | None:
            decided = self._decided.pop(seq, None)
            if decided is not None:
                self.puback_ns.append(gateway.clock.now() - decided)
            return passed(position, seq)

        Position.passed = timed  # type: ignore[method-assign]

    def _submit(self, original: Any) -> Any:
        async def submit(outcomes: Sequence[Outcome]) -> Any:
            for outcome in outcomes:
                self._submitted.extend([outcome.at] * len(outcome.events))
            return await original(outcomes)

        return submit

    def _committed(self, committed: Committed) -> None:
        now = self._gateway.clock.now()
        for record in committed.records:
            if self._submitted:
                self._decided[record.seq] = self._submitted.popleft()
                self.commit_ns.append(now - self._decided[record.seq])


async def run_gateway(folder: Path, ports: tuple[int, int], broker: int) -> Stopwatch:
    """Run the daemon's own tasks in this process for a while."""
    path = write_busy_config(folder, ports, broker, influx=1)
    gateway = await assemble(load_configuration(path), Random(1))
    watch = Stopwatch(gateway)
    stop = asyncio.Event()
    serving = asyncio.create_task(daemon.serve(gateway, stop))
    await asyncio.sleep(MEASURED_S)
    stop.set()
    await serving
    await gateway.store.close()
    return watch


async def bench() -> dict[str, dict[str, Any]]:
    """One run of a minute."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "profiles").mkdir()
        (folder / "profiles" / "bench-shelf.toml").write_text(profile(), encoding="utf-8")
        async with mosquitto() as url:
            port = urlsplit(url).port or 1883
            core = await start_core(url, folder)
            site = await _start("tests.bench.busy_site")
            try:
                assert site.stdout is not None
                reader, shelves = map(int, (await site.stdout.readline()).split())
                watch = await run_gateway(folder, (reader, shelves), port)
            finally:
                for process in (core, site):
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
    return _metrics(watch)


async def start_core(url: str, folder: Path) -> asyncio.subprocess.Process:
    """The reference core as a process; nobody reads what it tells."""
    words = ("--broker", url, "--db", f"{folder}/core.db", "--site", "bench")
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.core", *words, stdout=subprocess.DEVNULL
    )


async def _start(*module: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, stdout=subprocess.PIPE
    )


def _metrics(watch: Stopwatch) -> dict[str, dict[str, Any]]:
    puback = sorted(span / 1e6 for span in watch.puback_ns)
    commit = sorted(span / 1e6 for span in watch.commit_ns)
    return {
        "decided_to_puback_p50": metric(puback[len(puback) // 2], "ms"),
        "decided_to_puback_p99": metric(puback[len(puback) * 99 // 100], "ms", must=100, aim=20),
        "decided_to_commit_p50": metric(commit[len(commit) // 2], "ms"),
        "decided_to_commit_p99": metric(commit[len(commit) * 99 // 100], "ms"),
        "events": metric(len(puback), "", at_least=EVENTS_MIN),
    }


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    finish("latency", asyncio.run(bench()))
