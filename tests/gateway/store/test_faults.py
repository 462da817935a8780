"""A disk that fails or fills up under the store, through SQLite itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import apsw
import pytest

from gateway.outcome import Outcome
from gateway.store import (
    Committed,
    Store,
    StoreFailed,
    StoreFull,
    StoreReader,
    StoreSpent,
)
from gateway.store.ballast import BALLAST_BYTES, RESUME_BYTES, Ballast
from gateway.store.database import Opening, suspect_mark
from gateway.store.file import StoreFile

MakeTurn = Callable[[int], Outcome]
OpenStore = Callable[..., Awaitable[Store]]


@dataclass
class Faults:
    """What is wrong with the disk right now."""

    sync_fails_for: str = ""
    room_bytes: int = 1 << 40
    ballast: Path | None = None

    def limit(self) -> int:
        """How long a file can become."""
        held_back = self.ballast is not None and self.ballast.exists()
        return self.room_bytes + (0 if held_back else BALLAST_BYTES)


class FaultyFile(apsw.VFSFile):
    """A file on a disk with faults."""

    def __init__(self, faults: Faults, filename: object, flags: list[int]) -> None:
        self._faults = faults
        text = filename.filename() if isinstance(filename, apsw.URIFilename) else str(filename)
        self._name = Path(text).name
        super().__init__("", filename, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        if offset + len(data) > self._faults.limit():
            raise apsw.FullError("no space")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        if self._faults.sync_fails_for and self._name.endswith(self._faults.sync_fails_for):
            raise apsw.IOError("sync failed")
        super().xSync(flags)


class FaultyVFS(apsw.VFS):
    """The usual files, on a disk with faults."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        super().__init__("faulty", base="")

    def xOpen(self, name: object, flags: list[int]) -> FaultyFile:  # noqa: N802 - SQLite's name
        return FaultyFile(self._faults, name, flags)


@pytest.fixture
def faults() -> Iterator[Faults]:
    made = Faults()
    vfs = FaultyVFS(made)
    yield made
    vfs.unregister()


FAULTY = Opening(vfs="faulty", exclusive=True)


async def test_failing_sync_ends_the_store(
    faults: Faults, open_store: OpenStore, make_turn: MakeTurn
) -> None:
    """After a failed fsync nobody knows what is on the disk: no second try on this file."""
    store = await open_store(FAULTY)
    await (await store.submit([make_turn(1)]))
    faults.sync_fails_for = "-wal"
    with pytest.raises(StoreFailed, match="IOError"):
        await (await store.submit([make_turn(2)]))
    faults.sync_fails_for = ""
    with pytest.raises(StoreFailed):
        await store.failure()
    with pytest.raises(StoreFailed):
        await (await store.submit([make_turn(3)]))
    again = await open_store()
    assert again.last_seq in {1, 2}
    assert (await again.verify()).ok


async def test_failing_checkpoint_ends_the_store_too(
    faults: Faults, open_store: OpenStore, make_turn: MakeTurn
) -> None:
    """SQLite's own checkpoints hide their errors; ours do not."""
    store = await open_store(Opening(vfs="faulty", exclusive=True, checkpoint_pages=10))
    faults.sync_fails_for = ".db"
    committed = await (await store.submit([make_turn(number) for number in range(1, 9)]))
    assert committed.last_seq == 8
    with pytest.raises(StoreFailed):
        await asyncio.wait_for(store.failure(), 10)


async def test_corruption_found_at_work_is_checked_at_the_next_start(
    store: Store, path: Path, make_turn: MakeTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_damage(_file: StoreFile, _jobs: object) -> None:
        raise apsw.CorruptError("database disk image is malformed")

    monkeypatch.setattr(StoreFile, "transact", find_damage)
    with pytest.raises(StoreFailed):
        await (await store.submit([make_turn(1)]))
    assert suspect_mark(path).exists()


async def book_until_full(store: Store, make_turn: MakeTurn) -> int:
    """Book until it is refused; return the last number."""
    last = 0
    with contextlib.suppress(StoreFull):
        for number in count(1):
            last = (await (await store.submit([make_turn(number)]))).last_seq
    return last


async def test_full_disk_refuses_turns_loudly_until_the_next_start(
    faults: Faults,
    open_store: OpenStore,
    path: Path,
    make_turn: MakeTurn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Ballast, "has_room", lambda _: faults.room_bytes > RESUME_BYTES)
    faults.ballast = path.with_name("shelfgate.db.ballast")
    told: list[Committed] = []
    store = await open_store(FAULTY)
    store.observe(told.append)
    assert faults.ballast.exists()
    faults.room_bytes = 200_000
    booked = await book_until_full(store, make_turn)
    assert booked > 10
    assert not faults.ballast.exists()
    await store.acknowledge(store.epoch.uuid, booked)
    assert store.high_water == booked, "what the core says still gets through"
    assert store.last_seq == booked + 1
    last = json.loads(told[-2].records[-1].body)
    assert (last["code"], last["raised"]) == ("store_full", True)
    assert f"nothing is booked after {booked}" in last["text"]

    faults.room_bytes = 1 << 40
    for _ in range(2):
        with pytest.raises(StoreSpent):
            await (await store.submit([make_turn(1000)]))
    await store.acknowledge(store.epoch.uuid, booked + 2)
    cleared = [json.loads(record.body) for done in told for record in done.records]
    assert [(each["code"], each["raised"]) for each in cleared[booked:]] == [
        ("store_full", True),
        ("store_full", False),
    ]
    assert faults.ballast.exists()
    await store.close()
    again = await open_store(FAULTY)
    assert (await (await again.submit([make_turn(1000)]))).first_seq == booked + 3


async def test_full_disk_that_a_restart_found_emptied_is_told_over(
    faults: Faults, open_store: OpenStore, path: Path, make_turn: MakeTurn
) -> None:
    faults.ballast = path.with_name("shelfgate.db.ballast")
    store = await open_store(FAULTY)
    faults.room_bytes = 200_000
    await book_until_full(store, make_turn)
    await store.close()
    again = await open_store()
    assert [up.alert.code for up in await again.read(StoreReader.alerts)] == ["store_full"]
    await (await again.submit([make_turn(1000)]))
    await again.acknowledge(again.epoch.uuid, again.last_seq)
    assert await again.read(StoreReader.alerts) == ()


async def test_full_disk_is_not_tried_again_without_room(
    faults: Faults, open_store: OpenStore, make_turn: MakeTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(FAULTY)
    faults.room_bytes = -BALLAST_BYTES
    monkeypatch.setattr(Ballast, "has_room", lambda _: False)
    for _ in range(2):
        with pytest.raises(StoreFull):
            await (await store.submit([make_turn(1)]))
    faults.room_bytes = 1 << 40
    with pytest.raises(StoreFull):
        await (await store.submit([make_turn(1)]))
    monkeypatch.setattr(Ballast, "has_room", lambda _: True)
    with pytest.raises(StoreSpent):
        await (await store.submit([make_turn(1)]))
