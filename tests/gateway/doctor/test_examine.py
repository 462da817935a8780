"""All checks together, beside a gateway that runs and without one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from gateway import doctor
from gateway.assembly import Gateway, assemble
from gateway.daemon import serve
from gateway.settings import load_configuration
from tests.gateway.doctor.findings import named

Write = Callable[..., Path]


async def test_examine_without_a_gateway_contacts_all_from_here(site: Path) -> None:
    findings = await doctor.examine(load_configuration(site))
    assert named(findings, "gateway").verdict == "warn"
    assert named(findings, "gateway").fix == "systemctl start shelfgate"
    assert named(findings, "device scale").verdict == "ok"
    broker = named(findings, "broker")
    assert broker.verdict == "fail"
    assert "Connection refused" in broker.text


@pytest.fixture
async def gateway(write_site: Write) -> AsyncIterator[Gateway]:
    configuration = load_configuration(write_site('behaviour = "refuse"'))
    gateway = await assemble(configuration, Random(1))
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(gateway, stop))
    async with asyncio.timeout(10):
        while not (configuration.gateway.state_folder / "control.sock").exists():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
    yield gateway
    stop.set()
    await serving
    await gateway.store.close()


async def test_examine_asks_a_running_gateway(gateway: Gateway) -> None:
    device = gateway.supervisor.devices["scale"]
    async with asyncio.timeout(10):
        while device.state != "waiting":  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
    configuration = gateway.configuration
    findings = await asyncio.to_thread(lambda: asyncio.run(doctor.examine(configuration)))
    assert named(findings, "gateway").verdict == "ok"
    down = named(findings, "device scale")
    assert down.verdict == "fail"
    assert "192.0.2.9:502 refused the connection" in down.text
    assert "check power" in down.fix
    assert named(findings, "broker").verdict == "fail"
