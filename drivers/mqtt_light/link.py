"""One connection to the lights' broker: paho-mqtt in its thread, its answers as futures here.

It dies once and is thrown away; it never reconnects by itself, since the supervisor does. MQTT
3.1.1, which every broker of such lights speaks, with no client id: two gateways may share a broker.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from drivers.mqtt_light.settings import MqttLightSettings
from gateway.ports import LinkError

HEARD_MAX = 1000
"""States of devices not looked at yet; each says two words a day. Of more, the newest are lost."""

Heard = tuple[str, bytes]

NOTHING: Heard = ("", b"")
"""Wakes whoever waits to hear something, when the connection is lost."""


class Link:
    """See the module. `lost` ends when the connection does; `heard` is what was subscribed to."""

    def __init__(self, settings: MqttLightSettings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._answers: dict[int, asyncio.Future[None]] = {}
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.heard: asyncio.Queue[Heard] = asyncio.Queue(HEARD_MAX)
        self._connected: asyncio.Future[str] = self._loop.create_future()
        self._client = self._made()

    async def open(self, topics: Sequence[str]) -> None:
        """Connect and subscribe; LinkError, with what a person can do about it, if that fails."""
        where = f"{self._settings.host}:{self._settings.tcp_port}"
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await self._dial()
                refusal = await self._connected
        except TimeoutError as error:
            raise LinkError(f"broker {where} does not answer") from error
        except OSError as error:
            raise LinkError(f"broker {where} cannot be reached: {error}") from error
        if refusal:
            raise LinkError(f"broker {where} refuses: {refusal}")
        if topics:
            self._client.subscribe([(topic, 1) for topic in topics])

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send, and wait for the PUBACK; LinkError if none comes."""
        if self.lost.done():
            raise LinkError(self.lost.result())
        info = self._client.publish(topic, payload, qos=1)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"cannot send to {topic}: {info.rc.name}")
        answer = self._answers.setdefault(info.mid, self._loop.create_future())
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await answer
        except TimeoutError as error:
            raise LinkError(f"the broker did not take {topic}") from error
        finally:
            self._answers.pop(info.mid, None)

    async def close(self) -> None:
        """Say goodbye, and end the thread."""
        self._client.disconnect()
        await asyncio.shield(asyncio.to_thread(self._client.loop_stop))

    async def _dial(self) -> None:
        settings = self._settings
        await asyncio.to_thread(
            self._client.connect, settings.host, settings.tcp_port, settings.keepalive_s
        )
        self._client.loop_start()

    def _made(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = settings.answer_s
        if settings.username is not None:
            client.username_pw_set(settings.username, _password(settings.password_file))
        if settings.ca_file is not None:
            client.tls_set(settings.ca_file)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    # Called in the library's thread

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        self._tell(self._connected, str(code) if code.is_failure else "")

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        self._tell(self.lost, f"connection to the broker lost: {code}")
        self._loop.call_soon_threadsafe(self._hear, NOTHING)

    def _on_publish(self, _client: Any, _data: Any, mid: int, _code: Any, _more: Any) -> None:
        self._loop.call_soon_threadsafe(self._answered, mid)

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._hear, (message.topic, bytes(message.payload)))

    # Called in the loop

    def _tell(self, future: asyncio.Future[str], text: str) -> None:
        def tell() -> None:
            if not future.done():
                future.set_result(text)

        self._loop.call_soon_threadsafe(tell)

    def _answered(self, mid: int) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(None)

    def _hear(self, heard: Heard) -> None:
        with suppress(asyncio.QueueFull):
            self.heard.put_nowait(heard)


@asynccontextmanager
async def opened(settings: MqttLightSettings, topics: Sequence[str]) -> AsyncIterator[Link]:
    """A connection that is subscribed to these topics, and is closed at the end."""
    link = Link(settings)
    try:
        await link.open(topics)
        yield link
    finally:
        await link.close()


def _password(named: str | None) -> str | None:
    """A path, or the name of a systemd credential; LinkError if it cannot be read."""
    if named is None:
        return None
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), named)
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LinkError(f"password_file {path} cannot be read: {error.strerror}") from error
