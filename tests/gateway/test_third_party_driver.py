"""A driver of somebody else's: one file, one entry-point line, installed from its own package."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-badge"
version = "0.1.0"

[project.entry-points."shelfgate.drivers"]
badge = "acme_badge:BadgeDriver"

[tool.hatch.build.targets.wheel]
only-include = ["acme_badge.py"]
"""

DRIVER = '''\
"""Badge scanners of Acme: one line of text per badge, over TCP."""

import asyncio
from typing import ClassVar

from pydantic import Field

from gateway.model import Heartbeat, Scan
from gateway.ports import DriverContext, Emit, PluginSettings, ProtocolError

LINE_MAX = 256


class BadgeSettings(PluginSettings):
    """Where the scanner is."""

    host: str
    port: int = Field(4001, ge=1, le=65535)


class BadgeDriver:
    """The scanner sends "." each second while it has nothing to say."""

    Settings: ClassVar[type[PluginSettings]] = BadgeSettings
    lateness_max_ns = 0
    silence_max_ns = 3_000_000_000

    def __init__(self, settings: BadgeSettings, context: DriverContext) -> None:
        self._settings = settings
        self._context = context

    async def run(self, emit: Emit) -> None:
        """See gateway.ports.Driver."""
        device = self._context.device
        where = (self._settings.host, self._settings.port)
        reader, writer = await asyncio.open_connection(*where, limit=LINE_MAX)
        try:
            async with asyncio.timeout(None) as patience:
                while True:
                    patience.reschedule(asyncio.get_running_loop().time() + 3)
                    try:
                        text = (await reader.readuntil()).decode().strip()
                    except (ValueError, asyncio.LimitOverrunError) as error:
                        raise ProtocolError(f"no line of text: {error}") from error
                    await emit(Heartbeat(device) if text == "." else Scan(device, text))
        finally:
            writer.close()
'''

USE = """\
import asyncio, json, random
from gateway import registry
from gateway.clock import BootClock
from gateway.coverage import LoopPulse
from gateway.inbox import Inbox
from gateway.model import DeviceStatus, Scan
from gateway.settings import DeviceConfiguration
from gateway.supervisor import Supervisor

async def scanner(reader, writer):
    writer.write(b".\\nB-4711\\n")
    await writer.drain()
    await reader.read()
    writer.close()

async def main():
    server = await asyncio.start_server(scanner, "127.0.0.1", 0)
    driver = registry.load(registry.DRIVERS, "badge")
    settings = driver.Settings(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    inbox, clock = Inbox(), BootClock()
    one = DeviceConfiguration("door", "badge", driver, settings)
    supervisor = Supervisor((one,), inbox, clock, LoopPulse(clock), random.Random(1))
    task = asyncio.create_task(supervisor.run())
    seen = []
    async with asyncio.timeout(20):
        while not any(isinstance(fact, Scan) for fact in seen):
            await inbox.wait()
            seen += [fact for _, fact in inbox.take(99)]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()
    print(json.dumps({
        "known": sorted(registry.plugins(registry.DRIVERS)),
        "up": [fact.up for fact in seen if isinstance(fact, DeviceStatus)],
        "scans": [fact.text for fact in seen if isinstance(fact, Scan)],
    }))

asyncio.run(main())
"""


def install(package: Path, target: Path) -> None:
    (package / "pyproject.toml").write_text(PYPROJECT)
    (package / "acme_badge.py").write_text(DRIVER)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    command = [*pip, *offline, "--target", str(target), str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr


def test_driver_fits_in_one_short_file() -> None:
    assert len(DRIVER.splitlines()) < 60
    for foreign in ("logging", "structlog", "import time", "sleep(", "while not", "retry"):
        assert foreign not in DRIVER


@pytest.mark.skipif(
    importlib.util.find_spec("pip") is None or importlib.util.find_spec("hatchling") is None,
    reason="pip and hatchling build the package",
)
def test_driver_of_another_package_is_found_and_run(tmp_path: Path) -> None:
    package, target = tmp_path / "package", tmp_path / "installed"
    package.mkdir()
    install(package, target)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", USE],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"badge", "llrp", "modbus"} <= set(found["known"])
    assert (found["up"], found["scans"]) == ([True], ["B-4711"])
