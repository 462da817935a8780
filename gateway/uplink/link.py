"""One MQTT connection: paho-mqtt is the protocol engine, the socket is asyncio's.

One paho client lives for one connection and is thrown away with it, so that nothing of an old
connection can hide in a queue. A publish is a future that ends with the broker's PUBACK, with
`RejectedError` for a reason code that is a failure, or with `LinkError` at once when the connection
is cut. A received message is acknowledged when its receiver says so, in the order of arrival
(MQTT 5, 4.6); as long as too many are not, the socket is not read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import LogLevel, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.ports import LinkError, ProtocolError
from gateway.uplink.endpoint import (
    CONNECT_TIMEOUT_S,
    INBOUND_MAX,
    UNSUPPORTED_VERSION,
    Endpoint,
    HungUpError,
    RejectedError,
    Version,
    VersionRefusedError,
    dial,
    new_client,
    send_connect,
)
from gateway.uplink.inbound import Deliver, Inbound
from gateway.uplink.tls import name_error, name_failure

ANSWER_TIMEOUT_S = 10.0
"""A PUBACK or SUBACK that takes longer will not come: this connection is made anew."""

MISC_PERIOD_S = 1.0
"""How often keepalive and overdue answers are looked at: a fifth of the shortest keepalive."""


def _content_type(version: Version, media_type: str) -> Properties | None:
    if version != "5":
        return None
    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = media_type
    return properties


class Link:
    """A connection to the broker. Made by `open_link`; dies once, then is thrown away."""

    def __init__(self, client: Client, endpoint: Endpoint, version: Version) -> None:
        self.version: Version = version
        self.session_present = False
        self.packet_max_bytes = endpoint.packet_max_bytes
        self.window = endpoint.window
        self._client = client
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._early: list[Inbound] = []
        self._deliver: Deliver = self._early.append
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[LinkError] = self._loop.create_future()
        self._slots = asyncio.Semaphore(endpoint.window)
        self._publishing: dict[int, tuple[asyncio.Future[int], float]] = {}
        self._subscribing: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._unsettled: deque[Inbound] = deque()
        self._paused = False
        self._ended = False
        self._hint: str | None = None
        self._media_types: dict[str, Properties | None] = {}
        self._misc: asyncio.TimerHandle | None = None

    # What the owner does

    async def slot(self) -> None:
        """Wait for room in the window; then `send` or `give_back` must follow. LinkError."""
        await self._slots.acquire()
        if self._lost.done():
            self._slots.release()  # for the next one that waits
            self._raise_if_lost()

    def give_back(self) -> None:
        """Return a slot that is not needed after all."""
        self._slots.release()

    def send(
        self, topic: str, payload: bytes, *, retain: bool = False, media_type: str | None = None
    ) -> asyncio.Future[int]:
        """Send in a slot taken before; the future ends with the PUBACK's reason code.

        It fails with `RejectedError`, or with `LinkError` when the connection is cut before.
        """
        self._raise_if_lost()
        info = self._client.publish(
            topic, payload, qos=1, retain=retain, properties=self._properties(media_type)
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.cut(LinkError(f"MQTT library cannot send: {info.rc.name}"))
            self._raise_if_lost()
        future: asyncio.Future[int] = self._loop.create_future()
        self._publishing[info.mid] = (future, self._loop.time())
        return future

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send and wait for the PUBACK; its reason code. RejectedError or LinkError."""
        await self.slot()
        return await self.send(topic, payload, retain=retain)

    async def subscribe(self, filters: Sequence[str]) -> list[str]:
        """Subscribe with QoS 1; return the filters that the broker refused."""
        self._raise_if_lost()
        if self.version == "5":
            _, mid = self._client.subscribe([(name, SubscribeOptions(qos=1)) for name in filters])
        else:
            _, mid = self._client.subscribe([(name, 1) for name in filters])
        if mid is None:
            raise LinkError("MQTT library cannot subscribe")
        future: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._subscribing[mid] = future
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                codes = await future
        except TimeoutError:
            raise LinkError("the broker does not answer SUBSCRIBE") from None
        return [name for name, code in zip(filters, codes, strict=True) if code.is_failure]

    def receive(self, deliver: Deliver) -> None:
        """Set who takes what comes in. What a kept session brought before waits for that."""
        self._deliver = deliver
        early, self._early = self._early, []
        for inbound in early:
            deliver(inbound)

    def hold(self) -> None:
        """Nobody takes what comes in, for now: all that is not settled goes to the next who does.

        What was begun and not acknowledged is delivered anew then, as after a lost connection.
        """
        self._early = [inbound for inbound in self._unsettled if not inbound.settled]
        self._deliver = self._early.append

    async def wait_lost(self) -> LinkError:
        """Wait until the connection is gone; why."""
        return await asyncio.shield(self._lost)

    @property
    def in_flight(self) -> int:
        """Publishes that wait for their PUBACK."""
        return len(self._publishing)

    async def close(self) -> None:
        """Say goodbye (no last will) and wait a moment for it to go out."""
        if not self._lost.done():
            self._ended = True
            self._client.disconnect()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self.wait_lost()
            except TimeoutError:
                pass
        self.cut(LinkError("closed"))

    def cut(self, error: LinkError) -> None:
        """End the connection now; every pending publish fails with `error` at once."""
        if self._lost.done():
            return
        self._lost.set_result(error)
        if self._misc is not None:
            self._misc.cancel()
        self._drop_socket()
        waiting: list[asyncio.Future[Any]] = [future for future, _ in self._publishing.values()]
        waiting += [*self._subscribing.values(), self._connack]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # seen: whoever waits no longer must not be complained about
        self._publishing.clear()
        self._subscribing.clear()
        self._slots.release()

    def flush_acknowledgements(self) -> None:
        """Acknowledge what is settled, oldest first, up to the first that is not."""
        while self._unsettled and self._unsettled[0].settled:
            mid = self._unsettled.popleft().mid
            if mid and not self._lost.done():
                self._client.ack(mid, 1)
        if self._paused and len(self._unsettled) <= INBOUND_MAX // 2 and not self._lost.done():
            self._paused = False
            self._watch_reads()
            self._loop.call_soon(self._on_readable)

    # How the connection comes about

    async def start(self) -> None:
        """Say CONNECT on the connected socket and wait for the broker's CONNACK."""
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_log = self._on_log
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_written
        send_connect(client, self._endpoint, self.version)
        self._watch_reads()
        self._misc = self._loop.call_later(MISC_PERIOD_S, self._on_misc)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connack
        except TimeoutError:
            self.cut(HungUpError("the broker does not answer CONNECT"))
            self._raise_if_lost()
        except BaseException:
            self.cut(LinkError("given up"))
            raise
        client.on_log = None

    def _raise_if_lost(self) -> None:
        if self._lost.done():
            raise self._lost.result()

    def _properties(self, media_type: str | None) -> Properties | None:
        if media_type is None:
            return None
        if media_type not in self._media_types:
            self._media_types[media_type] = _content_type(self.version, media_type)
        return self._media_types[media_type]

    # The socket

    def _file(self) -> int:
        sock = self._client.socket()
        return -1 if sock is None else sock.fileno()

    def _watch_reads(self) -> None:
        file = self._file()
        if file >= 0:
            self._loop.add_reader(file, self._on_readable)

    def _drop_socket(self) -> None:
        sock = self._client.socket()
        if sock is not None:
            self._unwatch(sock)
            sock.close()

    def _unwatch(self, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())

    def _on_readable(self) -> None:
        if self._lost.done() or self._paused:
            return
        self._client.loop_read()
        sock = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            self._loop.call_soon(self._on_readable)  # decrypted already: the socket will not say so

    def _on_want_write(self, client: Client, _data: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), client.loop_write)

    def _on_written(self, _client: Client, _data: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock.fileno())

    def _on_socket_close(self, _client: Client, _data: Any, sock: Any) -> None:
        self._unwatch(sock)

    def _on_misc(self) -> None:
        self._misc = self._loop.call_later(MISC_PERIOD_S, self._on_misc)
        self._client.loop_misc()
        oldest = next(iter(self._publishing.values()), None)
        if oldest is not None and self._loop.time() - oldest[1] > ANSWER_TIMEOUT_S:
            self.cut(LinkError("the broker does not acknowledge what we publish"))

    # What the broker says

    def _on_connect(
        self,
        _client: Client,
        _data: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            kind = VersionRefusedError if reason.value == UNSUPPORTED_VERSION else LinkError
            self.cut(kind(f"the broker refused us: {reason}"))
            return
        self.session_present = flags.session_present
        told: dict[str, Any] = {} if properties is None else properties.json()
        self._narrow_window(told.get("ReceiveMaximum", self.window))
        limit = told.get("MaximumPacketSize", self.packet_max_bytes)
        self.packet_max_bytes = min(self.packet_max_bytes, limit)
        if told.get("MaximumQoS", 1) < 1:
            self.cut(LinkError("the broker does not take QoS 1"))
        elif not self._connack.done():
            self._connack.set_result(None)

    def _narrow_window(self, receive_maximum: int) -> None:
        wanted, self.window = self.window, min(self.window, receive_maximum)
        if self.window < wanted:
            self._slots = asyncio.Semaphore(self.window)

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._ended:
            error = LinkError("closed")
        elif self._hint is not None:
            error = LinkError(self._hint)
        elif flags.is_disconnect_packet_from_server:
            error = LinkError(f"the broker ended the connection: {reason}")
        elif not self._connack.done():
            error = HungUpError("the broker hung up before it answered CONNECT")
        else:
            error = LinkError(f"connection to the broker lost: {reason}")
        self.cut(error)

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        future, _ = self._publishing.pop(mid, (None, 0.0))
        if future is None:
            return
        self._slots.release()
        if future.done():
            return
        if reason.is_failure:
            future.set_exception(RejectedError(str(reason), reason.value))
        else:
            future.set_result(reason.value)

    def _on_subscribe(
        self, _client: Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        future = self._subscribing.pop(mid, None)
        if future is not None and not future.done():
            future.set_result(reasons)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.cut(ProtocolError("the broker sent a topic that is not UTF-8"))
            return
        mid = message.mid if message.qos else 0
        inbound = Inbound(
            topic, bytes(message.payload), message.retain, mid, self.flush_acknowledgements
        )
        self._unsettled.append(inbound)
        if len(self._unsettled) >= INBOUND_MAX and not self._paused:
            self._paused = True
            self._loop.remove_reader(self._file())
        self._deliver(inbound)

    def _on_log(self, _client: Client, _data: Any, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._hint = name_failure(text) or self._hint


async def open_link(endpoint: Endpoint, version: Version) -> Link:
    """Connect to the broker; LinkError says in plain words why it cannot be done."""
    dialling = asyncio.get_running_loop().run_in_executor(None, dial, endpoint)
    try:
        connected = await asyncio.shield(dialling)
    except (OSError, ValueError) as error:
        raise LinkError(f"{endpoint.host}:{endpoint.port}: {name_error(error)}") from error
    except asyncio.CancelledError:
        dialling.add_done_callback(_abandon)
        raise
    link = Link(new_client(connected, endpoint, version), endpoint, version)
    await link.start()
    return link


def _abandon(dialling: asyncio.Future[socket.socket]) -> None:
    """Close a socket that came about after nobody wanted it any more."""
    if not dialling.cancelled() and dialling.exception() is None:
        dialling.result().close()
