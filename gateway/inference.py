"""The words for what rules make of observations: inference.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.counting import Balance, BalanceAsked, CellTotal, Weighed
from gateway.epc import EpcPattern
from gateway.units import CellId, Ns, Sense

Cause: TypeAlias = Literal["live", "found_after_gap", "first_start", "misplaced"]
"""Whether a change was watched happening, found after blind time, or found on the first start."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A tag came into a zone (from `from_zone`, if it was in one); first seen there at `since`.

    `unwatched_since` is when the blind time began in which it may have come, for
    `found_after_gap`. `refutes` says that what was told of the tag last was wrong: it had not left
    (`from_zone` is this zone), was on its way here, or was taken to be in another zone than it was.
    """

    zone: str
    epc: str
    since: Ns
    reads: int
    rssi_cdbm: int
    confidence_permille: int
    cause: Cause = "live"
    from_zone: str = ""
    unwatched_since: Ns | None = None
    refutes: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """A tag left a zone (for `to_zone`, if it is in one). It was last seen at `last_seen`; the
    watched silence since, or its reads in the other zone, prove it.
    """

    zone: str
    epc: str
    last_seen: Ns
    reads: int
    rssi_cdbm: int
    confidence_permille: int
    cause: Cause = "live"
    to_zone: str = ""


@dataclass(frozen=True, slots=True)
class ReadPace:
    """How long a tag must stay silent to have left: told when it is not the usual time, and when
    that changes. A Departure ends what was told.
    """

    zone: str
    epc: str
    leave_ns: Ns


@dataclass(frozen=True, slots=True)
class ZoneLearned:
    """What presence has learned of a zone: the usual gap between two reads of a tag, how often in
    a tag hour one is silent for long, and how long a silence must be to mean that the tag is gone:
    out of the blue, and after it was read on its way.
    """

    zone: str
    gap_ns: Ns
    long_per_h: float
    window_ns: Ns
    roamed_window_ns: Ns


@dataclass(frozen=True, slots=True)
class Passage:
    """A tag went through a portal, or came near and went back (`turned_back`)."""

    portal: str
    epc: str
    direction: Literal["in", "out", "turned_back", "uncertain"]
    since: Ns
    until: Ns
    reads: int
    rssi_cdbm: int
    confidence_permille: int


@dataclass(frozen=True, slots=True)
class StillStands:
    """A tag of which a passage was told stands in its zone since, as it stood before."""

    zone: str
    epc: str
    reads: int
    rssi_cdbm: int
    confidence_permille: int


@dataclass(frozen=True, slots=True)
class WeightStep:
    """A cell went from one stable plateau to another. `since` is when the change began.

    `sd_g` is the scatter of the new plateau, `level_sd_g` how sure its level is by that; 0 is
    unknown. The cell's usual scatter is `noise_g`; the level before crept by `drift_g` since the
    step before.
    """

    cell: CellId
    before_g: float
    after_g: float
    sd_g: float
    since: Ns
    cause: Cause = "live"
    level_sd_g: float = 0.0
    noise_g: float = 0.0
    drift_g: float = 0.0


@dataclass(frozen=True, slots=True)
class CountChange:
    """A weight step read as pieces. `quantity` is signed; 0 means that it does not resolve, and
    then `candidates` are the items that it may have been, where there are several.

    `on_hand` is the count on the cell afterwards; None if it is not known. A piece was taken to
    weigh `unit_g`. A step of several items is told as so many changes, in parts from 0 on, each
    with its share of the step. One that `settles` explains, too, all that was unresolved there.
    """

    cell: CellId
    item: str
    quantity: int
    on_hand: int | None
    confidence_permille: int
    step: WeightStep
    unit_g: float = 0.0
    part: int = 0
    candidates: tuple[str, ...] = ()
    settles: bool = False


@dataclass(frozen=True, slots=True)
class PiecesTold:
    """A person has said of how many pieces of an item an unresolved step of a cell was; signed."""

    cell: CellId
    item: str
    quantity: int


@dataclass(frozen=True, slots=True)
class UnitLearned:
    """What a piece of an item is now taken to weigh, and how pieces differ; the mean rests on so
    many pieces.
    """

    item: str
    unit_g: float
    sd_g: float
    pieces: int


@dataclass(frozen=True, slots=True)
class StepExpectsTags:
    """A weight step in a zone is of `count` pieces whose tags are still to show: of one of that
    pattern that has come, or that was read before `since` and not at its level since `until`.

    The weight changed between `since` and `until`. It is a prior for whoever judges the silence of
    tags: so many of them are gone, and a short silence tells which.
    """

    zone: str
    pattern: EpcPattern
    arriving: bool
    count: int
    since: Ns
    until: Ns


@dataclass(frozen=True, slots=True)
class StepHeld:
    """A counted weight step waits for its tags before it is told: by weight alone it would be the
    movement of that id, with `quantity` pieces that came to the location or (below 0) left it.

    The wait ends with that movement, or with what is unresolved under the same id; or with this
    again and no pieces, where it was none of that item.
    """

    movement_id: str
    item: str
    quantity: int
    uom: str
    location: str
    at: Ns


@dataclass(frozen=True, slots=True)
class TagsFollow:
    """Which pieces a movement was of that was told by weight before their tags showed: these came
    to its location (`arriving`) or left it. The quantity was told with the movement.
    """

    movement_id: str
    item: str
    location: str
    epcs: tuple[str, ...]
    arriving: bool


@dataclass(frozen=True, slots=True)
class SenseChange:
    """A sense of a place is missing, or is there again: the weight of the cell `point`, or the tags
    of the zone or portal `point`. It was there until `since`, or is there since then.
    """

    sense: Sense
    point: str
    missing: bool
    since: Ns


@dataclass(frozen=True, slots=True)
class TagsBound:
    """These tags, which nobody knew, are pieces of that item: a person or the core has said so."""

    item: str
    epcs: tuple[str, ...]


Inference: TypeAlias = (
    Arrival
    | Departure
    | ReadPace
    | Passage
    | SenseChange
    | WeightStep
    | CountChange
    | StepExpectsTags
    | StepHeld
    | StillStands
    | TagsFollow
    | TagsBound
    | PiecesTold
    | UnitLearned
    | ZoneLearned
    | BalanceAsked
    | Balance
    | Weighed
    | CellTotal
)
