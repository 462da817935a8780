"""Expected against counted: what a look at one location says of each item. Part of the stock-take
rule; it decides nothing but this.

    the scale says that what is expected may lie there ----> as expected
    as many tags are read as expected ---------------------> as expected, if no scale speaks against
    scale and tags agree on another number, or the only ---> that is what lies there
    sense there says so
    they do not, or no sense can say -----------------------> not known: `sensor`
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.model import (
    Balance,
    BalanceLine,
    CellId,
    CellTotal,
    CountLine,
    CountReason,
    CountSense,
)
from rules.catalogue import Catalogue
from rules.stocktake_places import CountPlaces, Watched
from rules.stocktake_window import Window

FITS_PERMILLE = 900
"""The weight does not speak against the book, and does not prove the number either."""

LIKELIEST_PERMILLE = 500
"""The weight speaks against the book, and this is only the likeliest number."""

TAGS_PERMILLE = 950
"""All tags of a place, read for long: one in twenty such counts misses a tag that is there."""

BOTH_PERMILLE = 990


class Weight(NamedTuple):
    """How many pieces of an item a scale says there are."""

    quantity: int
    confidence_permille: int


@dataclass(slots=True)
class Tags:
    """Which tags of an item are there, and which that should be are not."""

    seen: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    unsure: bool = False

    @property
    def quantity(self) -> int:
        """How many tags are there."""
        return len(self.seen) + len(self.new)


class Look(NamedTuple):
    """What is known of one location when its look is over: the edge's book, what its cells hold,
    and whether it is still open what happened there.
    """

    watched: Watched
    balance: Balance
    totals: Mapping[CellId, CellTotal | None]
    question: bool


class Judge:
    """Judges looks. `booked` tells at which counted location the book has a tag."""

    def __init__(self, places: CountPlaces, catalogue: Catalogue) -> None:
        self._places = places
        self._catalogue = catalogue

    def lines(self, look: Look, window: Window, booked: Mapping[str, str]) -> list[CountLine]:
        """What the look says of each item that is booked, planned or read there."""
        held = {line.item: line for line in look.balance.lines}
        tags = self._tags(look.watched, held, window)
        items = sorted({*held, *look.watched.planned, *tags})
        return [self._line(look, item, held.get(item), tags.get(item), booked) for item in items]

    def expected(self, watched: Watched, balance: Balance, cell: CellId) -> tuple[int, ...]:
        """What is expected on one cell; () where the book does not say, since several share an
        item, or more went out than were known.
        """
        planned = self._places.cells[cell].planned
        others = [item for other in watched.cells if other.cell != cell for item in other.planned]
        held = {line.item: line.quantity for line in balance.lines}
        pieces = tuple(held.get(item, 0) for item in planned)
        return () if set(planned) & set(others) or min(pieces, default=-1) < 0 else pieces

    def _line(
        self,
        look: Look,
        item: str,
        held: BalanceLine | None,
        tags: Tags | None,
        booked: Mapping[str, str],
    ) -> CountLine:
        expected = held.quantity if held else 0
        uom = held.uom if held else self._catalogue.uom(item)
        weight = self._weight(look, item, expected)
        weighed = item in look.watched.planned
        quantity, permille, sense = _counted(expected, weight, tags, weighed=weighed)
        if quantity is None:
            return CountLine(item, expected, None, uom, 0, "sensor")
        reason, epcs = _why(look, quantity - expected, tags, booked)
        return CountLine(item, expected, quantity, uom, permille, reason, sense, epcs)

    def _weight(self, look: Look, item: str, expected: int) -> Weight | None:
        """What the scales of the location say of an item, all of them together."""
        cells = [cell for cell in look.watched.cells if item in cell.planned]
        found = []
        for cell in cells:
            total = look.totals.get(cell.cell)
            if total is None:
                return None
            if total.fits and len(cells) == 1:
                return Weight(expected, total.confidence_permille or FITS_PERMILLE)
            if not total.pieces or (len(cells) > 1 and not total.confidence_permille):
                return None
            quantity = total.pieces[cell.planned.index(item)]
            found.append(Weight(quantity, total.confidence_permille or LIKELIEST_PERMILLE))
        if not found:
            return None
        permille = min(weight.confidence_permille for weight in found)
        return Weight(sum(weight.quantity for weight in found), permille)

    def _tags(
        self, watched: Watched, held: Mapping[str, BalanceLine], window: Window
    ) -> dict[str, Tags]:
        """What tags say of the items of a location; nothing where none of them is watched."""
        zone = watched.zone
        if not zone or not window.watched(zone):
            return {}
        known = {epc for line in held.values() for epc in line.epcs}
        found = {line.item: self._expected_tags(line, zone, window) for line in held.values()}
        for epc in window.tags():
            if epc in known or window.zone_of(epc) != zone:
                continue
            owner = self._catalogue.of_tag(epc)
            if owner is not None and self._places.home(zone, owner.code) == watched.location:
                found.setdefault(owner.code, Tags()).new.add(epc)
        for item in watched.planned:
            found.setdefault(item, Tags())
        return {item: tags for item, tags in found.items() if self._is_tagged(item)}

    @staticmethod
    def _expected_tags(line: BalanceLine, zone: str, window: Window) -> Tags:
        tags = Tags()
        for epc in line.epcs:
            other = window.zone_of(epc)
            if window.was_read(epc, zone):
                tags.seen.add(epc)
            elif other is None:
                tags.missing.add(epc)
            elif other:
                tags.missing.add(epc)
                tags.elsewhere.add(epc)
            else:
                tags.unsure = True
        return tags

    def _is_tagged(self, code: str) -> bool:
        item = self._catalogue.get(code)
        return item is not None and bool(item.pattern)


def _counted(
    expected: int, weight: Weight | None, tags: Tags | None, *, weighed: bool
) -> tuple[int | None, int, CountSense | None]:
    """How many there are, how surely, and who says so; None if that is not known."""
    if tags is None:
        if weight is None:
            return None, 0, None
        return weight.quantity, weight.confidence_permille, "weight"
    if weight is None:
        by_tags = tags.quantity == expected or not (weighed or tags.unsure)
        return (tags.quantity, TAGS_PERMILLE, "tags") if by_tags else (None, 0, None)
    if weight.quantity == tags.quantity:
        return weight.quantity, max(BOTH_PERMILLE, weight.confidence_permille), "both"
    if weight.quantity == expected:
        return expected, weight.confidence_permille, "weight"
    return None, 0, None


def _why(
    look: Look, difference: int, tags: Tags | None, booked: Mapping[str, str]
) -> tuple[CountReason | None, tuple[str, ...]]:
    """Why it is not as expected, and the pieces that it is about."""
    if not difference:
        return None, ()
    epcs: Collection[str] = ()
    misplaced: Collection[str] = ()
    if tags is not None:
        epcs = tags.missing if difference < 0 else tags.new
        here = {"", look.watched.location}
        elsewhere = {epc for epc in tags.new if booked.get(epc, "") not in here}
        misplaced = tags.elsewhere if difference < 0 else elsewhere
    named = tuple(sorted(epcs)) if len(epcs) == abs(difference) else ()
    if len(misplaced) >= abs(difference):
        return "misplaced", named
    if look.question:
        return "not_recorded", named
    return ("missing" if difference < 0 else "found"), named
