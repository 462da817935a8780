"""The bounded queue between the drivers and the engine."""

from __future__ import annotations

import asyncio
from collections import deque

from gateway.model import Fact, Ns

INBOX_FACTS_MAX = 4096
"""A report a driver hands over is one fact: 16 devices at 50 reports/s for 5 s of a stuck disk."""


class Inbox:
    """Facts with their event time, in order of arrival; `put` waits while it is full."""

    def __init__(self, facts_max: int = INBOX_FACTS_MAX) -> None:
        self._facts: deque[tuple[Ns, Fact]] = deque()
        self._facts_max = facts_max
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._facts)

    async def put(self, at: Ns, fact: Fact) -> None:
        """Add one fact; wait for room first."""
        while len(self._facts) >= self._facts_max:
            self._room.clear()
            await self._room.wait()
        self._facts.append((at, fact))
        self._filled.set()
        self._empty.clear()

    def put_first(self, at: Ns, fact: Fact) -> None:
        """Add one fact before all others, at once: the news that time was lost cannot wait."""
        self._facts.appendleft((self.before_waiting(at), fact))
        self._filled.set()
        self._empty.clear()

    def before_waiting(self, at: Ns) -> Ns:
        """When something that overtakes what waits may count as happening: not after the first of
        it, or wake-ups would run that what waits is to stop.
        """
        return min(at, self._facts[0][0]) if self._facts else at

    def poke(self) -> None:
        """Let `wait` return though nothing came: a wake-up is due."""
        self._filled.set()

    def take(self, most: int) -> list[tuple[Ns, Fact]]:
        """Take up to `most` facts, oldest first, without waiting."""
        facts = self._facts
        taken = [facts.popleft() for _ in range(min(most, len(facts)))]
        if not facts:
            self._filled.clear()
            self._empty.set()
        self._room.set()
        return taken

    async def drained(self) -> None:
        """Wait until everything has been taken."""
        await self._empty.wait()

    async def wait(self) -> None:
        """Wait until there is something to take, or a poke."""
        await self._filled.wait()
        if not self._facts:
            self._filled.clear()
