"""The lots that lie at a place, as the core's book and scans tell them, and which goes first. Part
of the lots rule; durable, a row for each item at a place.

    book names lots ------------------> these lie there
    movement of a lot ----------------> it comes, or goes
    movement of no lot that is known -> what goes first is taken for it

    fefo: that which expires first goes first; fifo: that which came first
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from typing import Any, TypeAlias

from gateway.model import BookLot, LotRule
from gateway.ports import Row

LOT_ROW = "lots\t"

LOTS_MAX = 64
"""Lots of one item at one place: a bin holds a few. Of more, those that
are gone are forgotten, and the last ones are not followed."""

Shelf: TypeAlias = tuple[str, str]
"""A place and an item."""


@dataclass(frozen=True, slots=True)
class Held:
    """So many of a lot; `number` tells in what order lots came that name no day."""

    lot: str
    quantity: int
    expires: str = ""
    received: str = ""
    number: int = 0

    @property
    def words(self) -> str:
        """How people know it."""
        return f"{self.lot} (expires {self.expires})" if self.expires else self.lot


class LotBook:
    """See the module."""

    def __init__(self) -> None:
        self._held: dict[Shelf, dict[str, Held]] = {}
        self._numbers = 0

    def restore(self, row: Row) -> bool:
        """Take back what lay at a place; False if the row is somebody else's."""
        if not row.key.startswith(LOT_ROW):
            return False
        place, _, item = row.key.removeprefix(LOT_ROW).partition("\t")
        value: Any = row.value
        found = [Held(*each) for each in value["lots"]]
        self._held[place, item] = {held.lot: held for held in found}
        self._numbers = max(self._numbers, *(held.number for held in found), 0)
        return True

    def __contains__(self, shelf: Shelf) -> bool:
        return shelf in self._held

    def row(self, shelf: Shelf) -> Row:
        """Its durable form."""
        lots = [list(astuple(held)) for held in self._held.get(shelf, {}).values()]
        return Row(LOT_ROW + "\t".join(shelf), {"lots": lots})

    def shelves(self) -> Iterator[Shelf]:
        """Where lots are known."""
        yield from self._held

    def there(self, shelf: Shelf) -> list[Held]:
        """The lots of which something is there."""
        return [held for held in self._held.get(shelf, {}).values() if held.quantity > 0]

    def told(self, shelf: Shelf, lots: Iterable[BookLot]) -> None:
        """The book says what lies there."""
        before, lines = self._held.get(shelf, {}), list(lots)
        self._held[shelf] = {
            line.lot: Held(
                line.lot,
                line.quantity,
                line.expires or (before[line.lot].expires if line.lot in before else ""),
                line.received,
                before[line.lot].number if line.lot in before else self._next(),
            )
            for line in lines[:LOTS_MAX]
        }

    def came(self, shelf: Shelf, lot: str, quantity: int, days: tuple[str, str]) -> None:
        """So many of a lot came, or went (below 0); `days` are those it expires and came on."""
        lots = self._held.setdefault(shelf, {})
        known = lots.get(lot)
        if known is None:
            gone = next((each.lot for each in lots.values() if not each.quantity), None)
            if len(lots) >= LOTS_MAX and gone is None:
                return
            if len(lots) >= LOTS_MAX and gone is not None:
                del lots[gone]
            known = Held(lot, 0, "", days[1], self._next())
        left = max(0, known.quantity + quantity)
        lots[lot] = replace(known, quantity=left, expires=known.expires or days[0])

    def took(self, shelf: Shelf, quantity: int, rule: LotRule) -> list[tuple[str, int]]:
        """So many of no lot that is known went: which are taken for them, and how many of each."""
        taken = []
        for held in sorted(self.there(shelf), key=lambda held: order(held, rule)):
            part = min(quantity, held.quantity)
            if part:
                self.came(shelf, held.lot, -part, ("", ""))
                taken.append((held.lot, part))
                quantity -= part
        return taken

    def before(self, shelf: Shelf, held: Held, rule: LotRule) -> Held | None:
        """Which lot there goes before that one, if it is known that one does."""
        others = [each for each in self.there(shelf) if each.lot != held.lot]
        first = min(others, key=lambda each: order(each, rule), default=None)
        if first is None or rule == "none":
            return None
        if rule == "fefo":
            return first if first.expires and first.expires < held.expires else None
        if bool(first.received) != bool(held.received):
            return None
        return first if order(first, rule)[:2] < order(held, rule)[:2] else None

    def get(self, shelf: Shelf, lot: str) -> Held | None:
        """What is known of a lot there."""
        return self._held.get(shelf, {}).get(lot)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers


def order(held: Held, rule: LotRule) -> tuple[str, int, int]:
    """What comes first is taken first; a day that is not known comes last."""
    day = held.received if rule == "fifo" else held.expires
    return day or "9999-12-31", 0 if day and rule == "fifo" else held.number, held.number
