"""Carries a bus over sockets and pseudo-terminals. All listen on 127.0.0.1 only."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from simulators.modbus.bus import Bus, Reply
from simulators.modbus.frame import (
    RTU_BYTES_MAX,
    BadFrameError,
    parse_rtu,
    rtu_request_bytes,
    take_tcp,
)

HOST = "127.0.0.1"
CONNECTIONS_MAX = 64  # more than any gateway opens; a device allows a handful
BITS_PER_CHARACTER = 10  # 8N1
SILENCE_CHARACTERS = 3.5
# A pseudo-terminal hands a frame over in pieces tens of microseconds apart; real silence between
# frames is 4 ms at 9600 baud, which a busy machine can exceed by scheduling alone.
SILENCE_MIN_S = 0.02


class _Outlet(Protocol):
    """Where answers go."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def is_closing(self) -> bool: ...


class _Line(Protocol):
    """What makes answers of bytes."""

    def feed(self, data: bytes) -> None: ...

    def stop(self) -> None: ...


class _Sender:
    """Sends replies in order; a detached one comes whenever its time is, between the others."""

    def __init__(self, outlet: _Outlet) -> None:
        self._outlet = outlet
        self._loop = asyncio.get_running_loop()
        self._free_at = self._loop.time()

    def send(self, reply: Reply, wire_s: float = 0.0) -> None:
        """Send after the reply's own delay and the time that the bytes take on the wire."""
        now = self._loop.time()
        due = (now if reply.detached else max(now, self._free_at)) + reply.delay_s + wire_s
        if not reply.detached:
            self._free_at = due
        if due <= now:
            self._put(reply)
        else:
            self._loop.call_at(due, self._put, reply)

    def _put(self, reply: Reply) -> None:
        if self._outlet.is_closing():
            return
        self._outlet.write(reply.data)
        if reply.close:
            self._outlet.close()


class _RtuLine:
    """Cuts a stream of bytes into RTU requests and answers them at the pace of a baud rate."""

    def __init__(self, bus: Bus, outlet: _Outlet, baud: int | None) -> None:
        self._bus = bus
        self._sender = _Sender(outlet)
        self._character_s = BITS_PER_CHARACTER / baud if baud else 0.0
        self._buffer = bytearray()
        self._silence: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; a frame ends by its length or by silence."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._buffer += data
        while (length := rtu_request_bytes(self._buffer)) and len(self._buffer) >= length:
            frame = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._serve(frame)
        if len(self._buffer) > RTU_BYTES_MAX:
            self._buffer.clear()
        if self._buffer:
            silence_s = max(SILENCE_MIN_S, SILENCE_CHARACTERS * self._character_s)
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(silence_s, self._fall_silent)

    def stop(self) -> None:
        """Forget what came so far."""
        if self._silence is not None:
            self._silence.cancel()

    def _fall_silent(self) -> None:
        frame = bytes(self._buffer)
        self._buffer.clear()
        self._serve(frame)

    def _serve(self, frame: bytes) -> None:
        request = parse_rtu(frame)
        if request is None:
            self._buffer.clear()
            return
        reply = self._bus.reply_rtu(request)
        if reply is not None:
            characters = len(frame) + len(reply.data) + 2 * SILENCE_CHARACTERS
            self._sender.send(reply, characters * self._character_s)


class _TcpLine:
    """Cuts a stream of bytes into Modbus/TCP requests and answers them in order."""

    def __init__(self, bus: Bus, outlet: _Outlet) -> None:
        self._bus = bus
        self._outlet = outlet
        self._sender = _Sender(outlet)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; what is no Modbus/TCP ends the connection."""
        self._buffer += data
        try:
            while (request := take_tcp(self._buffer)) is not None:
                reply = self._bus.reply_tcp(request)
                if reply is not None:
                    self._sender.send(reply)
        except BadFrameError:
            self._outlet.close()

    def stop(self) -> None:
        """Nothing is under way that would outlive the connection."""


class _Connection(asyncio.Protocol):
    """One client's connection, from its bytes to its line."""

    def __init__(self, make_line: Callable[[_Outlet], _Line], known: "set[_Connection]") -> None:
        self._make_line = make_line
        self._known = known
        self._line: _Line | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._known) >= CONNECTIONS_MAX:
            transport.abort()
            return
        self._known.add(self)
        self._line = self._make_line(transport)

    def data_received(self, data: bytes) -> None:
        if self._line is not None:
            self._line.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._known.discard(self)
        if self._line is not None:
            self._line.stop()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()


@asynccontextmanager
async def serve_tcp(bus: Bus, port: int = 0) -> AsyncIterator[int]:
    """Modbus/TCP on a loopback port; yields the port (a free one for 0)."""
    async with _listen(lambda outlet: _TcpLine(bus, outlet), port) as bound:
        yield bound


@asynccontextmanager
async def serve_rtu_over_tcp(
    bus: Bus, port: int = 0, baud: int | None = None
) -> AsyncIterator[int]:
    """RTU frames over TCP on a loopback port, as a serial device server passes them on."""
    async with _listen(lambda outlet: _RtuLine(bus, outlet, baud), port) as bound:
        yield bound


@asynccontextmanager
async def _listen(make_line: Callable[[_Outlet], _Line], port: int) -> AsyncIterator[int]:
    connections: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(make_line, connections), HOST, port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in list(connections):
            connection.abort()
        await server.wait_closed()


class _Terminal:
    """The device's end of a pseudo-terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._closing = False

    def write(self, data: bytes) -> None:
        # A full terminal loses bytes, as a serial line does that nobody listens to.
        try:
            os.write(self._descriptor, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """A cut frame does not end a serial line."""

    def is_closing(self) -> bool:
        return self._closing

    def end(self) -> None:
        self._closing = True


@asynccontextmanager
async def serve_rtu(bus: Bus, baud: int = 9600) -> AsyncIterator[str]:
    """RTU on a pseudo-terminal at the pace of a baud rate; yields the path for the client."""
    device, client = os.openpty()
    for descriptor in (device, client):
        tty.setraw(descriptor)
    os.set_blocking(device, False)
    terminal = _Terminal(device)
    line = _RtuLine(bus, terminal, baud)
    loop = asyncio.get_running_loop()
    loop.add_reader(device, lambda: line.feed(os.read(device, RTU_BYTES_MAX)))
    try:
        # The client's end stays open here too: without it, reading fails between two clients.
        yield os.ttyname(client)
    finally:
        loop.remove_reader(device)
        terminal.end()
        line.stop()
        os.close(client)
        os.close(device)
