"""Brokers that refuse, say nothing, or talk nonsense."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import gateway.uplink.link as link_module
from gateway.ports import LinkError
from gateway.uplink.link import open_link
from tests.gateway.uplink.conftest import endpoint_to


async def test_refused_connection_names_the_broker(free_port: int) -> None:
    with pytest.raises(LinkError, match=rf"127\.0\.0\.1:{free_port}.*refused"):
        await open_link(endpoint_to(free_port), "5")


async def test_broker_that_does_not_answer_connect_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "CONNECT_TIMEOUT_S", 0.1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(LinkError, match="does not answer CONNECT"),
    ):
        await open_link(endpoint_to(silent.getsockname()[1]), "5")


async def test_connect_given_up_leaves_no_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        opening = asyncio.create_task(open_link(endpoint_to(silent.getsockname()[1]), "5"))
        await asyncio.sleep(0.02)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        silent.settimeout(2)
        peer, _ = silent.accept()
        with peer:
            peer.settimeout(2)
            while peer.recv(4096):
                pass
        assert opening.cancelled()


@asynccontextmanager
async def saying(*answers: bytes) -> AsyncIterator[int]:
    """A peer that answers what comes in with one of `answers` after the other, then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


CONNACK_5 = b"\x20\x03\x00\x00\x00"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"\x20\x02\x00\x01", "Unsupported protocol version"),
        (b"\x20\x03\x00\x87\x00", "Not authorized"),
        (b"", "hung up before it answered"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "hung up|lost"),
        (b"\x20\x05\x00\x00\x02\x24\x00", "does not take QoS 1"),
    ],
)
async def test_connack_that_says_no_is_named(answer: bytes, error: str) -> None:
    async with saying(answer) as port:
        with pytest.raises(LinkError, match=error):
            await open_link(endpoint_to(port), "5")


async def test_refused_subscription_is_named() -> None:
    async with saying(CONNACK_5, b"\x90\x05\x00\x01\x00\x01\x87") as port:
        link = await open_link(endpoint_to(port), "5")
        assert await link.subscribe(["granted", "refused"]) == ["refused"]
        await link.wait_lost()


async def test_farewell_of_the_broker_is_named() -> None:
    async with saying(CONNACK_5 + b"\xe0\x01\x8e") as port:
        link = await open_link(endpoint_to(port), "5")
        assert "Session taken over" in str(await link.wait_lost())


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x30\x05\x00\x09abc",  # PUBLISH, topic longer than the packet
        b"\x32\x04\x00\x02\xff\xfe",  # PUBLISH QoS 1, topic no UTF-8, no packet id
        b"\x30\x06\x00\x02\xff\xfe\x00x",  # PUBLISH, topic no UTF-8
        b"\x36\x05\x00\x01a\x00\x01",  # PUBLISH QoS 3
        b"\x40\x01\x00",  # PUBACK without its id
        b"\x90\x03\x00\x01\xee",  # SUBACK with a code that is none
        b"\xf0\x02\xff\xff",  # AUTH out of nowhere
        b"\xff\xff\xff\xff\xff\xff",  # length without end
        b"\xe0\x02\xee\x00",  # DISCONNECT with a code that is none
        b"\x30\x08\x00\x01a\x04\x99\x00\x00\x00",  # PUBLISH with a property that is none
    ],
)
async def test_nonsense_from_the_broker_ends_the_link_and_no_more(nonsense: bytes) -> None:
    async with saying(CONNACK_5 + nonsense) as port:
        try:
            link = await open_link(endpoint_to(port), "5")
        except LinkError:
            return
        async with asyncio.timeout(2):
            assert isinstance(await link.wait_lost(), LinkError)
