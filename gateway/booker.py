"""Books what turns come to, and says aloud when the disk has no room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.outcome import Outcome
from gateway.store import Committed, Store, StoreFull, StoreSpent


class TurnsRefused(RuntimeError):  # noqa: N818 - it is what happened
    """What the rules hold in memory is ahead of the disk: the process must start anew."""


class Booker:
    """Books outcomes. A full disk is a state: what is refused is counted and told, never silent."""

    def __init__(self, store: Store, refused: Callable[[int], None]) -> None:
        """`refused` is told when the disk is full; whoever is in `booked`, what is on it."""
        self.booked: list[Callable[[Sequence[Outcome]], None]] = []
        self.submitted_turns = 0
        self.refused_turns = 0
        self._store = store
        self._refused = refused
        self.full = False
        self._recovered = asyncio.Event()

    async def submit(self, outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        """Queue the outcomes for one transaction; waits while the disk is too far behind.

        The future ends when they are on disk, or fails as `Store.submit` says.
        """
        self.submitted_turns += len(outcomes)
        future = await self._store.submit(outcomes)
        future.add_done_callback(lambda done: self._settled(done, outcomes))
        return future

    async def recovered(self) -> None:
        """Wait until there is space again on a full disk: TurnsRefused then ends the process.

        See `gateway.store.StoreSpent`.
        """
        await self._recovered.wait()
        raise TurnsRefused(f"there is space again; {self.refused_turns} turns were refused")

    def _settled(self, done: asyncio.Future[Committed], outcomes: Sequence[Outcome]) -> None:
        if done.cancelled():
            return
        failure = done.exception()
        if failure is None:
            for tell in self.booked:
                tell(outcomes)
        elif isinstance(failure, StoreFull):
            self.refused_turns += len(outcomes)
            if isinstance(failure, StoreSpent):
                self._recovered.set()
            if not self.full:
                self.full = True
                self._refused(self.refused_turns)
