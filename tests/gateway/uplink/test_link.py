"""One connection and every way it can fail: the failures that other clients hide must show here."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import gateway.uplink.link as link_module
from gateway.ports import LinkError
from gateway.uplink.endpoint import (
    INBOUND_MAX,
    NO_MATCHING_SUBSCRIBERS,
    Endpoint,
    RejectedError,
    Version,
)
from gateway.uplink.inbound import Inbound
from gateway.uplink.link import Link, open_link
from tests.fault_proxy import FaultProxy
from tests.gateway.uplink.conftest import Mosquitto, endpoint_to, listening
from tests.polling import until

VERSIONS: tuple[Version, ...] = ("5", "3.1.1")


@asynccontextmanager
async def linked(endpoint: Endpoint, version: Version = "5") -> AsyncIterator[Link]:
    link = await open_link(endpoint, version)
    try:
        yield link
    finally:
        link.cut(LinkError("end of test"))


@pytest.fixture(autouse=True)
async def _no_noise(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No late callback, no unseen future, no warning in a log, whatever happens to the link."""
    noise: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noise.append(context))
    yield
    gc.collect()
    await asyncio.sleep(0)
    assert noise == []
    assert [record.message for record in caplog.records if record.levelname != "DEBUG"] == []


@pytest.mark.server
@pytest.mark.parametrize("version", VERSIONS)
async def test_publish_is_answered_and_heard(mosquitto: Mosquitto, version: Version) -> None:
    await mosquitto.start()
    async with (
        listening(mosquitto.port) as heard,
        linked(endpoint_to(mosquitto.port), version) as link,
    ):
        assert await link.publish("a/b", b"payload") == 0
        assert await heard.get() == ("a/b", b"payload")


@pytest.mark.server
async def test_publish_that_nobody_hears_says_so(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with linked(endpoint_to(mosquitto.port)) as link:
        assert await link.publish("a/b", b"") == NO_MATCHING_SUBSCRIBERS


@pytest.mark.server
@pytest.mark.parametrize("version", VERSIONS)
async def test_pending_publishes_fail_at_once_when_cut(
    mosquitto: Mosquitto, version: Version
) -> None:
    await mosquitto.start()
    async with (
        FaultProxy(mosquitto.port) as proxy,
        linked(endpoint_to(proxy.port), version) as link,
    ):
        proxy.mode = "swallow_acks"
        pending = []
        for number in range(20):
            await link.slot()
            pending.append(link.send("a", b"%d" % number))
        proxy.cut()
        async with asyncio.timeout(1):
            answers = await asyncio.gather(*pending, return_exceptions=True)
        assert len(answers) == 20
        assert all(isinstance(answer, LinkError) for answer in answers)
        assert link.in_flight == 0


@pytest.mark.server
async def test_waiting_for_the_window_ends_when_cut(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with FaultProxy(mosquitto.port) as proxy, linked(endpoint_to(proxy.port)) as link:
        proxy.mode = "swallow_acks"
        for _ in range(link.window):
            await link.slot()
            link.send("a", b"")
        waiting = [asyncio.create_task(link.slot()) for _ in range(link.window + 5)]
        await asyncio.sleep(0)
        assert link.in_flight == link.window
        proxy.cut()
        async with asyncio.timeout(1):
            answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(answer, LinkError) for answer in answers)


@pytest.mark.server
async def test_publish_while_down_raises_and_is_not_sent_later(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with (
        listening(mosquitto.port, "+") as heard,
        FaultProxy(mosquitto.port) as proxy,
        linked(endpoint_to(proxy.port)) as link,
    ):
        proxy.cut()
        await link.wait_lost()
        with pytest.raises(LinkError):
            await link.publish("lost", b"E0")
        async with linked(endpoint_to(proxy.port)) as again:
            await again.publish("found", b"E1")
        assert await heard.get() == ("found", b"E1")
        assert heard.empty()


@pytest.mark.server
@pytest.mark.parametrize("version", VERSIONS)
async def test_black_hole_is_found_by_keepalive(mosquitto: Mosquitto, version: Version) -> None:
    await mosquitto.start()
    async with (
        FaultProxy(mosquitto.port) as proxy,
        linked(endpoint_to(proxy.port, keepalive_s=1), version) as link,
    ):
        proxy.mode = "black_hole"
        async with asyncio.timeout(6):
            assert "Keep alive" in str(await link.wait_lost())


@pytest.mark.server
async def test_swallowed_acks_end_the_connection(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "ANSWER_TIMEOUT_S", 0.2)
    monkeypatch.setattr(link_module, "MISC_PERIOD_S", 0.05)
    await mosquitto.start()
    async with FaultProxy(mosquitto.port) as proxy, linked(endpoint_to(proxy.port)) as link:
        proxy.mode = "swallow_acks"
        with pytest.raises(LinkError, match="does not acknowledge"):
            await link.publish("a", b"")


@pytest.mark.server
async def test_forbidden_topic_is_rejected_with_mqtt_5(mosquitto: Mosquitto) -> None:
    (mosquitto.folder / "acl").write_text("topic readwrite allowed\n")
    await mosquitto.start("allow_anonymous true", f"acl_file {mosquitto.folder / 'acl'}")
    async with linked(endpoint_to(mosquitto.port)) as link:
        with pytest.raises(RejectedError, match="Not authorized") as caught:
            await link.publish("forbidden", b"")
        assert caught.value.code == 0x87
        assert await link.publish("allowed", b"") == NO_MATCHING_SUBSCRIBERS


@pytest.mark.server
async def test_forbidden_topic_looks_taken_with_mqtt_3(mosquitto: Mosquitto) -> None:
    """The protocol cannot say it: the reason why the core's ack settles and PUBACK does not."""
    (mosquitto.folder / "acl").write_text("topic readwrite allowed\n")
    await mosquitto.start("allow_anonymous true", f"acl_file {mosquitto.folder / 'acl'}")
    async with linked(endpoint_to(mosquitto.port), "3.1.1") as link:
        assert await link.publish("forbidden", b"") == 0


@pytest.mark.server
@pytest.mark.parametrize("version", VERSIONS)
async def test_only_unacknowledged_messages_come_again(
    mosquitto: Mosquitto, version: Version
) -> None:
    await mosquitto.start()
    first: list[Inbound] = []
    async with linked(endpoint_to(mosquitto.port), version) as link:
        link.receive(first.append)
        await link.subscribe(["a"])
        async with linked(endpoint_to(mosquitto.port, client_id="other")) as other:
            for number in range(5):
                await other.publish("a", b"%d" % number)
        await until(lambda: len(first) == 5)
        first[3].acknowledge()  # out of order: it must wait for those before it
        first[0].acknowledge()
        await link.publish("b", b"")  # the acknowledgement is on its way before this is answered
    again: list[Inbound] = []
    async with linked(endpoint_to(mosquitto.port), version) as link:
        assert link.session_present
        link.receive(again.append)
        await until(lambda: len(again) >= 4)
        assert [inbound.payload for inbound in again] == [b"1", b"2", b"3", b"4"]


@pytest.mark.server
async def test_messages_of_a_kept_session_wait_for_their_receiver(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with linked(endpoint_to(mosquitto.port)) as link:
        await link.subscribe(["a"])
    async with linked(endpoint_to(mosquitto.port, client_id="other")) as other:
        await other.publish("a", b"early")
    async with linked(endpoint_to(mosquitto.port)) as link:
        await asyncio.sleep(0.05)
        received: list[Inbound] = []
        link.receive(received.append)
        await until(lambda: received)
        assert [inbound.payload for inbound in received] == [b"early"]


@pytest.mark.server
@pytest.mark.parametrize("version", VERSIONS)
async def test_inbound_flood_waits_in_the_broker_and_none_is_lost(
    mosquitto: Mosquitto, version: Version
) -> None:
    await mosquitto.start(
        "allow_anonymous true", "max_inflight_messages 0", "max_queued_messages 0"
    )
    received: list[Inbound] = []
    async with linked(endpoint_to(mosquitto.port), version) as link:
        link.receive(received.append)
        await link.subscribe(["a"])
        async with linked(endpoint_to(mosquitto.port, client_id="other")) as other:
            answers = []
            for number in range(1000):
                await other.slot()
                answers.append(other.send("a", b"%d" % number))
            await asyncio.gather(*answers)
        await until(lambda: len(received) == INBOUND_MAX)
        await asyncio.sleep(0.1)
        assert len(received) == INBOUND_MAX
        done = 0
        while done < 1000:
            await until(lambda: len(received) > done)  # noqa: B023 - asked before it changes
            received[done].acknowledge()
            done += 1
        assert [inbound.payload for inbound in received] == [b"%d" % n for n in range(1000)]


@pytest.mark.server
async def test_window_keeps_to_the_brokers_receive_maximum(mosquitto: Mosquitto) -> None:
    await mosquitto.start("allow_anonymous true", "max_inflight_messages 7")
    async with FaultProxy(mosquitto.port) as proxy, linked(endpoint_to(proxy.port)) as link:
        assert link.window == 7
        proxy.mode = "swallow_acks"
        for _ in range(7):
            await link.slot()
            link.send("a", b"")
        eighth = asyncio.create_task(link.slot())
        await asyncio.sleep(0.05)
        assert not eighth.done()
        eighth.cancel()


@pytest.mark.server
async def test_close_says_goodbye_and_the_will_stays_silent(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with listening(mosquitto.port) as heard:
        link = await open_link(endpoint_to(mosquitto.port), "5")
        await link.publish("a", b"")
        await link.close()
        async with linked(endpoint_to(mosquitto.port)) as other:
            await other.publish("b", b"")
            assert [(await heard.get())[0] for _ in range(2)] == ["a", "b"]
        assert await heard.get() == ("shelfgate/v1/s/g/status", b'{"state":"offline"}')


def test_box_carries_one_mqtt_client() -> None:
    """asyncio-mqtt breaks on paho 2; aiomqtt hides refusals; amqtt is for the demo."""
    lock = (Path(__file__).parents[3] / "requirements.lock").read_text(encoding="utf-8")
    carried = {line.partition("==")[0] for line in lock.splitlines() if "==" in line}
    assert "paho-mqtt" in carried
    assert not carried & {"asyncio-mqtt", "aiomqtt", "gmqtt", "amqtt", "zmqtt"}


@pytest.mark.server
async def test_what_nobody_settled_goes_to_the_next_who_takes_it(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    first: list[Inbound] = []
    second: list[Inbound] = []
    async with linked(endpoint_to(mosquitto.port)) as link:
        link.receive(first.append)
        await link.subscribe(("a/#",))
        for number in range(3):
            await link.publish(f"a/{number}", b"x")
        await until(lambda: len(first) == 3)
        first[1].acknowledge()
        link.hold()
        await link.publish("a/3", b"x")
        link.receive(second.append)
        await until(lambda: len(second) == 3)
        assert [inbound.topic for inbound in second] == ["a/0", "a/2", "a/3"]
        for inbound in second:
            inbound.acknowledge()
        assert not link._unsettled
