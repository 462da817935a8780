"""What a person says by scanning items: what an unresolved act was, and which lot moves.

    item, where something is open -----------> that is settled: a movement that supersedes it
    ... with a count (37), (30) -------------> of so many pieces
    item or lot (10), just after a movement -> an amendment names its lot
    item or lot (10), before one ------------> the movement names it

The place is that of `rules.scan_place`. A scan settles only what may be that item: pieces that
weigh about as much as changed, unless a count is scanned too, and a tag that is of no other item.
Who it was the person rule knows. Part of the movement rule; what waits here is not durable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Amendment,
    Fact,
    Item,
    Movement,
    Ns,
    PiecesTold,
    Scan,
)
from gateway.ports import NOTHING, Identify, Turn
from rules.scan_place import ScanPlaces
from rules.shelf import Shelf
from rules.telling import kind_of
from rules.turns import together
from rules.unsettled import OpenAct

LOT_NS = 60 * NS_PER_S
"""A label is scanned shortly before or after its piece is moved."""

SURE_PERMILLE = 980
"""A person read the label; one scan in some dozens is of the piece beside it."""

COUNT = re.compile("[0-9]{1,8}")

FITS_UNITS = 0.5
"""How far the weight may be from whole pieces: further, the pieces are not those, or not all."""


@dataclass(frozen=True, slots=True)
class _Lot:
    """Of that item, or of any if "", this lot moves next."""

    item: str
    lot: str
    at: Ns


class ScanDesk:
    """See the module."""

    def __init__(self, shelf: Shelf, identify: Identify) -> None:
        self._shelf = shelf
        self._identify = identify
        self._places = ScanPlaces(shelf.site)
        self._lots: dict[str, _Lot] = {}
        self._told: dict[str, Movement] = {}

    def scanned(self, now: Ns, scan: Scan) -> Turn:
        """Take one scan."""
        if self._places.take(now, scan) is not None:
            return NOTHING
        place = self._places.of(now, scan.device)
        item = self._shelf.catalogue.scanned(scan)
        elements = dict(scan.elements)
        lot = elements.get("10")
        if place is None or (item is None and lot is None):
            return NOTHING
        if item is not None:
            counted = elements.get("37") or elements.get("30") or ""
            count = int(counted) if COUNT.fullmatch(counted) else 0
            settled = self._settled(now, place, item, (count, lot))
            if settled is not NOTHING:
                return settled
        return (
            NOTHING
            if lot is None
            else self._lot(now, place, _Lot(item.code if item else "", lot, now))
        )

    def named(self, now: Ns, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        """The same facts, with the lots in the movements that were scanned before."""
        return tuple(self._named(now, f) if type(f) is Movement else f for f in facts)

    def _named(self, now: Ns, movement: Movement) -> Movement:
        if movement.reverses is not None or movement.kind == "adjustment":
            return movement
        for place in (movement.from_location, movement.to_location):
            waits = self._lots.get(place)
            if waits is not None and now - waits.at > LOT_NS:
                del self._lots[place]
            elif waits is not None and waits.item in {"", movement.item} and not movement.lot:
                del self._lots[place]
                movement = replace(movement, lot=waits.lot)
        for place in (movement.from_location, movement.to_location):
            if place != UNKNOWN_LOCATION:
                self._told[place] = movement
        return movement

    def _lot(self, now: Ns, place: str, scanned: _Lot) -> Turn:
        told = self._told.pop(place, None)
        if told is None or told.lot is not None or now - told.at_decided > LOT_NS:
            told = None
        if told is not None and scanned.item in {"", told.item}:
            named = Amendment("lot_scanned", amends_movement=told.movement_id, lot=scanned.lot)
            return Turn(facts=(named,))
        self._lots[place] = scanned
        return NOTHING

    def _settled(self, now: Ns, place: str, item: Item, said: tuple[int, str | None]) -> Turn:
        """The newest act that is open there and may be of that item is one of it."""
        count, lot = said
        for act in self._shelf.unsettled.open_at(now, place):
            quantity = self._pieces(act, item, count)
            if quantity:
                return self._was(now, act, item, (quantity, lot))
        return NOTHING

    def _pieces(self, act: OpenAct, item: Item, count: int) -> int:
        """How many pieces of the item it was; 0 if it was not."""
        if act.epc:
            of_tag = self._shelf.catalogue.of_tag(act.epc)
            return 1 if of_tag is None or of_tag.code == item.code else 0
        if count or not item.unit_mg:
            return max(1, count)
        pieces = abs(act.excess_mg) / item.unit_mg
        whole = max(1, round(pieces))
        return whole if abs(pieces - whole) <= FITS_UNITS else 0

    def _was(self, now: Ns, act: OpenAct, item: Item, what: tuple[int, str | None]) -> Turn:
        quantity, lot = what
        source, target = act.place, UNKNOWN_LOCATION
        if act.arriving:
            source, target = target, source
        movement = Movement(
            movement_id=self._identify("scanned", act.ids[-1]),
            kind=kind_of(source, target),
            reason="scanned",
            item=item.code,
            quantity=quantity,
            uom=item.base_uom,
            from_location=source,
            to_location=target,
            at_event=act.at,
            at_decided=now,
            confidence_permille=SURE_PERMILLE,
            epcs=(act.epc,) if act.epc else (),
            lot=lot,
            supersedes=act.ids[-1],
        )
        told: tuple[Fact, ...] = (movement,)
        if act.cell:
            told += (PiecesTold(act.cell, item.code, quantity if act.arriving else -quantity),)
        return together(Turn(facts=told), self._shelf.unsettled.scanned(now, act))
