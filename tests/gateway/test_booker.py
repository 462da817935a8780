"""A full disk: turns are refused aloud, and once there is space the gateway starts anew."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.booker import Booker, TurnsRefused
from gateway.outcome import Outcome
from gateway.store import Committed, StoreFailed, StoreFull, StoreSpent
from tests.virtual_time import run

TURNS = (Outcome(1), Outcome(2))


class Disk:
    """A store whose next bookings end as the test says: an error, or None for well."""

    def __init__(self) -> None:
        self.ends: Exception | None = None

    async def submit(self, _outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        if self.ends is None:
            future.set_result(None)  # type: ignore[arg-type] # nobody looks at it here
        else:
            future.set_exception(self.ends)
        return future


class Desk:
    def __init__(self) -> None:
        self.disk = Disk()
        self.told: list[int] = []
        store: Any = self.disk
        self.booker = Booker(store, self.told.append)
        self.booked: list[Outcome] = []
        self.booker.booked.append(self.booked.extend)

    async def book(self, ends: Exception | None = None) -> None:
        self.disk.ends = ends
        await self.booker.submit(TURNS)
        await asyncio.sleep(0.01)


def test_refused_turns_are_counted_and_told_once() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.book()
        await desk.book(StoreFull("no space"))
        await desk.book(StoreFull("no space"))
        assert desk.told == [2]
        assert desk.booker.refused_turns == 4
        assert desk.booker.full
        assert desk.booked == [*TURNS]

    run(main())


def test_gateway_starts_anew_from_the_last_commit_once_there_is_space() -> None:
    async def main() -> None:
        desk = Desk()
        waiting = asyncio.create_task(desk.booker.recovered())
        await desk.book()
        await desk.book(StoreFull("no space"))
        assert not waiting.done()
        await desk.book(StoreSpent("there is space again"))
        with pytest.raises(TurnsRefused, match="4 turns"):
            await waiting
        assert desk.booked == [*TURNS]

    run(main())


def test_failed_store_is_not_taken_for_a_full_disk() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.book(StoreFailed("I/O error"))
        assert (desk.told, desk.booked, desk.booker.refused_turns) == ([], [], 0)

    run(main())
