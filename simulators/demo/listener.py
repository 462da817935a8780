"""Somebody who only listens at the broker: what the gateway told, whatever its own ledger says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiomqtt

from simulators.core.contract import Contract
from simulators.core.service import Connection

RETRY_S = 0.2
"""Pause before a lost connection to the broker is tried again."""

INCOMING_MAX = 100_000
"""Messages that wait to be noted; more than a run of a day brings at once."""


class Listener:
    """Notes each movement that gateways published, and how far they say that their ledgers go.

    A record counts as announced when it was published, when one of a higher number was, or when
    a hello told of it: what was published while the listener itself was cut off shows as a gap.
    """

    def __init__(self, contract: Contract, site: str, *gateways: str) -> None:
        self.movements: dict[tuple[str, int], str] = {}
        self.last: dict[str, int] = {}
        self._events = {contract.topic("event", site, gateway) for gateway in gateways}
        self._hellos = {contract.topic("helloGateway", site, gateway) for gateway in gateways}

    async def run(self, connection: Connection) -> None:
        """Listen, over each connection that there is, until cancelled."""
        while True:
            try:
                await self._listen(connection)
            except aiomqtt.MqttError:
                await asyncio.sleep(RETRY_S)

    async def _listen(self, connection: Connection) -> None:
        client = aiomqtt.Client(
            connection.host,
            connection.port,
            identifier=connection.client_id,
            protocol=aiomqtt.ProtocolVersion(connection.version),
            max_queued_incoming_messages=INCOMING_MAX,
        )
        async with client:
            await client.subscribe([(topic, 1) for topic in self._events | self._hellos])
            async for message in client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                self.hear(str(message.topic), json.loads(payload))

    def hear(self, topic: str, told: dict[str, Any]) -> None:
        """Note one message; the same record told again changes nothing."""
        if topic in self._hellos:
            self._announce(told["epoch"], told["last"])
            return
        data = told["data"]
        self._announce(data["epoch"], data["seq"])
        if data["event"] == "movement":
            self.movements[data["epoch"], data["seq"]] = data["movement_id"]

    def _announce(self, epoch: str, seq: int) -> None:
        self.last[epoch] = max(seq, self.last.get(epoch, 0))

    def lost(self, held: dict[tuple[str, int], str]) -> set[tuple[str, int]]:
        """What was announced and is not held: movements not accepted, numbers without a record.

        `held` is the status of each record that the core has, by epoch and seq.
        """
        numbers = {(epoch, seq) for epoch, last in self.last.items() for seq in range(1, last + 1)}
        refused = {record for record in self.movements if held.get(record) != "accepted"}
        return refused | {record for record in numbers if record not in held}
