"""Joins a light to a broker: it says that it is there, takes what it is told, may lose power."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import aiomqtt

from simulators.mqtt_light.lights import Light

RETRY_S = 0.2


class Plugged:
    """A light that has power until it is told otherwise. Use `async with`."""

    def __init__(self, light: Light, host: str, port: int, tell: Callable[[], None]) -> None:
        self.light = light
        self._where = host, port
        self._tell = tell
        self._running: asyncio.Task[None] | None = None
        self.there = asyncio.Event()
        self.client: aiomqtt.Client | None = None

    async def __aenter__(self) -> Self:
        self.plug_in()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.unplug()

    def plug_in(self) -> None:
        """It has power, and connects."""
        self._running = asyncio.create_task(self._run(), name=f"light {self.light.topic}")

    async def unplug(self) -> None:
        """It has no power, shows nothing, and the broker says so."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        self.light.power_cycle()
        self.there.clear()
        self._tell()

    async def _run(self) -> None:
        while True:
            try:
                await self._connected()
            except aiomqtt.MqttError:
                self.there.clear()
                await asyncio.sleep(RETRY_S)

    async def _connected(self) -> None:
        host, port = self._where
        status = self.light.status_topic
        will = aiomqtt.Will(status, "offline", qos=1, retain=True)
        async with aiomqtt.Client(host, port, will=will) as client:
            self.client = client
            await client.subscribe(self.light.topic, qos=1)
            await client.publish(status, "online", qos=1, retain=True)
            self.there.set()
            async for message in client.messages:
                self.light.take(bytes(message.payload))
                self._tell()
