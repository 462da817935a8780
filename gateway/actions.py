"""Carries decided actions to the field, after their turn is on disk.

Levels are desired state: sent when decided, and again whenever the device comes up. Pulses are
sent at most once: marked `sent` before, `done` after; what was sent when the gateway died is
`unknown`, and never sent again.
"""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from gateway.inbox import Inbox
from gateway.model import Action, ActionDone, Pulse, SetOutput
from gateway.ports import Clock, LinkError
from gateway.store import Committed, PulseRow, Store
from gateway.supervisor import Supervisor

ACTIONS_MAX = 1000
"""Actions that wait for a device: more than lamps and scales can have. The oldest level goes."""

ACT_TIMEOUT_S = 10.0
"""A device that has not answered by then did not do it for certain."""


class Dispatcher:
    """Sends what committed turns decided."""

    def __init__(self, store: Store, supervisor: Supervisor, inbox: Inbox, clock: Clock) -> None:
        self._store = store
        self._supervisor = supervisor
        self._inbox = inbox
        self._clock = clock
        self._levels: dict[tuple[str, int], bool] = {}
        self._waiting: deque[Action | PulseRow] = deque(maxlen=ACTIONS_MAX)
        self._arrived = asyncio.Event()
        self._log = structlog.get_logger("action")
        store.observe(self._notice)

    async def run(self) -> None:
        """Send until cancelled."""
        for level in await self._store.read(lambda reader: reader.outputs()):
            self._levels[level.device, level.port] = level.level
        async with asyncio.TaskGroup() as tasks:
            for name in self._supervisor.devices:
                tasks.create_task(self._assert_levels(name), name=f"levels {name}")
            tasks.create_task(self._send(), name="send actions")

    def _notice(self, committed: Committed) -> None:
        if committed.actions:
            self._waiting.extend(committed.actions)
            self._arrived.set()

    async def _assert_levels(self, name: str) -> None:
        """Whenever the device comes up, all its outputs get the level they should have."""
        came_up = self._supervisor.devices[name].came_up
        while True:
            await came_up.wait()
            came_up.clear()
            for (device, port), level in list(self._levels.items()):
                if device == name:
                    await self._set(SetOutput(device, port, level))

    async def _send(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                action = self._waiting.popleft()
                if isinstance(action, SetOutput):
                    self._levels[action.device, action.port] = action.level
                    await self._set(action)
                elif isinstance(action, PulseRow):
                    await self._pulse(action)

    async def _set(self, action: SetOutput) -> None:
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                await self._supervisor.act(action)
        except (LinkError, TimeoutError) as error:
            self._log.info("output waits for its device", device=action.device, reason=str(error))

    async def _pulse(self, row: PulseRow) -> None:
        await self._store.mark_pulse(row.pulse_id, "sent")
        ok = True
        try:
            async with asyncio.timeout(ACT_TIMEOUT_S):
                await self._supervisor.act(Pulse(row.device, row.kind, row.cell))
        except (LinkError, TimeoutError) as error:
            ok = False
            self._log.warning("pulse not certain", cell=row.cell, kind=row.kind, reason=str(error))
        await self._store.mark_pulse(row.pulse_id, "done" if ok else "unknown")
        done = ActionDone(row.device, row.kind, row.cell, ok)
        await self._inbox.put(self._clock.now(), done)
