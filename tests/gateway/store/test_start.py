"""How the store finds its file at the start, and what it makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.clock import Anchor
from gateway.model import Pulse, ShowLight
from gateway.outcome import Outcome
from gateway.store import Clocks, Identity, StoreFailed, StoreFull, StoreReader
from gateway.store.ballast import BALLAST_BYTES, Ballast
from gateway.store.database import Opening, suspect_mark
from gateway.store.file import StoreFile, open_file
from gateway.store.schema import ledger_key
from gateway.store.tables import BEFORE
from gateway.store.verify import TAIL_ROWS

WRONG_ITEM = "UPDATE ledger SET body=CAST(replace(body, 'M6', 'M8') AS BLOB) WHERE key=?"

OpenFile = Callable[..., StoreFile]
MakeTurn = Callable[[int], Outcome]


def book(file: StoreFile, make_turn: MakeTurn, first: int, last: int) -> None:
    turns = [make_turn(number) for number in range(first, last + 1)]
    file.transact([lambda store: store.book(turns)])


def spoil(path: Path, sql: str, *parameters: Any) -> None:
    """Change the file behind the store's back."""
    connection = apsw.Connection(str(path))
    connection.execute(sql, parameters)
    connection.close()


def test_new_file_starts_an_epoch_without_alert(file: StoreFile) -> None:
    assert file.opened.began == "created"
    assert (file.opened.clean, file.opened.last_seq) == (True, 0)
    assert file.mark.epoch.number == 1


def test_new_file_is_durable_wal(file: StoreFile) -> None:
    connection = file._connection
    pragmas = {name: connection.pragma(name) for name in ("journal_mode", "synchronous")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}
    assert connection.pragma("mmap_size") == 0
    assert connection.pragma("page_size") == 512


def test_folder_is_synced_before_first_use(path: Path, identity: Identity, clocks: Clocks) -> None:
    synced: list[bytes] = []

    def note(folder: Path) -> None:
        assert folder == path.parent
        synced.append(path.read_bytes()[18:20])

    open_file(path, identity, clocks, Opening(sync_folder=note)).close()
    assert synced == [b"\x02\x02"], "once, with WAL in the header"


def test_settings_that_sqlite_does_not_take_are_fatal(
    path: Path, identity: Identity, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.database.SYNCHRONOUS", {"FULL": 3})
    with pytest.raises(StoreFailed, match="PRAGMA synchronous is 2, not 3"):
        open_file(path, identity, clocks, Opening())


def test_newer_schema_is_fatal_and_kept(
    file: StoreFile, path: Path, open_store_file: OpenFile
) -> None:
    file.close()
    spoil(path, "UPDATE meta SET value=99 WHERE name='schema'")
    with pytest.raises(StoreFailed, match="schema 99"):
        open_store_file()
    assert list(path.parent.glob("*.damaged-*")) == []


def test_clean_stop_is_known_as_such(
    file: StoreFile, open_store_file: OpenFile, make_turn: MakeTurn
) -> None:
    book(file, make_turn, 1, 3)
    uuid = file.mark.epoch.uuid
    file.close()
    again = open_store_file()
    assert again.opened.clean
    assert (again.mark.epoch.uuid, again.mark.last_seq) == (uuid, 3)
    assert again.opened.began is None


def test_unclean_stop_loses_nothing(
    file: StoreFile, open_store_file: OpenFile, make_turn: MakeTurn, read: Callable[[], StoreReader]
) -> None:
    book(file, make_turn, 1, 3)
    again = open_store_file()
    assert not again.opened.clean
    book(again, make_turn, 4, 4)
    assert [record.seq for record in read().records_after(0, 9)] == [1, 2, 3, 4]
    assert read().verify().ok


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (WRONG_ITEM, "hash"),
        ("DELETE FROM ledger WHERE key=?", "gap"),
        ("UPDATE epoch SET size=size+1 WHERE ? > 0", "size"),
        ("UPDATE epoch SET range=x'00' WHERE ? > 0", "range"),
    ],
)
def test_damaged_tail_after_unclean_stop_is_set_aside(
    file: StoreFile,
    path: Path,
    open_store_file: OpenFile,
    make_turn: MakeTurn,
    sql: str,
    problem: str,
) -> None:
    book(file, make_turn, 1, 9)
    old = file.mark.epoch.uuid
    file.abandon()
    spoil(path, sql, ledger_key(1, 8))
    again = open_store_file()
    assert again.opened.set_aside == path.with_name("shelfgate.db.damaged-1"), problem
    assert again.opened.began == "corrupt"
    assert again.mark.epoch.uuid != old
    kept = StoreReader(path.with_name("shelfgate.db.damaged-1"))
    assert kept.records_after(0, 1, old)
    kept.close()


def test_record_that_calls_itself_another_is_damage(
    file: StoreFile, path: Path, open_store_file: OpenFile, make_turn: MakeTurn
) -> None:
    """A row that sits under another number, with a hash that fits."""
    book(file, make_turn, 1, 9)
    (record,) = file.transact([lambda store: store.book([make_turn(10)])]).committed.records
    file.abandon()
    change = "UPDATE ledger SET body=?, leaf_hash=? WHERE key=?"
    spoil(path, change, record.body, record.leaf_hash, ledger_key(1, 9))
    assert open_store_file().opened.set_aside is not None


def test_damage_raises_critical_alert(
    path: Path, open_store_file: OpenFile, read: Callable[[], StoreReader]
) -> None:
    path.write_bytes(b"this was a store once" * 100)
    file = open_store_file()
    (record,) = read().records_after(0, 9)
    body = json.loads(record.body)
    assert (body["code"], body["severity"], body["raised"]) == ("epoch_began", "critical", True)
    assert (body["seq"], file.mark.last_seq) == (1, 1)
    assert path.with_name("shelfgate.db.damaged-1").read_bytes().startswith(b"this was")


def test_alert_of_a_new_epoch_clears_with_the_start_after_a_clean_stop(
    path: Path, open_store_file: OpenFile, read: Callable[[], StoreReader]
) -> None:
    path.write_bytes(b"this was a store once" * 100)
    open_store_file().abandon()
    open_store_file().close()
    assert [up.alert.code for up in read().alerts()] == ["epoch_began"]
    file = open_store_file()
    assert read().alerts() == ()
    assert file.mark.last_seq == 2


def test_damaged_files_pile_up_and_none_is_overwritten(
    path: Path, open_store_file: OpenFile
) -> None:
    for number in (1, 2, 3):
        path.write_bytes(b"%d is no database, but longer than a header of one..." % number * 20)
        opened = open_store_file().opened
        assert opened.set_aside == path.with_name(f"shelfgate.db.damaged-{number}")
        open_store_file().close()
    assert len(list(path.parent.glob("*.damaged-?"))) == 3


def test_other_database_is_set_aside(path: Path, open_store_file: OpenFile) -> None:
    spoil(path, "CREATE TABLE shopping(item TEXT)")
    assert open_store_file().opened.set_aside is not None


@pytest.mark.parametrize("content", [None, b""])
def test_making_that_was_cut_short_is_done_again(
    path: Path, open_store_file: OpenFile, content: bytes | None
) -> None:
    """The file is there, empty or with tables but in no epoch yet: nobody has used it."""
    if content is None:
        open_store_file().abandon()
        spoil(path, "DELETE FROM epoch")
    else:
        path.write_bytes(content)
    opened = open_store_file().opened
    assert (opened.began, opened.set_aside) == ("created", None)


def test_only_the_tail_is_checked_before_work(
    file: StoreFile, path: Path, open_store_file: OpenFile, make_turn: MakeTurn
) -> None:
    """An old wrong record is for the background check: it must not stop the goods."""
    book(file, make_turn, 1, TAIL_ROWS + 1)
    file.abandon()
    spoil(path, WRONG_ITEM, ledger_key(1, 1))
    assert open_store_file().opened.set_aside is None
    reader = StoreReader(path)
    report = reader.verify()
    reader.close()
    assert report.problems[0].startswith("record 1 of")
    assert not report.ok


def test_suspect_file_is_checked_whole_and_gone_on_with_if_well(
    file: StoreFile, path: Path, open_store_file: OpenFile, make_turn: MakeTurn
) -> None:
    book(file, make_turn, 1, 3)
    suspect_mark(path).touch()
    assert open_store_file().opened.last_seq == 3
    assert not suspect_mark(path).exists()


def test_suspect_file_that_is_corrupt_is_set_aside(
    file: StoreFile, path: Path, open_store_file: OpenFile, make_turn: MakeTurn
) -> None:
    """A page in the middle, which no start would read, is overwritten."""
    book(file, make_turn, 1, 400)
    file.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 512 * 512
    content[middle : middle + 2048] = bytes(2048)
    path.write_bytes(content)
    assert open_store_file().opened.set_aside is None
    suspect_mark(path).touch()
    assert open_store_file().opened.set_aside is not None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"machine": "machine-b"}, "machine_changed"), ({"gateway": "edge-2"}, "gateway_changed")],
)
def test_file_of_another_starts_an_epoch(
    file: StoreFile,
    open_store_file: OpenFile,
    make_turn: MakeTurn,
    changed: dict[str, str],
    reason: str,
) -> None:
    book(file, make_turn, 1, 3)
    old = file.mark.epoch
    clone = open_store_file(**changed)
    assert clone.opened.began == reason
    assert clone.mark.epoch.uuid != old.uuid
    assert (clone.mark.epoch.number, clone.mark.last_seq) == (2, 1)
    assert open_store_file(**changed).opened.began is None


def test_other_boot_goes_on_in_the_same_epoch(
    file: StoreFile, open_store_file: OpenFile, make_turn: MakeTurn, read: Callable[[], StoreReader]
) -> None:
    book(file, make_turn, 1, 1)
    again = open_store_file(boot_id="boot-2")
    book(again, make_turn, 2, 2)
    assert [row.boot_id for row in read().rows_after(0, 9)] == ["boot-1", "boot-2"]


def test_pulse_that_is_not_done_is_lost_by_a_crash(
    file: StoreFile, open_store_file: OpenFile, read: Callable[[], StoreReader]
) -> None:
    pulses = tuple(Pulse("shelf-1", "tare", f"shelf-1:{cell}") for cell in (1, 2, 3))
    done = file.transact([lambda store: store.book([Outcome(1, actions=pulses)])]).committed
    ids = [row.pulse_id for row in done.actions if not isinstance(row, ShowLight | Pulse)]
    file.transact([lambda store: store.mark_pulse(ids[0], "sent")])
    file.transact([lambda store: store.mark_pulse(ids[1], "sent")])
    file.transact([lambda store: store.mark_pulse(ids[1], "done")])
    again = open_store_file()
    lost = [(row.pulse_id, row.status) for row in again.opened.lost_pulses]
    assert lost == [(ids[0], "sent"), (ids[2], "pending")]
    assert [row.status for row in read().pulses()] == ["unknown", "done", "unknown"]
    assert open_store_file().opened.lost_pulses == ()


@pytest.mark.parametrize("status", BEFORE)
def test_pulse_is_never_sent_twice(file: StoreFile, status: Any) -> None:
    turn = Outcome(1, actions=(Pulse("shelf-1", "tare", "shelf-1:1"),))
    file.transact([lambda store: store.book([turn])])
    for step in ("sent", status):
        if step != status or status != "sent":
            file.transact([lambda store, step=step: store.mark_pulse(1, step)])
    if status == "sent":
        file.transact([lambda store: store.mark_pulse(1, "sent")])
    (refused,) = file.transact([lambda store: store.mark_pulse(1, "sent")]).results
    assert "cannot be sent" in str(refused)


def test_last_anchor_outlives_the_boot(file: StoreFile, open_store_file: OpenFile) -> None:
    for at in (1, 2):
        anchor = Anchor("boot-1", at, 1_790_000_000 + at, "synced")
        file.transact([lambda store, anchor=anchor: store.put_anchor(anchor)])
    assert open_store_file(boot_id="boot-2").opened.last_anchor == anchor


def test_start_on_full_disk_uses_the_space_held_back(
    file: StoreFile, path: Path, open_store_file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.close()
    Ballast(path).lay()
    laid = path.with_name("shelfgate.db.ballast")
    assert laid.stat().st_blocks * 512 >= BALLAST_BYTES
    start = StoreFile.start

    def start_if_room(self: StoreFile) -> None:
        if laid.exists():
            raise StoreFull("no space left")
        start(self)

    monkeypatch.setattr(StoreFile, "start", start_if_room)
    assert open_store_file().opened.set_aside is None
    assert not laid.exists()
