"""The words of the simulated site: what truly happened, and what its devices said of it.

Plain data that knows nothing of a gateway. Times are nanoseconds from the start of the world.
Observations are tuples whose first field is when they reach the gateway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from operator import itemgetter
from typing import Literal, NamedTuple, TypeAlias

from simulators.world.parameters import SiteParameters

NS_PER_S = 1_000_000_000

PARTS = (
    "zones",
    "cells",
    "gates",
    "goods",
    "acts",
    "decoys",
    "troubles",
    "clocks",
    "lines",
    "slips",
    "badges",
    "scanners",
    "visits",
    "streams",
)
"""Lists of a block that add up."""

OUTSIDE = "unknown"
"""Where things are that nobody watches: in a hand, on a bench, on a lorry."""


class Read(NamedTuple):
    """One answer of a tag: where, who, hundredths of a dBm, how long before the report."""

    point: str
    epc: str
    rssi_cdbm: int
    age_ns: int


class Reads(NamedTuple):
    """What a reader handed over at once, oldest first."""

    at: int
    device: str
    reads: list[Read]


class Weights(NamedTuple):
    """One poll of a scale: (cell, gross in grams, flags)."""

    at: int
    device: str
    samples: list[tuple[str, float, int]]


class Alive(NamedTuple):
    """A keepalive of a device."""

    at: int
    device: str


class Link(NamedTuple):
    """The link to a device went down or came up."""

    at: int
    device: str
    up: bool


class Fault(NamedTuple):
    """A device tells a fault of one antenna (0: all of it), or that it is over."""

    at: int
    device: str
    antenna: int
    active: bool


class Standstill(NamedTuple):
    """The gateway's own process stands still from `at` for `span`; what comes meanwhile waits."""

    at: int
    device: str
    span: int


class ClockStep(NamedTuple):
    """The gateway's wall clock is set forward by `span` (back, if negative): NTP, a hand, a flat
    battery. Time since boot goes on as ever.
    """

    at: int
    device: str
    span: int


class ReaderClockStep(NamedTuple):
    """The clock that a reader stamps its reads with is set forward by `span` (back, if negative);
    the ages of reads are as they are, whoever makes them of stamps has to see to it.
    """

    at: int
    device: str
    span: int


class Announced(NamedTuple):
    """An order is told: these EPCs are to go through that gate in that direction."""

    at: int
    device: str
    code: str
    direction: Literal["in", "out"]
    epcs: tuple[str, ...]


class OrderLine(NamedTuple):
    """One line of an order: so many pieces are to go from one place to another; an end that nobody
    watches is OUTSIDE. It is over when nothing was done for it for `timeout_s`.
    """

    code: str
    kind: Literal["issue", "receipt", "transfer", "return", "put_away"]
    number: str
    line: str
    item: str
    quantity: int
    source: str
    target: str
    due_s: int
    timeout_s: int


class LineTold(NamedTuple):
    """The order system tells a line."""

    at: int
    device: str
    line: OrderLine


class LineWithdrawn(NamedTuple):
    """The order system takes a line back that was not done in time."""

    at: int
    device: str
    code: str


class Scanned(NamedTuple):
    """A scanner has read a code."""

    at: int
    device: str
    text: str


Observed: TypeAlias = (
    Reads
    | Weights
    | Alive
    | Link
    | Fault
    | Standstill
    | ClockStep
    | ReaderClockStep
    | Announced
    | LineTold
    | LineWithdrawn
    | Scanned
)
Stream: TypeAlias = Callable[[], Iterator[Observed]]


@dataclass(frozen=True, slots=True)
class Good:
    """An item as the catalogue has it: unit weight and its spread were measured, not known."""

    code: str
    unit_g: float = 0.0
    unit_sd_g: float = 0.0
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """A place that antennas (`device:number`) watch."""

    location: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellPlan:
    """A weighing cell, the items planned on it, and the zone whose tags stand on it."""

    cell: str
    location: str
    items: tuple[str, ...]
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class GatePlan:
    """A gate, its antennas on either side, and what lies on either side."""

    gate: str
    outer: tuple[str, ...]
    inner: tuple[str, ...]
    outside: str
    inside: str


class BadgePlan(NamedTuple):
    """A person's badge: its printed code, and the tag in it, if it has one."""

    code: str
    person: str
    scan: str
    epc: str


class ScannerPlan(NamedTuple):
    """A scanner that stands at a place."""

    device: str
    location: str


class Visit(NamedTuple):
    """Somebody stood at a place, a zone if there is one, and did something at the location."""

    person: str
    place: str
    begin: int
    until: int
    location: str


@dataclass(frozen=True, slots=True)
class TruthAct:
    """One physical act. `until` is later than `at` where nobody could have seen it at once: a load
    has not left the gate, the reader is away.

    `kind` says what it is for the judge: plain acts are `pick`, `put`, `move`, `pass`. `task` is
    the order line it was done for ("" if for none), `mistake` what was wrong with doing it so.
    """

    at: int
    until: int
    person: str
    kind: str
    item: str
    quantity: int
    source: str
    target: str
    epcs: tuple[str, ...] = ()
    task: str = ""
    mistake: str = ""


class Decoy(NamedTuple):
    """Tags that were in view and went nowhere: `static` beside a gate, or `turned_back` there."""

    kind: Literal["static", "turned_back"]
    begin: int
    until: int
    epcs: tuple[str, ...]


class Trouble(NamedTuple):
    """A fault of the site, and until when it may show."""

    kind: str
    begin: int
    until: int


class TruthLine(NamedTuple):
    """What truly became of an order line: `done` pieces of its item went its way and stayed, and
    `exception` is what its confirmation must say ("" if all is as asked). `withdrawn` is when the
    order system took it back, if it had to.
    """

    line: OrderLine
    told: int
    person: str
    mistake: str
    done: int
    exception: str
    withdrawn: int | None = None


class Slip(NamedTuple):
    """A mistake that must be told to people: from `at` on it is there to be seen, at `places`."""

    at: int
    mistake: str
    task: str
    items: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(slots=True)
class Block:
    """A part of a site: wiring, goods, acts, and one stream per device; parts add up."""

    zones: list[ZonePlan] = field(default_factory=list)
    cells: list[CellPlan] = field(default_factory=list)
    gates: list[GatePlan] = field(default_factory=list)
    goods: list[Good] = field(default_factory=list)
    acts: list[TruthAct] = field(default_factory=list)
    decoys: list[Decoy] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    clocks: list[ReaderClockStep] = field(default_factory=list)
    lines: list[TruthLine] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    badges: list[BadgePlan] = field(default_factory=list)
    scanners: list[ScannerPlan] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)
    streams: list[Stream] = field(default_factory=list)
    figures: dict[str, float | int | str] = field(default_factory=dict)

    def add(self, other: Block) -> None:
        """Take in another part of the same site."""
        for name in PARTS:
            getattr(self, name).extend(getattr(other, name))
        self.stock.update(other.stock)
        self.figures.update(other.figures)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world of one family: all that the gateway is told, and all that it is judged by.

    Until `opening_s` nobody acts. `site` is for the ceiling's eyes only.
    """

    family: str
    level: str
    seed: int
    opening_s: float
    length_s: float
    block: Block
    site: SiteParameters

    @property
    def acts(self) -> list[TruthAct]:
        """What truly happened, in order of time."""
        return sorted(self.block.acts, key=lambda act: (act.at, act.item, act.epcs))

    def observations(self) -> Iterator[Observed]:
        """What the devices say, in order of arrival; each call makes the same stream anew."""
        return merge_streams(stream() for stream in self.block.streams)


def merge_streams(streams: Iterable[Iterator[Observed]]) -> Iterator[Observed]:
    """Join streams in order of time; at the same moment, the earlier stream first."""
    return merge(*streams, key=itemgetter(0))


def ns(seconds: float) -> int:
    """Seconds as whole nanoseconds."""
    return round(seconds * NS_PER_S)
