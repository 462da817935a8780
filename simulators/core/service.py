"""The core on the network: a desk behind an MQTT connection that is made anew when it is lost."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias, TypeVar

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulators.core.desk import Answer, Desk, Message, Report

BATCH_MAX = 100
"""Messages in one commit: beyond that a larger one saves little and delays the ack."""
INCOMING_MAX = 10_000
"""Messages that wait for the book. What comes beyond is dropped, which is a gap, and replayed."""
OUTGOING_MAX = 10_000
"""Messages that wait for the broker; when it is full the core stops reading its inbox."""
RETRY_FIRST_S, RETRY_MAX_S = 0.2, 5.0
"""Pause before a connection is tried again: doubled each time, cut to a random part of it."""
CONNECT_TIMEOUT_S = 5.0
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Else each ack waits behind our own PUBACK for the broker's delayed TCP ACK: 40 ms."""
KEEPALIVE_S = 30
ORDERS_LOOK_S = 0.5
"""How often the core looks for orders that another process has taken into its book."""

_UP_CHANNELS = ("event", "helloGateway", "status", "commandResponse", "coreRequest")

Tell: TypeAlias = Callable[[Report], None]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Connection:
    """Where the broker is. `version` is 5 or 4 (MQTT 3.1.1)."""

    host: str = "127.0.0.1"
    port: int = 1883
    version: int = 5
    client_id: str = "shelfgate-core"


class _Client(aiomqtt.Client):
    """One connection. aiomqtt drops the broker's refusal of a publish: here it is told."""

    refused: Callable[[str], None]

    def _on_publish(
        self,
        client: PahoClient,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        if reason_code.is_failure:
            self.refused(str(reason_code))
        super()._on_publish(client, userdata, mid, reason_code, properties)


class Core:
    """The reference core. `run` serves until it is cancelled; the rest may be called meanwhile.

    All work on the book is done in one thread, so that the connection is read during a commit and
    what came in meanwhile goes into the next one.
    """

    def __init__(self, desk: Desk, connection: Connection, random: Random, tell: Tell) -> None:
        self.desk = desk
        self.connected = asyncio.Event()
        self._connection = connection
        self._random = random
        self._tell = tell
        self._worker = ThreadPoolExecutor(1, "book")
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue(OUTGOING_MAX)
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._logger = logging.getLogger("simulators.core")

    async def run(self) -> None:
        """Connect and serve, again and again, until cancelled."""
        pause_s = RETRY_FIRST_S
        try:
            while True:
                try:
                    async with self._client() as client:
                        pause_s = RETRY_FIRST_S
                        await self._serve(client)
                except aiomqtt.MqttError as error:
                    self._tell({"what": "disconnected", "reason": str(error)})
                finally:
                    self.connected.clear()
                await asyncio.sleep(pause_s * self._random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, RETRY_MAX_S)
        finally:
            self._worker.shutdown()

    async def stock(self) -> Mapping[tuple[str, str], Any]:
        """Stock on hand as committed, by (location, item)."""
        return await self._work(self.desk.book.stock)

    async def put(self, kind: str, code: str, body: Mapping[str, Any] | None) -> None:
        """Issue an item, location, badge, book or task to all gateways; None takes it back."""
        await self._pass_on(await self._work(lambda: self.desk.put(kind, code, body)))

    async def order(self, task: Mapping[str, Any], gateway: str = "") -> None:
        """Take an order, or amend it, and issue its task. See Desk.order."""
        await self._pass_on(await self._work(lambda: self.desk.order(task, gateway)))

    async def withdraw(self, task: str) -> None:
        """Take an order back. See Desk.withdraw."""
        await self._pass_on(await self._work(lambda: self.desk.withdraw(task)))

    async def answer(self, proposal: str, *, approved: bool, actor: str = "") -> None:
        """Decide on a proposal, and tell its gateway. See Desk.answer."""
        answer = await self._work(
            lambda: self.desk.answer(proposal, approved=approved, actor=actor)
        )
        await self._pass_on(answer)

    async def command(
        self, gateway: str, command: str, args: Mapping[str, Any], timeout_s: float = 10.0
    ) -> Mapping[str, Any]:
        """Ask a gateway to do something, and return its response; TimeoutError without one."""
        request, message = await self._work(lambda: self.desk.command(gateway, command, args))
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[request] = future
        try:
            async with asyncio.timeout(timeout_s):
                await self._outgoing.put(message)
                return await future
        finally:
            del self._waiting[request]

    def _client(self) -> aiomqtt.Client:
        client = _Client(
            self._connection.host,
            self._connection.port,
            identifier=self._connection.client_id,
            protocol=aiomqtt.ProtocolVersion(self._connection.version),
            max_queued_incoming_messages=INCOMING_MAX,
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_TIMEOUT_S,
            socket_options=[NO_DELAY],
            logger=self._logger,
        )
        client.refused = lambda reason: self._tell({"what": "refused", "reason": reason})
        return client

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Serve one connection; what was not sent on it is settled by the hellos on the next."""
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
        desk = self.desk
        topics = [(desk.contract.topic(each, desk.site, "+"), 1) for each in _UP_CHANNELS]
        for code in await client.subscribe(topics):
            if (code if isinstance(code, int) else code.value) >= 0x80:
                raise aiomqtt.MqttError(f"the broker refuses a subscription: {code}")
        sides = {
            asyncio.create_task(self._send(client), name="send"),
            asyncio.create_task(self._receive(client), name="receive"),
            asyncio.create_task(self._look_for_orders(), name="orders"),
        }
        # No task group: before Python 3.13 it can swallow a cancellation when a side ends with it.
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in sides:
                side.cancel()
            ended, _ = await asyncio.wait(sides)
        errors = [error for side in ended if not side.cancelled() and (error := side.exception())]
        if errors:
            raise errors[0]

    async def _receive(self, client: aiomqtt.Client) -> None:
        await self._pass_on(await self._work(self.desk.connected))
        self.connected.set()
        self._tell({"what": "connected"})
        burst: list[Message] = []
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            burst.append(Message(str(message.topic), payload, message.retain))
            if len(client.messages) and len(burst) < BATCH_MAX:
                continue
            taken, burst = burst, []
            await self._pass_on(await self._handle(taken))

    async def _look_for_orders(self) -> None:
        await self.connected.wait()
        while True:
            await self._pass_on(await self._work(self.desk.decided_elsewhere))
            await asyncio.sleep(ORDERS_LOOK_S)

    async def _handle(self, burst: list[Message]) -> Answer:
        now_s = asyncio.get_running_loop().time()
        return await self._work(lambda: self.desk.handle(burst, now_s))

    async def _send(self, client: aiomqtt.Client) -> None:
        """Publish what is due. The keepalive ends a publish that is never acknowledged.

        With a timeout aiomqtt would use `asyncio.wait_for`, which before Python 3.12 can swallow
        the cancellation that comes together with the PUBACK, and this would never end.
        """
        while True:
            topic, payload, retain = await self._outgoing.get()
            await client.publish(topic, payload, qos=1, retain=retain, timeout=math.inf)

    async def _pass_on(self, answer: Answer) -> None:
        for report in answer.reports:
            self._tell(report)
            future = self._waiting.get(report.get("response", {}).get("id"))
            if future is not None and not future.done():
                future.set_result(report["response"])
        for message in answer.messages:
            await self._outgoing.put(message)

    async def _work(self, job: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._worker, job)
