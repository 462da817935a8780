"""The driver of lights behind an MQTT broker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar

from drivers.mqtt_light.link import Link, opened
from drivers.mqtt_light.payloads import RGB, messages
from drivers.mqtt_light.settings import MqttLightSettings
from gateway.model import NS_PER_S, Action, DeviceFault, Heartbeat, LightId, Ns, ShowLight
from gateway.ports import (
    DriverContext,
    Emit,
    LightAbility,
    LinkError,
    PluginSettings,
    ProtocolError,
)

HEARTBEAT_S = 5.0
"""How often it is told that the connection stands; that it does, MQTT's keepalive proves."""

OFFLINE = "light_offline"


class MqttLightDriver:
    """Tells lights what to show. One that comes back after a power cut is told anew."""

    Settings: ClassVar[type[PluginSettings]] = MqttLightSettings
    lateness_max_ns: Ns = 0
    silence_max_ns: Ns = int(3 * HEARTBEAT_S * NS_PER_S)

    def __init__(self, settings: MqttLightSettings, context: DriverContext) -> None:
        self._settings = settings
        self._context = context
        self._lights = {f"{context.device}:{each.light}": each for each in settings.lights}
        self._shown: dict[LightId, ShowLight] = {}
        self._told: dict[tuple[LightId, str], bytes] = {}
        self._offline: set[str] = set()
        self._link: Link | None = None

    def points(self) -> frozenset[str]:
        """It has neither antennas nor cells."""
        return frozenset()

    def lights(self) -> Mapping[LightId, LightAbility]:
        """All of them, in every colour; what has no effects is switched by the gateway."""
        return {
            light: LightAbility(frozenset(RGB), each.form == "wled" or bool(each.effects))
            for light, each in self._lights.items()
        }

    async def act(self, action: Action) -> None:
        """Tell a light what to show. LinkError unless the broker has taken it."""
        if not isinstance(action, ShowLight):
            raise ProtocolError(f"lights cannot {type(action).__name__}")
        settings, link = self._lights.get(action.light), self._link
        if settings is None:
            raise ProtocolError(f"no light {action.light}")
        if link is None:
            raise LinkError("not connected: nothing was sent")
        self._shown[action.light] = action
        for topic, payload in messages(settings, action):
            if self._told.get((action.light, topic)) != payload:
                self._told.pop((action.light, topic), None)
                await link.publish(topic, payload)
                self._told[action.light, topic] = payload

    async def run(self, emit: Emit) -> None:
        """Connect and keep the connection until cancelled; LinkError when it is lost."""
        topics = dict.fromkeys(each.says for each in self._settings.lights if each.says)
        self._shown.clear()
        self._told.clear()
        self._offline.clear()
        async with opened(self._settings, [topic for topic in topics if topic]) as link:
            self._link = link
            try:
                await emit(Heartbeat(self._context.device))
                await emit(DeviceFault(self._context.device, OFFLINE, active=False))
                await self._keep(link, emit)
            finally:
                self._link = None

    async def _keep(self, link: Link, emit: Emit) -> None:
        while True:
            if link.lost.done():
                raise LinkError(link.lost.result())
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    topic, payload = await link.heard.get()
                    await self._hear(topic, payload, emit)
            if not link.lost.done():
                await emit(Heartbeat(self._context.device))

    async def _hear(self, topic: str, payload: bytes, emit: Emit) -> None:
        """A device says that it is there, or the broker that it no longer is."""
        said = payload.decode("utf-8", "replace").strip().lower()
        before = bool(self._offline)
        if said == "offline":
            self._context.count("lights_offline")
            self._offline.add(topic)
        elif said == "online":
            self._offline.discard(topic)
            for light, each in self._lights.items():
                if each.says == topic and light in self._shown:
                    self._told = {k: v for k, v in self._told.items() if k[0] != light}
                    await self.act(self._shown[light])
        if self._offline or before:
            detail = f"no answer from {', '.join(sorted(self._offline))}" if self._offline else ""
            fault = DeviceFault(self._context.device, OFFLINE, bool(self._offline), detail)
            await emit(fault)
