"""A ROSpec being carried out: AISpecs in order, antenna after antenna, round after round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from simulators.llrp.device import Device
from simulators.llrp.field import Sighting
from simulators.llrp.radio import Radio
from simulators.llrp.report import Origin
from simulators.llrp.rospec import DURATION, GPI_STOP, TAG_OBSERVATION, AiSpec, RoSpec, StopTrigger

LAG_MAX_S = 1.0
"""A reader whose process was held up longer lets that time go instead of catching up."""

N_TAGS, NO_NEW_TAGS, N_ATTEMPTS = range(3)
"""Kinds of tag observation."""


class Surface(Protocol):
    """What an operation needs of its reader."""

    def usable(self, antenna: int) -> bool:
        """Tell whether an antenna is connected."""
        ...

    def read(self, sighting: Sighting, origin: Origin, at_s: float) -> None:
        """Take one read."""
        ...

    def hopped(self, channel: int) -> None:
        """Learn that the radio changed its channel."""
        ...

    def ai_spec_ended(self, spec_index: int) -> None:
        """Learn that an AISpec ended."""
        ...


@dataclass(slots=True)
class Watch:
    """Decides when one AISpec or ROSpec has reached its stop trigger."""

    trigger: StopTrigger
    began_s: float
    seen: set[bytes] = field(default_factory=set)
    last_new_s: float = 0.0
    reads: int = 0
    attempts: int = 0
    input_fired: bool = False

    def read(self, epc: bytes, at_s: float) -> None:
        """Count a read."""
        self.reads += 1
        if self.trigger.observation == NO_NEW_TAGS and epc not in self.seen:
            self.seen.add(epc)
            self.last_new_s = at_s

    def input_changed(self, port: int, level: bool) -> None:
        """Note the edge of an input."""
        trigger = self.trigger
        if trigger.kind == GPI_STOP and (trigger.port, trigger.level) == (port, level):
            self.input_fired = True

    def over(self, at_s: float) -> bool:
        """Tell whether the trigger has fired at that time."""
        trigger = self.trigger
        timed_s = trigger.duration_ms / 1000
        timed = trigger.kind == DURATION or timed_s > 0
        if timed and at_s - self.began_s >= timed_s:
            return True
        if trigger.kind == TAG_OBSERVATION:
            return self._observed(at_s)
        return self.input_fired

    def _observed(self, at_s: float) -> bool:
        if self.trigger.observation == N_TAGS:
            return self.reads >= self.trigger.tags
        if self.trigger.observation == NO_NEW_TAGS:
            since_s = at_s - max(self.last_new_s, self.began_s)
            return since_s >= self.trigger.quiet_ms / 1000
        return self.attempts >= self.trigger.attempts


class Operation:
    """Carries out one activation of a ROSpec."""

    def __init__(
        self,
        rospec: RoSpec,
        radio: Radio,
        device: Device,
        surface: Surface,
        now: Callable[[], float],
    ) -> None:
        self.rospec = rospec
        self._radio = radio
        self._device = device
        self._surface = surface
        self._now = now
        self._at_s = now()
        self._whole = Watch(rospec.stop, self._at_s)
        self._part = self._whole
        self._channel = 0

    def input_changed(self, port: int, level: bool) -> None:
        """Let the edge of an input reach the stop triggers."""
        self._whole.input_changed(port, level)
        self._part.input_changed(port, level)

    async def run(self) -> None:
        """Work until the ROSpec comes to its own end."""
        for index, spec in enumerate(self.rospec.ai_specs, 1):
            self._part = Watch(spec.stop, self._at_s)
            await self._inventory(index, spec)
            self._surface.ai_spec_ended(index)
            if self._whole.over(self._at_s):
                return

    async def _inventory(self, index: int, spec: AiSpec) -> None:
        """Sweep once at least: a trigger that has fired already must not spin the loop."""
        while True:
            await self._sweep(index, spec)
            self._part.attempts += 1
            if self._over():
                return

    def _over(self) -> bool:
        return self._part.over(self._at_s) or self._whole.over(self._at_s)

    async def _sweep(self, index: int, spec: AiSpec) -> None:
        usable = [antenna for antenna in spec.antennas if self._surface.usable(antenna)]
        if not usable:
            await self._reach(self._at_s + self._radio.settings.round_min_s)
        for antenna in self._radio.in_turn(usable):
            origin = Origin(self.rospec.number, index, spec.inventory_spec, antenna)
            leave_s = self._at_s + self._radio.settings.dwell_s
            self._hop(index + antenna)
            while self._at_s < leave_s and self._surface.usable(antenna):
                await self._round(spec, origin)
                if self._over():
                    return

    def _hop(self, seed: int) -> None:
        self._channel = (self._channel + seed) % 50
        self._surface.hopped(self._channel + 1)

    async def _round(self, spec: AiSpec, origin: Origin) -> None:
        start_s = self._at_s
        settings = spec.settings[origin.antenna]
        power_dbm = self._device.power_dbm(settings.power_index)
        result = self._radio.inventory(origin.antenna, settings, power_dbm, start_s)
        for offset_s, sighting in result.reads:
            at_s = start_s + offset_s
            if at_s > self._now():
                await self._reach(at_s + self._radio.settings.slice_s)
            if not self._surface.usable(origin.antenna):
                return
            self._surface.read(sighting, origin, at_s)
            self._part.read(sighting.epc, at_s)
            self._whole.read(sighting.epc, at_s)
            self._at_s = at_s
            if self._over():
                return
        await self._reach(start_s + result.duration_s)

    async def _reach(self, at_s: float) -> None:
        """Wait until that time; what a stalled process missed is let go."""
        late_s = self._now() - at_s
        await asyncio.sleep(max(0.0, -late_s))
        self._at_s = self._now() if late_s > LAG_MAX_S else at_s
