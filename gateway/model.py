"""The words of shelfgate.

Four kinds of fact flow through the gateway, in this order:

* reference:   what the core or a file tells (`Item`, `Location`, `Task`, ...)
* observation: what a device said (`TagReport`, `WeightReport`, `DeviceStatus`, ...)
* inference:   what a rule makes of it (`Arrival`, `WeightStep`, ...)
* event:       what leaves the box, numbered and durable (`Movement`, `Alert`, ...)

All are immutable values. Units stand last in names. Reference, observation and inference may
hold floats; events hold integers in named units and strings only, so that their canonical JSON
is the same everywhere. Inferences stand in `gateway.inference`, events and actions in
`gateway.event`, tasks in `gateway.task`, items and locations in `gateway.master`, lights in
`gateway.light`, names of people in `gateway.pseudonym`, the wiring of a site in `gateway.wiring`,
measures in `gateway.units`, EPCs in `gateway.epc`; all are imported from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from gateway.book import BookLine, BookLot, BookStock
from gateway.counting import (
    Balance,
    BalanceAsked,
    BalanceLine,
    BookDifference,
    BookDiffers,
    CellTotal,
    CountLine,
    CountReason,
    CountReport,
    CountRequest,
    CountScope,
    CountSense,
    Digest,
    DigestLine,
    DigestRequest,
    Weighed,
)
from gateway.epc import QUARANTINE_ROW, EpcError, EpcIndex, EpcPattern, decode_epc, epc_of
from gateway.event import (
    Acknowledgement,
    Action,
    Alert,
    Amendment,
    Dismissal,
    Event,
    Evidence,
    ExceptionCode,
    Movement,
    MovementKind,
    OrderReference,
    Proposal,
    ProposalKind,
    ProposalLine,
    Pulse,
    ReadDeeply,
    Snapshot,
    SnapshotLine,
    TaskConfirmation,
    TaskState,
    Unresolved,
)
from gateway.inference import (
    Arrival,
    Cause,
    CountChange,
    Departure,
    Inference,
    Passage,
    PiecesTold,
    ReadPace,
    SenseChange,
    StepExpectsTags,
    StepHeld,
    StillStands,
    TagsBound,
    TagsFollow,
    UnitLearned,
    WeightStep,
    ZoneLearned,
)
from gateway.light import (
    PATTERN_MS,
    LightColour,
    LightId,
    LightKind,
    LightPattern,
    ShowLight,
    is_lit,
    next_edge,
)
from gateway.master import Item, Location, LocationKind, LotRule, Names
from gateway.pseudonym import pseudonym
from gateway.task import (
    Attribution,
    Policy,
    Task,
    TaskCancel,
    TaskKind,
    TaskProgress,
    ToldWrong,
)
from gateway.units import (
    MEASURES,
    NS_PER_MS,
    NS_PER_S,
    UNKNOWN_LOCATION,
    CellId,
    Ns,
    ReadPoint,
    Sense,
    Severity,
    is_day,
)
from gateway.wiring import Cell, Light, Portal, Scanner, Site, Zone

# Reference


@dataclass(frozen=True, slots=True)
class ExpectedSet:
    """The EPCs that an order leads one to expect at a portal."""

    code: str
    portal: str
    direction: Literal["in", "out"]
    epcs: frozenset[str] = frozenset()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Badge:
    """What tells a person: `scan` is the text of its code (GS1 elements as printed, `(8018)...`),
    `epc` that of its tag. Movements name the `actor`.
    """

    code: str
    actor: str
    scan: str = ""
    epc: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class ReferenceDeleted:
    """The core or the file has taken back a reference fact."""

    kind: Literal["item", "location", "expected", "task", "book", "badge"]
    code: str


Reference: TypeAlias = Item | Location | ExpectedSet | Task | BookStock | Badge | ReferenceDeleted


# Observation


class TagRead(NamedTuple):
    """One tag seen at one antenna. A tuple, not a dataclass: this is the hot path.

    `age_ns` is how long before the report's own time the tag was last seen. `seen_count`
    reads lie between `age_ns + span_ns` and `age_ns` before it. `rssi_cdbm` is hundredths of a dBm.
    `phase` is 0..4095 for a full turn, `doppler` sixteenths of a hertz, `reported_at_us` the
    reader's own stamp; None where the reader does not tell.
    """

    read_point: ReadPoint
    epc: str
    rssi_cdbm: int | None = None
    seen_count: int = 1
    age_ns: Ns = 0
    span_ns: Ns = 0
    phase: int | None = None
    doppler: int | None = None
    reported_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class TagReport:
    """All tag reads that one reader handed over at one moment, oldest first."""

    device: str
    reads: tuple[TagRead, ...]


class CellFlag:
    """Bits of `WeightSample.flags`. A sample with any bit of `UNUSABLE` books nothing."""

    MOTION = 1
    UNDERLOAD = 2
    OVERLOAD = 4
    FAULT = 8
    UNUSABLE = UNDERLOAD | OVERLOAD | FAULT


class WeightSample(NamedTuple):
    """The gross weight on one cell, in grams, with the transmitter's own verdict on it."""

    cell: CellId
    gross_g: float
    flags: int = 0


@dataclass(frozen=True, slots=True)
class WeightReport:
    """All weight samples that one poll of one device brought."""

    device: str
    samples: tuple[WeightSample, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """A barcode, QR code or badge as the scanner read it. `elements` are the GS1 application
    identifiers in it and their values, in the order of the code.
    """

    device: str
    text: str
    elements: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Today:
    """It is that day now, by the local time of the box (`2027-03-31`): told at every start, and
    when a day begins.
    """

    day: str


@dataclass(frozen=True, slots=True)
class InputChange:
    """A digital input of a device (a light beam, a button) changed its level."""

    device: str
    port: int
    level: bool


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The link to a device came up or went down; made by the supervisor, never by a driver."""

    device: str
    up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """A device reports a fault of its own (`code` is stable, `detail` for people).

    `antenna` 0 means the whole device. A fault with `blinds` set makes that antenna blind until
    the same fault is reported with `active` false.
    """

    device: str
    code: str
    active: bool = True
    detail: str = ""
    antenna: int = 0
    blinds: bool = False
    severity: Severity = "warning"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The device answered, though it had nothing to say."""

    device: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """For this span ending now, the device was demonstrably read, except its blind antennas.

    Absence counts only time that lies in such a span: whatever is not covered is blind time.
    `resumed` is true for the first span after blind time (start-up, outage, stall, lost data).
    """

    device: str
    span_ns: Ns
    blind_antennas: tuple[int, ...] = ()
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """From this moment on the gateway itself stood still for `span_ns`: nothing was observed.

    It reaches the rules before any wake-up that fell due meanwhile, so that no time-out of
    theirs can expire unwatched.
    """

    span_ns: Ns


@dataclass(frozen=True, slots=True)
class CoreBehind:
    """The core cannot know what was booked lately: it is not to be reached, or settles nothing; or
    it knows again. Until it is told so, the core keeps up.
    """

    behind: bool


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """Somebody needs the absolute stock of one location, or of all (""): the core lacks records,
    or a person asks.
    """

    reason: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class ActionDone:
    """What became of a pulse: a tare or zero that the gateway itself commanded."""

    device: str
    kind: str
    cell: CellId = ""
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's or the core's answer to the Proposal of that code (its id)."""

    code: str
    approved: bool
    actor: str = ""


Observation: TypeAlias = (
    TagReport
    | WeightReport
    | Scan
    | Today
    | InputChange
    | DeviceStatus
    | DeviceFault
    | Heartbeat
    | Coverage
    | Stall
    | CoreBehind
    | SnapshotRequest
    | ActionDone
    | TaskCancel
    | ToldWrong
    | Approval
    | CountRequest
    | DigestRequest
    | BookDiffers
)


Fact: TypeAlias = Reference | Observation | Inference | Attribution | TaskProgress | Event
