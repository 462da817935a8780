"""Keeps the gateway connected to its broker: connect, converse, and after a loss connect again."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import structlog

from gateway.backoff import Backoff
from gateway.model import NS_PER_S, Ns
from gateway.ports import ConfigError, LinkError, SinkError
from gateway.uplink import credentials, tls
from gateway.uplink.commands import CommandError
from gateway.uplink.delivery import Pace, Position
from gateway.uplink.endpoint import Endpoint, HungUpError, Version, VersionRefusedError, Will
from gateway.uplink.envelope import Envelopes
from gateway.uplink.link import Link, open_link
from gateway.uplink.messages import BadPayloadError, Request, text_of, whole_of
from gateway.uplink.retained import RetainedState
from gateway.uplink.session import EpochDrainedError, House, Matter, Session
from gateway.uplink.settings import MqttSettings
from gateway.uplink.topics import Topics, topics_of

GOODBYE_TIMEOUT_S = 2.0
"""How long a stop waits for the broker to take the word that we go offline."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks. `boot_id` and `version` stand in the status."""

    site: str
    gateway: str
    boot_id: str
    version: str


@dataclass(frozen=True, slots=True)
class UplinkState:
    """How the uplink is, for status, health and doctor."""

    connected: bool
    since: Ns
    reason: str = ""
    mqtt_version: Version | None = None


class Uplink:
    """The way to the core. `run` goes on until cancelled; field and store never wait for it."""

    def __init__(self, settings: MqttSettings, identity: Identity, house: House) -> None:
        self.topics: Topics = topics_of(settings.prefix, identity.site, identity.gateway)
        self.state = UplinkState(False, house.clock.now(), "not connected yet")
        self._settings = settings
        self._identity = identity
        self._house = house
        self._retained = RetainedState()
        self._position: Position | None = None
        self._epoch = ""
        self._session: Session | None = None
        self._speaks_5 = False
        self._refuses_5 = False
        self._complaint = ""
        house.commands.add("replay-from", self._replay_from)
        self._endpoint()  # a wrong certificate or credential shows now, not at night

    @property
    def position(self) -> Position | None:
        """Where delivery stands; None before the first connection."""
        return self._position

    @property
    def in_flight(self) -> int:
        """Publishes that wait for the broker's word."""
        return 0 if self._session is None else self._session.in_flight

    def publish_state(self, topic: str, payload: bytes) -> None:
        """Keep a retained topic up to date; the newest payload wins, an empty one clears."""
        if not self._retained.put(topic, payload):
            self._house.count("uplink_states_dropped")

    async def run(self) -> None:
        """Connect and converse until cancelled; then say that we go offline."""
        backoff = Backoff(self._house.random)
        while True:
            started: Ns | None = None
            try:
                link = await self._open()
                started = self._house.clock.now()
                await self._converse(link)
            except LinkError as error:
                self._lost(str(error))
            ran_ns = 0 if started is None else self._house.clock.now() - started
            await asyncio.sleep(backoff.wait_s(ran_ns))

    async def _converse(self, link: Link) -> None:
        """Deliver one epoch after the other over one link, until that is lost."""
        self._back(link.version)
        try:
            while True:
                with suppress(EpochDrainedError):
                    await self._deliver(link)
        except asyncio.CancelledError:
            await self._say_goodbye(link)
            raise
        finally:
            link.cut(LinkError("the conversation is over"))

    async def _deliver(self, link: Link) -> None:
        outbox = self._house.outbox()
        if self._position is None or self._epoch != outbox.epoch:
            pace = Pace(self._settings.settle, round(self._settings.ack_timeout_s * NS_PER_S))
            self._position = Position(pace, self._house.random)
            self._epoch = outbox.epoch
        envelopes = Envelopes(self._identity.site, self._identity.gateway, outbox.epoch)
        matter = Matter(outbox, self._position, self.topics, envelopes)
        session = Session(link, self._house, matter, self._retained)
        self._session = session
        talking = asyncio.create_task(session.run(self._status("online", outbox.epoch)))
        try:
            # A task of its own: a task group that ends by a loss drops a cancellation just then.
            await asyncio.wait({talking})
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            self._session = None
            self._position.disconnect()
        talking.result()

    async def _say_goodbye(self, link: Link) -> None:
        try:
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                await link.publish(
                    self.topics.status, self._status("offline", self._epoch), retain=True
                )
                await link.close()
        except (LinkError, SinkError, TimeoutError):
            log.info("the broker did not hear that we stop; the last will says it")

    # The connection

    async def _open(self) -> Link:
        try:
            endpoint = self._endpoint()
        except ConfigError as error:
            raise LinkError(str(error)) from error
        wanted = self._settings.version
        if wanted != "auto":
            return await open_link(endpoint, wanted)
        if not self._refuses_5:
            try:
                link = await open_link(endpoint, "5")
            except VersionRefusedError:
                self._refuses_5 = True
            except HungUpError:
                if self._speaks_5:
                    raise  # it was only restarting: without 5 it could not say "not authorized"
            else:
                self._speaks_5 = True
                return link
        return await open_link(endpoint, "3.1.1")

    def _endpoint(self) -> Endpoint:
        """Files are read anew for each connection, so that a renewed certificate is taken up."""
        settings = self._settings
        epoch = self._house.outbox().epoch
        password = None if settings.password is None else credentials.read(settings.password)
        return Endpoint(
            host=settings.host,
            port=settings.broker_port,
            client_id=settings.client_id or self._identity.gateway,
            will=Will(self.topics.status, self._status("offline", epoch)),
            keepalive_s=settings.keepalive_s,
            window=settings.window,
            session_expiry_s=settings.session_expiry_s,
            packet_max_bytes=settings.packet_max_bytes,
            username=settings.username,
            password=password,
            tls=None if settings.tls is None else tls.context(settings.tls),
        )

    def _status(self, state: Literal["online", "offline"], epoch: str) -> bytes:
        status = {
            "state": state,
            "version": self._identity.version,
            "boot_id": self._identity.boot_id,
            "epoch": epoch,
        }
        return json.dumps(status, separators=(",", ":")).encode()

    def _back(self, version: Version) -> None:
        self.state = UplinkState(True, self._house.clock.now(), "", version)
        self._complaint = ""
        self._house.count("uplink_connects")
        log.info("uplink connected", host=self._settings.host, mqtt=version)

    def _lost(self, reason: str) -> None:
        """Say once what is wrong, and again only when something else is wrong."""
        if self.state.connected or self.state.reason != reason:
            self.state = UplinkState(False, self._house.clock.now(), reason)
        if reason != self._complaint:
            self._complaint = reason
            log.warning("uplink lost", host=self._settings.host, reason=reason)

    # Commands that speak of delivery

    async def _replay_from(self, request: Request) -> dict[str, int]:
        args = request.args
        seq = whole_of(args, "seq", 1)
        position, session = self._position, self._session
        if text_of(args, "epoch") != self._epoch:
            raise CommandError("another epoch")
        if position is None or session is None:
            raise CommandError("not connected")
        if not position.replay(self._house.clock.now(), seq):
            raise BadPayloadError(
                f"seq {seq} is not kept; {position.first_kept} to {position.last} are"
            )
        session.wake()
        self._house.count("uplink_replays")
        return {"from": seq, "to": position.last}
