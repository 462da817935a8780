"""Finding the broker: back-off, the version it speaks, and what is kept for it meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from random import Random

import amqtt.broker
import pytest

import gateway.uplink.link as link_module
from gateway.backoff import BACKOFF_MAX_S, GOOD_RUN_NS, Backoff
from gateway.model import NS_PER_S
from gateway.uplink.retained import TOPICS_MAX, RetainedState
from gateway.uplink.settings import MqttSettings
from tests.gateway.uplink.conftest import Mosquitto
from tests.gateway.uplink.peers import EPOCH, Gateway, StrictCore
from tests.polling import until


def test_backoff_grows_to_its_cap_with_full_jitter() -> None:
    longest = [0.0] * 12
    for seed in range(300):
        backoff = Backoff(Random(seed))
        waits = [backoff.wait_s(0) for _ in range(12)]
        longest = [max(pair) for pair in zip(longest, waits, strict=True)]
        assert min(waits) >= 0
    assert longest == sorted(longest[:5]) + longest[5:]
    assert longest[0] <= 0.5
    assert 0.9 * BACKOFF_MAX_S < max(longest) <= BACKOFF_MAX_S


def test_backoff_is_short_again_after_a_good_run() -> None:
    backoff = Backoff(Random(1))
    for _ in range(10):
        backoff.wait_s(NS_PER_S)
    assert backoff.wait_s(GOOD_RUN_NS) <= 0.5


def test_settings_take_the_customary_port_and_refuse_unknown_keys() -> None:
    assert MqttSettings(host="broker").broker_port == 1883
    assert MqttSettings.model_validate({"host": "broker", "tls": {}}).broker_port == 8883
    assert MqttSettings(host="broker", port=1234).broker_port == 1234
    for wrong in ({"hots": "x"}, {"window": 500}, {"keepalive_s": 60}, {"prefix": "a/#"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            MqttSettings.model_validate({"host": "broker"} | wrong)


async def test_newest_state_of_a_topic_wins() -> None:
    state = RetainedState()
    assert state.put("a", b"1")
    assert state.put("b", b"1")
    assert state.put("a", b"2")
    assert [await state.take(), await state.take()] == [("a", b"2"), ("b", b"1")]
    state.put("a", b"2")
    waiting = asyncio.create_task(state.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    state.renew()
    assert await waiting == ("a", b"2")


async def test_cleared_state_is_forgotten_once_the_broker_knows() -> None:
    state = RetainedState()
    state.put("a", b"1")
    await state.take()
    state.put("a", b"")
    topic, payload = await state.take()
    state.failed(topic)
    assert await state.take() == ("a", b"")
    state.sent(topic, payload)
    state.renew()
    assert not state._waiting


async def test_number_of_states_is_bounded() -> None:
    state = RetainedState()
    assert all(state.put(str(number), b"1") for number in range(TOPICS_MAX))
    assert not state.put("one more", b"1")
    assert state.put("0", b"2")


@asynccontextmanager
async def old_broker(target: int, *, polite: bool) -> AsyncIterator[tuple[int, list[int]]]:
    """A broker that knows MQTT 3.1.1 only: it refuses 5, or hangs up; else it is `target`.

    Gives its port, and the versions that it was asked for.
    """
    versions: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            head = await reader.read(4096)
            if head[head.index(b"MQTT") + 4] == 5:
                versions.append(5)
                writer.write(b"\x20\x02\x00\x01" if polite else b"")
                return
            versions.append(4)
            far_reader, far = await asyncio.open_connection("127.0.0.1", target)
            far.write(head)
            ways = [pipe(reader, far), pipe(far_reader, writer)]
            await asyncio.gather(*ways, return_exceptions=True)

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while data := await reader.read(65536):
                writer.write(data)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], versions


@pytest.mark.server
@pytest.mark.parametrize("polite", [True, False])
async def test_broker_that_refuses_mqtt_5_gets_3(mosquitto: Mosquitto, polite: bool) -> None:
    await mosquitto.start()
    async with (
        old_broker(mosquitto.port, polite=polite) as (port, versions),
        StrictCore(mosquitto.port) as core,
        Gateway(port) as g,
    ):
        await g.outbox.record(5)
        await until(lambda: g.outbox.high_water == 5)
        assert g.uplink.state.mqtt_version == "3.1.1"
        assert core.applied[EPOCH] == [1, 2, 3, 4, 5]
        mosquitto.stop()
        await until(lambda: not g.uplink.state.connected)
        await mosquitto.start()
        await until(lambda: g.uplink.state.connected)
        assert versions[:2] == [5, 4]
        assert (versions.count(5) == 1) is polite


@pytest.mark.server
async def test_broker_that_refuses_mqtt_5_is_left_alone_when_told_so(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with (
        old_broker(mosquitto.port, polite=True) as (port, versions),
        Gateway(port, version="5") as g,
    ):
        await until(lambda: "Unsupported protocol version" in g.uplink.state.reason)
        assert 4 not in versions


@pytest.mark.server
async def test_loss_is_logged_once_and_the_return_once(
    mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    await mosquitto.start()
    async with Gateway(mosquitto.port) as g:
        await until(lambda: g.uplink.state.connected)
        mosquitto.stop()
        await until(lambda: "refused" in g.uplink.state.reason)
        since = g.uplink.state.since
        await asyncio.sleep(1.0)
        assert g.uplink.state.since == since
        await mosquitto.start()
        await until(lambda: g.uplink.state.connected)
    lines = capsys.readouterr().out.splitlines()
    lost = [line for line in lines if "uplink lost" in line]
    assert len([line for line in lines if "uplink connected" in line]) == 2
    assert 1 <= len(lost) == len({line.split("reason=")[1] for line in lost})


async def test_amqtt_as_the_demos_broker_serves(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not answer MQTT 5 at all, so that the fallback takes the connect time-out."""
    monkeypatch.setattr(link_module, "CONNECT_TIMEOUT_S", 0.5)
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{free_port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = amqtt.broker.Broker(config)
    await broker.start()
    try:
        async with StrictCore(free_port, "3.1.1") as core, Gateway(free_port) as g:
            await g.outbox.record(20)
            await until(lambda: g.outbox.high_water == 20)
            assert core.applied[EPOCH] == list(range(1, 21))
            assert g.uplink.state.mqtt_version == "3.1.1"
    finally:
        await broker.shutdown()
