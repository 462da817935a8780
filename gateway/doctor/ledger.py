"""The store: pragmas, SQLite's version, integrity, quarantine, and rows that the rules can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw

from gateway.assembly import STORE_FILE, product_version
from gateway.clock import boot_id
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.rule_record import RuleRecord
from gateway.settings import Configuration
from gateway.store import StoreFailed, StoreReader
from gateway.store.database import DAMAGE, Opening, lock_writing, open_reading, open_writing

SQLITE_MIN = (3, 51, 3)
"""Older ones can damage a WAL file (sqlite.org/wal.html, "WAL-reset bug")."""


def examine_ledger(configuration: Configuration, *, running: bool) -> Iterator[Finding]:
    """Everything about the store. It is read beside a running daemon, else opened as it would."""
    yield _sqlite()
    path = configuration.gateway.state_folder / STORE_FILE
    if not path.is_file():
        yield ok("store", f"none yet at {path}; the first start makes it")
        return
    yield _pragmas(path, running=running)
    try:
        reader = StoreReader(path)
    except apsw.Error as error:
        yield fail("store", f"{path}: {error}", "restore a backup, or start: it is set aside")
        return
    try:
        yield from _content(reader, configuration)
    except apsw.Error as error:
        yield fail("store", f"{path}: {error}", "restore a backup, or start: it is set aside")
    finally:
        reader.close()


def _sqlite() -> Finding:
    found = apsw.sqlite_lib_version()
    if tuple(map(int, found.split(".")[:3])) < SQLITE_MIN:
        wanted = ".".join(map(str, SQLITE_MIN))
        return fail(
            "sqlite", f"version {found} is older than {wanted}", "reinstall the locked apsw"
        )
    return ok("sqlite", f"version {found}")


def _pragmas(path: Path, *, running: bool) -> Finding:
    """Read back what durability rests on."""
    if running:
        connection = open_reading(path, Opening())
        try:
            mode = connection.pragma("journal_mode")
        finally:
            connection.close()
        if mode != "wal":
            return fail(
                "store pragmas", f"journal_mode is {mode}", "stop the gateway, start it anew"
            )
        return ok("store pragmas", "journal_mode wal; the gateway proved synchronous FULL at start")
    try:
        with lock_writing(path):
            connection, _ = open_writing(path, Opening())
            connection.close()
    except (StoreFailed, OSError, apsw.Error, *DAMAGE) as error:
        return fail("store pragmas", str(error), "install the release that made the file")
    return ok("store pragmas", "journal_mode wal, synchronous FULL, mmap_size 0")


def _content(reader: StoreReader, configuration: Configuration) -> Iterator[Finding]:
    status = reader.status()
    report = reader.verify()
    if report.ok:
        yield ok("ledger", f"{report.rows} records are whole; last seq {status.last_seq}")
    else:
        fix = "stop the gateway and restore a backup; a snapshot heals the core's stock"
        yield fail("ledger", "; ".join(report.problems), fix)
    if status.quarantined:
        text = f"{status.quarantined} records that the core did not take"
        yield warn("quarantine", text, "shelfgate store ls --quarantine, mend, store requeue SEQ")
    else:
        yield ok("quarantine", "empty")
    yield from _schemas(reader, configuration)
    yield _left_out(configuration)


def _left_out(configuration: Configuration) -> Finding:
    """Whether every configured rule runs."""
    folder = configuration.gateway.state_folder
    record = RuleRecord(folder, boot_id(), product_version())
    names = ", ".join(record.left_out())
    if not names:
        return ok("rules", f"all {len(configuration.rules)} run")
    text = f"left out, because they ended the gateway again and again: {names}"
    fix = f"report the bug; then install the release that mends it, or remove {record.path}"
    return fail("rules", text, fix)


def _schemas(reader: StoreReader, configuration: Configuration) -> Iterator[Finding]:
    """Whether the installed rules read the rows that are there."""
    strange = []
    for rule in configuration.rules:
        found = {row.schema for row in reader.state_rows(rule.name)} - {rule.factory.schema}
        if found:
            strange.append(f"{rule.name} has rows of schema {sorted(found)}")
    if strange:
        fix = "install the release that wrote them"
        yield fail("rule rows", "; ".join(strange), fix)
    else:
        yield ok("rule rows", f"the {len(configuration.rules)} rules read their rows")
