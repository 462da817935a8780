"""Bench `steady`: the load of a large site, as a share of one core of this machine.

Eight readers of 1,100 reads a second and 64 cells at 10 Hz, all default rules, store and telemetry
meter. A core of a Pi 4 is about 0.22 of a core of the machine that the budget was made on; hence
the must of 22 % here.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random
from time import process_time_ns
from typing import Any

import structlog

from gateway.assembly import assemble
from gateway.model import Fact, Ns, TagReport, WeightReport
from gateway.settings import load_configuration
from simulators.llrp import LlrpReader, StillField
from simulators.llrp.radio import RadioSettings
from simulators.llrp.reader import Options
from tests.bench.report import finish, metric
from tests.bench.shelf_server import CELLS, profile
from tests.bench.site import ANTENNAS, epc, write_large_config

READERS, READS_PER_S, TAGS = 8, 1100.0, 125
UNITS = 8
WARM_S, MEASURED_S = 12.0, 30.0


async def serve_readers() -> None:
    """All readers, in a process of their own; prints their ports."""
    options = Options(radio=RadioSettings(reads_per_s=READS_PER_S))
    async with AsyncExitStack() as stack:
        ports = []
        for number in range(READERS):
            epcs = [epc(number * TAGS + tag) for tag in range(TAGS)]
            field = StillField(epcs, Random(number), antennas=range(1, ANTENNAS + 1))
            reader = await stack.enter_async_context(LlrpReader(field, Random(number), options))
            ports.append(str(reader.port))
        sys.stdout.write(" ".join(ports) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def measure(folder: Path, readers: list[int], shelves: int) -> tuple[float, float, float]:
    """CPU share of this process, reads per second and samples per second."""
    seen = {"reads": 0, "samples": 0}

    def tap(_at: Ns, fact: Fact) -> None:
        if type(fact) is TagReport:
            seen["reads"] += len(fact.reads)
        elif type(fact) is WeightReport:
            seen["samples"] += len(fact.samples)

    path = write_large_config(folder, readers, (shelves, UNITS, CELLS))
    gateway = await assemble(load_configuration(path), Random(1))
    gateway.pipeline.taps.append(tap)
    tasks = [
        asyncio.create_task(gateway.pipeline.run()),
        asyncio.create_task(gateway.supervisor.run()),
    ]
    await asyncio.sleep(WARM_S)
    begin, before = process_time_ns(), dict(seen)
    await asyncio.sleep(MEASURED_S)
    share = (process_time_ns() - begin) / 1e9 / MEASURED_S
    for task in reversed(tasks):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await gateway.store.close()
    rates = [(seen[name] - before[name]) / MEASURED_S for name in ("reads", "samples")]
    return share * 100, rates[0], rates[1]


async def bench() -> dict[str, dict[str, Any]]:
    """One run."""
    commands = (
        ("tests.bench.steady", "readers"),
        ("tests.bench.shelf_server", "1"),
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "profiles").mkdir()
        (folder / "profiles" / "bench-shelf.toml").write_text(profile(), encoding="utf-8")
        running = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, stdout=subprocess.PIPE
            )
            for command in commands
        ]
        try:
            lines = [await process.stdout.readline() for process in running if process.stdout]
            readers, shelves = ([int(port) for port in line.split()] for line in lines)
            share, reads, samples = await measure(folder, readers, shelves[0])
        finally:
            for process in running:
                process.kill()
                await process.wait()
    return {
        "share_of_one_core": metric(share, "%", must=22, aim=11),
        "reads_per_s": metric(reads, "1/s", at_least=0.9 * READERS * READS_PER_S),
        "samples_per_s": metric(samples, "1/s", at_least=0.9 * UNITS * CELLS * 10),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["readers"]:
        asyncio.run(serve_readers())
    else:
        logging.disable(logging.WARNING)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        finish("steady", asyncio.run(bench()))
