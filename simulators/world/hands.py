"""What people do with their hands: reach into a cell, take or lay pieces, and carry through gates.

Whoever stands before a shelf shows his badge: its tag is in the air, or he scans its code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from simulators.world.layout import GATE_READER, Spot, Worker
from simulators.world.strides import RUN_M
from simulators.world.world import NO_REASON, Act, Piece, Way, Why, World

COMES_S = (2.6, 3.4)
"""From the moment somebody is seen before a shelf until his hand is in a cell."""

IN_CELL_S = (0.4, 1.2)

SCAN_AGAIN_S = 5.0
"""A scanned badge is shown again for what is done so long after."""

Scan = Callable[[Worker, str], Awaitable[None]]
"""Scans a badge at a shelf."""


class Hands:
    """The hands of all people of one world. `watch` is told of every act as it happens."""

    def __init__(
        self, world: World, random: Random, watch: Callable[[Act], None], scan: Scan
    ) -> None:
        self.world = world
        self._random = random
        self._watch = watch
        self._scan = scan
        self._scanned_at: dict[str, float] = {}

    async def come(self, worker: Worker, spot: Spot) -> None:
        """Stand before a cell."""
        if worker.epc:
            self.world.stand(worker.epc, spot)
        await self._show(worker, spot)
        await asyncio.sleep(self._random.uniform(*COMES_S))

    def go(self, worker: Worker) -> None:
        """Leave the shelf."""
        self._scanned_at.pop(worker.name, None)
        if worker.epc:
            self.world.leave(worker.epc)

    async def look(self, spot: Spot) -> None:
        """Only put a hand into a cell."""
        await self._reach(spot)

    async def take(self, worker: Worker, spot: Spot, quantity: int, why: Why) -> Act:
        """Take pieces out of a cell."""
        await self._show(worker, spot)
        await self._reach(spot)
        return self._told(self.world.pick(worker.name, spot, quantity, why))

    async def lay(self, worker: Worker, spot: Spot, quantity: int, why: Why) -> Act:
        """Lay new pieces into a cell."""
        await self._show(worker, spot)
        await self._reach(spot)
        return self._told(self.world.put(worker.name, spot, quantity, why))

    async def put_back(self, worker: Worker, act: Act, quantity: int, why: Why) -> Act:
        """Put back pieces that were taken in that act."""
        spot = self.world.spots[act.source]
        await self._show(worker, spot)
        await self._reach(spot)
        return self._told(self.world.put_back(worker.name, act, quantity, why))

    async def steal(self, spot: Spot, quantity: int, why: Why) -> Act:
        """Somebody without a badge takes pieces."""
        await self._reach(spot)
        return self._told(self.world.pick(NOBODY, spot, quantity, why))

    async def carry(
        self,
        worker: Worker,
        piece: Piece,
        *,
        inward: bool,
        reader: str = GATE_READER,
        why: Why = NO_REASON,
    ) -> Act:
        """Carry a piece through a gate, to where nobody hears it any more."""
        speed_m_s = self._random.uniform(1.0, 1.6)
        way = Way(reader, worker.epc, why)
        act = self.world.carry(worker.name, [piece], inward=inward, speed_m_s=speed_m_s, way=way)
        self._watch(act)
        await asyncio.sleep(2 * RUN_M / speed_m_s)
        return act

    async def _show(self, worker: Worker, spot: Spot) -> None:
        if not worker.scan:
            return
        now = self.world.now()
        if now - self._scanned_at.get(worker.name, -SCAN_AGAIN_S) >= SCAN_AGAIN_S:
            self._scanned_at[worker.name] = now
            await self._scan(worker, spot.shelf)

    async def _reach(self, spot: Spot) -> None:
        in_cell_s = self._random.uniform(*IN_CELL_S)
        self.world.touch(spot, in_cell_s)
        await asyncio.sleep(in_cell_s * self._random.uniform(0.4, 0.9))

    def _told(self, act: Act) -> Act:
        self._watch(act)
        return act


NOBODY = "somebody"
"""Who comes at night: the truth log does not know him either."""
