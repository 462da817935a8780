"""Power cuts at any instant, over the real store code.

A SQLite VFS records every write, sync, truncation and deletion of a run of the store. Then the
power is cut at random places of that tape: what was synced is there, what was not is there in part
(nothing, all, some writes, some 512-byte sectors, or a torn prefix), and names of files that were
not synced come and go. Each such image is opened by the real start-up path. A write keeps the bytes
beside it in its sector (SQLite calls that powersafe overwrite).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Literal

import apsw
import pytest

from gateway.outcome import Outcome
from gateway.store import Clocks, Identity, Result, StoreReader
from gateway.store.database import Opening
from gateway.store.file import Job, StoreFile, open_file

SECTOR_BYTES = 512
IMAGES = 1_000
TAPES = 5
TRANSACTIONS_PER_TAPE = 60

Names = dict[str, "Inode"]
Synchronous = Literal["FULL", "NORMAL"]


@dataclass
class Inode:
    """A file's content on the platter, and what was written to it since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for offset, data in self.pending:
            apply(self.durable, offset, data)
        self.pending.clear()


def apply(content: bytearray, offset: int, data: bytes | None) -> None:
    """Write at an offset, or truncate there."""
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass
class Disk:
    """What a tape has done so far, and what of it is durable."""

    live: Names = field(default_factory=dict)
    durable: Names = field(default_factory=dict)
    said: int = 0

    def play(self, step: tuple[str, str, int, bytes]) -> None:
        what, name, number, data = step
        match what:
            case "open":
                self.live.setdefault(name, Inode())
            case "write":
                self.live[name].pending.append((number, data))
            case "truncate":
                self.live[name].pending.append((number, None))
            case "sync":
                self.live[name].sync()
                fresh = self.durable.get(name) is not self.live[name]
                if fresh and name.endswith(("-wal", "-journal")):
                    self.durable = dict(self.live)  # SQLite syncs the folder of a new journal
            case "delete":
                del self.live[name]
                if number:
                    self.durable = dict(self.live)
            case "folder":
                self.durable = dict(self.live)
            case "said":
                self.said = number

    def cut(self, random: Random) -> dict[str, bytes]:
        """The files as one power cut at this moment may leave them."""
        image = {}
        for name in sorted(self.live.keys() | self.durable.keys()):
            inode = random.choice((self.live, self.durable)).get(name)
            if inode is not None:
                image[name] = bytes(survivor(inode, random))
        return image


def survivor(inode: Inode, random: Random) -> bytearray:
    """The content after the cut."""
    content = bytearray(inode.durable)
    pending = inode.pending
    mode = random.choice(("none", "all", "writes", "sectors", "sectors", "torn"))
    kept = random.random()
    if mode == "torn" and pending:
        whole = random.randrange(len(pending))
        for offset, data in pending[:whole]:
            apply(content, offset, data)
        offset, data = pending[whole]
        apply(content, offset, data and data[: random.randrange(len(data))])
    elif mode != "none":
        for offset, data in pending:
            if mode == "all" or (mode == "writes" and random.random() < kept):
                apply(content, offset, data)
            elif mode == "sectors":
                for at, part in sectors(offset, data):
                    if random.random() < kept:
                        apply(content, at, part)
    return content


def sectors(offset: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    """The parts of a write, each in one sector."""
    if data is None:
        yield offset, None
        return
    start = 0
    while start < len(data):
        end = start + SECTOR_BYTES - (offset + start) % SECTOR_BYTES
        yield offset + start, data[start:end]
        start = end


@dataclass(frozen=True)
class Truth:
    """What the store had said was on disk: last seq, high-water mark, rows of rule state."""

    last_seq: int
    high_water: int
    rows: dict[str, str]


class Tape:
    """What the store did to its disk, in order, and what it said of it."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str, int, bytes]] = []
        self.truths = [Truth(0, 0, {})]

    def note(self, what: str, name: str = "", number: int = 0, data: bytes = b"") -> None:
        self.steps.append((what, Path(name).name, number, data))

    def say(self, file: StoreFile, turns: list[Outcome]) -> None:
        """The transaction with these turns has come back."""
        rows = dict(self.truths[-1].rows)
        for outcome in turns:
            rows |= {row.key: str(row.value["last"]) for _, _, row in outcome.puts}
            for _, key in outcome.deletes:
                rows.pop(key, None)
        self.truths.append(Truth(file.mark.last_seq, file.mark.high_water, rows))
        self.note("said", number=len(self.truths) - 1)


class TapeFile(apsw.VFSFile):
    """A file whose writes are noted."""

    def __init__(self, tape: Tape, name: str, filename: object, flags: list[int]) -> None:
        self._tape = tape
        self._name = name
        super().__init__("", filename, flags)
        tape.note("open", name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._tape.note("write", self._name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self._tape.note("truncate", self._name, newsize)
        super().xTruncate(newsize)

    def xSync(self, _flags: int) -> None:  # noqa: N802 - SQLite's name
        self._tape.note("sync", self._name)


class TapeVFS(apsw.VFS):
    """The usual files, with a tape running."""

    def __init__(self, name: str, tape: Tape) -> None:
        self._tape = tape
        super().__init__(name, base="")

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> TapeFile:  # noqa: N802 - SQLite's name
        text = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        return TapeFile(self._tape, text, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(filename, syncdir)
        self._tape.note("delete", filename, int(syncdir))


MakeTurn = Callable[[int], Outcome]


@dataclass(frozen=True)
class Rig:
    """What every run needs."""

    folder: Path
    identity: Identity
    clocks: Clocks
    make_turn: MakeTurn


@pytest.fixture
def rig(memory_folder: Path, identity: Identity, clocks: Clocks, make_turn: MakeTurn) -> Rig:
    return Rig(memory_folder, identity, clocks, make_turn)


class Run:
    """Runs the store from its making to a clean close, with a restart or two, under a tape."""

    def __init__(self, rig: Rig, opening: Opening, random: Random, tape: Tape) -> None:
        self._rig = rig
        self._opening = opening
        self._random = random
        self._tape = tape
        self._numbers = count(1)
        self._file = self._open()

    def finish(self) -> None:
        for _ in range(TRANSACTIONS_PER_TAPE):
            if self._random.random() < 0.03:
                self._file.close()
                self._file = self._open()
            self._transact()
        self._file.close()

    def _open(self) -> StoreFile:
        rig = self._rig
        file = open_file(rig.folder / "tape.db", rig.identity, rig.clocks, self._opening)
        self._tape.say(file, [])
        return file

    def _transact(self) -> None:
        """One group: submissions of one or two turns, and what the core says, in any order."""
        random, file = self._random, self._file
        submissions = [
            [self._rig.make_turn(next(self._numbers)) for _ in range(random.choice((1, 2)))]
            for _ in range(random.choice((1, 1, 2, 5)))
        ]
        jobs = [booking(turns) for turns in submissions]
        if random.random() < 0.4:
            mark = file.mark
            high_water = random.randint(mark.high_water, mark.last_seq)
            jobs.append(settling(mark.epoch.uuid, high_water, random))
            jobs.append(requeueing(mark.epoch.uuid, random.randint(1, high_water + 1)))
        if random.random() < 0.1:
            jobs.append(lambda file: file.prune(0, 60))
        file.transact(jobs)
        self._tape.say(file, [turn for turns in submissions for turn in turns])
        file.checkpoint()


def booking(turns: list[Outcome]) -> Job:
    return lambda file: file.book(turns)


def settling(epoch: str, high_water: int, random: Random) -> Job:
    statuses: list[Literal["accepted", "rejected", "conflict"]] = ["accepted", "rejected"]
    results = [Result(seq, random.choice(statuses)) for seq in range(1, high_water + 1, 9)]
    return lambda file: file.acknowledge(epoch, high_water, results)


def requeueing(epoch: str, seq: int) -> Job:
    return lambda file: file.requeue(epoch, seq)


def record_tape(rig: Rig, synchronous: Synchronous, seed: int) -> Tape:
    random = Random(seed)
    tape = Tape()
    vfs = TapeVFS(f"tape-{synchronous}-{seed}", tape)
    opening = Opening(
        vfs=f"tape-{synchronous}-{seed}",
        synchronous=synchronous,
        exclusive=True,
        checkpoint_pages=random.choice((30, 60, 200)),
        sync_folder=lambda _: tape.note("folder"),
    )
    Run(rig, opening, random, tape).finish()
    vfs.unregister()
    (rig.folder / "tape.db").unlink()
    return tape


def images(tape: Tape, number: int, random: Random) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Cut the power that often; each time what the store had said, and what the disk holds."""
    cuts = sorted(random.randrange(len(tape.steps)) for _ in range(number))
    disk = Disk()
    played = 0
    for at in cuts:
        for step in tape.steps[played:at]:
            disk.play(step)
        played = at
        yield disk.said, disk.cut(random)


def start_on(rig: Rig, image: dict[str, bytes]) -> Truth:
    """Start the store on what the cut left, check all of it, book on, and tell what was there."""
    folder = rig.folder / "image"
    folder.mkdir()
    for name, content in image.items():
        (folder / name).write_bytes(content)
    file = open_file(folder / "tape.db", rig.identity, rig.clocks, Opening())
    assert file.opened.set_aside is None, file.opened
    reader = StoreReader(folder / "tape.db")
    rows = {row.key: str(row.value["last"]) for _, row in reader.state_rows("weight")}
    found = Truth(file.mark.last_seq, file.mark.high_water, rows)
    file.transact([booking([rig.make_turn(9999)])])
    report = reader.verify()
    assert report.ok, report
    (window,) = reader.windows()
    assert report.rows == window.last_seq + 1 - window.first_kept
    reader.close()
    file.close()
    shutil.rmtree(folder)
    return found


def lost_by_cuts(rig: Rig, synchronous: Synchronous, number: int) -> int:
    """Cut, start, check; return how many images had lost what the store had said was there.

    Whatever is found must be the end of some transaction, with exactly its state rows.
    """
    lost = 0
    for seed in range(TAPES):
        tape = record_tape(rig, synchronous, seed)
        for said, image in images(tape, number // TAPES, Random(seed)):
            found = start_on(rig, image)
            assert found in tape.truths, (seed, found)
            promised = tape.truths[said]
            lost += found.last_seq < promised.last_seq or found.high_water < promised.high_water
    return lost


def test_cut_loses_nothing_acknowledged(rig: Rig) -> None:
    assert lost_by_cuts(rig, "FULL", IMAGES) == 0


def test_cut_loses_records_without_full_sync(rig: Rig) -> None:
    """The rig bites: the same cuts take acknowledged records where commits are not synced."""
    assert lost_by_cuts(rig, "NORMAL", IMAGES // 10) > 0
