"""Nothing in the file grows for ever, and nobody else writes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.clock import Anchor
from gateway.model import Pulse
from gateway.outcome import Outcome
from gateway.store import Clocks, Identity, Store, StoreFailed, StoreReader
from gateway.store.database import Opening, lock_writing
from gateway.store.file import StoreFile, open_file

MakeTurn = Callable[[int], Outcome]
OpenFile = Callable[..., StoreFile]


def book(file: StoreFile, make_turn: MakeTurn, first: int, last: int) -> None:
    for number in range(first, last + 1):
        file.transact([lambda store, number=number: store.book([make_turn(number)])])


def count(file: StoreFile, table: str) -> int:
    found: int = file._connection.execute(f"SELECT count(*) FROM {table}").get
    return found


def test_evidence_of_old_records_is_forgotten(
    file: StoreFile, make_turn: MakeTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.file.EVIDENCE_MAX", 20)
    monkeypatch.setattr("gateway.store.file.EVIDENCE_SLACK", 4)
    book(file, make_turn, 1, 63)
    assert 20 <= count(file, "evidence") <= 24
    assert count(file, "ledger") == 63


def test_old_anchors_are_forgotten(file: StoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.tables.ANCHORS_MAX", 3)
    for at in range(10):
        anchor = Anchor("boot-1", at, at, "synced")
        file.transact([lambda store, anchor=anchor: store.put_anchor(anchor)])
    assert count(file, "anchor") == 3


def test_finished_pulses_are_forgotten_and_open_ones_kept(
    file: StoreFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.tables.PULSES_MAX", 3)
    turn = Outcome(1, actions=tuple(Pulse("s", "tare", f"s:{cell}") for cell in range(8)))
    file.transact([lambda store: store.book([turn])])
    for number in range(2, 9):
        for status in ("sent", "done"):
            file.transact([lambda store, n=number, s=status: store.mark_pulse(n, s)])
    kept = [row[0] for row in file._connection.execute("SELECT id FROM pulse")]
    assert kept == [1, 6, 7, 8]


def test_boots_that_no_record_names_are_forgotten(
    file: StoreFile, open_store_file: OpenFile, make_turn: MakeTurn
) -> None:
    book(file, make_turn, 1, 1)
    for boot in range(2, 6):
        file = open_store_file(boot_id=f"boot-{boot}")
        assert count(file, "boot") == boot
    file.transact([lambda store: store.acknowledge(store.mark.epoch.uuid, 1, ())])
    file.transact([lambda store: store.prune(0, 0)])
    assert count(open_store_file(boot_id="boot-6"), "boot") == 1


def test_wal_starts_over(
    path: Path, identity: Identity, clocks: Clocks, make_turn: MakeTurn
) -> None:
    file = open_file(path, identity, clocks, Opening(checkpoint_pages=100))
    for number in range(300):
        file.transact([lambda store, number=number: store.book([make_turn(number)])])
        file.checkpoint()
    assert path.with_name("shelfgate.db-wal").stat().st_size < 2 * 100 * (512 + 24)
    file.close()


def test_second_writer_is_refused(file: StoreFile, path: Path, open_store_file: OpenFile) -> None:
    with pytest.raises(StoreFailed, match="written by another process"):
        lock_writing(path)
    file.close()
    lock_writing(path).close()
    assert open_store_file().opened.clean


async def test_second_store_is_refused_and_the_first_goes_on(
    store: Store, open_store: Callable[..., Awaitable[Store]], make_turn: MakeTurn
) -> None:
    with pytest.raises(StoreFailed, match="written by another process"):
        await open_store()
    assert (await (await store.submit([make_turn(1)]))).last_seq == 1


def test_reader_cannot_write(file: StoreFile, path: Path, make_turn: MakeTurn) -> None:
    book(file, make_turn, 1, 1)
    reader = StoreReader(path)
    with pytest.raises(Exception, match="readonly"):
        reader._connection.execute("DELETE FROM ledger")
    reader.close()
