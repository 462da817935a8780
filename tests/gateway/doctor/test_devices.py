"""A device that does not answer is told, with why and with what to look at."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from gateway.clock import BootClock
from gateway.doctor import devices
from gateway.doctor.finding import Finding
from gateway.settings import load_configuration

Write = Callable[..., Path]


async def contacted(path: Path, timeout_s: float = 2.0) -> Finding:
    configuration = load_configuration(path)
    (finding,) = await devices.contact_devices(
        configuration.devices, BootClock(), Random(1), timeout_s
    )
    return finding


async def test_a_device_that_answers(site: Path) -> None:
    finding = await contacted(site)
    assert finding.verdict == "ok"
    assert "fake answers (WeightReport" in finding.text


@pytest.mark.parametrize(
    ("behaviour", "text", "fix"),
    [
        ("refuse", "192.0.2.9:502 refused the connection", "check power, cable, address"),
        ("silent", "heard nothing within 0 s", "check power, cable, address"),
        ("complain", "it reports unit 3 does not answer", "check power, cable, address"),
        ("bug", "bug in the driver: KeyError: 'channel'", "report it"),
    ],
)
async def test_a_device_that_does_not(
    write_site: Write, behaviour: str, text: str, fix: str
) -> None:
    path = write_site(f'behaviour = "{behaviour}"')
    finding = await contacted(path, timeout_s=0.05 if behaviour in {"silent", "complain"} else 2)
    assert finding.verdict == "fail"
    assert text in finding.text
    assert fix in finding.fix
