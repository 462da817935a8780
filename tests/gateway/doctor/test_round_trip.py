"""Doctor's own round trip, while the gateway is down, against a real broker and the reference
core.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from gateway import doctor
from gateway.assembly import assemble
from gateway.doctor.broker import examine_broker
from gateway.doctor.finding import Finding
from gateway.settings import Configuration, load_configuration
from gateway.uplink import probe
from gateway.uplink.endpoint import Endpoint, Version
from gateway.uplink.inbound import Inbound
from gateway.uplink.link import Link, open_link
from gateway.uplink.topics import topics_of
from simulators.broker import mosquitto

pytestmark = pytest.mark.server


@pytest.fixture
async def broker(require: Callable[[str], str]) -> AsyncIterator[str]:
    require("mosquitto")
    async with mosquitto() as url:
        yield url


@pytest.fixture
async def configuration(broker: str, write_site: Callable[..., Path]) -> Configuration:
    configuration = load_configuration(write_site(port=urlsplit(broker).port))
    gateway = await assemble(configuration, Random(1))
    await gateway.store.close()
    return configuration


@pytest.fixture
async def core(broker: str, tmp_path: Path) -> AsyncIterator[None]:
    words = ["--broker", broker, "--site", "test", "--db", str(tmp_path / "core.db")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators.core",
        *words,
        "--gateway",
        "edge-t",
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline(), "the core tells when it is connected"
    yield
    process.terminate()
    await process.communicate()


async def until_answered(configuration: Configuration) -> list[Finding]:
    """The core subscribes a moment after it is connected."""
    async with asyncio.timeout(30):
        while True:
            findings = await examine_broker(configuration)
            if all(finding.verdict == "ok" for finding in findings):
                return findings


@pytest.mark.usefixtures("core")
async def test_the_core_answers_a_hello(configuration: Configuration) -> None:
    broker, core = await until_answered(configuration)
    assert broker.text == "127.0.0.1 takes us, MQTT 5"
    assert core.text == "it answers, and has 0 of 0 records"


async def test_a_broker_without_a_core(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.probe.CORE_TIMEOUT_S", 0.2)
    broker, core = await examine_broker(configuration)
    assert broker.verdict == "ok"
    assert core.verdict == "fail"
    assert "check that the core runs" in core.fix


async def test_an_answer_about_another_epoch_is_none(
    broker: str, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.probe.CORE_TIMEOUT_S", 0.3)
    topics = topics_of(configuration.mqtt.prefix, "test", "edge-t")
    port = urlsplit(broker).port
    assert port is not None
    stale = await open_link(Endpoint("127.0.0.1", port, "stale-core", None), "5")
    heard: asyncio.Queue[Inbound] = asyncio.Queue()
    stale.receive(heard.put_nowait)
    await stale.subscribe((topics.hello,))

    async def answer() -> None:
        (await heard.get()).acknowledge()
        await stale.publish(topics.core_hello, b'{"epoch":"another","hw":7}')

    answering = asyncio.create_task(answer())
    core = (await examine_broker(configuration))[1]
    await answering
    await stale.close()
    assert core.verdict == "fail"


async def test_a_broker_and_no_ledger_yet(broker: str, write_site: Callable[..., Path]) -> None:
    configuration = load_configuration(write_site(port=urlsplit(broker).port))
    answered, core = await examine_broker(configuration)
    assert (answered.verdict, core.verdict) == ("ok", "warn")
    assert "start the gateway" in core.fix


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_probe_leaves_no_session_behind(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr("gateway.uplink.probe.CORE_TIMEOUT_S", 0.05)
    monkeypatch.setenv("SHELFGATE__MQTT__VERSION", version)
    kept = []

    async def spy(endpoint: Endpoint, wanted: Version) -> Link:
        link = await open_link(endpoint, wanted)
        kept.append(link.session_present)
        return link

    monkeypatch.setattr(probe, "open_link", spy)
    for _ in range(2):
        findings = await examine_broker(load_configuration(configuration.path))
        assert findings[0].text == f"127.0.0.1 takes us, MQTT {version}"
    assert kept == [False, False]


async def test_connect_reports_devices_and_broker(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.probe.CORE_TIMEOUT_S", 0.05)
    findings = await doctor.connect(configuration)
    assert [finding.check for finding in findings][:2] == ["device scale", "broker"]
