import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from drivers.llrp import LlrpDriver
from drivers.llrp.settings import LlrpSettings
from gateway.model import TagReport
from gateway.ports import ConfigError, DriverContext, LinkError
from tests.drivers.llrp.desk import Emitted
from tests.drivers.llrp.scripted_reader import CLOSE, ScriptedReader
from tests.drivers.llrp.wire import report, tag
from tests.virtual_time import VirtualClock

GOOD = report(tag(bytes(range(1, 13)), antenna=1, rssi=-40))
READS = 500


class SocketEnd(asyncio.Protocol):
    """The scripted reader's end of a real connection."""

    def __init__(self, reader: ScriptedReader) -> None:
        self.reader = reader
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.reader.join(self)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= 10:
            length = int.from_bytes(self._rest[2:6])
            if len(self._rest) < length:
                return
            frame, self._rest = self._rest[:length], self._rest[length:]
            self.reader.hear(frame)

    def deliver(self, data: bytes) -> None:
        self.transport.write(data)

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def connection_lost(self, _: Exception | None) -> None:
        self.reader.hang_up()


@contextlib.asynccontextmanager
async def served(reader: ScriptedReader, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SocketEnd(reader), "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def driver_of(emitted: Emitted, **settings: object) -> LlrpDriver:
    def count(_: str, __: int = 1) -> None:
        pass

    context = DriverContext("dock", emitted.clock, Random(1), count)
    return LlrpDriver(LlrpSettings(host="127.0.0.1", **settings), context)  # type: ignore[arg-type]


async def inventory(reader: ScriptedReader, **settings: object) -> Emitted:
    """Run the driver over a real socket until all reads have come."""
    emitted = Emitted(VirtualClock())
    run = asyncio.create_task(driver_of(emitted, **settings).run(emitted))
    async with asyncio.timeout(10):
        await reader.released.wait()
        for _ in range(READS):
            reader.say(GOOD)
        while len(emitted.reads()) < READS:
            assert not run.done(), run.exception()
            await asyncio.sleep(0.005)
        run.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run
    return emitted


async def test_inventory_over_tcp() -> None:
    reader = ScriptedReader()
    async with served(reader, None) as port:
        emitted = await inventory(reader, port=port)
    assert len(emitted.reads()) == READS
    assert len(emitted.of(TagReport)) < READS / 2
    assert reader.types_heard()[-1] == CLOSE


@pytest.fixture(scope="module")
def certificates(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates that vouch for themselves: `reader` for 127.0.0.1, and `other`."""
    folder = tmp_path_factory.mktemp("tls")
    openssl = require("openssl")
    for name in ("reader", "other"):
        command = [openssl, "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1"]
        command += ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def server_context(folder: Path, *, asks_client: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "reader.pem", folder / "reader.key")
    if asks_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "reader.pem")
    return context


async def test_inventory_over_tls_with_client_certificate(certificates: Path) -> None:
    reader = ScriptedReader()
    tls = {
        "ca_file": str(certificates / "reader.pem"),
        "certificate_file": str(certificates / "reader.pem"),
        "key_file": str(certificates / "reader.key"),
    }
    async with served(reader, server_context(certificates, asks_client=True)) as port:
        emitted = await inventory(reader, port=port, tls=tls)
    assert len(emitted.reads()) == READS


async def test_reader_with_a_strange_certificate_is_refused(certificates: Path) -> None:
    reader = ScriptedReader()
    emitted = Emitted(VirtualClock())
    async with served(reader, server_context(certificates, asks_client=False)) as port:
        driver = driver_of(emitted, port=port, tls={"ca_file": str(certificates / "other.pem")})
        with pytest.raises(LinkError, match="CERTIFICATE_VERIFY_FAILED"):
            await driver.run(emitted)
    assert reader.heard == []


async def test_missing_certificate_file_is_a_config_error() -> None:
    emitted = Emitted(VirtualClock())
    with pytest.raises(ConfigError, match="certificate files"):
        await driver_of(emitted, tls={"ca_file": "/nonexistent.pem"}).run(emitted)


async def test_refused_connection_says_what_to_look_for(free_port: int) -> None:
    emitted = Emitted(VirtualClock())
    with pytest.raises(LinkError, match=r"refused .* Impinj firmware 8\.2"):
        await driver_of(emitted, port=free_port).run(emitted)


async def test_unknown_host_is_a_lost_link() -> None:
    emitted = Emitted(VirtualClock())
    driver = driver_of(emitted)
    driver._settings = driver._settings.model_copy(update={"host": "no-such-host.invalid"})
    with pytest.raises(LinkError, match="cannot be reached"):
        await driver.run(emitted)
