"""Pick lights of the simulated site, one at each cell, and what a person reads off them.

Shelf A has a lamp module on its Modbus link, with a lamp, a colour, a pattern and digits for each
cell. Shelf B has a WLED strip behind the broker, one segment for each cell, and a display beside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from simulators.modbus.lamps import LampModule
from simulators.mqtt_light.lights import Digits, Light, Wled
from simulators.mqtt_light.serve import Plugged
from simulators.world.layout import SPOTS, Spot

MODULE, STRIP = 9, "strip-b"
"""The unit id of the lamp module, and what the device of the strip is called."""

COLOUR_CODES = {1: "red", 2: "amber", 3: "green", 4: "blue", 5: "white"}
PATTERN_CODES = {1: "steady", 2: "slow", 3: "fast", 4: "double"}
COLOUR_AT, PATTERN_AT, NUMBER_AT = 10, 20, 30
"""The registers of cell 0 of the module."""

RGB = {
    (255, 0, 0): "red",
    (255, 120, 0): "amber",
    (0, 255, 0): "green",
    (0, 0, 255): "blue",
    (255, 255, 255): "white",
}

MEANINGS = {"steady": "take", "slow": "put", "fast": "put back", "double": "look"}

LOOK_S = 0.1
"""Who watches a light looks so often; what it shows twice is what it shows."""

READY_WITHIN_S = 10.0
"""Until the lights of shelf B are connected to the broker."""

LAMP = """\
[[device.lights]]
light = "{light}"
unit_id = {module}
coil = {cell}
number_register = {number}
colour_register = {colour}
colours = {{ {colours} }}
pattern_register = {pattern}
patterns = {{ {patterns} }}
"""

STRIP_DEVICE = """
[[device]]
id = "{device}"
driver = "mqtt_light"
host = "{host}"
port = {port}
"""

SEGMENT = """\
[[device.lights]]
light = "{light}"
form = "wled"
topic = "{topic}"
segment = {cell}
number_topic = "{number_topic}"
"""

LIGHT = """
[[light]]
light = "{device}:{light}"
kind = "pick"
location = "{light}"
"""


class Shown(NamedTuple):
    """What a light tells a person: `says` is what to do, "" while it is dark."""

    colour: str = ""
    says: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.colour} {self.number}, {self.says}" if self.says else "dark"


class PickLights:
    """All pick lights of the site, by their location; the devices that they are made of."""

    def __init__(self) -> None:
        self.module = LampModule()
        self.strip = Wled(STRIP)
        self.digits = {
            spot.location: Digits(f"{STRIP}/{spot.cell}") for spot in SPOTS if spot.shelf == "B"
        }
        self._spots = {spot.location: spot for spot in SPOTS}

    def shown(self, location: str) -> Shown:
        """What the light at a cell shows."""
        spot = self._spots[location]
        return self._of_module(spot.cell) if spot.shelf == "A" else self._of_strip(spot)

    @asynccontextmanager
    async def plugged(self, host: str, port: int) -> AsyncIterator[None]:
        """Connect those of shelf B to their broker. TimeoutError if it does not let them."""
        lights: list[Light] = [self.strip, *self.digits.values()]
        async with AsyncExitStack() as stack:
            plugs = [Plugged(light, host, port, lambda: None) for light in lights]
            for plug in plugs:
                await stack.enter_async_context(plug)
            async with asyncio.timeout(READY_WITHIN_S):
                for plug in plugs:
                    await plug.there.wait()
            yield

    async def watch(self, tell: Callable[[str, Shown], None]) -> None:
        """Tell whenever a light shows something else, until cancelled."""
        told = dict.fromkeys(self._spots, Shown())
        before = dict(told)
        while True:
            now = {location: self.shown(location) for location in self._spots}
            for location, shown in now.items():
                if shown == before[location] != told[location]:
                    told[location] = shown
                    tell(location, shown)
            before = now
            await asyncio.sleep(LOOK_S)

    def _of_module(self, cell: int) -> Shown:
        registers = self.module.registers
        pattern = PATTERN_CODES.get(registers[PATTERN_AT + cell])
        colour = COLOUR_CODES.get(registers[COLOUR_AT + cell])
        if not self.module.coils[cell] or pattern is None or colour is None:
            return Shown()
        return Shown(colour, MEANINGS[pattern], registers[NUMBER_AT + cell])

    def _of_strip(self, spot: Spot) -> Shown:
        seen = self.strip.seen(spot.cell)
        if seen.rgb is None:
            return Shown()
        colour = RGB[seen.rgb]
        # Both blink, and only red means that pieces are to go back.
        blinks = "fast" if colour == "red" else "slow"
        pattern = {"Solid": "steady", "Blink": blinks, "Heartbeat": "double"}[seen.effect]
        return Shown(colour, MEANINGS[pattern], int(self.digits[spot.location].text or 0))


def lamps() -> str:
    """The lights of shelf A, as the section of its link has them."""
    colours = ", ".join(f"{name} = {code}" for code, name in COLOUR_CODES.items())
    patterns = ", ".join(f"{name} = {code}" for code, name in PATTERN_CODES.items())
    rows = (
        LAMP.format(
            light=spot.location,
            module=MODULE,
            cell=spot.cell,
            number=NUMBER_AT + spot.cell,
            colour=COLOUR_AT + spot.cell,
            colours=colours,
            pattern=PATTERN_AT + spot.cell,
            patterns=patterns,
        )
        for spot in SPOTS
        if spot.shelf == "A"
    )
    return "".join(rows)


def wiring(broker: tuple[str, int]) -> Iterator[str]:
    """The device of shelf B's strip, and what every light is for."""
    strip = Wled(STRIP)
    segments = [
        SEGMENT.format(
            light=spot.location,
            topic=strip.topic.removesuffix("/api"),
            cell=spot.cell,
            number_topic=Digits(f"{STRIP}/{spot.cell}").topic,
        )
        for spot in SPOTS
        if spot.shelf == "B"
    ]
    host, port = broker
    yield STRIP_DEVICE.format(device=STRIP, host=host, port=port) + "".join(segments)
    for spot in SPOTS:
        device = spot.device if spot.shelf == "A" else STRIP
        yield LIGHT.format(device=device, light=spot.location)
