"""Lots: which of several goes first, and which has expired.

    a later lot is taken while an earlier lies there -> lot_order
    that is back, the earlier is gone, or a day ------> cleared
    a lot lies there after the day on which it expires -> lot_expired
    nothing of it lies there any more ----------------> cleared

What lies where is in `rules.lot_book`; a lot is told by the core's book, or by a scan, which also
tells when it expires (GS1 identifiers 10 and 17). The day is told by the gateway (`Today`).
Durable.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Alert,
    Amendment,
    BookStock,
    Fact,
    Item,
    LotRule,
    Movement,
    Ns,
    ReferenceDeleted,
    Scan,
    Today,
    is_day,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.lot_book import Held, LotBook, Shelf
from rules.turns import together

ORDER, EXPIRED = "lot_order", "lot_expired"

ALERT_ROW = "alert:"

STANDS_NS = 24 * 3600 * NS_PER_S
"""By then a person has looked, or will not."""

RECENT_MAX = 256
"""Movements and scanned days that are remembered: a scan names a lot within a minute."""

STANDING_MAX = 1_000
"""More alerts than anybody can look at; beyond, what lies there is in the book only."""

TAKEN = (
    "{place}: lot {lot} of {item} was taken, but {first} lies there and goes first; put it back "
    "and take that"
)
IN_ORDER = "{place}: the lots of {item} are in order again"
OVER = (
    "{place}: lot {lot} of {item} expired on {expires}; take none of it, and take it out of stock"
)
GONE = "{place}: nothing of lot {lot} of {item} lies there any more"


class LotsSettings(PluginSettings):
    """Which lot goes first is told by each item."""


class _Wrong(NamedTuple):
    """A lot was taken though another goes first, when that was told."""

    lot: str
    first: str
    at: Ns


class _Moved(NamedTuple):
    """A movement whose lot may still be named, and which lots were taken for it."""

    movement: Movement
    taken: list[tuple[str, int]]


class Lots:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = LotsSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        Item,
        BookStock,
        ReferenceDeleted,
        Scan,
        Movement,
        Amendment,
        Today,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: LotsSettings, context: RuleContext) -> None:
        del settings
        self._boot, self._last_alive = context.boot, context.last_alive or 0
        self._book = LotBook()
        self._rules: dict[str, LotRule] = {}
        self._expiry: OrderedDict[str, str] = OrderedDict()
        self._recent: OrderedDict[str, _Moved] = OrderedDict()
        self._wrong: dict[Shelf, _Wrong] = {}
        self._expired: set[tuple[str, str, str]] = set()
        self._today = ""

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back what lies where, and which alerts stand."""
        for row in rows:
            if self._book.restore(row):
                continue
            value: Any = row.value
            if row.key.startswith(ALERT_ROW + EXPIRED):
                self._expired.add((value["place"], value["item"], value["lot"]))
            else:
                at = value["at"] if value["boot"] == self._boot else self._last_alive
                shelf = (value["place"], value["item"])
                self._wrong[shelf] = _Wrong(value["lot"], value["first"], at)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Follow the lots; say what is wrong with them."""
        turn = self._decide(now, fact)
        if turn is NOTHING and fact is not None:
            return NOTHING
        due = min((wrong.at + STANDS_NS for wrong in self._wrong.values()), default=None)
        return turn if due is None else turn._replace(next_wake=max(due, now + 1))

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is Movement:
            return self._moved(now, fact)
        if type(fact) is Amendment:
            return self._named(now, fact)
        if type(fact) is Scan:
            self._scanned(fact)
        elif type(fact) is BookStock:
            return self._told(now, fact)
        elif type(fact) is Item:
            self._rules[fact.code] = fact.lot_rule
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._rules.pop(fact.code, None)
        elif type(fact) is Today:
            self._today = fact.day
            return together(*(self._judge(now, shelf) for shelf in list(self._book.shelves())))
        elif fact is None:
            old = [s for s, wrong in self._wrong.items() if wrong.at + STANDS_NS <= now]
            return together(*(self._in_order(now, shelf) for shelf in old))
        return NOTHING

    def _told(self, now: Ns, book: BookStock) -> Turn:
        """What is known at a start already is in the rows, and newer there."""
        turns = []
        for line in book.lines:
            shelf = (book.code, line.item)
            if not line.lots or (now == 0 and shelf in self._book):
                continue
            self._book.told(shelf, line.lots)
            if now:
                turns += [Turn(puts=(self._book.row(shelf),)), self._judge(now, shelf)]
        return together(*turns)

    def _scanned(self, scan: Scan) -> None:
        """Remember on which day a lot expires."""
        elements = dict(scan.elements)
        day = _day(elements.get("17", ""))
        if "10" in elements and day:
            self._expiry[elements["10"]] = day
            if len(self._expiry) > RECENT_MAX:
                self._expiry.popitem(last=False)

    def _moved(self, now: Ns, movement: Movement) -> Turn:
        taken: list[tuple[str, int]] = []
        turn = self._move(now, movement, movement.lot, taken)
        self._recent[movement.movement_id] = _Moved(movement, taken)
        if len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)
        return turn

    def _named(self, now: Ns, amendment: Amendment) -> Turn:
        """The lot of a movement is known by now: what was taken for it lies there again."""
        moved = self._recent.get(amendment.amends_movement or "")
        if moved is None or amendment.lot is None or moved.movement.lot is not None:
            return NOTHING
        del self._recent[moved.movement.movement_id]
        source = (moved.movement.from_location, moved.movement.item)
        for lot, quantity in moved.taken:
            self._book.came(source, lot, quantity, ("", ""))
        return self._move(now, moved.movement, amendment.lot, [])

    def _move(
        self, now: Ns, movement: Movement, lot: str | None, taken: list[tuple[str, int]]
    ) -> Turn:
        source, target = (
            (end, movement.item) for end in (movement.from_location, movement.to_location)
        )
        turns = []
        if source[0] != UNKNOWN_LOCATION and source in self._book:
            if lot is None:
                rule = self._rules.get(movement.item, "none")
                taken += self._book.took(source, movement.quantity, rule)
            else:
                turns.append(self._order(now, source, lot, movement))
                self._book.came(source, lot, -movement.quantity, ("", ""))
            turns += [Turn(puts=(self._book.row(source),)), self._judge(now, source)]
        if target[0] != UNKNOWN_LOCATION and lot is not None:
            days = (self._expiry.get(lot, ""), self._today)
            self._book.came(target, lot, movement.quantity, days)
            wrong = self._wrong.get(target)
            if wrong is not None and wrong.lot == lot:
                turns.append(self._in_order(now, target))
            turns += [Turn(puts=(self._book.row(target),)), self._judge(now, target)]
        return together(*turns)

    def _order(self, now: Ns, shelf: Shelf, lot: str, movement: Movement) -> Turn:
        """Whether another lot goes first of which something lies there."""
        if movement.kind == "adjustment" or movement.reverses is not None:
            return NOTHING
        held = self._book.get(shelf, lot) or Held(lot, 0, self._expiry.get(lot, ""))
        first = self._book.before(shelf, held, self._rules.get(shelf[1], "none"))
        stands = shelf in self._wrong
        if first is None or stands or len(self._wrong) >= STANDING_MAX:
            return NOTHING
        wrong = self._wrong[shelf] = _Wrong(lot, first.lot, now)
        key = ":".join((ORDER, *shelf))
        text = TAKEN.format(place=shelf[0], item=shelf[1], lot=lot, first=first.words)
        row = {"place": shelf[0], "item": shelf[1], **wrong._asdict(), "boot": self._boot}
        alert = Alert(ORDER, key, True, "warning", text, now)
        return Turn(facts=(alert,), puts=(Row(ALERT_ROW + key, row),))

    def _in_order(self, now: Ns, shelf: Shelf) -> Turn:
        del self._wrong[shelf]
        key, text = ":".join((ORDER, *shelf)), IN_ORDER.format(place=shelf[0], item=shelf[1])
        alert = Alert(ORDER, key, False, "warning", text, now)
        return Turn(facts=(alert,), deletes=(ALERT_ROW + key,))

    def _judge(self, now: Ns, shelf: Shelf) -> Turn:
        """Say which lots there have expired, and what is in order again."""
        there = {held.lot: held for held in self._book.there(shelf)}
        turns = []
        wrong = self._wrong.get(shelf)
        if wrong is not None and wrong.first not in there:
            turns.append(self._in_order(now, shelf))
        for held in there.values():
            known = (*shelf, held.lot)
            late = bool(held.expires) and bool(self._today) and held.expires < self._today
            if late and known not in self._expired and len(self._expired) < STANDING_MAX:
                turns.append(self._expire(now, known, held.expires))
        over = [
            known
            for known in self._expired
            if known[:2] == shelf
            and (known[2] not in there or there[known[2]].expires >= self._today > "")
        ]
        return together(*turns, *(self._expire(now, known, "") for known in over))

    def _expire(self, now: Ns, known: tuple[str, str, str], expires: str) -> Turn:
        """Raise it, or clear it if nothing has expired."""
        place, item, lot = known
        key = ":".join((EXPIRED, *known))
        text = (OVER if expires else GONE).format(place=place, item=item, lot=lot, expires=expires)
        alert = Alert(EXPIRED, key, bool(expires), "critical", text, now)
        if not expires:
            self._expired.discard(known)
            return Turn(facts=(alert,), deletes=(ALERT_ROW + key,))
        self._expired.add(known)
        row = Row(ALERT_ROW + key, {"place": place, "item": item, "lot": lot})
        return Turn(facts=(alert,), puts=(row,))


def _day(text: str) -> str:
    """The day that GS1 writes as YYMMDD; day 00 is the last of its month."""
    day = f"20{text[:2]}-{text[2:4]}-{text[4:6]}"
    if text[4:6] == "00":
        ends = (f"{day[:8]}{last}" for last in (31, 30, 29, 28))
        return next((each for each in ends if is_day(each)), "")
    return day if is_day(day) else ""
