"""The store without its thread: one file, one writing connection, one transaction at a time.

Opening it is the start-up path: a damaged file is set aside, an unclean stop has its tail checked,
a foreign file starts a new epoch, pulses whose fate is unknown are marked so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import apsw

from gateway.clock import Anchor
from gateway.model import Action, Alert, Ns
from gateway.outcome import Outcome
from gateway.ports import Record
from gateway.store import attention, delivery, tables
from gateway.store.ballast import Ballast
from gateway.store.database import (
    DAMAGE,
    Damaged,
    Opening,
    last_set_aside,
    lock_writing,
    open_writing,
    query,
    set_aside,
    suspect_mark,
)
from gateway.store.ledger import Ledger, Mark, Stamp
from gateway.store.pending import Pending
from gateway.store.schema import EVIDENCE_MAX, EVIDENCE_SLACK, ledger_key
from gateway.store.verify import SQLITE_PROBLEM, check_tail, full_check
from gateway.store.windows import read_windows
from gateway.store.words import (
    Clocks,
    Committed,
    Epoch,
    Identity,
    NewEpoch,
    Opened,
    PulseRow,
    PulseStatus,
    Settled,
    StoreFull,
    StoreRefused,
)
from gateway.uplink.outbox import Result

Job: TypeAlias = Callable[["StoreFile"], object]
"""One thing to do in a transaction. It may raise StoreRefused before it has changed anything."""

STORE_FULL, STORE_FULL_KEY = "store_full", "store"
"""Code and key of the alert that there is no space."""

EPOCH_BEGAN = "epoch_began"
"""Code of the alert of each new epoch; it clears with the next start after a clean stop."""


class Transaction(NamedTuple):
    """What came of each job, in order, and what the whole put on disk."""

    results: list[object]
    committed: Committed


class StoreFile:
    """The one writing connection. Use it from one thread at a time; `transact` does all work."""

    def __init__(self, path: Path, identity: Identity, clocks: Clocks, opening: Opening) -> None:
        self.path = path
        self._clocks = clocks
        self._opening = opening
        self._lock = lock_writing(path)
        try:
            self._connection, self._fresh = open_writing(path, opening)
        except BaseException:
            self._lock.close()
            raise
        self._wal_pages = 0
        self._connection.set_wal_hook(self._note_wal)  # this also ends SQLite's own checkpoints
        self._pending = Pending(self._connection)
        self._ledger = Ledger(self._connection, self._pending, identity, clocks.wall)
        self._actions: list[Action | PulseRow] = []
        self._quarantined = 0
        self._opened: Opened | None = None

    @property
    def mark(self) -> Mark:
        """The newest epoch, its last seq, high-water mark and Merkle range."""
        return self._ledger.mark

    @property
    def opened(self) -> Opened:
        """How the file was found."""
        assert self._opened is not None, "not started"
        return self._opened

    @property
    def declared_full(self) -> bool:
        """Whether it stands in the ledger that there is no space, perhaps since an earlier run."""
        key = (STORE_FULL, STORE_FULL_KEY)
        question = "SELECT count(*) FROM alert WHERE code=? AND key=?"
        return bool(self._connection.execute(question, key).get)

    def start(self) -> None:
        """Check what is there and make it ready for work. Damaged if it is no good."""
        stopped = self._connection.execute("SELECT value FROM meta WHERE name='stopped'").get
        clean = self._fresh or stopped == "clean"
        began = self._ledger.load()
        self._quarantined = tables.quarantine_depth(self._connection)
        if not clean and began != "created":
            check_tail(self._connection, self.mark)
        suspect = suspect_mark(self.path)
        if suspect.exists():
            self._check_suspect()
            suspect.unlink()
        aside = last_set_aside(self.path) if began == "created" else None
        if aside is not None:
            began = "corrupt"
        pulses = self.transact([lambda _: self._begin(began, clean=clean)]).results[0]
        assert isinstance(pulses, tuple)
        self._opened = Opened(
            self.mark.epoch,
            self.mark.last_seq,
            self.mark.high_water,
            clean,
            began,
            aside,
            read_windows(self._connection),
            pulses,
            tables.last_anchor(self._connection),
            self._quarantined,
        )

    def transact(self, jobs: Sequence[Job]) -> Transaction:
        """Do all jobs in one transaction and sync it.

        A job that is refused has StoreRefused for its result. StoreFull if there is no space left:
        then nothing happened. Any other error is final: the file must be opened anew.
        """
        before, quarantined = self._ledger.mark, self._quarantined
        self._actions = []
        now = self._clocks.boot.now()
        self._ledger.begin(Stamp(now, *self._clocks.wall.wall(now)))
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [self._run(job) for job in jobs]
            self._ledger.save()
            self._connection.execute("COMMIT")
        except apsw.FullError as error:
            self._undo(before)
            self._quarantined = quarantined
            raise StoreFull(str(error)) from error
        except BaseException:
            with contextlib.suppress(apsw.Error):
                self._undo(before)
            raise
        took_ns = self._clocks.boot.now() - now
        done = self._committed(self._ledger.fresh, self._actions)
        return Transaction(results, replace(done, took_ns=took_ns, quarantined=self._quarantined))

    def checkpoint(self) -> None:
        """Move the WAL into the file when it has grown long enough.

        Called by hand after each transaction, since SQLite hides the errors of its own.
        """
        if self._wal_pages >= self._opening.checkpoint_pages:
            self._wal_pages = 0
            with contextlib.suppress(apsw.FullError):
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def abandon(self) -> None:
        """Close without a word, after an error."""
        with contextlib.suppress(apsw.Error):
            self._connection.close()
        self._lock.close()

    def close(self) -> None:
        """Note the clean stop and close."""
        try:
            with contextlib.suppress(StoreFull):
                self.transact([lambda _: self._note_stopped("clean")])
            self._connection.close()
        finally:
            self.abandon()

    def book(self, outcomes: Sequence[Outcome]) -> Committed:
        """A job: record what turns came to."""
        first_record, first_action = len(self._ledger.fresh), len(self._actions)
        for outcome in outcomes:
            self._book(outcome)
        fresh = self._ledger.fresh[first_record:]
        self._trim_evidence(len(fresh))
        return self._committed(fresh, self._actions[first_action:])

    def acknowledge(self, epoch: str, high_water: int, results: Sequence[Result]) -> Settled:
        """A job: settle what the core has committed. See delivery.acknowledge."""
        self._pending.flush()
        settled = delivery.acknowledge(self._connection, self._ledger, epoch, high_water, results)
        self._quarantined += len(settled.quarantined)
        return settled

    def requeue(self, epoch: str, seq: int) -> Record:
        """A job: book a quarantined record anew. See delivery.requeue."""
        self._pending.flush()
        record = delivery.requeue(self._connection, self._ledger, epoch, seq)
        self._quarantined -= 1
        return record

    def acknowledge_alert(self, key: str, actor: str, note: str | None) -> tuple[str, ...]:
        """A job: note who has seen an alert. See attention.acknowledge."""
        self._pending.flush()
        return attention.acknowledge(self._connection, self._ledger, key, actor, note)

    def remind(self, pause_ns: Ns) -> int:
        """A job: tell alerts again that nobody has seen. See attention.remind."""
        self._pending.flush()
        return attention.remind(self._connection, self._ledger, pause_ns)

    def prune(self, before_unix_ns: int, keep_rows: int) -> int:
        """A job: delete some old settled records. See delivery.prune."""
        self._pending.flush()
        return delivery.prune(self._connection, self._ledger, before_unix_ns, keep_rows)

    def prune_quarantine(self, before_unix_ns: int, keep_rows: int) -> int:
        """A job: forget records that nobody booked anew. See delivery.prune_quarantine."""
        self._pending.flush()
        count = delivery.prune_quarantine(self._connection, self._ledger, before_unix_ns, keep_rows)
        self._quarantined -= count
        return count

    def begin_epoch(self, reason: NewEpoch) -> Epoch:
        """A job, alone in its transaction: number anew, since the old numbers mean two things.

        On "restored" the records that the core may know by other content go to quarantine. On
        other reasons what is unsettled stays in the outbox under its old epoch.
        """
        self._pending.flush()
        old = self.mark
        quarantined = 0
        if reason == "restored":
            quarantined = delivery.quarantine_unsettled(self._connection, self._ledger)
            self._quarantined = tables.quarantine_depth(self._connection)
        self._ledger.begin_epoch(self._opening.new_epoch(), reason)
        if reason != "created":
            self._ledger.book(
                Alert(
                    code=EPOCH_BEGAN,
                    key=self.mark.epoch.uuid,
                    raised=True,
                    severity="critical" if reason in ("corrupt", "restored") else "warning",
                    text=f"{reason}: {quarantined} records in quarantine, old epoch"
                    f" {old.epoch.uuid or 'set aside'} ended at {old.last_seq}",
                    at_event=self._ledger.stamp.recorded_ns,
                )
            )
        return self.mark.epoch

    def mark_pulse(self, pulse_id: int, status: PulseStatus) -> None:
        """A job: note how far a pulse has come. See tables.mark_pulse."""
        tables.mark_pulse(self._connection, pulse_id, status)

    def put_anchor(self, anchor: Anchor) -> None:
        """A job: keep one moment on both clocks."""
        tables.put_anchor(self._connection, anchor)

    def _run(self, job: Job) -> object:
        try:
            return job(self)
        except StoreRefused as refusal:
            return refusal

    def _book(self, outcome: Outcome) -> None:
        """Record one turn."""
        connection = self._connection
        fresh = [self._ledger.book(event) for event in outcome.events]
        self._pending.put_rows(outcome)
        tables.put_references(connection, outcome.references)
        for action in outcome.actions:
            self._actions.append(tables.put_action(connection, action))
        if outcome.evidence:
            number = self.mark.epoch.number
            keys = [ledger_key(number, record.seq) for record in fresh]
            self._pending.put_evidence(outcome.evidence, keys)

    def _trim_evidence(self, fresh: int) -> None:
        """Each EVIDENCE_SLACK records, forget the evidence of old ones."""
        last = self.mark.last_seq
        if last // EVIDENCE_SLACK != (last - fresh) // EVIDENCE_SLACK and last > EVIDENCE_MAX:
            tables.trim_evidence(
                self._connection, ledger_key(self.mark.epoch.number, last - EVIDENCE_MAX)
            )

    def _begin(self, began: NewEpoch | None, *, clean: bool) -> tuple[PulseRow, ...]:
        """A job: what each start changes."""
        self._ledger.begin_boot()
        if began is not None:
            self.begin_epoch(began)
        elif clean:
            self._clear_began()
        self._note_stopped("open")
        return tables.lose_pulses(self._connection)

    def _clear_began(self) -> None:
        """An epoch that was stopped well and goes on now is news no more."""
        for key, severity in query(
            self._connection, "SELECT key, severity FROM alert WHERE code=?", (EPOCH_BEGAN,)
        ):
            text = "stopped well and started again since"
            at = self._ledger.stamp.recorded_ns
            self._ledger.book(Alert(EPOCH_BEGAN, key, False, severity, text, at))

    def _note_stopped(self, how: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES('stopped', ?)", (how,))

    def _check_suspect(self) -> None:
        report = full_check(self._connection)
        if any(problem.startswith(SQLITE_PROBLEM) for problem in report.problems):
            raise Damaged("; ".join(report.problems))

    def _committed(
        self, records: Sequence[Record], actions: Sequence[Action | PulseRow]
    ) -> Committed:
        last = self.mark.last_seq
        first = records[0].seq if records else last + 1
        return Committed(self.mark.epoch, first, last, tuple(records), tuple(actions))

    def _undo(self, before: Mark) -> None:
        """Forget the transaction, here and in the file."""
        self._ledger.restore(before)
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _note_wal(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK


def open_file(path: Path, identity: Identity, clocks: Clocks, opening: Opening) -> StoreFile:
    """The start-up path. A damaged file is set aside, and a new one takes its place.

    StoreFull if not even the space held back is enough to start.
    """
    try:
        return _open(path, identity, clocks, opening)
    except DAMAGE:
        set_aside(path, opening)
    except StoreFull:
        Ballast(path).release()
    return _open(path, identity, clocks, opening)


def _open(path: Path, identity: Identity, clocks: Clocks, opening: Opening) -> StoreFile:
    file = StoreFile(path, identity, clocks, opening)
    try:
        file.start()
    except BaseException:
        file.abandon()
        raise
    return file
