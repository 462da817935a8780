"""The TCP or TLS connection to a reader: bytes in and out, whole frames handed on."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from gateway.ports import ConfigError, LinkError, ProtocolError

from .frames import FrameCutter
from .settings import LlrpSettings, TlsSettings

CONNECT_TIMEOUT_S = 10.0
"""A reader on the same site answers in milliseconds; a TCP connect may hang for two minutes."""

WRITE_BUFFER_MAX_BYTES = 64 * 1024
"""What may wait for a reader that does not read: some 6,000 keepalive answers. Beyond, it hangs."""


class Receiver(Protocol):
    """Whoever takes what a connection brings."""

    def receive(self, frame: bytes) -> None:
        """Take one whole frame."""
        ...

    def lose(self, error: LinkError) -> None:
        """Take note that the connection is gone; told again, only the first reason counts."""
        ...


class Connection(asyncio.Protocol):
    """One connection. Its `receiver` is set before it is made."""

    receiver: Receiver

    def __init__(self, cutter: FrameCutter) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        self.closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._cutter = cutter
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Cut frames and hand them on; a boundary that is lost ends the connection."""
        self.heard_at = self._loop.time()
        receive = self.receiver.receive
        try:
            for frame in self._cutter.feed(data):
                receive(frame)
        except ProtocolError as error:
            self.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the peer closed, or what broke."""
        self.closed.set()
        self.receiver.lose(
            LinkError(f"connection lost: {exc}" if exc else "reader closed connection")
        )

    def write(self, data: bytes) -> None:
        """Send bytes; a reader that no longer reads loses the connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > WRITE_BUFFER_MAX_BYTES:
            self.fail(LinkError("the reader does not read what is sent to it"))

    def fail(self, error: LinkError) -> None:
        """Tell why, and cut the connection at once."""
        self.receiver.lose(error)
        self.abort()

    def close(self) -> None:
        """Close after what was written has gone out."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection; what was not sent is dropped."""
        if self._transport is not None:
            self._transport.abort()


Connect: TypeAlias = Callable[[LlrpSettings, Callable[[], Connection]], Awaitable[Connection]]
"""How a driver opens its connection: over a socket, or in memory in a test."""


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Make a client context from files; ConfigError if one cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.check_hostname = settings.check_hostname
        if settings.certificate_file:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"tls: certificate files cannot be used: {error}") from error
    return context


async def connect(settings: LlrpSettings, make: Callable[[], Connection]) -> Connection:
    """Open the connection; LinkError, with what a person can do about it, if it cannot be made."""
    place = f"{settings.host}:{settings.tcp_port}"
    context = tls_context(settings.tls) if settings.tls else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, connection = await loop.create_connection(
                make, settings.host, settings.tcp_port, ssl=context
            )
    except ConnectionRefusedError as error:
        raise LinkError(
            f"{place} refused the connection: LLRP is not on there. Impinj firmware 8.2 and newer"
            " starts with its IoT interface: switch the reader to LLRP in its web page"
        ) from error
    except TimeoutError as error:
        raise LinkError(f"{place} did not answer within {CONNECT_TIMEOUT_S:g} s") from error
    except OSError as error:
        raise LinkError(f"{place} cannot be reached: {error}") from error
    return connection
