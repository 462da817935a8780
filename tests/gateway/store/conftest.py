"""What the store's tests share: a still clock, made-up turns, a place for the file."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.clock import ClockQuality
from gateway.model import NS_PER_S, Evidence, Movement, Ns
from gateway.outcome import EvidenceRow, Outcome
from gateway.ports import Row
from gateway.store import Clocks, Identity, Store, StoreFailed, StoreReader
from gateway.store.database import Opening
from gateway.store.file import StoreFile, open_file

OpenStore = Callable[..., Awaitable[Store]]

WALL_OF_BOOT_NS = 1_790_000_000 * NS_PER_S
"""The wall time at which the made-up boot began: 2026-09-21T14:13:20Z."""


@dataclass
class StillClock:
    """Boot time that moves when told."""

    at: Ns = 5 * NS_PER_S

    def now(self) -> Ns:
        return self.at


@dataclass
class StillWall:
    """Wall time at a fixed distance from boot time."""

    quality: ClockQuality = "synced"
    boot_unix_ns: int = WALL_OF_BOOT_NS

    def wall(self, at: Ns) -> tuple[int, ClockQuality]:
        return self.boot_unix_ns + at, self.quality


def turn(number: int) -> Outcome:
    """A movement of one of five shelves; the shelf's row follows it, and goes with the seventh."""
    shelf = f"shelf-{number % 5}"
    empties = number % 7 == 0
    movement = Movement(
        movement_id=f"movement-{number}",
        kind="issue",
        reason="empties" if empties else "pick",
        item="M6-NUT",
        quantity=number % 9 + 1,
        uom="pcs",
        from_location=shelf,
        to_location="unknown",
        at_event=number * NS_PER_S,
        at_decided=number * NS_PER_S + 1,
        confidence_permille=987,
        evidence=Evidence(weight_before_mg=5_310_000, weight_after_mg=5_270_000, sd_mg=900),
    )
    row = Row(shelf, {"last": movement.movement_id, "filler": "x" * (number % 300)})
    return Outcome(
        at=number * NS_PER_S,
        events=(movement,),
        puts=() if empties else (("weight", 1, row),),
        deletes=(("weight", shelf),) if empties else (),
        evidence=(EvidenceRow(0, {"reads": [number, 1.5, *range(number % 90)]}),),
    )


@pytest.fixture
def make_turn() -> Callable[[int], Outcome]:
    return turn


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def wall() -> StillWall:
    return StillWall()


@pytest.fixture
def clocks(clock: StillClock, wall: StillWall) -> Clocks:
    return Clocks(clock, wall)


@pytest.fixture
def identity() -> Identity:
    return Identity(gateway="edge-1", machine="machine-a", boot_id="boot-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shelfgate.db"


@pytest.fixture
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that costs no disk time, for tests that start the store a thousand times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def open_store_file(
    path: Path, identity: Identity, clocks: Clocks
) -> Iterator[Callable[..., StoreFile]]:
    """Opens the store without its thread; leaves the last one as a crash would, then closes it."""
    opened: list[StoreFile] = []

    def open_it(**changed: str) -> StoreFile:
        for file in opened:
            file.abandon()
        opened.append(open_file(path, replace(identity, **changed), clocks, Opening()))
        return opened[-1]

    yield open_it
    for file in opened:
        file.abandon()


@pytest.fixture
def file(open_store_file: Callable[..., StoreFile]) -> StoreFile:
    return open_store_file()


@pytest.fixture
def read(path: Path) -> Iterator[Callable[[], StoreReader]]:
    """Opens a reader."""
    readers: list[StoreReader] = []

    def open_it() -> StoreReader:
        readers.append(StoreReader(path))
        return readers[-1]

    yield open_it
    for reader in readers:
        reader.close()


@pytest.fixture
async def open_store(path: Path, identity: Identity, clocks: Clocks) -> AsyncIterator[OpenStore]:
    """Opens stores and closes them, whatever became of them."""
    stores: list[Store] = []

    async def open_it(opening: Opening | None = None) -> Store:
        stores.append(await Store.open(path, identity, clocks, opening))
        return stores[-1]

    yield open_it
    for store in stores:
        with contextlib.suppress(StoreFailed):
            await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()
