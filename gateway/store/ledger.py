"""The append-only ledger of one epoch: numbers records, hashes them, keeps the Merkle range.

Everything here happens inside a transaction that `StoreFile` begins and ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

import apsw

from gateway.alert_texts import said
from gateway.canonical import canonical
from gateway.clock import ClockQuality
from gateway.model import Alert, Dismissal, Event, Ns, Proposal
from gateway.ports import Record
from gateway.store.booking import Body, Head, kind_of, record, utc
from gateway.store.database import Damaged
from gateway.store.merkle import CompactRange, leaf_hash
from gateway.store.pending import Pending
from gateway.store.schema import PROPOSAL_ROWS, ledger_key
from gateway.store.tables import put_alert
from gateway.store.words import Epoch, Identity, NewEpoch, WallTime


class Stamp(NamedTuple):
    """When a transaction records, on both clocks."""

    recorded_ns: Ns
    unix_ns: int
    clock: ClockQuality


class Mark(NamedTuple):
    """What is known of the ledger besides the file: put back when a transaction is undone."""

    epoch: Epoch
    last_seq: int
    high_water: int
    merkle: CompactRange


class Ledger:
    """The current epoch, as the transaction in hand sees it."""

    def __init__(
        self, connection: apsw.Connection, pending: Pending, identity: Identity, wall: WallTime
    ) -> None:
        self._connection = connection
        self._pending = pending
        self._identity = identity
        self._wall = wall
        self._leaves: list[bytes] = []
        self.boot = 0
        self.fresh: list[Record] = []
        self.stamp = Stamp(0, 0, "unsynced")
        self.mark = Mark(Epoch(0, "", "created"), 0, 0, CompactRange())
        self._saved = self.mark

    @property
    def gateway(self) -> str:
        """Whose ledger it is."""
        return self._identity.gateway

    def load(self) -> NewEpoch | None:
        """Read the newest epoch; if it cannot be gone on with, return why.

        Damaged if its Merkle range does not fit its size.
        """
        row = self._connection.execute(
            "SELECT number, uuid, reason, gateway, machine, size, high_water, range"
            " FROM epoch ORDER BY number DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return "created"
        number, uuid, reason, gateway, machine, size, high_water, packed = row
        try:
            merkle = CompactRange.unpack(size, packed)
        except ValueError as error:
            raise Damaged(str(error)) from error
        self.mark = self._saved = Mark(Epoch(number, uuid, reason), size, high_water, merkle)
        if machine != self._identity.machine:
            return "machine_changed"
        return None if gateway == self.gateway else "gateway_changed"

    def begin(self, stamp: Stamp) -> None:
        """A transaction begins."""
        self.stamp = stamp
        self.fresh = []

    def begin_boot(self) -> None:
        """Note this boot, so that rows can name it by a small number; forget unnamed ones."""
        find = "SELECT number FROM boot WHERE boot_id=?"
        boot = (self._identity.boot_id,)
        known = self._connection.execute(find, boot).get
        if known is None:
            self._connection.execute("INSERT INTO boot(boot_id) VALUES(?)", boot)
            known = self._connection.last_insert_rowid()
        self.boot = known
        self._connection.execute(
            "DELETE FROM boot WHERE number<?"
            " AND number<coalesce((SELECT boot FROM ledger ORDER BY key LIMIT 1), number+1)",
            (known,),
        )

    def begin_epoch(self, uuid: UUID, reason: NewEpoch) -> None:
        """Start numbering anew; the rows of earlier epochs stay."""
        self.save()
        epoch = Epoch(self.mark.epoch.number + 1, str(uuid), reason)
        self._connection.execute(
            "INSERT INTO epoch VALUES(?,?,?,?,?,0,0,x'')",
            (epoch.number, epoch.uuid, self.gateway, self._identity.machine, reason),
        )
        self.mark = self._saved = Mark(epoch, 0, 0, CompactRange())

    def book(self, event: Event) -> Record:
        """Record one event under the next number; an alert is also kept until it is cleared, and a
        proposal until it is answered.
        """
        told = self._translated(event) if isinstance(event, Alert) else event
        fresh = self.add(kind_of(event), lambda head: record(told, head, self._say))
        if isinstance(event, Alert):
            put_alert(self._connection, event, ledger_key(self.mark.epoch.number, fresh.seq))
        elif isinstance(event, Proposal):
            self._pending.keep(PROPOSAL_ROWS, event.proposal_id, fresh.body.decode())
        elif isinstance(event, Dismissal):
            self._pending.drop(PROPOSAL_ROWS, event.unresolved_id)
        return fresh

    def _translated(self, alert: Alert) -> Alert:
        """As it is recorded; where it stands it is kept as it was raised."""
        language = self._identity.language
        return replace(alert, text=said(alert.code, alert.text, language, raised=alert.raised))

    def add(self, kind: str, body_of: Callable[[Head], Body]) -> Record:
        """Record what `body_of` makes of the next number."""
        mark, stamp = self.mark, self.stamp
        seq = mark.last_seq + 1
        head = Head(self.gateway, mark.epoch.uuid, seq, utc(stamp.unix_ns), stamp.clock)
        body = canonical(body_of(head))
        leaf = leaf_hash(body)
        self._pending.ledger.add(
            ledger_key(mark.epoch.number, seq),
            kind,
            self.boot,
            stamp.recorded_ns,
            stamp.unix_ns,
            leaf,
            body,
        )
        self._leaves.append(leaf)
        self.mark = mark._replace(last_seq=seq)
        fresh = Record(seq, kind, body, leaf)
        self.fresh.append(fresh)
        return fresh

    def settle(self, high_water: int) -> None:
        """Raise the high-water mark."""
        self.mark = self.mark._replace(high_water=high_water)

    def save(self) -> None:
        """Write what is pending, and what the transaction changed of the epoch: at its end."""
        self._pending.flush()
        if self._leaves:
            self.mark = self.mark._replace(merkle=self.mark.merkle.extend(self._leaves))
            self._leaves.clear()
        mark = self.mark
        if mark != self._saved:
            self._connection.execute(
                "UPDATE epoch SET size=?, high_water=?, range=? WHERE number=?",
                (mark.last_seq, mark.high_water, mark.merkle.pack(), mark.epoch.number),
            )
            self._saved = mark

    def restore(self, mark: Mark) -> None:
        """Forget what an undone transaction did."""
        self._leaves.clear()
        self._pending.clear()
        self.mark = self._saved = mark

    def _say(self, at: Ns) -> str:
        return utc(self._wall.wall(at)[0])
