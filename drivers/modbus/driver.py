"""The Modbus driver: polls the weight transmitters of one link, each at its own pace, and switches
the lights on it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from typing import ClassVar

from drivers.modbus.answers import DesyncError, UnitError
from drivers.modbus.commands import CommandPort
from drivers.modbus.faults import FaultBoard, FaultCode
from drivers.modbus.lights import REFRESH_S, Lights
from drivers.modbus.link import Link
from drivers.modbus.profiles_folder import find_folder
from drivers.modbus.settings import ModbusSettings
from drivers.modbus.unit import FAILURES_MAX, Unit, make_units
from gateway.model import NS_PER_S, Action, Heartbeat, LightId, Ns, Pulse, ShowLight, WeightReport
from gateway.ports import (
    DriverContext,
    Emit,
    LightAbility,
    LinkError,
    PluginSettings,
    ProtocolError,
)

SILENCE_POLLS = 3
"""Polls that may fail before the link counts as silent: the share of lost frames is far below."""

SILENCE_MIN_NS = NS_PER_S


class ModbusDriver:
    """One link with its units. A silent unit costs the others at most one time-out a probe."""

    Settings: ClassVar[type[PluginSettings]] = ModbusSettings

    def __init__(self, settings: ModbusSettings, context: DriverContext) -> None:
        self._settings = settings
        self._context = context
        folder = find_folder(settings.profiles_folder)
        self.units = make_units(settings.units, folder, context.device)
        self._units_by_cell = {cell: unit for unit in self.units for cell in unit.cells.ids}
        self._lights = Lights(context.device, settings.lights)
        self._link: Link | None = None
        self._board = FaultBoard(context.device, len(self.units))
        self._unanswered_units: set[int] = set()
        self._poll_ns = int(NS_PER_S / settings.poll_hz)
        gap_s = 0.0 if settings.link == "tcp" else settings.quiet_gap_s
        self._failure_ns = int((settings.timeout_s + gap_s) * NS_PER_S)
        self.lateness_max_ns: Ns = int(settings.timeout_s * NS_PER_S)
        period_ns = self._poll_ns if self.units else int(REFRESH_S * NS_PER_S)
        self.silence_max_ns: Ns = max(
            SILENCE_MIN_NS, SILENCE_POLLS * (period_ns + self._failure_ns)
        )

    async def run(self, emit: Emit) -> None:
        """Connect and poll until cancelled; LinkError when no unit answers any more."""
        link = Link(self._settings, self._context.clock, self._context.count)
        try:
            await link.open()
            self._lights.doubt()
            self._link = link
            if not self._settings.lights:
                await self._poll_all(link, emit)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_lights(link, emit), name="modbus lights")
                if self.units:
                    tasks.create_task(self._poll_all(link, emit), name="modbus poll")
        finally:
            self._link = None
            await link.close()

    def points(self) -> frozenset[str]:
        """The cells of all units."""
        return frozenset(self._units_by_cell)

    def lights(self) -> Mapping[LightId, LightAbility]:
        """The lights on the link."""
        return self._lights.abilities

    async def act(self, action: Action) -> None:
        """Switch a light; or tare or zero a cell, at most once. LinkError or ProtocolError when
        that is uncertain.
        """
        if isinstance(action, ShowLight):
            await self._lights.show(self._link, action)
            return
        if not isinstance(action, Pulse):
            raise ProtocolError(f"a weight transmitter cannot {type(action).__name__}")
        unit = self._units_by_cell.get(action.cell)
        if unit is None:
            raise ProtocolError(f"no cell {action.cell}")
        if self._link is None:
            raise LinkError("not connected: nothing was sent")
        await CommandPort(self._link, unit).carry_out(action.kind, action.cell)
        self._context.count(f"modbus_{action.kind}")

    async def _keep_lights(self, link: Link, emit: Emit) -> None:
        """Write the lights anew by turns. Where only lights are on the link, they show that it is
        alive; beside scales they prove nothing of these.
        """
        alone, place, unanswered = not self.units, 0, 0
        if alone:
            await emit(Heartbeat(self._context.device))
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                asked = await self._lights.refresh(link, place)
            except UnitError as error:
                self._context.count(f"modbus_{error.kind}")
                unanswered += 1
                if alone and unanswered >= max(FAILURES_MAX, len(self._settings.lights)):
                    raise LinkError(f"no light answers; last: {error}") from error
            else:
                unanswered = 0
                if alone and asked:
                    await emit(Heartbeat(self._context.device))
            place += 1

    async def _poll_all(self, link: Link, emit: Emit) -> None:
        clock = self._context.clock
        queue = self._staggered(clock.now())
        while True:
            due, place = heapq.heappop(queue)
            unit = self.units[place]
            wait_ns = due - clock.now()
            if wait_ns > 0:
                await asyncio.sleep(wait_ns / NS_PER_S)
            await self._poll(unit, link, emit)
            period_ns = unit.period_ns(self._poll_ns, self._failure_ns, self._context.random)
            now = clock.now()
            # A poll that was missed is not made up for: all late units take turns.
            following = max(now, due + period_ns)
            if unit.probed:
                following = now + period_ns
            heapq.heappush(queue, (following, place))

    def _staggered(self, now: Ns) -> list[tuple[Ns, int]]:
        """Spread the first polls over one period; silent units wait, unless all of them are."""
        self._unanswered_units.clear()
        self._board.connect()
        all_silent = all(unit.silent for unit in self.units)
        queue = []
        for place, unit in enumerate(self.units):
            unit.restart()
            due = now + self._poll_ns * place // len(self.units)
            if unit.probed and not all_silent:
                due += unit.period_ns(self._poll_ns, self._failure_ns, self._context.random)
            queue.append((due, place))
        heapq.heapify(queue)
        return queue

    async def _poll(self, unit: Unit, link: Link, emit: Emit) -> None:
        try:
            answer = await link.read(unit.request)
        except UnitError as error:
            await self._unanswered(unit, error, emit)
            return
        except DesyncError as error:
            if error.unit_asked:
                await self._report(unit, unit.distrust(error), emit, answered=False)
            raise
        self._unanswered_units.discard(unit.id)
        polled = unit.answered(answer.registers, self._context.clock.now())
        if polled.faults:
            await self._report(unit, polled.faults, emit, answered=True)
        if polled.samples:
            report = WeightReport(self._context.device, polled.samples)
            await emit(report, answer.elapsed_ns // 2)
        else:
            self._context.count("modbus_no_sample")

    async def _unanswered(self, unit: Unit, error: UnitError, emit: Emit) -> None:
        self._context.count(f"modbus_{error.kind}")
        faults = unit.failed(error)
        self._unanswered_units.add(unit.id)
        if all(u.silent and u.id in self._unanswered_units for u in self.units):
            raise LinkError(f"no unit answers; last: {error}")
        await self._report(unit, faults, emit, answered=False)

    async def _report(
        self, unit: Unit, faults: Mapping[FaultCode, str], emit: Emit, *, answered: bool
    ) -> None:
        for code, detail in faults.items():
            if detail:
                self._context.count(f"modbus_{code}")
        for fault in self._board.note(unit.id, faults, answered=answered):
            await emit(fault)
