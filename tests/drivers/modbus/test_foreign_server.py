"""The driver against libmodbus, a server that shares no code with us or with pymodbus."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.model import Pulse
from gateway.ports import ProtocolError
from tests.drivers.modbus import libmodbus_server
from tests.drivers.modbus.peer import DGT4X, Counts, Observed, make_driver, running
from tests.polling import until

pytestmark = pytest.mark.server

DEADLINE_S = 20.0
UNIT = {**DGT4X, "unit_id": 1, "capacity_g": 200_000}


@asynccontextmanager
async def process(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
        await started.communicate()


@asynccontextmanager
async def libmodbus(kind: str, end: str) -> AsyncIterator[None]:
    script = str(libmodbus_server.__file__)
    async with process(sys.executable, script, kind, end) as server:
        assert server.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            assert await server.stdout.readline() == b"ready\n"
        yield


async def test_libmodbus_over_tcp_is_read_and_its_missing_command_counter_noticed(
    require: Callable[[str], str], free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("mbpoll")
    monkeypatch.setattr("drivers.modbus.commands.ASK_EVERY_S", 0.001)
    counts, seen = Counts(), Observed()
    async with libmodbus("tcp", str(free_port)):
        driver = make_driver(counts, link="tcp", host="127.0.0.1", port=free_port, units=[UNIT])
        async with running(driver, seen):
            await until(lambda: len(seen.samples) >= 3)
            with pytest.raises(ProtocolError, match="uncertain"):
                await driver.act(Pulse("shelf", "zero", "shelf:1"))
    assert set(seen.samples) == {("shelf:1", 100_000.0, 0)}
    assert not {name for name in counts if name.startswith("modbus_")}


async def test_libmodbus_over_a_serial_line_is_read(
    require: Callable[[str], str], tmp_path: Path
) -> None:
    require("mbpoll")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    pair = [f"pty,raw,echo=0,link={path}" for path in (ours, theirs)]
    counts, seen = Counts(), Observed()
    async with process(require("socat"), *pair):
        await until(lambda: ours.exists() and theirs.exists())
        async with libmodbus("rtu", str(theirs)):
            driver = make_driver(counts, link="serial", path=str(ours), baud=115_200, units=[UNIT])
            async with running(driver, seen):
                await until(lambda: len(seen.samples) >= 3)
    assert set(seen.samples) == {("shelf:1", 100_000.0, 0)}
    assert not {name for name in counts if name.startswith("modbus_")}
