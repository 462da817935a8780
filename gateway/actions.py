"""Carries decided actions to the field, after their turn is on disk.

What lights show is desired state: sent when decided, again whenever the device comes up, and again
after a while where the device is up and did not obey. They go out when the gateway stops in order;
what they should show stays, and is shown by the next start. Pulses are sent at most once: marked
`sent` before, `done` after; what was sent when the gateway died is `unknown`, and never sent again.
A wish is sent once, and lost if its device is away. Each device has its own line: one that hangs
delays no other, and nothing old overtakes what is new.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress

import structlog

from gateway.inbox import Inbox
from gateway.lights import Ability, LightBoard
from gateway.model import (
    NS_PER_S,
    ActionDone,
    DeviceFault,
    Light,
    LightId,
    Ns,
    Pulse,
    ReadDeeply,
    ShowLight,
)
from gateway.ports import Clock, LinkError
from gateway.store import Committed, PulseRow, Store, StoreFull
from gateway.supervisor import NotConnected, Supervisor

PULSES_MAX = 100
"""Pulses that wait for one device; people give them one by one. The oldest is told as unknown."""

ACT_TIMEOUT_S = 10.0
"""A device that has not answered by then did not do it for certain."""


AGAIN_NS = 5 * NS_PER_S
"""A light that did not obey is asked again so long after."""

DETAIL_MAX = 500
"""How much is said of lights that do not obey: the first tell enough."""

OUT_S = 2.0
"""What stopping waits for lights to go out."""


class _Line:
    """What one device is still to be sent."""

    def __init__(self, came_up: asyncio.Event, lights: Collection[LightId], can: Ability) -> None:
        self.came_up = came_up
        self.board = LightBoard(lights, can)
        self.again_at: Ns = 0
        self.turn = asyncio.Lock()
        self.pulses: deque[PulseRow] = deque()
        self.wish: ReadDeeply | None = None
        self.filled = asyncio.Event()
        self.complained = bool(lights)  # an alert of an earlier run may still stand


class Dispatcher:
    """Sends what committed turns decided; of `lights`, all that are wired, each has a level."""

    def __init__(
        self,
        store: Store,
        supervisor: Supervisor,
        inbox: Inbox,
        clock: Clock,
        lights: Iterable[Light] = (),
    ) -> None:
        self._store = store
        self._supervisor = supervisor
        self._inbox = inbox
        self._clock = clock
        self._log = structlog.get_logger("action")
        wired: dict[str, list[LightId]] = {}
        for light in lights:
            wired.setdefault(light.light.rpartition(":")[0], []).append(light.light)
        self._lines = {
            name: _Line(device.came_up, wired.get(name, ()), supervisor.ability)
            for name, device in supervisor.devices.items()
        }
        self._stopped = False
        store.observe(self._notice)

    async def run(self) -> None:
        """Send until cancelled."""
        for shown in await self._store.read(lambda reader: reader.shown()):
            if shown.device in self._lines:
                self._lines[shown.device].board.restore(shown)
        async with asyncio.TaskGroup() as tasks:
            for name, line in self._lines.items():
                tasks.create_task(self._await_device(line), name=f"levels {name}")
                tasks.create_task(self._send(name, line), name=f"actions {name}")

    async def lights_out(self) -> None:
        """All lights go dark, for good as far as this run goes; what they should show stays."""
        self._stopped = True
        lit = [light for line in self._lines.values() for light in line.board.lit()]
        if not lit:
            return
        done = await asyncio.gather(*(self._put_out(ShowLight(light)) for light in lit))
        left = [light for light, dark in zip(lit, done, strict=True) if not dark]
        self._log.info("lights out", lights=len(lit) - len(left))
        if left:
            self._log.warning("lights that may be lit still", lights=left)

    async def _put_out(self, dark: ShowLight) -> bool:
        try:
            async with asyncio.timeout(OUT_S), self._lines[dark.device].turn:
                await self._supervisor.act(dark)
        except (LinkError, TimeoutError):
            return False
        return True

    def _notice(self, committed: Committed) -> None:
        for action in committed.actions:
            line = self._lines.get(action.device)
            if line is None:
                self._log.error("action for a device that is not configured", device=action.device)
            elif isinstance(action, ShowLight):
                if line.board.show(action):
                    line.filled.set()
            elif isinstance(action, PulseRow):
                line.pulses.append(action)
                line.filled.set()
            elif isinstance(action, ReadDeeply):
                line.wish = action
                line.filled.set()

    @staticmethod
    async def _await_device(line: _Line) -> None:
        """Whenever the device comes up, all its lights are told what they should show."""
        while True:
            await line.came_up.wait()
            line.came_up.clear()
            line.board.tell_all()
            line.filled.set()

    async def _send(self, device: str, line: _Line) -> None:
        while True:
            await self._filled(device, line)
            if line.wish is not None:
                wish, line.wish = line.wish, None
                await self._wish(wish)
            while line.pulses:
                row = line.pulses.popleft()
                await self._pulse(row, too_many=len(line.pulses) >= PULSES_MAX)
            while not (self._stopped or line.pulses):
                shown = line.board.next_told(self._clock.now())
                if shown is None:
                    break
                async with line.turn:
                    await self._show(line, shown)
            await self._complain(device, line)

    async def _filled(self, device: str, line: _Line) -> None:
        """Wait for something to send: something new, the next edge of a lamp that is to blink, or
        the time to tell those anew that did not obey.
        """
        now, due = self._clock.now(), list[Ns]()
        if line.board.refused:
            due.append(line.again_at)
        edge = line.board.next_edge(now)
        if edge is not None and self._supervisor.is_up(device) and not self._stopped:
            due.append(edge)
        with suppress(TimeoutError):
            async with asyncio.timeout((min(due) - now) / NS_PER_S if due else None):
                await line.filled.wait()
        line.filled.clear()
        if line.board.refused and line.again_at <= self._clock.now():
            line.board.tell_again()

    async def _show(self, line: _Line, shown: ShowLight) -> None:
        refusal = ""
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                await self._supervisor.act(shown)
        except NotConnected:
            pass  # told what to show when it comes up
        except (LinkError, TimeoutError) as error:
            refusal = str(error) or "no answer"
            line.again_at = self._clock.now() + AGAIN_NS
        line.board.told(shown, refusal)

    async def _complain(self, device: str, line: _Line) -> None:
        """Tell once that lights do not obey, and once that all do."""
        refused = line.board.refused
        if bool(refused) == line.complained:
            return
        if not refused and not self._supervisor.is_up(device):
            return
        line.complained = bool(refused)
        detail = "; ".join(f"{light}: {reason}" for light, reason in refused.items())
        fault = DeviceFault(device, "light_dead", bool(refused), detail[:DETAIL_MAX])
        await self._inbox.put(self._clock.now(), fault)

    async def _wish(self, wish: ReadDeeply) -> None:
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                await self._supervisor.act(wish)
        except (LinkError, TimeoutError) as error:
            self._log.warning("not read deeply", device=wish.device, reason=str(error))

    async def _pulse(self, row: PulseRow, *, too_many: bool) -> None:
        """Send it at most once. What may have been done is told; what was not sent is not."""
        reason, sent = "too many wait", False
        if not too_many:
            reason, sent = await self._act(row)
        if sent:  # told before anything else is awaited: the cell shows it at once
            done = ActionDone(row.device, row.kind, row.cell, ok=not reason)
            await self._inbox.put(self._clock.now(), done)
            await self._inbox.put(self._clock.now(), pulse_doubt(row, reason))
        # Without space for it the row stays as it is: the next start tells the pulse as unknown.
        with suppress(StoreFull):
            await self._store.mark_pulse(row.pulse_id, "unknown" if reason else "done")
        if reason:
            self._log.warning("pulse not certain", cell=row.cell, kind=row.kind, reason=reason)

    async def _act(self, row: PulseRow) -> tuple[str, bool]:
        """Let the device do it; return why that is not certain, and whether it was sent."""
        if not self._supervisor.is_up(row.device):
            return f"{row.device} is not connected", False
        try:
            await self._store.mark_pulse(row.pulse_id, "sent")
        except StoreFull:
            return "no space left to note that it is sent", False
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                await self._supervisor.act(Pulse(row.device, row.kind, row.cell))
        except NotConnected as error:
            return str(error), False
        except (LinkError, TimeoutError) as error:
            return str(error) or "no answer", True
        return "", True


def pulse_doubt(row: PulseRow, reason: str) -> DeviceFault:
    """Whether a person should look at the scale; the next pulse that is done clears it."""
    detail = (
        f"{row.kind} of {row.cell} is not certain ({reason}): look at its zero" if reason else ""
    )
    return DeviceFault(row.device, "pulse_unknown", bool(reason), detail)
