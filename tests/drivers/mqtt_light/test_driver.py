"""The driver of MQTT lights, against simulated ones behind Mosquitto."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.mqtt_light import MqttLightDriver
from drivers.mqtt_light.payloads import messages
from drivers.mqtt_light.settings import LightSettings, MqttLightSettings
from gateway.clock import BootClock
from gateway.model import DeviceFault, Heartbeat, LightColour, LightPattern, Observation, ShowLight
from gateway.ports import DriverContext, LightAbility, LinkError, ProtocolError
from simulators.broker import mosquitto
from simulators.mqtt_light.lights import Digits, JsonLight, Light, Seen, Wled
from simulators.mqtt_light.serve import Plugged
from tests.polling import until

EFFECTS = {"slow": "Slow", "fast": "Fast", "double": "Double"}
STRIP = {"light": "strip", "form": "wled", "topic": "wled/a", "segment": 2}
OTHER = {"light": "other", "form": "wled", "topic": "wled/a"}
LAMP = {
    "light": "lamp",
    "form": "json",
    "topic": "b/light/command",
    "effects": EFFECTS,
    "number_topic": "b/number",
    "status_topic": "b/status",
}
BARE = {"light": "bare", "form": "json", "topic": "c/light/command"}
LIGHTS = [STRIP, OTHER, LAMP, BARE]


class Desk:
    """A driver at work, and lights behind its broker."""

    def __init__(self, port: int, **settings: Any) -> None:
        self.seen: list[Observation] = []
        self.counts: Counter[str] = Counter()
        context = DriverContext("p", BootClock(), Random(1), self._count)
        known: dict[str, Any] = {"host": "127.0.0.1", "port": port, "lights": LIGHTS, **settings}
        self.driver = MqttLightDriver(MqttLightSettings(**known), context)
        self.wled, self.lamp, self.bare = (
            Wled("a"),
            JsonLight("b", tuple(EFFECTS.values())),
            JsonLight("c"),
        )
        self.digits = Digits("b")
        self.task = asyncio.create_task(self.driver.run(self))

    async def __call__(self, observation: Observation, age_ns: int = 0) -> None:
        assert age_ns == 0
        self.seen.append(observation)

    def blind(self, lost: int, reason: str) -> None:
        raise AssertionError(f"{lost} lost: {reason}")

    def faults(self) -> list[tuple[str, bool]]:
        return [(f.code, f.active) for f in self.seen if isinstance(f, DeviceFault)]

    def _count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount


@pytest.fixture
def port(require: Callable[[str], str]) -> int:
    require("mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def desk(port: int, **settings: Any) -> AsyncIterator[Desk]:
    at = Desk(port, **settings)
    try:
        await until(lambda: at.seen)
        yield at
    finally:
        at.task.cancel()
        await asyncio.gather(at.task, return_exceptions=True)


@asynccontextmanager
async def plugged(at: Desk, port: int) -> AsyncIterator[list[Plugged]]:
    lights: list[Light] = [at.wled, at.lamp, at.bare, at.digits]
    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(Plugged(light, "127.0.0.1", port, lambda: None))
            for light in lights
        ]
        for light in found:
            await light.there.wait()
        yield found


@pytest.mark.server
async def test_lights_show_what_they_are_told(port: int) -> None:
    async with mosquitto(port), desk(port) as at, plugged(at, port):
        await at.driver.act(ShowLight("p:strip", "green", "steady", 3))
        await at.driver.act(ShowLight("p:other", "red", "fast"))
        await at.driver.act(ShowLight("p:lamp", "blue", "double", 7))
        await at.driver.act(ShowLight("p:bare", "amber"))
        await until(lambda: at.bare.seen.rgb)
        assert at.wled.seen(2) == Seen((0, 255, 0), "Solid")
        assert at.wled.seen(0) == Seen((255, 0, 0), "Blink")
        assert at.lamp.seen == Seen((0, 0, 255), "Double")
        assert at.bare.seen == Seen((255, 120, 0), "None")
        assert at.digits.text == "7"
        for name in ("strip", "other", "lamp", "bare"):
            await at.driver.act(ShowLight(f"p:{name}"))
        await until(lambda: at.bare.seen == Seen())
        assert at.wled.seen(2) == at.wled.seen(0) == at.lamp.seen == Seen()
        assert at.digits.text == ""


@pytest.mark.server
async def test_light_that_comes_back_after_a_power_cut_is_told_anew(port: int) -> None:
    async with mosquitto(port), desk(port) as at, plugged(at, port) as lights:
        await at.driver.act(ShowLight("p:strip", "green"))
        await at.driver.act(ShowLight("p:lamp", "red", "slow"))
        await until(lambda: at.lamp.seen.rgb)
        for light, seen in (
            (lights[0], lambda: at.wled.seen(2).rgb),
            (lights[1], lambda: at.lamp.seen.rgb),
        ):
            await light.unplug()
            assert not seen()
            light.plug_in()
            await until(seen)


@pytest.mark.server
async def test_device_that_dies_is_told_and_so_is_its_return(port: int) -> None:
    async with mosquitto(port), desk(port) as at, plugged(at, port) as lights:
        assert at.faults() == [("light_offline", False)]
        await kill(lights[0])
        await until(lambda: ("light_offline", True) in at.faults())
        [fault] = [f for f in at.seen if isinstance(f, DeviceFault) and f.active]
        assert "wled/a/status" in fault.detail
        lights[0].plug_in()
        await until(lambda: at.faults()[-1] == ("light_offline", False))
        assert at.counts["lights_offline"] == 1


async def kill(light: Plugged) -> None:
    """Its power is cut in the middle: nobody says goodbye."""
    assert light.client is not None
    light.client._client._sock_close()
    await light.unplug()


@pytest.mark.server
async def test_broker_that_goes_away_ends_the_link(port: int) -> None:
    async with AsyncExitStack() as stack:
        async with mosquitto(port):
            at = await stack.enter_async_context(desk(port))
            await at.driver.act(ShowLight("p:bare", "red"))
        await until(at.task.done)
        assert isinstance(at.task.exception(), LinkError)
        with pytest.raises(LinkError, match="not connected"):
            await at.driver.act(ShowLight("p:bare"))
        assert isinstance(at.seen[0], Heartbeat)


async def test_nobody_at_that_port_is_told(port: int) -> None:
    at = Desk(port)
    with pytest.raises(LinkError, match=f"127.0.0.1:{port} cannot be reached"):
        await at.task


@pytest.mark.server
async def test_password_that_cannot_be_read_is_told(port: int, tmp_path: Path) -> None:
    async with mosquitto(port):
        at = Desk(port, username="x", password_file=str(tmp_path / "none"))
        with pytest.raises(LinkError, match=r"password_file .*none cannot be read: No such file"):
            await at.task


async def test_what_is_no_light_is_refused() -> None:
    settings = MqttLightSettings(host="h", lights=(LightSettings(**LAMP), LightSettings(**BARE)))
    driver = MqttLightDriver(settings, DriverContext("p", BootClock(), Random(1), print))
    every = frozenset({"red", "amber", "green", "blue", "white"})
    assert driver.lights() == {
        "p:lamp": LightAbility(every, blinks=True),
        "p:bare": LightAbility(every),
    }
    with pytest.raises(ProtocolError, match="no light p:x"):
        await driver.act(ShowLight("p:x"))


COLOURS: tuple[LightColour, ...] = ("red", "amber", "green", "blue", "white")
PATTERNS: tuple[LightPattern, ...] = ("steady", "slow", "fast", "double")


@pytest.mark.parametrize("settings", LIGHTS, ids=lambda each: each["light"])
def test_whatever_is_told_differs_by_pattern_and_by_colour(settings: dict[str, Any]) -> None:
    light = LightSettings(**settings)
    said = {
        payload
        for colour in COLOURS
        for pattern in PATTERNS
        for _, payload in messages(light, ShowLight("p:x", colour, pattern))[-1:]
    }
    patterns = 1 if settings is BARE else len(PATTERNS)
    assert len(said) == len(COLOURS) * patterns
    assert all(json.loads(payload) for payload in said)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({**STRIP, "effects": EFFECTS}, "those of a wled are known"),
        ({**LAMP, "effects": {"slow": "Slow"}}, "slow, fast and double"),
        ({**LAMP, "topic": "a/#"}, "topic"),
        ({**STRIP, "segment": 40}, "less than or equal to 31"),
    ],
)
def test_light_that_makes_no_sense_is_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        LightSettings(**settings)
    with pytest.raises(ValidationError, match="each name may stand once"):
        MqttLightSettings(host="h", lights=(LightSettings(**BARE), LightSettings(**BARE)))
