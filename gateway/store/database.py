"""Makes and opens the SQLite file, and proves that SQLite does what it was told.

WAL with `synchronous=FULL`: every commit is synced before it counts. The file is made with EXTRA,
switched to WAL and its folder synced before the first use, since SQLite itself does not sync the
folder on that switch and a power cut could bring the old journal back. Nothing is memory-mapped:
a lost page must be an error, not a signal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal
from uuid import UUID, uuid4

import apsw

from gateway.store.schema import ADDED_TABLES, CHECKPOINT_PAGES, PAGE_BYTES, SCHEMA_VERSION, TABLES
from gateway.store.words import StoreFailed

BUSY_MAX_MS = 1000
"""How long to wait for a reader's lock; only opening and closing ever need one."""

CACHE_KIB = 2048
"""Page cache of a connection: bounds memory whatever the file's size."""

SIDE_FILES = ("", "-wal", "-shm", "-journal")
"""What belongs to one SQLite file."""

SYNCHRONOUS = {"NORMAL": 1, "FULL": 2}


class Damaged(Exception):  # noqa: N818 - a finding
    """The file is no store that can be gone on with."""


DAMAGE = (Damaged, apsw.CorruptError, apsw.NotADBError)
"""What sets a file aside. An I/O error does not: the file may be well."""


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Opening:
    """How the file is opened; other values than these are for tests and benches."""

    vfs: str | None = None
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    exclusive: bool = False
    page_bytes: int = PAGE_BYTES
    checkpoint_pages: int = CHECKPOINT_PAGES
    sync_folder: Callable[[Path], None] = sync_folder
    new_epoch: Callable[[], UUID] = uuid4


def open_writing(path: Path, opening: Opening) -> tuple[apsw.Connection, bool]:
    """The one connection that writes, and whether the file is new.

    Damaged if the file is not a store; StoreFailed if SQLite does not take its settings.
    """
    fresh = _prepare(path, opening)
    connection = _connect(path, opening)
    try:
        connection.pragma("synchronous", opening.synchronous)
        _prove(connection, opening)
        connection.execute(ADDED_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection, fresh


def open_reading(path: Path, opening: Opening) -> apsw.Connection:
    """A connection that cannot write."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=opening.vfs)
    connection.set_busy_timeout(BUSY_MAX_MS)
    connection.pragma("query_only", True)
    connection.pragma("mmap_size", 0)
    connection.pragma("cache_size", -CACHE_KIB)
    return connection


def lock_writing(path: Path) -> BinaryIO:
    """Keep every other process from writing until what is returned is closed.

    StoreFailed if another one does. SQLite alone would let both write in turns.
    """
    lock = path.with_name(f"{path.name}.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreFailed(f"{path} is being written by another process") from error
    return lock


def query(
    connection: apsw.Connection, sql: str, parameters: Sequence[int | str | bytes] = ()
) -> list[Any]:
    """All rows of a question; the schema tells their types."""
    return connection.execute(sql, parameters).fetchall()


def set_aside(path: Path, opening: Opening) -> None:
    """Rename a damaged file and what belongs to it; nothing is deleted."""
    number = 1
    while (target := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for side in reversed(SIDE_FILES):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(target.with_name(target.name + side))
    opening.sync_folder(path.parent)


def last_set_aside(path: Path) -> Path | None:
    """The damaged file that was set aside last."""
    found = path.parent.glob(f"{path.name}.damaged-*[0-9]")
    return max(found, key=lambda file: int(file.name.rpartition("-")[2]), default=None)


def suspect_mark(path: Path) -> Path:
    """A file of this name asks the next start for a full check."""
    return path.with_name(f"{path.name}.suspect")


def _connect(path: Path, opening: Opening) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=opening.vfs)
    connection.set_busy_timeout(BUSY_MAX_MS)
    if opening.exclusive:
        connection.pragma("locking_mode", "exclusive")
    connection.pragma("mmap_size", 0)
    connection.pragma("cache_size", -CACHE_KIB)
    return connection


def _prepare(path: Path, opening: Opening) -> bool:
    """Bring the file to WAL with its tables, durable up to its name; safe to be cut anywhere."""
    if _is_ready(path, opening):
        return False
    connection = _connect(path, opening)
    try:
        connection.pragma("synchronous", "EXTRA")
        tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").get
        if not tables:
            connection.pragma("page_size", opening.page_bytes)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(TABLES)
            connection.execute("INSERT INTO meta VALUES('schema', ?)", (SCHEMA_VERSION,))
            connection.execute("COMMIT")
        connection.pragma("journal_mode", "wal")
    finally:
        connection.close()
    opening.sync_folder(path.parent)
    return not tables


def _is_ready(path: Path, opening: Opening) -> bool:
    """Whether there is a store in WAL mode; Damaged if there is something else."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    connection = _connect(path, opening)
    try:
        tables = {name for (name,) in query(connection, "SELECT name FROM sqlite_schema")}
        if tables and "meta" not in tables:
            raise Damaged(f"{path} is a database, but no store")
        return bool(tables) and connection.pragma("journal_mode") == "wal"
    finally:
        connection.close()


def _prove(connection: apsw.Connection, opening: Opening) -> None:
    """Read back what durability rests on."""
    wanted = {
        "journal_mode": "wal",
        "synchronous": SYNCHRONOUS[opening.synchronous],
        "mmap_size": 0,
    }
    for name, value in wanted.items():
        found = connection.pragma(name)
        if found != value:
            raise StoreFailed(f"PRAGMA {name} is {found!r}, not {value!r}")
    version = connection.execute("SELECT value FROM meta WHERE name='schema'").get
    if version != SCHEMA_VERSION:
        raise StoreFailed(f"the file has schema {version}, this version reads {SCHEMA_VERSION}")
