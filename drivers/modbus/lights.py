"""Lights behind a Modbus link: which coils and registers each is made of, and what is written.

Only what has changed is written, the coils last, so that no lamp lights beside an old number. One
light a second is written whole, whatever it shows: a lamp module that lost its power in between
lights again by itself, and a link with nothing but lights proves that it is alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from drivers.modbus.link import Link
from drivers.modbus.settings import LightSettings
from gateway.model import LightId, ShowLight
from gateway.ports import LightAbility, LinkError, ProtocolError

REFRESH_S = 1.0
"""Every so often one light is written whole."""

DARK = 0
"""What a colour or pattern register holds of a light that is dark."""


class _Write(NamedTuple):
    """One coil or holding register of a unit, and what it is to hold."""

    unit: int
    is_coil: bool
    address: int
    value: int


class Lights:
    """See the module. Exchanges of one light are never mixed with those of another."""

    def __init__(self, device: str, lights: Sequence[LightSettings]) -> None:
        self._lights = {f"{device}:{each.light}": each for each in lights}
        self._written: dict[tuple[int, bool, int], int] = {}
        self._shown: dict[LightId, ShowLight] = {}
        self._turn = asyncio.Lock()

    @property
    def abilities(self) -> dict[LightId, LightAbility]:
        """What each can show."""
        return {
            light: LightAbility(
                frozenset((*each.coils, *each.colours)), each.pattern_register is not None
            )
            for light, each in self._lights.items()
        }

    def doubt(self) -> None:
        """Nobody knows how any light stands, nor what it is to show now."""
        self._written.clear()
        self._shown.clear()

    async def show(self, link: Link | None, shown: ShowLight) -> None:
        """Write what has changed. ProtocolError if there is no such light, or a unit refuses;
        LinkError without a link.
        """
        settings = self._lights.get(shown.light)
        if settings is None:
            raise ProtocolError(f"no light {shown.light}")
        if link is None:
            raise LinkError("not connected: nothing was sent")
        async with self._turn:
            self._shown[shown.light] = shown
            for write in _writes(settings, shown):
                if self._written.get(write[:3]) != write.value:
                    await self._write(link, write)

    async def refresh(self, link: Link, place: int) -> bool:
        """Write the light that has its turn whole; False if none is to show anything yet."""
        async with self._turn:
            lights = list(self._shown)
            if not lights:
                return False
            light = lights[place % len(lights)]
            for write in _writes(self._lights[light], self._shown[light]):
                await self._write(link, write)
        return True

    async def _write(self, link: Link, write: _Write) -> None:
        self._written.pop(write[:3], None)  # until it is certain
        if write.is_coil:
            await link.write_coil(write.unit, write.address, bool(write.value))
        else:
            await link.write(write.unit, write.address, write.value)
        self._written[write[:3]] = write.value


def _writes(settings: LightSettings, shown: ShowLight) -> Iterator[_Write]:
    """All that a light holds when it shows that."""
    unit, colour = settings.unit_id, shown.colour
    if settings.number_register is not None:
        number = settings.blank if shown.number is None else min(shown.number, settings.number_max)
        yield _Write(unit, False, settings.number_register, number)
    if settings.colour_register is not None:
        code = DARK if colour is None else settings.colours[colour]
        yield _Write(unit, False, settings.colour_register, code)
    if settings.pattern_register is not None:
        code = DARK if colour is None else settings.patterns[shown.pattern]
        yield _Write(unit, False, settings.pattern_register, code)
    coils: Mapping[str | None, int] = dict(settings.coils.items())
    if settings.coil is not None:
        coils = {None: settings.coil}
    for name, coil in coils.items():
        yield _Write(unit, True, coil, int(colour is not None and name in {None, colour}))
