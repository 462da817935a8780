"""All checks together, beside a gateway that runs and without one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway import doctor
from gateway.assembly import Gateway
from gateway.settings import load_configuration
from tests.gateway.doctor.findings import named
from tests.gateway.serving import serving
from tests.polling import until

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
    async with serving(configuration) as gateway:
        yield gateway


async def test_examine_asks_a_running_gateway(gateway: Gateway) -> None:
    device = gateway.supervisor.devices["scale"]
    await until(lambda: device.state == "waiting")
    configuration = gateway.configuration
    findings = await asyncio.to_thread(lambda: asyncio.run(doctor.examine(configuration)))
    assert named(findings, "gateway").verdict == "ok"
    down = named(findings, "device scale")
    assert down.verdict == "fail"
    assert "192.0.2.9:502 refused the connection" in down.text
    assert "check power" in down.fix
    assert named(findings, "broker").verdict == "fail"
