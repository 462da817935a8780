"""TLS, client certificates and passwords against a real broker; failures in plain words."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.ports import ConfigError, LinkError
from gateway.uplink.inbound import Inbound
from gateway.uplink.link import open_link
from gateway.uplink.settings import MqttSettings
from tests.gateway.uplink.conftest import Mosquitto
from tests.gateway.uplink.peers import Gateway
from tests.polling import until


@dataclass(frozen=True)
class Authority:
    """A CA of the test's own, and what it signed."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def tls(self, **changes: str) -> dict[str, str]:
        files = {"ca": "ca.pem", "certificate": "edge-1.pem", "key": "edge-1.key"} | changes
        return {name: self.path(file) for name, file in files.items() if file}


@pytest.fixture(scope="module")
def authority(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Authority:
    openssl = require("openssl")
    folder = tmp_path_factory.mktemp("ca")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "other-ca"):
        subject = ("-subj", f"/CN={name}", "-days", "2")
        run("req", "-x509", *key, *subject, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    signed = (("server", "ca", "127.0.0.1"), ("far", "ca", "192.0.2.1"))
    for name, issuer, address in (*signed, ("edge-1", "ca", ""), ("stranger", "other-ca", "")):
        run("req", "-new", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", "csr")
        (folder / "extension").write_text(f"subjectAltName=IP:{address}\n" if address else "")
        issued = ("-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial")
        extension = ("-extfile", "extension")
        run("x509", "-req", "-in", "csr", *issued, "-days", "2", "-out", f"{name}.pem", *extension)
    return Authority(folder)


def tls_lines(authority: Authority, server: str = "server") -> list[str]:
    return [
        "allow_anonymous false",
        f"cafile {authority.path('ca.pem')}",
        f"certfile {authority.path(f'{server}.pem')}",
        f"keyfile {authority.path(f'{server}.key')}",
        "require_certificate true",
        "use_identity_as_username true",
    ]


async def try_link(port: int, **mqtt: object) -> None:
    """Connect once as the uplink would, and part again."""
    gateway = Gateway(port, **mqtt)
    link = await open_link(gateway.uplink._endpoint(), "5")
    await link.close()


@pytest.mark.server
async def test_client_certificate_is_the_identity(
    mosquitto: Mosquitto, authority: Authority
) -> None:
    (mosquitto.folder / "acl").write_text("pattern readwrite shelfgate/v1/site-1/%u/#\n")
    acl = f"acl_file {mosquitto.folder / 'acl'}"
    await mosquitto.start(*tls_lines(authority), acl)
    async with Gateway(mosquitto.port, tls=authority.tls(), settle="broker") as g:
        await g.outbox.record(3)
        await until(lambda: g.counts.get("uplink_nobody_listens", 0) > 0)
        assert "uplink_publishes_refused" not in g.counts
        assert g.uplink.state.connected


@pytest.mark.server
@pytest.mark.parametrize(
    ("changes", "server", "error"),
    [
        ({"certificate": "", "key": ""}, "server", "demands a client certificate"),
        ({"certificate": "stranger.pem", "key": "stranger.key"}, "server", "CA of our client"),
        ({"ca": "other-ca.pem"}, "server", "broker's certificate does not hold"),
        ({}, "far", "broker's certificate does not hold"),
    ],
)
async def test_tls_failure_is_named(
    mosquitto: Mosquitto, authority: Authority, changes: dict[str, str], server: str, error: str
) -> None:
    await mosquitto.start(*tls_lines(authority, server))
    with pytest.raises(LinkError, match=error):
        await try_link(mosquitto.port, tls=authority.tls(**changes))


@pytest.mark.server
async def test_tls_to_a_plain_port_is_named(mosquitto: Mosquitto, authority: Authority) -> None:
    await mosquitto.start()
    with pytest.raises(LinkError, match=r"TLS|does mqtt.tls fit"):
        await try_link(mosquitto.port, tls=authority.tls())


@pytest.mark.server
async def test_plain_to_a_tls_port_is_named(mosquitto: Mosquitto, authority: Authority) -> None:
    await mosquitto.start(*tls_lines(authority))
    with pytest.raises(LinkError, match="hung up before it answered"):
        await try_link(mosquitto.port)


@pytest.mark.server
async def test_large_messages_pass_over_tls(mosquitto: Mosquitto, authority: Authority) -> None:
    await mosquitto.start(*tls_lines(authority))
    gateway = Gateway(mosquitto.port, tls=authority.tls())
    link = await open_link(gateway.uplink._endpoint(), "5")
    received: list[bytes] = []

    def take(inbound: Inbound) -> None:
        received.append(inbound.payload)
        inbound.acknowledge()

    link.receive(take)
    await link.subscribe(["big"])
    payloads = [bytes([number]) * 200_000 for number in range(10)]
    for payload in payloads:
        await link.publish("big", payload)
    await until(lambda: len(received) == 10)
    assert received == payloads
    await link.close()


async def test_packets_in_one_tls_record_all_arrive(authority: Authority) -> None:
    """The socket says nothing of what OpenSSL has decrypted already."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(authority.path("server.pem"), authority.path("server.key"))
    connack, publish = b"\x20\x03\x00\x00\x00", b"\x30\x05\x00\x01a\x00x"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack + publish * 20)
        await reader.read(4096)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
    async with server:
        gateway = Gateway(server.sockets[0].getsockname()[1], tls=authority.tls())
        link = await open_link(gateway.uplink._endpoint(), "5")
        received: list[Inbound] = []
        link.receive(received.append)
        await until(lambda: len(received) == 20, within_s=2)
        assert {inbound.payload for inbound in received} == {b"x"}
        await link.close()


@pytest.fixture
def passwords(require: Callable[[str], str], tmp_path: Path) -> Path:
    """A password file that knows the user edge."""
    path = tmp_path / "passwords"
    maker = [require("mosquitto_passwd"), "-b", "-c", str(path), "edge", "secret"]
    subprocess.run(maker, check=True, capture_output=True)
    return path


@pytest.mark.server
@pytest.mark.parametrize("right", [True, False])
async def test_password_comes_from_a_credential(
    mosquitto: Mosquitto, passwords: Path, monkeypatch: pytest.MonkeyPatch, right: bool
) -> None:
    await mosquitto.start("allow_anonymous false", f"password_file {passwords}")
    (mosquitto.folder / "mqtt-password").write_text("secret\n" if right else "wrong\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(mosquitto.folder))
    login = {"username": "edge", "password": "mqtt-password"}
    if right:
        await try_link(mosquitto.port, **login)
    else:
        with pytest.raises(LinkError, match=r"refused us: (Not authorized|Bad user)"):
            await try_link(mosquitto.port, **login)


async def test_secret_in_the_configuration_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    settings = MqttSettings(host="broker", password="hunter2")
    assert settings.password == "hunter2"  # a name, not a password: it is looked for as a file
    with pytest.raises(ConfigError, match="CREDENTIALS_DIRECTORY is not set"):
        Gateway(1, password="hunter2")


async def test_missing_or_unfit_files_are_configuration_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "junk.pem").write_text("no certificate\n")
    with pytest.raises(ConfigError, match="no file at"):
        Gateway(1, tls={"ca": "absent.pem"})
    with pytest.raises(ConfigError, match="do not load"):
        Gateway(1, tls={"certificate": "junk.pem", "key": "junk.pem"})
    with pytest.raises(ConfigError, match="belong together"):
        Gateway(1, tls={"certificate": "junk.pem"})
