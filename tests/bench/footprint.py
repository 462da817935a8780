"""Bench `footprint`: import time, start to first poll after an unclean stop, and memory.

The store holds 1,000,000 unsettled movements of at least 900 bytes and 100,000 present tags, and
its last writer was killed. The daemon is started on it as a process, against a live reader with
1,000 tags and 32 cells, telemetry on (to a server that does not answer, so that the spool fills).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from gateway.assembly import STORE_FILE, machine_id
from gateway.clock import BootClock, WallClock, boot_id
from gateway.outcome import Outcome
from gateway.ports import Row
from gateway.store import Clocks, Identity, Store
from tests.bench.report import finish, metric
from tests.bench.shelf_server import profile
from tests.bench.site import EPC_PREFIX, write_busy_config
from tests.bench.store import turns

FAR_ZONE = "Z-FAR"
"""Where the known tags are: its reader does not answer, so that none of them departs meanwhile."""

OUTBOX_ROWS = 1_000_000
KNOWN_TAGS = 100_000
LOT = 2_000
SETTLED_S = 30.0
"""After the start: the memory that a gateway keeps, not that of its start alone."""


async def fill(folder: Path) -> None:
    """Write the outbox and the tags, then die as a power cut would have it: without closing."""
    state = folder / "state"
    state.mkdir()
    clock = BootClock()
    identity = Identity("bench", machine_id(state), boot_id())
    store = await Store.open(state / STORE_FILE, identity, Clocks(clock, WallClock()))
    zone = Row(f"zone:{FAR_ZONE}", {"commissioned": 1})
    await (await store.submit([Outcome(clock.now(), puts=(("presence", 1, zone),))]))
    for start in range(0, KNOWN_TAGS, LOT):
        rows = tuple(
            ("presence", 1, Row(f"tag:{EPC_PREFIX[:18]}{number:06x}", {"zone": FAR_ZONE}))
            for number in range(start, start + LOT)
        )
        await (await store.submit([Outcome(clock.now(), puts=rows)]))
    source = turns(Random(3))
    for _ in range(OUTBOX_ROWS // LOT):
        events = [next(source).events for _ in range(LOT)]
        lot = [Outcome(clock.now(), events=each) for each in events]
        await (await store.submit(lot))
    os.kill(os.getpid(), signal.SIGKILL)


def import_s() -> float:
    """CPU seconds of importing the daemon, in a fresh process, the best of five."""
    code = "import time; t=time.process_time(); import gateway.daemon; print(time.process_time()-t)"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True
        ).stdout
        for _ in range(5)
    ]
    return min(float(run) for run in runs)


def resident_mib(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its peak, in MiB (proc(5), status)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    now, peak = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


async def start(folder: Path, arguments: Sequence[str]) -> tuple[float, float, float]:
    """Start the daemon; return seconds to its first poll, and memory after a while and at most."""
    site = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.busy_site", stdout=subprocess.PIPE
    )
    assert site.stdout is not None
    reader, shelves = map(int, (await site.stdout.readline()).split())
    path = write_busy_config(folder, (reader, shelves), broker=1, influx=1)
    begin = time.perf_counter()
    gateway = await asyncio.create_subprocess_exec(
        *arguments, "--config", str(path), stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(120):
            assert await site.stdout.readline() == b"polled\n"
        first_poll_s = time.perf_counter() - begin
        await asyncio.sleep(SETTLED_S)
        assert gateway.returncode is None, "the daemon has ended"
        return first_poll_s, *resident_mib(gateway.pid)
    finally:
        for process in (gateway, site):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def bench() -> dict[str, dict[str, Any]]:
    """Fill in a process that is killed; then start the daemon twice, the second time warm."""
    command = [str(Path(sys.executable).with_name("shelfgate")), "run"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "profiles").mkdir()
        (folder / "profiles" / "bench-shelf.toml").write_text(profile(), encoding="utf-8")
        filler = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.footprint", "fill", str(folder)
        )
        assert await filler.wait() == -signal.SIGKILL
        size_mib = (folder / "state" / STORE_FILE).stat().st_size / 1024**2
        await start(folder, command)
        first_poll_s, resident, peak = await start(folder, command)
    return {
        "import_cpu": metric(import_s(), "s"),
        "start_to_first_poll": metric(first_poll_s, "s", must=3, aim=1),
        "resident_memory": metric(resident, "MiB", must=160, aim=110),
        "resident_memory_peak": metric(peak, "MiB"),
        "store_file": metric(size_mib, "MiB"),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        asyncio.run(fill(Path(sys.argv[2])))
    else:
        finish("footprint", asyncio.run(bench()))
