"""Carries decided actions to the field, after their turn is on disk.

Levels are desired state: sent when decided, and again whenever the device comes up. Pulses are
sent at most once: marked `sent` before, `done` after; what was sent when the gateway died is
`unknown`, and never sent again. A wish is sent once, and lost if its device is away. Each device
has its own line: one that hangs delays no other, and no old level overtakes a new one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

import structlog

from gateway.inbox import Inbox
from gateway.model import ActionDone, DeviceFault, Pulse, ReadDeeply, SetOutput
from gateway.ports import Clock, LinkError
from gateway.store import Committed, PulseRow, Store, StoreFull
from gateway.supervisor import NotConnected, Supervisor

PULSES_MAX = 100
"""Pulses that wait for one device; people give them one by one. The oldest is told as unknown."""

ACT_TIMEOUT_S = 10.0
"""A device that has not answered by then did not do it for certain."""


class _Line:
    """What one device is still to be sent."""

    def __init__(self, came_up: asyncio.Event) -> None:
        self.came_up = came_up
        self.levels: dict[int, bool] = {}
        self.due: dict[int, None] = {}
        self.pulses: deque[PulseRow] = deque()
        self.wish: ReadDeeply | None = None
        self.filled = asyncio.Event()


class Dispatcher:
    """Sends what committed turns decided."""

    def __init__(self, store: Store, supervisor: Supervisor, inbox: Inbox, clock: Clock) -> None:
        self._store = store
        self._supervisor = supervisor
        self._inbox = inbox
        self._clock = clock
        self._log = structlog.get_logger("action")
        self._lines = {name: _Line(device.came_up) for name, device in supervisor.devices.items()}
        store.observe(self._notice)

    async def run(self) -> None:
        """Send until cancelled."""
        for level in await self._store.read(lambda reader: reader.outputs()):
            line = self._lines.get(level.device)
            if line is not None:
                line.levels.setdefault(level.port, level.level)
        async with asyncio.TaskGroup() as tasks:
            for name, line in self._lines.items():
                tasks.create_task(self._await_device(line), name=f"levels {name}")
                tasks.create_task(self._send(name, line), name=f"actions {name}")

    def _notice(self, committed: Committed) -> None:
        for action in committed.actions:
            line = self._lines.get(action.device)
            if line is None:
                self._log.error("action for a device that is not configured", device=action.device)
            elif isinstance(action, SetOutput):
                line.levels[action.port] = action.level
                line.due[action.port] = None
                line.filled.set()
            elif isinstance(action, PulseRow):
                line.pulses.append(action)
                line.filled.set()
            elif isinstance(action, ReadDeeply):
                line.wish = action
                line.filled.set()

    @staticmethod
    async def _await_device(line: _Line) -> None:
        """Whenever the device comes up, all its outputs get the level they should have."""
        while True:
            await line.came_up.wait()
            line.came_up.clear()
            line.due = dict.fromkeys(line.levels)
            line.filled.set()

    async def _send(self, device: str, line: _Line) -> None:
        while True:
            await line.filled.wait()
            line.filled.clear()
            while line.due:
                port = next(iter(line.due))
                del line.due[port]
                await self._set(SetOutput(device, port, line.levels[port]))
            if line.wish is not None:
                wish, line.wish = line.wish, None
                await self._wish(wish)
            while line.pulses:
                row = line.pulses.popleft()
                await self._pulse(row, too_many=len(line.pulses) >= PULSES_MAX)

    async def _set(self, action: SetOutput) -> None:
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                await self._supervisor.act(action)
        except (LinkError, TimeoutError) as error:
            self._log.info("output waits for its device", device=action.device, reason=str(error))

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
