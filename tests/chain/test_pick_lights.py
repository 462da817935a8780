"""What a person reads off the demo's pick lights, and that his look is held against the truth."""

import asyncio
import json
import struct
from contextlib import suppress

from simulators.demo.lights import COLOUR_AT, NUMBER_AT, PATTERN_AT, PickLights, Shown
from simulators.demo.truth import Look
from simulators.modbus.lamps import ON, WRITE_COIL, WRITE_REGISTER

GREEN_4, RED_1 = Shown("green", "take", 4), Shown("red", "put back", 1)


def write(lights: PickLights, function: int, address: int, value: int) -> None:
    lights.module.answer(struct.pack(">BHH", function, address, value))


def light_up(lights: PickLights, cell: int, colour: int, pattern: int, number: int) -> None:
    write(lights, WRITE_REGISTER, NUMBER_AT + cell, number)
    write(lights, WRITE_REGISTER, COLOUR_AT + cell, colour)
    write(lights, WRITE_REGISTER, PATTERN_AT + cell, pattern)
    write(lights, WRITE_COIL, cell, ON)


def tell_strip(lights: PickLights, cell: int, rgb: list[int], effect: int, number: str) -> None:
    segment = {"id": cell, "on": True, "col": [rgb], "fx": effect}
    lights.digits[f"B-{cell}"].take(number.encode())
    lights.strip.take(json.dumps({"on": True, "seg": [segment]}).encode())


def test_module_is_read_by_its_coil_and_registers() -> None:
    lights = PickLights()
    assert lights.shown("A-2") == Shown()
    light_up(lights, 2, 3, 1, 4)
    assert lights.shown("A-2") == GREEN_4
    assert str(GREEN_4) == "green 4, take"
    assert lights.shown("A-1") == Shown()


def test_module_that_is_being_put_out_shows_no_colour() -> None:
    lights = PickLights()
    light_up(lights, 2, 3, 1, 4)
    write(lights, WRITE_REGISTER, COLOUR_AT + 2, 0)  # the coil goes last
    assert lights.shown("A-2") == Shown()


def test_strip_is_read_by_its_segment_and_digits() -> None:
    lights = PickLights()
    tell_strip(lights, 1, [0, 255, 0], 0, "4")
    tell_strip(lights, 2, [255, 0, 0], 1, "1")
    tell_strip(lights, 3, [0, 255, 0], 1, "2")
    tell_strip(lights, 4, [255, 120, 0], 100, "3")
    assert [lights.shown(f"B-{cell}") for cell in (1, 2, 3, 4)] == [
        GREEN_4,
        RED_1,
        Shown("green", "put", 2),
        Shown("amber", "look", 3),
    ]


async def test_each_change_is_told_once() -> None:
    lights, told, heard = PickLights(), list[tuple[str, Shown]](), asyncio.Event()

    def tell(location: str, shown: Shown) -> None:
        told.append((location, shown))
        heard.set()

    watching = asyncio.create_task(lights.watch(tell))
    async with asyncio.timeout(5.0):
        light_up(lights, 1, 3, 1, 4)
        await heard.wait()
        heard.clear()
        light_up(lights, 1, 1, 3, 1)
        await heard.wait()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert told == [("A-1", GREEN_4), ("A-1", RED_1)]


def test_look_is_right_only_if_the_light_says_what_and_how_many() -> None:
    def look(to_do: str, pieces: int, seen: Shown) -> bool:
        return Look(1.0, "T-1", "A-1", to_do, pieces, seen).right

    assert look("take", 4, GREEN_4)
    assert not look("take", 3, GREEN_4)
    assert not look("put", 4, GREEN_4)
    assert not look("take", 4, Shown())
