"""Which reference facts are known, and which of those that come are news.

The core tells its facts anew on every connection and a file at every start: what is known already
is not booked again. A lower version that comes later is ignored (docs/asyncapi.yaml, Version); the
facts of files have version 0, so what the core tells of the same code counts more.

A fact that does not fit what is known (a quantity in a unit that its item has not, a location in
one that nobody knows) is refused, and what was known under its code stays. Facts come in any order,
so it is looked at again whenever another item or location is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from gateway.measure import MeasureError, whole
from gateway.model import (
    Badge,
    BookLine,
    BookStock,
    ExpectedSet,
    Item,
    Location,
    Reference,
    ReferenceDeleted,
    Task,
)
from gateway.places import misplaced

Kind: TypeAlias = Literal["item", "location", "expected", "task", "book", "badge"]

Known: TypeAlias = Item | Location | ExpectedSet | Task | BookStock | Badge

Place: TypeAlias = tuple[Kind, str]

KINDS: dict[type[Known], Kind] = {
    Item: "item",
    Location: "location",
    ExpectedSet: "expected",
    Task: "task",
    BookStock: "book",
    Badge: "badge",
}

REFUSED_MAX = 1024
"""Facts that wait for another: more is no matter of order. The oldest go, and are told again."""


class Refused(NamedTuple):
    """A fact that is not taken over, and why."""

    fact: Known
    reason: str


class Catalogue:
    """The reference facts known so far; as many as the core and the files tell.

    Tasks and expected sets share their topic: under one code there is one of them, and what takes
    the code back takes back whichever it is.
    """

    def __init__(self, known: Iterable[Known]) -> None:
        self._items: dict[str, Item] = {}
        self._locations: dict[str, Location] = {}
        self._known: dict[Place, Known] = {}
        self._refused: dict[Place, Refused] = {}
        for fact in known:
            self._keep(fact)

    def news(self, facts: Iterable[Reference]) -> list[Reference]:
        """Take over those that change what is known, and return what changes."""
        return self.judged(facts)[0]

    def judged(self, facts: Iterable[Reference]) -> tuple[list[Reference], list[Refused]]:
        """Like `news`, with those of the facts that are refused."""
        told = list(facts)
        changes = [change for fact in told for change in self._changes(fact)]
        fresh = changes
        while any(isinstance(change, Item | Location) for change in fresh):
            fresh = [change for fact in self._again() for change in self._changes(fact)]
            changes += fresh
        while len(self._refused) > REFUSED_MAX:
            del self._refused[next(iter(self._refused))]
        if not self._refused:
            return changes, []
        now = set(told)
        return changes, [refused for refused in self._refused.values() if refused.fact in now]

    def of_files(self, facts: Iterable[Reference]) -> tuple[list[Reference], list[Refused]]:
        """Like `judged`, for the facts of all files: what they do not tell any more goes."""
        told = list(facts)
        kept = {_place_of(fact) for fact in told if not isinstance(fact, ReferenceDeleted)}
        gone = [
            ReferenceDeleted(KINDS[type(fact)], fact.code)
            for place, fact in self._known.items()
            if fact.version == 0 and place not in kept
        ]
        return self.judged([*gone, *told])

    def _changes(self, fact: Reference) -> tuple[Reference, ...]:
        if isinstance(fact, ReferenceDeleted):
            self._refused.pop(_place(fact.kind, fact.code), None)
            gone = self._known.get(_place(fact.kind, fact.code))
            return () if gone is None else (self._forget(gone),)
        place = _place_of(fact)
        known = self._known.get(place)
        waits = self._refused.get(place)
        newest = max((each.version for each in (known, waits and waits.fact) if each), default=0)
        if fact.version < newest:
            return ()
        try:
            taken = self._fitted(fact)
        except ValueError as error:
            self._refused[place] = Refused(fact, str(error))
            return ()
        self._refused.pop(place, None)
        if known == taken:
            return ()
        self._keep(taken)
        if known is None or type(known) is type(taken):
            return (taken,)
        return (ReferenceDeleted(KINDS[type(known)], fact.code), taken)

    def _fitted(self, fact: Known) -> Known:
        """The fact as it is taken over: with whole numbers of what stock is counted in.

        ValueError says why it does not fit.
        """
        if isinstance(fact, Task):
            return _whole_task(fact, self._items.get(fact.item))
        if isinstance(fact, BookStock):
            return replace(fact, lines=tuple(whole_line(line, self._items) for line in fact.lines))
        reason = misplaced(fact, self._locations) if isinstance(fact, Location) else None
        if reason is not None:
            raise ValueError(reason)
        return fact

    def _again(self) -> list[Known]:
        """What another item or location may change: what was refused, and what was converted."""
        waiting = [refused.fact for refused in self._refused.values()]
        stands = {_place_of(fact) for fact in waiting}
        return waiting + [
            fact
            for place, fact in self._known.items()
            if isinstance(fact, Task | BookStock) and place not in stands
        ]

    def _keep(self, fact: Known) -> None:
        self._known[_place_of(fact)] = fact
        if isinstance(fact, Item):
            self._items[fact.code] = fact
        elif isinstance(fact, Location):
            self._locations[fact.code] = fact

    def _forget(self, fact: Known) -> ReferenceDeleted:
        del self._known[_place_of(fact)]
        if isinstance(fact, Item):
            del self._items[fact.code]
        elif isinstance(fact, Location):
            del self._locations[fact.code]
        return ReferenceDeleted(KINDS[type(fact)], fact.code)


def whole_line(line: BookLine, items: Mapping[str, Item]) -> BookLine:
    """The line in what stock of its item is counted in; of an unknown item as it is told.

    MeasureError if it cannot be told so.
    """
    item = items.get(line.item)
    if item is None or line.uom == item.base_uom:
        return line

    def counted(told: int | None) -> int | None:
        return None if told is None else whole(str(told), line.uom, item)[0]

    lots = tuple(replace(lot, quantity=counted(lot.quantity) or 0) for lot in line.lots)
    return BookLine(
        line.item,
        counted(line.quantity),
        item.base_uom,
        counted(line.safety),
        counted(line.reorder),
        lots,
    )


def _whole_task(task: Task, item: Item | None) -> Task:
    """A task as it is told counts pieces, unless it names an amount or its item is bulk goods."""
    amount = task.amount
    if not amount:
        if task.uom == "" and (item is None or item.base_uom == item.uom):
            return task
        amount = str(task.quantity)
    quantity, _ = whole(amount, task.uom, item)
    if quantity < 1:
        raise MeasureError("quantity: more than nothing is wanted")
    if task.serials and len(task.serials) != quantity:
        raise MeasureError("serials: as many different ones as the quantity are wanted")
    return replace(task, quantity=quantity, amount=amount)


def _place(kind: Kind, code: str) -> Place:
    return ("task" if kind == "expected" else kind, code)


def _place_of(fact: Known) -> Place:
    return _place(KINDS[type(fact)], fact.code)
