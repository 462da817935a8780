"""Bench `llrp_path`: bytes on a socket to rule state, CPU microseconds per read.

A reader in a process of its own blasts one read per report at each client in turn. Ours is the
real gateway: driver, inbox, engine, all default rules, store, telemetry meter. The other is
sllurp's own threaded client with one `call_soon_threadsafe` per report, which only receives.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from time import process_time_ns
from typing import Any

import structlog
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

from gateway.assembly import assemble
from gateway.model import Fact, Ns, TagReport
from gateway.settings import load_configuration
from tests.bench.blast import READS, WARM_READS
from tests.bench.report import finish, metric
from tests.bench.site import EPCS, write_reader_config

WITHIN_S = 120.0


class Meterstick:
    """Counts reads, and takes the CPU time between the first that count and the last."""

    def __init__(self) -> None:
        self.reads = 0
        self.done = asyncio.Event()
        self._start_ns = self._end_ns = self._start_reads = 0

    def add(self, reads: int) -> None:
        """Note reads that have arrived."""
        self.reads += reads
        if not self._start_ns and self.reads > WARM_READS:
            self._start_ns, self._start_reads = process_time_ns(), self.reads
        if self.reads >= READS and not self._end_ns:
            self._end_ns = process_time_ns()
            self.done.set()

    @property
    def us_per_read(self) -> float:
        """CPU time of the whole process, per read."""
        return (self._end_ns - self._start_ns) / 1000 / (self.reads - self._start_reads)


async def gateway_us(port: int) -> float:
    """The whole gateway on the blasting reader."""
    stick = Meterstick()

    def tap(_at: Ns, fact: Fact) -> None:
        if type(fact) is TagReport:
            stick.add(len(fact.reads))

    with tempfile.TemporaryDirectory() as folder:
        configuration = load_configuration(write_reader_config(Path(folder), port))
        gateway = await assemble(configuration, Random(1))
        gateway.pipeline.taps.append(tap)
        tasks = [
            asyncio.create_task(gateway.pipeline.run()),
            asyncio.create_task(gateway.supervisor.run()),
        ]
        async with asyncio.timeout(WITHIN_S):
            await stick.done.wait()
        for task in reversed(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        rows = await gateway.store.read(lambda reader: reader.state_rows("presence"))
        assert len(rows) >= EPCS, f"only {len(rows)} tags are present"
        await gateway.store.close()
    return stick.us_per_read


async def sllurp_us(port: int) -> float:
    """The threaded client that only receives, one loop callback per report."""
    stick = Meterstick()
    loop = asyncio.get_running_loop()
    wish: dict[str, Any] = {
        "antennas": [1, 2, 3, 4],
        "report_every_n_tags": 1,
        "session": 0,
        "reset_on_connect": True,
        "tag_content_selector": dict.fromkeys(
            (
                "EnableROSpecID",
                "EnableAntennaID",
                "EnableChannelIndex",
                "EnablePeakRSSI",
                "EnableFirstSeenTimestamp",
                "EnableLastSeenTimestamp",
                "EnableTagSeenCount",
            ),
            True,
        ),
    }
    client = LLRPReaderClient("127.0.0.1", port, LLRPReaderConfig(wish))

    def take(_reader: object, tags: list[Any]) -> None:
        loop.call_soon_threadsafe(stick.add, len(tags))

    client.add_tag_report_callback(take)
    await asyncio.to_thread(client.connect)
    async with asyncio.timeout(WITHIN_S):
        await stick.done.wait()
    client.hard_disconnect()
    await asyncio.to_thread(client.join, 5)
    return stick.us_per_read


async def measure(client: Callable[[int], Any]) -> float:
    """Start a blasting reader for one client, and end it."""
    blaster = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.blast", stdout=subprocess.PIPE
    )
    try:
        assert blaster.stdout is not None
        port = int(await blaster.stdout.readline())
        return float(await client(port))
    finally:
        blaster.kill()
        await blaster.wait()


async def bench() -> dict[str, dict[str, Any]]:
    """Both clients, three rounds in turn, the median of each."""
    ours, theirs = [], []
    for _ in range(3):
        ours.append(await measure(gateway_us))
        theirs.append(await measure(sllurp_us))
    own, other = sorted(ours)[1], sorted(theirs)[1]
    return {
        "socket_to_rule_state_cpu_per_read": metric(own, "us", must=12, aim=5),
        "sllurp_thread_client_cpu_per_read": metric(other, "us"),
        "times_cheaper_than_sllurp": metric(other / own, "x", at_least=2, aim=4),
    }


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    finish("llrp_path", asyncio.run(bench()))
