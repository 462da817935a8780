"""Bench `modbus_path`: Modbus poll to rule state and telemetry, CPU microseconds per sample.

32 units on 8 links, 8 cells a poll, 10 Hz: 2,560 samples a second. Ours is the real gateway with
all default rules; beside it a bare pymodbus loop polls the same units and does nothing with them.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from time import process_time_ns
from typing import Any

import structlog
from pymodbus.client import AsyncModbusTcpClient

from gateway.assembly import assemble
from gateway.model import Fact, Ns, WeightReport
from gateway.settings import load_configuration
from tests.bench.report import finish, metric
from tests.bench.shelf_server import CELLS, profile
from tests.bench.site import write_shelf_config

LINKS, UNITS, POLL_HZ = 8, 4, 10
WARM_S, MEASURED_S = 4.0, 10.0


async def cpu_us_per(count: Callable[[], int]) -> tuple[float, float]:
    """CPU microseconds of this process per thing counted, and things per second."""
    await asyncio.sleep(WARM_S)
    begin, before = process_time_ns(), count()
    await asyncio.sleep(MEASURED_S)
    things = count() - before
    return (process_time_ns() - begin) / 1000 / max(1, things), things / MEASURED_S


async def gateway_us(ports: list[int]) -> tuple[float, float]:
    """The whole gateway."""
    samples = 0

    def tap(_at: Ns, fact: Fact) -> None:
        nonlocal samples
        if type(fact) is WeightReport:
            samples += len(fact.samples)

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "profiles").mkdir()
        (folder / "profiles" / "bench-shelf.toml").write_text(profile(), encoding="utf-8")
        named = {f"link-{number}": port for number, port in enumerate(ports)}
        configuration = load_configuration(write_shelf_config(folder, named, UNITS, CELLS))
        gateway = await assemble(configuration, Random(1))
        gateway.pipeline.taps.append(tap)
        tasks = [
            asyncio.create_task(gateway.pipeline.run()),
            asyncio.create_task(gateway.supervisor.run()),
        ]
        result = await cpu_us_per(lambda: samples)
        for task in reversed(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        rows = await gateway.store.read(lambda reader: reader.state_rows("weight"))
        assert len(rows) == LINKS * UNITS * CELLS, f"only {len(rows)} cells have a baseline"
        await gateway.store.close()
    return result


async def bare_us(ports: list[int]) -> tuple[float, float]:
    """A pymodbus loop that polls the same units at the same pace and drops the answers."""
    samples = 0

    async def poll(port: int) -> None:
        nonlocal samples
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0)
        assert await client.connect()
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                for unit in range(1, UNITS + 1):
                    await client.read_holding_registers(0, count=3 * CELLS, device_id=unit)
                    samples += CELLS
                due += 1 / POLL_HZ
                await asyncio.sleep(max(0, due - loop.time()))
        finally:
            client.close()

    tasks = [asyncio.create_task(poll(port)) for port in ports]
    result = await cpu_us_per(lambda: samples)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return result


async def measure(
    client: Callable[[list[int]], Awaitable[tuple[float, float]]],
) -> tuple[float, float]:
    """Start the shelves for one client, and end them."""
    shelves = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.shelf_server", str(LINKS), stdout=subprocess.PIPE
    )
    try:
        assert shelves.stdout is not None
        ports = [int(port) for port in (await shelves.stdout.readline()).split()]
        return await client(ports)
    finally:
        shelves.kill()
        await shelves.wait()


async def bench() -> dict[str, dict[str, Any]]:
    """Ours, then the bare loop."""
    own, pace = await measure(gateway_us)
    bare, bare_pace = await measure(bare_us)
    return {
        "poll_to_rule_state_cpu_per_sample": metric(own, "us", must=40, aim=20),
        "bare_pymodbus_loop_cpu_per_sample": metric(bare, "us"),
        "samples_per_s": metric(pace, "1/s", at_least=0.9 * LINKS * UNITS * CELLS * POLL_HZ),
        "bare_samples_per_s": metric(bare_pace, "1/s"),
    }


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    finish("modbus_path", asyncio.run(bench()))
