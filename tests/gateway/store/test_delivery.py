"""What the core says, and what becomes of the records then."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.outcome import Outcome
from gateway.ports import Record
from gateway.store import HighWaterBeyondLast, Result, Settled, StoreReader, StoreRefused
from gateway.store.delivery import PRUNE_ROWS
from gateway.store.file import Job, StoreFile

Read = Callable[[], StoreReader]


class Bench:
    """A store file with some movements, and short ways to do one thing to it."""

    def __init__(self, file: StoreFile, make_turn: Callable[[int], Outcome]) -> None:
        self.file = file
        self._make_turn = make_turn

    @property
    def epoch(self) -> str:
        return self.file.mark.epoch.uuid

    def do(self, job: Job) -> Any:
        (result,) = self.file.transact([job]).results
        if isinstance(result, Exception):
            raise result
        return result

    def book(self, first: int, last: int) -> None:
        turns = [self._make_turn(number) for number in range(first, last + 1)]
        self.do(lambda file: file.book(turns))

    def acknowledge(self, high_water: int, *results: Result, epoch: str = "") -> Settled:
        uuid = epoch or self.epoch
        settled: Settled = self.do(lambda file: file.acknowledge(uuid, high_water, results))
        return settled

    def requeue(self, seq: int, epoch: str = "") -> Record:
        uuid = epoch or self.epoch
        record: Record = self.do(lambda file: file.requeue(uuid, seq))
        return record


@pytest.fixture
def bench(file: StoreFile, make_turn: Callable[[int], Outcome]) -> Bench:
    made = Bench(file, make_turn)
    made.book(1, 10)
    return made


def test_acknowledge_settles_up_to_mark(bench: Bench, read: Read) -> None:
    settled = bench.acknowledge(4)
    assert (settled.high_water, settled.settled, settled.quarantined) == (4, 4, ())
    status = read().status()
    assert (status.high_water, status.unsettled) == (4, 6)


def test_acknowledge_never_lowers_mark(bench: Bench) -> None:
    bench.acknowledge(6)
    assert bench.acknowledge(3).high_water == 6
    assert bench.file.mark.high_water == 6


def test_acknowledge_beyond_last_changes_nothing(bench: Bench) -> None:
    with pytest.raises(HighWaterBeyondLast, match="core holds 11"):
        bench.acknowledge(11, Result(1, "rejected"))
    assert bench.file.mark.high_water == 0


def test_acknowledge_refuses_unknown_epoch(bench: Bench) -> None:
    with pytest.raises(StoreRefused, match="no epoch of this store"):
        bench.acknowledge(1, epoch="00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("seq", [0, 5])
def test_acknowledge_refuses_result_beyond_mark(bench: Bench, seq: int, read: Read) -> None:
    with pytest.raises(StoreRefused, match="beyond the mark 4"):
        bench.acknowledge(4, Result(1, "rejected", None, "no"), Result(seq, "accepted"))
    assert bench.file.mark.high_water == 0
    assert read().quarantined() == ()


def test_refused_job_leaves_others_of_its_transaction(bench: Bench) -> None:
    uuid = bench.epoch
    jobs: list[Job] = [
        lambda file: file.acknowledge(uuid, 99, ()),
        lambda file: file.acknowledge(uuid, 2, ()),
    ]
    first, second = bench.file.transact(jobs).results
    assert isinstance(first, HighWaterBeyondLast)
    assert isinstance(second, Settled)
    assert bench.file.mark.high_water == 2


def test_accepted_result_keeps_core_document_no(bench: Bench, read: Read) -> None:
    bench.acknowledge(2, Result(1, "accepted", "MAT-1"), Result(2, "duplicate", "MAT-2"))
    bench.acknowledge(2, Result(1, "duplicate", "MAT-1"))
    reader = read()
    assert [reader.core_document_no(seq) for seq in (1, 2, 3)] == ["MAT-1", "MAT-2", None]


@pytest.mark.parametrize("status", ["rejected", "duplicate"])
def test_rejected_record_is_quarantined_and_does_not_block(
    bench: Bench, read: Read, status: Any
) -> None:
    """A duplicate of a record that was rejected comes with that reason again."""
    settled = bench.acknowledge(3, Result(2, status, None, "item is not known"))
    assert settled.quarantined == (2,)
    assert bench.file.mark.high_water == 3
    (kept,) = read().quarantined()
    assert (kept.seq, kept.cause, kept.reason) == (2, "rejected", "item is not known")
    assert json.loads(kept.body)["movement_id"] == "movement-2"


def test_rejected_record_told_twice_is_quarantined_once(bench: Bench, read: Read) -> None:
    bench.acknowledge(3, Result(2, "rejected", None, "first"))
    assert bench.acknowledge(3, Result(2, "rejected", None, "second")).quarantined == ()
    assert [kept.reason for kept in read().quarantined()] == ["first"]


def test_conflict_raises_critical_alert_once(bench: Bench, read: Read) -> None:
    bench.acknowledge(3, Result(2, "conflict", None, "other leaf"))
    bench.acknowledge(3, Result(2, "conflict", None, "other leaf"))
    (raised,) = read().alerts()
    assert (raised.alert.code, raised.alert.severity) == ("delivery_conflict", "critical")
    assert raised.alert.key == f"edge-1-{bench.epoch[:8]}-2"
    assert raised.seq == bench.file.mark.last_seq == 11
    assert read().quarantined()[0].cause == "conflict"


def test_conflict_of_alert_does_not_breed_alerts(bench: Bench) -> None:
    bench.acknowledge(3, Result(2, "conflict"))
    bench.acknowledge(11, Result(11, "conflict"))
    assert bench.file.mark.last_seq == 11


def test_requeue_books_anew_with_supersedes(bench: Bench, read: Read) -> None:
    bench.acknowledge(3, Result(2, "rejected", None, "item is not known"))
    record = bench.requeue(2)
    body = json.loads(record.body)
    assert record.seq == body["seq"] == 12
    assert (body["movement_id"], body["supersedes"]) == ("movement-2", "movement-2")
    assert body["document_no"] == f"edge-1-{bench.epoch[:8]}-12"
    assert read().quarantined() == ()
    assert read().verify().ok


def test_requeue_is_refused_twice_and_for_unknown(bench: Bench) -> None:
    bench.acknowledge(3, Result(2, "rejected"))
    bench.requeue(2)
    with pytest.raises(StoreRefused, match="booked anew as 12"):
        bench.requeue(2)
    with pytest.raises(StoreRefused, match="not in quarantine"):
        bench.requeue(3)
    assert bench.file.mark.last_seq == 13


def test_prune_takes_old_settled_records_only(bench: Bench, read: Read) -> None:
    bench.acknowledge(7, Result(2, "rejected", None, "no"), Result(3, "accepted", "MAT-3"))
    before = read().verify()
    assert bench.do(lambda file: file.prune(1 << 62, 1000)) == 7
    assert bench.do(lambda file: file.prune(1 << 62, 1000)) == 0
    reader = read()
    (window,) = reader.windows()
    assert (window.first_kept, window.last_seq, window.high_water) == (8, 11, 7)
    assert [record.seq for record in reader.records_after(0, 99)] == [8, 9, 10, 11]
    assert (reader.core_document_no(3), reader.evidence(3)) == (None, None)
    assert reader.evidence(8) is not None
    assert reader.verify().ok
    assert before.root == bench.file.mark.merkle.root()
    assert bench.requeue(2).seq == 12


def test_prune_keeps_young_records(bench: Bench) -> None:
    bench.acknowledge(10)
    assert bench.do(lambda file: file.prune(0, 1000)) == 0


def test_prune_keeps_no_more_rows_than_told(bench: Bench, read: Read) -> None:
    """Whatever the clock says of their age: it may have been years ahead."""
    bench.acknowledge(10)
    assert bench.do(lambda file: file.prune(0, 4)) == 6
    assert read().windows()[0].first_kept == 7


def test_prune_of_all_keeps_numbering(
    bench: Bench, read: Read, open_store_file: Callable[..., StoreFile]
) -> None:
    bench.acknowledge(10)
    bench.do(lambda file: file.prune(1 << 62, 0))
    assert read().windows()[0].first_kept == 11
    bench.file = open_store_file()
    bench.book(11, 12)
    assert [record.seq for record in read().records_after(0, 9)] == [11, 12]
    assert read().verify().ok


def test_prune_goes_in_small_steps(bench: Bench) -> None:
    bench.book(11, 2 * PRUNE_ROWS)
    bench.acknowledge(2 * PRUNE_ROWS)
    steps = [bench.do(lambda file: file.prune(1 << 62, 0)) for _ in range(3)]
    assert steps == [PRUNE_ROWS, PRUNE_ROWS, 0]


def test_older_epoch_is_delivered_under_its_own_name(bench: Bench, read: Read) -> None:
    old = bench.epoch
    bench.acknowledge(8)
    bench.do(lambda file: file.begin_epoch("machine_changed"))
    first, second = read().windows()
    assert (first.epoch.uuid, first.last_seq, first.high_water) == (old, 10, 8)
    assert (second.epoch.uuid, second.last_seq) == (bench.epoch, 1)
    assert [record.seq for record in read().records_after(8, 9, old)] == [9, 10]
    bench.acknowledge(10, Result(9, "rejected", None, "no"), epoch=old)
    (left,) = read().windows()
    assert left.epoch.uuid == bench.epoch
    assert bench.requeue(9, old).seq == 3
    assert read().verify().ok


def test_prune_stops_at_unsettled_older_epoch(bench: Bench, read: Read) -> None:
    old = bench.epoch
    bench.acknowledge(8)
    bench.do(lambda file: file.begin_epoch("machine_changed"))
    bench.acknowledge(1)
    assert bench.do(lambda file: file.prune(1 << 62, 0)) == 8
    assert [record.seq for record in read().records_after(0, 9, old)] == [9, 10]


def test_each_rejected_record_has_an_alert_until_it_is_booked_anew(
    bench: Bench, read: Read
) -> None:
    bench.acknowledge(3, Result(1, "rejected", None, "no such bin"))
    bench.acknowledge(3, Result(3, "rejected", None, "no such item"))
    raised = [up.alert for up in read().alerts()]
    prefix = f"edge-1-{bench.epoch[:8]}"
    assert [(up.code, up.key) for up in raised] == [
        ("record_rejected", f"{prefix}-1"),
        ("record_rejected", f"{prefix}-3"),
    ]
    assert "no such item" in raised[1].text
    bench.requeue(3)
    assert [up.alert.key for up in read().alerts()] == [f"{prefix}-1"]


def test_conflict_clears_when_it_is_booked_anew(bench: Bench, read: Read) -> None:
    bench.acknowledge(3, Result(2, "conflict", None, "other leaf"))
    bench.requeue(2)
    assert read().alerts() == ()


@pytest.mark.parametrize(
    ("before_unix_ns", "keep_rows", "left"), [(0, 9, 3), (1 << 62, 9, 0), (0, 1, 1)]
)
def test_quarantine_is_bounded_by_age_and_number(
    bench: Bench, read: Read, before_unix_ns: int, keep_rows: int, left: int
) -> None:
    bench.acknowledge(4, *(Result(seq, "rejected", None, "no") for seq in (1, 2, 4)))
    pruned = bench.do(lambda file: file.prune_quarantine(before_unix_ns, keep_rows))
    assert pruned == 3 - left
    assert [kept.seq for kept in read().quarantined()] == [1, 2, 4][pruned:]
    assert len(read().alerts()) == left
    assert bench.do(lambda file: file.prune_quarantine(before_unix_ns, keep_rows)) == 0


def test_restored_ledger_puts_doubtful_records_aside(bench: Bench, read: Read) -> None:
    """The core may hold other records under their numbers: never silent, never sent again."""
    old = bench.epoch
    bench.acknowledge(8)
    bench.do(lambda file: file.begin_epoch("restored"))
    reader = read()
    assert [(kept.epoch, kept.seq, kept.cause) for kept in reader.quarantined()] == [
        (old, 9, "restored"),
        (old, 10, "restored"),
    ]
    (window,) = reader.windows()
    assert (window.epoch.reason, window.last_seq) == ("restored", 1)
    (raised,) = reader.alerts()
    assert (raised.alert.code, raised.alert.severity) == ("epoch_began", "critical")
    assert "2 records in quarantine" in raised.alert.text
    assert json.loads(bench.requeue(9, old).body)["epoch"] == bench.epoch
