"""Both brokers carry QoS 1 for aiomqtt, and leave nothing behind."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import aiomqtt
import pytest

from simulators import broker as brokers
from simulators.broker import BrokerStartError, demo_broker, embedded_broker, mosquitto

PATIENCE_S = 10.0


def _client(url: str, version: aiomqtt.ProtocolVersion, name: str) -> aiomqtt.Client:
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    assert parts.port is not None
    return aiomqtt.Client(parts.hostname, parts.port, protocol=version, identifier=name)


async def _carries(url: str, version: aiomqtt.ProtocolVersion) -> list[tuple[str, bytes, int]]:
    """Publish five messages at QoS 1 and one retained; return what a subscriber got."""
    received = []
    async with (
        asyncio.timeout(PATIENCE_S),
        _client(url, version, "publisher") as publisher,
        _client(url, version, "subscriber") as subscriber,
    ):
        await publisher.publish("shelf/status", b"online", qos=1, retain=True)
        await subscriber.subscribe("shelf/#", qos=1)
        for number in range(5):
            await publisher.publish("shelf/event", str(number).encode(), qos=1)
        async for message in subscriber.messages:
            received.append((str(message.topic), message.payload, message.qos))
            if message.payload == b"4":
                break
    return received


async def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


EVENTS = [("shelf/event", str(number).encode(), 1) for number in range(5)]


async def test_embedded_broker_carries_qos_1() -> None:
    async with embedded_broker() as url:
        received = await _carries(url, aiomqtt.ProtocolVersion.V311)

    assert [each for each in received if each[0] == "shelf/event"] == EVENTS
    assert ("shelf/status", b"online", 1) in received
    assert not await _listens(url)


async def test_embedded_broker_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with embedded_broker() as url:
            await _carries(url, aiomqtt.ProtocolVersion.V311)

    assert [record for record in caplog.records if record.name.startswith("amqtt")] == []


async def test_embedded_broker_gives_the_loggers_back() -> None:
    before = logging.getLogger("amqtt").level
    async with embedded_broker():
        assert not logging.getLogger("amqtt").isEnabledFor(logging.CRITICAL)

    assert logging.getLogger("amqtt").level == before


async def test_embedded_broker_starts_again_on_the_port_it_left(free_port: int) -> None:
    for _ in range(2):
        async with embedded_broker(free_port) as url:
            assert url == f"mqtt://127.0.0.1:{free_port}"
            assert await _carries(url, aiomqtt.ProtocolVersion.V311)


async def test_embedded_broker_ends_while_a_client_is_connected() -> None:
    async with embedded_broker() as url:
        client = _client(url, aiomqtt.ProtocolVersion.V311, "stays")
        await client.__aenter__()
    with pytest.raises(aiomqtt.MqttError):
        await client.publish("shelf/event", b"0", qos=1, timeout=1)
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)
    assert not await _listens(url)


async def test_embedded_broker_says_that_its_port_is_taken() -> None:
    async with embedded_broker() as url:
        with pytest.raises(BrokerStartError, match="address already in use"):
            async with embedded_broker(int(url.rpartition(":")[2])):
                pass


@pytest.mark.server
@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
async def test_mosquitto_carries_qos_1(
    require: Callable[[str], str], version: aiomqtt.ProtocolVersion
) -> None:
    async with mosquitto(executable=require("mosquitto")) as url:
        received = await _carries(url, version)

    assert received == [("shelf/status", b"online", 1), *EVENTS]
    assert not await _listens(url)


@pytest.mark.server
async def test_mosquitto_listens_on_loopback_alone(require: Callable[[str], str]) -> None:
    async with mosquitto(executable=require("mosquitto")) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.2", port)


@pytest.mark.server
async def test_mosquitto_takes_further_settings(require: Callable[[str], str]) -> None:
    settings = ["allow_anonymous false"]
    async with mosquitto(settings=settings, executable=require("mosquitto")) as url:
        with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
            async with _client(url, aiomqtt.ProtocolVersion.V5, "anybody"):
                pass


@pytest.mark.server
async def test_mosquitto_drops_nothing_that_waits_for_a_client(
    require: Callable[[str], str],
) -> None:
    count = 1200  # it would keep 1,000 and drop the rest
    async with mosquitto(executable=require("mosquitto")) as url, asyncio.timeout(PATIENCE_S):
        parts = urlsplit(url)
        assert parts.port is not None
        session = {"identifier": "subscriber", "clean_session": False}
        async with aiomqtt.Client("127.0.0.1", parts.port, **session) as subscriber:
            await subscriber.subscribe("shelf/#", qos=1)
        async with _client(url, aiomqtt.ProtocolVersion.V5, "publisher") as publisher:
            for number in range(count):
                await publisher.publish("shelf/event", str(number).encode(), qos=1)
        received = []
        async with aiomqtt.Client("127.0.0.1", parts.port, **session) as subscriber:
            async for message in subscriber.messages:
                received.append(int(message.payload))
                if len(received) == count:
                    break
    assert received == list(range(count))


@pytest.mark.server
async def test_mosquitto_says_that_its_port_is_taken(require: Callable[[str], str]) -> None:
    tool = require("mosquitto")
    async with mosquitto(executable=tool) as url:
        with pytest.raises(BrokerStartError, match="Address already in use"):
            async with mosquitto(int(url.rpartition(":")[2]), executable=tool):
                pass


@pytest.mark.server
async def test_mosquitto_says_what_is_wrong_with_a_setting(require: Callable[[str], str]) -> None:
    with pytest.raises(BrokerStartError, match="nonsense"):
        async with mosquitto(settings=["nonsense 1"], executable=require("mosquitto")):
            pass


async def test_mosquitto_that_is_missing_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(brokers, "find_mosquitto", lambda: None)

    with pytest.raises(BrokerStartError, match="apt-get install mosquitto"):
        async with mosquitto():
            pass


@pytest.mark.server
async def test_demo_prefers_mosquitto(require: Callable[[str], str]) -> None:
    require("mosquitto")
    async with demo_broker() as url:
        received = await _carries(url, aiomqtt.ProtocolVersion.V5)

    # The embedded broker takes no MQTT 5.
    assert received == [("shelf/status", b"online", 1), *EVENTS]


async def test_demo_without_mosquitto_embeds_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "find_mosquitto", lambda: None)
    async with demo_broker() as url:
        received = await _carries(url, aiomqtt.ProtocolVersion.V311)

    assert [each for each in received if each[0] == "shelf/event"] == EVENTS
