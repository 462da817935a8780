"""The simulated reader over real sockets: bytes as the network brings them."""

import asyncio
import ssl
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from simulators.llrp import LlrpReader, StillField, numbered_epcs
from tests.polling import until
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import PATIENCE_S, Client

REQUESTS = [(1, b"\0"), (3, orders.keepalive(60_000)), (20, orders.add()), (26, b"")]


def make() -> LlrpReader:
    random = Random(1)
    return LlrpReader(StillField(numbered_epcs(3), random), random)


async def connected(reader: LlrpReader) -> Client:
    client = await Client.over_socket(reader.port)
    await client.wait_for(63)
    return client


async def test_requests_split_at_every_byte_boundary_are_answered() -> None:
    stream = b"".join(
        struct.pack("!HII", 1 << 10 | kind, 10 + len(body), number) + body
        for number, (kind, body) in enumerate(REQUESTS)
    )
    async with make() as reader:
        client = await connected(reader)
        for byte in stream:
            client.write(bytes([byte]))
            await asyncio.sleep(0)
        answers = [await client.wait_for(kind + 10) for kind, _body in REQUESTS]
        assert [(a[0].message_id, a[0].status) for a in answers] == [(n, 0) for n in range(4)]
        client.close()


@pytest.mark.parametrize(
    "hostile",
    [
        struct.pack("!HII", 0x401, 0xFFFFFFFF, 1),
        struct.pack("!HII", 0x401, 3, 1),
        bytes(64),
        b"GET / HTTP/1.1\r\nHost: reader\r\n\r\n",
        b"\xff" * 1000,
    ],
)
async def test_hostile_bytes_cost_the_connection_alone(hostile: bytes) -> None:
    async with make() as reader:
        client = await connected(reader)
        client.write(hostile)
        async with asyncio.timeout(PATIENCE_S):
            await client.closed.wait()
        again = await connected(reader)
        assert (await again.ask(26)).status == 0
        again.close()


async def test_unfinished_frame_holds_nobody_up() -> None:
    async with make() as reader:
        client = await connected(reader)
        client.write(struct.pack("!HII", 0x401, 1000, 1) + bytes(100))
        client.close()
        await until(lambda: not reader.connected)
        again = await connected(reader)
        assert (await again.ask(26)).status == 0
        again.close()


async def test_second_socket_is_refused_while_the_first_lives() -> None:
    async with make() as reader:
        first = await connected(reader)
        second = await Client.over_socket(reader.port)
        async with asyncio.timeout(PATIENCE_S):
            await second.closed.wait()
        assert second.unasked[0].body.endswith(struct.pack("!HHH", 256, 6, 2))
        await first.wait_for(63, struct.pack("!HHH", 256, 6, 4))
        first.transport.abort()
        await until(lambda: not reader.connected)
        third = await connected(reader)
        third.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> Path:
    """A key and a certificate for localhost in one file."""
    path = tmp_path_factory.mktemp("tls") / "reader.pem"
    command = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(
        [
            require("openssl"),
            *command,
            "-nodes",
            "-keyout",
            path,
            "-out",
            f"{path}.crt",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.mark.server
async def test_reader_speaks_tls(certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    reader = make()
    port = await reader.start(tls=server)
    loop = asyncio.get_running_loop()
    _transport, client = await loop.create_connection(Client, "127.0.0.1", port, ssl=trusting)
    await client.wait_for(63)
    assert (await client.ask(1, b"\0")).status == 0
    plain = await Client.over_socket(port)
    plain.send(1, b"\0")
    async with asyncio.timeout(PATIENCE_S):
        await plain.closed.wait()
    assert (await client.ask(26)).status == 0
    client.close()
    await reader.shutdown()
