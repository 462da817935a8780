"""Looks whether the broker takes us and a core answers, as a client beside the gateway's own.

Nothing is left behind: no session, no last will, nothing retained.
"""

from __future__ import annotations

import asyncio
import json
from typing import NamedTuple

from gateway.ports import SinkError
from gateway.uplink import credentials, tls
from gateway.uplink.endpoint import Endpoint, HungUpError, Version, VersionRefusedError
from gateway.uplink.inbound import Inbound
from gateway.uplink.link import Link, open_link
from gateway.uplink.messages import BadPayloadError, CoreHello, parse_hello
from gateway.uplink.settings import MqttSettings
from gateway.uplink.topics import Topics, topics_of

CORE_TIMEOUT_S = 5.0
"""A core on the same site answers a hello within milliseconds."""


class Told(NamedTuple):
    """What the gateway would say of its ledger."""

    epoch: str
    first_kept: int
    last: int


class BrokerAnswer(NamedTuple):
    """The broker takes us. `core` is what the core answered; None if it did not, or was not asked.

    `refused` are the topics that the broker does not let us subscribe to or publish on.
    """

    version: Version
    core: CoreHello | None
    refused: tuple[str, ...]


async def probe_broker(
    settings: MqttSettings, site: str, gateway: str, told: Told | None
) -> BrokerAnswer:
    """Connect, subscribe and, if there is a ledger to speak of, ask the core how far it is.

    LinkError or ConfigError says in plain words why the broker does not take us.
    """
    topics = topics_of(settings.prefix, site, gateway)
    link = await _open(settings, f"{settings.client_id or gateway}-probe")
    try:
        refused = await link.subscribe((topics.core_hello, topics.ack))
        core = None
        if told is not None and not refused:
            try:
                core = await _ask_core(link, topics, told)
            except SinkError as error:
                refused = [f"{topics.hello}: {error}"]
        return BrokerAnswer(link.version, core, tuple(refused))
    finally:
        await link.close()


async def _open(settings: MqttSettings, client_id: str) -> Link:
    password = None if settings.password is None else credentials.read(settings.password)
    endpoint = Endpoint(
        host=settings.host,
        port=settings.broker_port,
        client_id=client_id,
        will=None,
        keepalive_s=settings.keepalive_s,
        session_expiry_s=0,
        username=settings.username,
        password=password,
        tls=None if settings.tls is None else tls.context(settings.tls),
    )
    if settings.version != "auto":
        return await open_link(endpoint, settings.version)
    try:
        return await open_link(endpoint, "5")
    except (VersionRefusedError, HungUpError):
        return await open_link(endpoint, "3.1.1")


async def _ask_core(link: Link, topics: Topics, told: Told) -> CoreHello | None:
    """Greet as the gateway does on each connect; the core answers how far it is."""
    heard: asyncio.Queue[Inbound] = asyncio.Queue()
    link.receive(heard.put_nowait)
    await link.publish(topics.hello, json.dumps(told._asdict(), separators=(",", ":")).encode())
    try:
        async with asyncio.timeout(CORE_TIMEOUT_S):
            while True:
                inbound = await heard.get()
                inbound.acknowledge()
                hello = _hello(inbound, topics)
                if hello is not None and hello.epoch == told.epoch:
                    return hello
    except TimeoutError:
        return None


def _hello(inbound: Inbound, topics: Topics) -> CoreHello | None:
    if inbound.topic != topics.core_hello or inbound.retained:
        return None
    try:
        return parse_hello(inbound.payload)
    except BadPayloadError:
        return None
