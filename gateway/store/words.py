"""What the store takes and answers, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

from gateway.alert_texts import Language
from gateway.clock import Anchor, ClockQuality
from gateway.model import Action, Alert, CellId, Ns
from gateway.ports import Clock, Record, Row

NewEpoch: TypeAlias = Literal[
    "created", "corrupt", "machine_changed", "gateway_changed", "restored"
]
"""Why an epoch began."""

PulseStatus: TypeAlias = Literal["pending", "sent", "done", "unknown"]


class StoreFailed(RuntimeError):  # noqa: N818 - it is what happened
    """The disk or the file failed under the store: the process must end and start anew."""


class StoreFull(Exception):  # noqa: N818 - a state, not an error: sensing goes on
    """No space left: these turns were not booked, nor will any be that follow in this run."""


class StoreSpent(StoreFull):
    """There is space again, but turns before this one were refused: start anew.

    A turn that stands on refused ones would hide them, or book them twice some day. From the last
    commit on, the rules find by themselves what has changed since.
    """


class StoreRefused(Exception):  # noqa: N818 - the caller is wrong, the store is well
    """What was asked does not fit what the store holds; nothing was changed."""


class HighWaterBeyondLast(StoreRefused):
    """The core holds more of this epoch than the ledger: the file went back in time.

    The answer to it is `start_epoch("restored")`.
    """


class WallTime(Protocol):
    """Tells the wall time of a moment of this boot."""

    def wall(self, at: Ns) -> tuple[int, ClockQuality]:
        """Unix nanoseconds of `at`, and how far to trust them."""
        ...


class Clocks(NamedTuple):
    """Both clocks of the gateway."""

    boot: Clock
    wall: WallTime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes. A file that names another gateway or machine starts a new epoch. Alerts are
    recorded in that `language`.
    """

    gateway: str
    machine: str
    boot_id: str
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One life of the ledger: `uuid` is what the core sees, `number` counts them in this file."""

    number: int
    uuid: str
    reason: NewEpoch


class PulseRow(NamedTuple):
    """An act that is sent at most once. A `sent` one that outlived a crash is `unknown`."""

    pulse_id: int
    device: str
    kind: Literal["tare", "zero"]
    cell: CellId
    status: PulseStatus


@dataclass(frozen=True, slots=True)
class Committed:
    """What is on disk now. Without records `first_seq` is `last_seq` + 1.

    `actions` are in the order in which they were decided; a pulse stands there as its row.
    `took_ns` is what the transaction took, its sync included; `quarantined` is how many records
    are in quarantine now.
    """

    epoch: Epoch
    first_seq: int
    last_seq: int
    records: tuple[Record, ...] = ()
    actions: tuple[Action | PulseRow, ...] = ()
    took_ns: Ns = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What an acknowledgement came to: `settled` records more, `quarantined` ones among them."""

    epoch: Epoch
    high_water: int
    settled: int
    quarantined: tuple[int, ...] = ()


class Quarantined(NamedTuple):
    """A record that the core did not take, since `at` (UTC); kept until it is booked anew."""

    epoch: str
    seq: int
    kind: str
    cause: Literal["rejected", "conflict", "restored"]
    reason: str
    at: str
    body: bytes


class Fate(NamedTuple):
    """What the core made of a record: `settled` says that it answered for it, `cause` and `reason`
    why it is in quarantine, and `requeued_as` under which number it was booked anew.
    """

    settled: bool
    core_document_no: str | None
    cause: str | None
    reason: str | None
    requeued_as: int | None


class LedgerRow(NamedTuple):
    """A record with when it was recorded, on both clocks."""

    epoch: str
    record: Record
    recorded_ns: Ns
    recorded_unix_ns: int
    boot_id: str


class Window(NamedTuple):
    """What of one epoch is kept and delivered: `hello` says this."""

    epoch: Epoch
    first_kept: int
    last_seq: int
    high_water: int


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The store at a glance. `oldest_unsettled_unix_ns` is None when all is settled."""

    epoch: Epoch
    first_kept: int
    last_seq: int
    high_water: int
    unsettled: int
    oldest_unsettled_unix_ns: int | None
    quarantined: int
    file_bytes: int
    wal_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a check of the file found. `root` is None where pruned rows forbid to compute it."""

    rows: int
    problems: tuple[str, ...] = ()
    root: bytes | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Opened:
    """How the file was found. `began` tells why a new epoch started, if one did; `lost_pulses` are
    those that were pending or sent when the gateway stopped.
    """

    epoch: Epoch
    last_seq: int
    high_water: int
    clean: bool
    began: NewEpoch | None = None
    set_aside: Path | None = None
    windows: tuple[Window, ...] = ()
    lost_pulses: tuple[PulseRow, ...] = ()
    last_anchor: Anchor | None = None
    quarantined: int = 0


class Seen(NamedTuple):
    """Who acknowledged an alert, and when (UTC)."""

    actor: str
    note: str | None
    at: str


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert that was raised and not cleared, with the seq that told it last, and who saw it."""

    alert: Alert
    epoch: str
    seq: int
    seen: Seen | None = None


class StateRow(NamedTuple):
    """A durable row of a rule, with the schema version that it was written in."""

    schema: int
    row: Row
