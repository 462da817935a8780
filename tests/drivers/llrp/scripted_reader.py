"""A reader for tests, joined to the driver in memory: it answers as told, and notes all it hears.

Its bytes are packed by hand. `answers[type]` replaces the answer to a message type: a function of
the frame that returns the frames to send, or SILENT.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Protocol

from drivers.llrp import control
from drivers.llrp.capabilities import Capabilities, capabilities_of
from drivers.llrp.settings import LlrpSettings
from drivers.llrp.transport import Connection
from tests.drivers.llrp.wire import attempt, custom, event, message, status, tlv

Answer = Callable[[bytes], list[bytes]]

CAPABILITIES, CONFIG, SET_CONFIG, CLOSE = 1, 2, 3, 14
ADD, DELETE, START, ENABLE, DISABLE, GET_ROSPECS = 20, 21, 22, 24, 25, 26
ENABLE_EVENTS, KEEPALIVE_ACK, CUSTOM = 64, 72, 1023
IMPINJ, ZEBRA = 25882, 161


def silent(_: bytes) -> list[bytes]:
    return []


class Wire(Protocol):
    """The way to the client."""

    def deliver(self, data: bytes) -> None: ...
    def is_closing(self) -> bool: ...


class MemoryTransport(asyncio.Transport):
    """The driver's end of the wire."""

    def __init__(self, reader: "ScriptedReader", protocol: Connection) -> None:
        super().__init__()
        self.reader = reader
        self.protocol = protocol
        self.unread = 0
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.reader.reads_socket:
            asyncio.get_running_loop().call_soon(self.reader.hear, bytes(data))
        else:
            self.unread += len(data)

    def deliver(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self.end(None)

    def abort(self) -> None:
        self.end(None)

    def end(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self.reader.hang_up()
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)


class ScriptedReader:
    """Keeps its ROSpecs and configuration over connections, as most readers do."""

    def __init__(self, vendor: int = IMPINJ, *, hopping: bool = True, holds: bool = True) -> None:
        self.vendor = vendor
        self.hopping = hopping
        self.holds = holds
        self.heard: list[bytes] = []
        self.answers: dict[int, Answer] = {}
        self.rospecs: dict[int, int] = {}
        self.contents: dict[int, bytes] = {}
        self.state_value = 77
        self.antennas_connected = {1: True, 2: True}
        self.inputs = {1: 0, 2: 1}
        self.attempt_code = 0
        self.greets = True
        self.boot_us = 1_700_000_000_000_000
        self.keepalives = True
        self.reads_socket = True
        self.connections = 0
        self.released = asyncio.Event()
        self.wire: Wire | None = None
        self._keepalive_ms = 0
        self._timer: asyncio.TimerHandle | None = None

    async def connect(self, _: LlrpSettings, make: Callable[[], Connection]) -> Connection:
        """Stands in for the driver's own way to connect."""
        connection = make()
        wire = MemoryTransport(self, connection)
        connection.connection_made(wire)
        self.join(wire)
        return connection

    def join(self, wire: Wire) -> None:
        """A client has connected."""
        self.wire = wire
        self.connections += 1
        self.released.clear()
        if self.greets:
            self.say(event(attempt(self.attempt_code), utc_us=self.now_us()))
        self._beat()

    def now_us(self) -> int:
        return self.boot_us + round(asyncio.get_running_loop().time() * 1_000_000)

    def types_heard(self) -> list[int]:
        return [(frame[0] & 3) << 8 | frame[1] for frame in self.heard]

    def say(self, data: bytes) -> None:
        """Send bytes, in a turn of their own, while connected."""
        asyncio.get_running_loop().call_soon(self._deliver, data)

    def cut(self, error: Exception | None = None) -> None:
        """The link breaks."""
        assert isinstance(self.wire, MemoryTransport)
        self.wire.end(error)

    def hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.wire = None

    def hear(self, frame: bytes) -> None:
        self.heard.append(frame)
        kind = (frame[0] & 3) << 8 | frame[1]
        answer = self.answers.get(kind, self._answer)
        for reply in answer(frame):
            self._deliver(reply)
        if kind == ENABLE_EVENTS:
            self.released.set()

    def ok(self, frame: bytes, *parts: bytes) -> bytes:
        kind = (frame[0] & 3) << 8 | frame[1]
        kind = {CLOSE: 4, CUSTOM: 1023}.get(kind, kind + 10)
        body = b"".join((status(), *parts))
        if kind == CUSTOM:
            body = struct.pack("!IB", IMPINJ, 22) + body
        return message(kind, body, int.from_bytes(frame[6:10]))

    def refuse(self, frame: bytes, code: int = 101, text: bytes = b"no") -> bytes:
        return message(frame[1] + 10, status(code, text), int.from_bytes(frame[6:10]))

    def _deliver(self, data: bytes) -> None:
        if self.wire is not None and not self.wire.is_closing():
            self.wire.deliver(data)

    def _beat(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._keepalive_ms:
            if self.keepalives:
                self._deliver(message(62, b"", 9))
            if self.wire is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._keepalive_ms / 1000, self._beat)

    def _answer(self, frame: bytes) -> list[bytes]:
        kind = (frame[0] & 3) << 8 | frame[1]
        body = frame[10:]
        rospec_id = int.from_bytes(body[:4]) if kind != ADD else int.from_bytes(body[4:8])
        if kind in (KEEPALIVE_ACK, ENABLE_EVENTS):
            return []
        if kind == CAPABILITIES:
            return [self.ok(frame, self.capabilities())]
        if kind == CONFIG:
            return [self.ok(frame, self.config(body[2]))]
        if kind == SET_CONFIG:
            self.state_value += 1
            self._take_keepalive(body[1:])
        elif kind == ADD:
            self.rospecs[rospec_id] = 0
            self.contents[rospec_id] = body[4:]
            self.state_value += 1
        elif kind == DELETE:
            self.rospecs.clear()
            self.state_value += 1
        elif kind in (ENABLE, DISABLE):
            if rospec_id not in self.rospecs:
                return [self.refuse(frame, 101, b"no such ROSpec")]
            self.rospecs[rospec_id] = 2 if kind == ENABLE else 0
        elif kind == GET_ROSPECS:
            return [self.ok(frame, *(self.rospec(number) for number in self.rospecs))]
        return [self.ok(frame)]

    def rospec(self, number: int) -> bytes:
        """One installed ROSpec with its current state."""
        content = self.contents.get(number, struct.pack("!IBB", number, 0, 0))
        return tlv(177, content[:5] + bytes((self.rospecs[number],)) + content[6:])

    def _take_keepalive(self, parameters: bytes) -> None:
        while parameters:
            kind, length = struct.unpack_from("!HH", parameters)
            if kind == 220:
                self._keepalive_ms = struct.unpack_from("!I", parameters, 5)[0]
                self._beat()
            parameters = parameters[length:]

    def capabilities(self) -> bytes:
        general = struct.pack("!HHIIH", 4, 0x4000, self.vendor, 1, 3) + b"1.0"
        general += tlv(141, struct.pack("!HH", 4, 4))
        holding = 0x08 if self.holds else 0
        protocol = struct.pack("!BBHIIIII", 0x40 | holding, 1, 0, 1, 32, 1, 8, 8)
        steps = (tlv(145, struct.pack("!Hh", i, 1000 + 25 * (i - 1))) for i in range(1, 82))
        frequency = b"\x00" + tlv(148, struct.pack("!HII", 2, 865_700, 866_300))
        if self.hopping:
            frequency = b"\x80" + tlv(147, struct.pack("!BBHI", 1, 0, 1, 902_750))
        modes = (tlv(329, struct.pack("!IBBBBIIIII", m, *range(4), *range(5))) for m in (2, 1000))
        band = b"".join(steps) + tlv(146, frequency) + tlv(328, b"".join(modes))
        regulatory = struct.pack("!HH", 840, 1) + tlv(144, band)
        return tlv(137, general) + tlv(142, protocol) + tlv(143, regulatory)

    def config(self, requested: int) -> bytes:
        parts = []
        if requested in (0, 2):
            for antenna, connected in self.antennas_connected.items():
                parts.append(tlv(221, struct.pack("!BHh", 0x80 if connected else 0, antenna, 0)))
        if requested in (0, 7):
            parts.append(tlv(217, struct.pack("!I", self.state_value)))
        if requested in (0, 9):
            for port, level in self.inputs.items():
                parts.append(tlv(225, struct.pack("!HBB", port, 0x80, level)))
        return b"".join(parts)


def capabilities_of_reader(reader: ScriptedReader) -> Capabilities:
    return capabilities_of(control.decode(message(11, status() + reader.capabilities())).fields)


def vendor_event() -> bytes:
    """An event notification that holds nothing but a vendor's own parameter."""
    return event(custom(ZEBRA, 3, b"xyz"))
