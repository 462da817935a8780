"""The words for counting stock: what asks for it, what it comes to, and what the core is told to
compare its book with.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.units import CellId, Ns

CountScope: TypeAlias = Literal["full", "cycle", "places"]
"""All locations that are watched, those that are due, or those that are named."""

CountReason: TypeAlias = Literal["missing", "found", "misplaced", "not_recorded", "sensor"]
"""Why a count differs from the book: pieces are not there; more are; they are in another place;
something happened there of which it is still open what; or the senses do not say how many.
"""

CountSense: TypeAlias = Literal["weight", "tags", "both"]


@dataclass(frozen=True, slots=True)
class CountRequest:
    """Somebody (`asked_by`: schedule or command; perhaps an `actor`) wants stock counted. One whose
    `count_id` is known, or while another count runs, is ignored.
    """

    count_id: str
    scope: CountScope
    locations: tuple[str, ...] = ()
    asked_by: str = "command"
    actor: str = ""


@dataclass(frozen=True, slots=True)
class CountLine:
    """What was counted of one item: None if it is not known. `reason` says why it is not as
    `expected`; `epcs` are the pieces that are missing or more than expected.
    """

    item: str
    expected: int
    counted: int | None
    uom: str
    confidence_permille: int
    reason: CountReason | None = None
    sense: CountSense | None = None
    epcs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountReport:
    """What one location holds by a count. What moved there meanwhile made it be counted anew,
    `recounts` times; `disturbed` if there was no quiet moment, and then nothing is said of its
    stock. `remaining` locations of the count are still to be reported: with 0 it is over.
    """

    report_id: str
    count_id: str
    scope: CountScope
    location: str
    lines: tuple[CountLine, ...]
    recounts: int
    disturbed: bool
    remaining: int
    at_started: Ns
    at_event: Ns


@dataclass(frozen=True, slots=True)
class DigestRequest:
    """The core is to be able to compare its book with that of the edge."""


@dataclass(frozen=True, slots=True)
class DigestLine:
    """What the book at the edge has of one location, as a hash (docs/asyncapi.yaml, Digest)."""

    location: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The book at the edge as of this record: all that was recorded before it, and no more."""

    digest_id: str
    lines: tuple[DigestLine, ...]
    at_event: Ns


@dataclass(frozen=True, slots=True)
class BookDifference:
    """What the core's book has of an item, and what that of the edge has."""

    item: str
    book: int
    held: int
    uom: str = "pcs"


@dataclass(frozen=True, slots=True)
class BookDiffers:
    """The core's book of a location is another than that of the edge."""

    location: str
    lines: tuple[BookDifference, ...]


@dataclass(frozen=True, slots=True)
class BalanceAsked:
    """A count needs to know what the book at the edge says of a location."""

    location: str


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """What the book at the edge has of one item; `quantity` may be below zero."""

    item: str
    quantity: int
    uom: str
    epcs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Balance:
    """All that the book at the edge has of one location."""

    location: str
    lines: tuple[BalanceLine, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What lies on a cell in all, weighed for long, is to be read as pieces. `expected` are those
    of the items planned there, in their order; () if nobody knows.
    """

    cell: CellId
    level_g: float
    sd_g: float
    expected: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CellTotal:
    """What lies on a cell in all: the likeliest `pieces` of each planned item, () if the weight
    does not say; `confidence_permille` is 0 unless it is sure. `fits` tells whether the weight is
    what those that were expected may weigh.
    """

    cell: CellId
    pieces: tuple[int, ...]
    fits: bool
    confidence_permille: int
