"""The broker's end of a connection: where it is, how we present ourselves, how it says no."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Literal

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.ports import LinkError, SinkError

CONNECT_TIMEOUT_S = 5.0
"""For TCP, for TLS and for the broker's answer, each: a broker in the same site needs far less."""

INBOUND_MAX = 256
"""Messages received and not yet acknowledged; more wait in the broker or in TCP."""

INBOUND_PACKET_MAX_BYTES = 512 * 1024
"""Twice the contract's largest payload; told to an MQTT 5 broker in CONNECT."""

UNSUPPORTED_VERSION = 0x84
NO_MATCHING_SUBSCRIBERS = 0x10
PACKET_TOO_LARGE = 0x95

Version = Literal["5", "3.1.1"]


class VersionRefusedError(LinkError):
    """The broker does not speak this version of MQTT."""


class HungUpError(LinkError):
    """No answer to CONNECT, or hung up at it, as some brokers do at a version they do not know."""


class RejectedError(SinkError):
    """The broker answered a publish with a reason code that is a failure (MQTT 5 only)."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when we are gone without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A broker and how to talk to it; secrets are resolved and stay out of `repr`.

    With a session expiry of 0 the broker keeps nothing of us when we are gone.
    """

    host: str
    port: int
    client_id: str
    will: Will | None
    keepalive_s: int = 10
    window: int = 64
    session_expiry_s: int = 3600
    packet_max_bytes: int = 262_144
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


def dial(endpoint: Endpoint) -> socket.socket:
    """A TCP or TLS connection, made blocking in an executor; OSError, and nothing left open."""
    address = (endpoint.host, endpoint.port)
    plain = socket.create_connection(address, timeout=CONNECT_TIMEOUT_S)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.tls is None:
            return plain
        secured = endpoint.tls.wrap_socket(
            plain, server_hostname=endpoint.host, do_handshake_on_connect=False
        )
    except BaseException:
        plain.close()
        raise
    try:
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


class Engine(Client):
    """A paho client on a socket that is connected already: paho would leave one open that failed
    in the TLS handshake, and would write CONNECT from the executor's thread.
    """

    def __init__(self, connected: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connected = connected

    def _create_socket(self) -> socket.socket:
        return self._connected


def new_client(connected: socket.socket, endpoint: Endpoint, version: Version) -> Client:
    """A paho client for one connection, with no window of its own."""
    client = Engine(
        connected,
        CallbackAPIVersion.VERSION2,
        endpoint.client_id,
        clean_session=None if version == "5" else endpoint.session_expiry_s == 0,
        protocol=MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(0)
    if endpoint.will is not None:
        client.will_set(endpoint.will.topic, endpoint.will.payload, qos=1, retain=True)
    if endpoint.username is not None:
        client.username_pw_set(endpoint.username, endpoint.password)
    return client


def send_connect(client: Client, endpoint: Endpoint, version: Version) -> None:
    """Queue CONNECT: keep the session and its messages if the broker still has it."""
    target = (endpoint.host, endpoint.port, endpoint.keepalive_s)
    if version == "5":
        client.connect(*target, clean_start=False, properties=_connect_properties(endpoint))
    else:
        client.connect(*target)


def _connect_properties(endpoint: Endpoint) -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = endpoint.session_expiry_s
    properties.ReceiveMaximum = INBOUND_MAX
    properties.MaximumPacketSize = INBOUND_PACKET_MAX_BYTES
    return properties
