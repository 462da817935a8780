"""Books what turns come to, and says aloud when the disk has no room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.outcome import Outcome
from gateway.store import Committed, Store, StoreFull


class Booker:
    """Books outcomes. A full disk is a state: what is refused is counted and told, never silent."""

    def __init__(self, store: Store, refused: Callable[[int, bool], None]) -> None:
        """`refused` is told when the disk fills or frees; whoever is in `booked`, what is on it."""
        self.booked: list[Callable[[Sequence[Outcome]], None]] = []
        self.submitted_turns = 0
        self.refused_turns = 0
        self._store = store
        self._refused = refused
        self._full = False

    async def submit(self, outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        """Queue the outcomes for one transaction; waits while the disk is too far behind.

        The future ends when they are on disk, or fails as `Store.submit` says.
        """
        self.submitted_turns += len(outcomes)
        future = await self._store.submit(outcomes)
        future.add_done_callback(lambda done: self._settled(done, outcomes))
        return future

    def _settled(self, done: asyncio.Future[Committed], outcomes: Sequence[Outcome]) -> None:
        if done.cancelled():
            return
        failure = done.exception()
        full = isinstance(failure, StoreFull)
        if failure is None:
            for tell in self.booked:
                tell(outcomes)
        elif full:
            self.refused_turns += len(outcomes)
        else:
            return  # the store has failed for good: `Store.failure` ends the process
        if full != self._full:
            self._full = full
            self._refused(self.refused_turns, full)
