"""The words for what leaves the box: events, numbered and durable, and actions on the field.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gateway.counting import CountReport, Digest
from gateway.light import ShowLight
from gateway.units import CellId, Ns, Severity

MovementKind: TypeAlias = Literal["issue", "receipt", "return", "transfer", "adjustment"]

TaskState: TypeAlias = Literal["done", "short", "over", "wrong", "cancelled", "timed_out"]
"""How a task ended. Before that it is queued, active or picking."""

ExceptionCode: TypeAlias = Literal[
    "SHORT",
    "OVER",
    "WRONG_SKU",
    "WRONG_LOCATION",
    "UNPLANNED",
    "UNRESOLVED",
    "SENSOR_FAULT",
    "TIMEOUT",
]


@dataclass(frozen=True, slots=True)
class OrderReference:
    """The order line that a movement belongs to."""

    system: str
    type: str
    number: str
    line: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision rests on. Fields that do not apply are None and stay out of the message."""

    reads: int | None = None
    antennas: tuple[str, ...] | None = None
    rssi_cdbm: int | None = None
    weight_before_mg: int | None = None
    weight_after_mg: int | None = None
    sd_mg: int | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Stock went from one location to another. `at_event` is when, as the gateway knows it.

    `at_since` opens the interval in which it happened when nobody watched (`found_after_gap`).
    """

    movement_id: str
    kind: MovementKind
    reason: str
    item: str
    quantity: int
    uom: str
    from_location: str
    to_location: str
    at_event: Ns
    at_decided: Ns
    confidence_permille: int
    evidence: Evidence = field(default_factory=Evidence)
    epcs: tuple[str, ...] = ()
    lot: str | None = None
    order: OrderReference | None = None
    actor: str | None = None
    at_since: Ns | None = None
    reverses: str | None = None
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Something moved and the evidence does not say what; closed by a Movement or Dismissal."""

    unresolved_id: str
    reason: str
    location: str
    candidates: tuple[str, ...]
    at_event: Ns
    at_decided: Ns
    evidence: Evidence = field(default_factory=Evidence)
    epcs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dismissal:
    """An Unresolved turned out to be nothing, or was settled by hand; or a Proposal was answered
    by `actor` (`approved`, `refused`), or is void. Its id stands in `unresolved_id`.
    """

    unresolved_id: str
    reason: str
    at_decided: Ns
    actor: str | None = None


ProposalKind: TypeAlias = Literal["stocktake", "reconcile", "first_stock", "binding"]


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """What is proposed of one item: `expected` were booked, `found` are there. `reason` says why
    they differ; `epcs` are the pieces that it is about, where they are known.
    """

    item: str
    expected: int
    found: int
    uom: str = "pcs"
    reason: str = ""
    epcs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that is booked only if a person or the core says so. `text` says what answering
    does. Closed by a Dismissal of its id, after what was booked.
    """

    proposal_id: str
    kind: ProposalKind
    location: str
    lines: tuple[ProposalLine, ...]
    text: str
    at_event: Ns


@dataclass(frozen=True, slots=True)
class Alert:
    """Something needs a person. Raised, perhaps again while it lasts, and cleared once; `key` tells
    which one.
    """

    code: str
    key: str
    raised: bool
    severity: Severity
    text: str
    at_event: Ns


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person has seen the alert that stands under that code and key, and sees to it: until it is
    cleared it is not told again because of the time.
    """

    code: str
    key: str
    actor: str
    at_event: Ns
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """What one location holds of one item."""

    item: str
    quantity: int
    uom: str
    epcs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The absolute stock of one location as the gateway sees it: no movement, a statement."""

    snapshot_id: str
    reason: str
    location: str
    lines: tuple[SnapshotLine, ...]
    at_event: Ns


@dataclass(frozen=True, slots=True)
class Amendment:
    """A later, better fact about a recorded event; the event itself is never edited.

    Either `at_event_wall` is the better time of the record `amends_seq`, or `epcs` are all pieces
    that the movement `amends_movement` was of, as is known by now, or `lot` is their lot.
    """

    reason: str
    amends_seq: int | None = None
    at_event_wall: str | None = None
    amends_movement: str | None = None
    epcs: tuple[str, ...] | None = None
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class TaskConfirmation:
    """What became of a task, told once. `quantity_difference` is done less asked; `exception` says
    why it is not as asked. `movement_ids` are the movements that count, put-backs among them.
    """

    confirmation_id: str
    task: str
    order: OrderReference
    state: TaskState
    item: str
    uom: str
    quantity_asked: int
    quantity_done: int
    quantity_difference: int
    at_started: Ns
    at_event: Ns
    at_decided: Ns
    exception: ExceptionCode | None = None
    movement_ids: tuple[str, ...] = ()
    epcs: tuple[str, ...] = ()
    actor: str | None = None
    evidence: Evidence = field(default_factory=Evidence)


Event: TypeAlias = (
    Movement
    | Unresolved
    | Dismissal
    | Proposal
    | CountReport
    | Digest
    | Alert
    | Acknowledgement
    | Snapshot
    | Amendment
    | TaskConfirmation
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """An act that must happen at most once: `tare` or `zero` of a cell."""

    device: str
    kind: Literal["tare", "zero"]
    cell: CellId


@dataclass(frozen=True, slots=True)
class ReadDeeply:
    """A reader is to find as many tags as it can, for so long, and to go back by itself: strong
    tags keep silent meanwhile, so that weak ones are heard, and silence means nothing. A wish, not
    kept: one that is lost is lost.
    """

    device: str
    for_s: int


Action: TypeAlias = ShowLight | Pulse | ReadDeeply
