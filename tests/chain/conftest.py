"""The whole chain for tests: a world, simulated devices, a broker, the core, the real daemon."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from simulators.broker import mosquitto
from simulators.demo.chain import Chain, run_chain
from tests.influx_shim import influxd, v2_url, victoria_metrics

__all__ = ["influxd", "v2_url", "victoria_metrics"]


@pytest.fixture
def broker_port(require: Callable[[str], str]) -> int:
    require("mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def chain(tmp_path: Path, broker_port: int) -> AsyncIterator[Chain]:
    """A chain on Mosquitto; the daemon is not yet started."""
    async with (
        mosquitto(broker_port) as url,
        run_chain(tmp_path, seed=11, broker_url=url, quiet=True) as running,
    ):
        yield running
