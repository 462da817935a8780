"""Which reference facts are known, and which of those that come are news.

The core tells its facts anew on every connection and a file at every start: what is known already
is not booked again. A lower version that comes later is ignored (docs/asyncapi.yaml, Version); the
facts of files have version 0, so what the core tells of the same code counts more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from gateway.model import (
    Badge,
    BookStock,
    ExpectedSet,
    Item,
    Location,
    Reference,
    ReferenceDeleted,
    Task,
)

Kind: TypeAlias = Literal["item", "location", "expected", "task", "book", "badge"]

Known: TypeAlias = Item | Location | ExpectedSet | Task | BookStock | Badge

KINDS: dict[type[Known], Kind] = {
    Item: "item",
    Location: "location",
    ExpectedSet: "expected",
    Task: "task",
    BookStock: "book",
    Badge: "badge",
}


class Catalogue:
    """The reference facts known so far; as many as the core and the files tell.

    Tasks and expected sets share their topic: under one code there is one of them, and what takes
    the code back takes back whichever it is.
    """

    def __init__(self, known: Iterable[Known]) -> None:
        self._known = {_place(KINDS[type(fact)], fact.code): fact for fact in known}

    def news(self, facts: Iterable[Reference]) -> list[Reference]:
        """Take over those that change what is known, and return what changes."""
        return [change for fact in facts for change in self._changes(fact)]

    def of_files(self, facts: Iterable[Reference]) -> list[Reference]:
        """Like `news`, for the facts of all files: what they told once and do not any more goes."""
        told = list(facts)
        kept = {_place_of(fact) for fact in told if not isinstance(fact, ReferenceDeleted)}
        gone = [
            ReferenceDeleted(KINDS[type(fact)], fact.code)
            for place, fact in self._known.items()
            if fact.version == 0 and place not in kept
        ]
        return self.news([*gone, *told])

    def _changes(self, fact: Reference) -> tuple[Reference, ...]:
        if isinstance(fact, ReferenceDeleted):
            gone = self._known.pop(_place(fact.kind, fact.code), None)
            return () if gone is None else (ReferenceDeleted(KINDS[type(gone)], fact.code),)
        known = self._known.get(_place_of(fact))
        if known is not None and (known == fact or fact.version < known.version):
            return ()
        self._known[_place_of(fact)] = fact
        if known is None or type(known) is type(fact):
            return (fact,)
        return (ReferenceDeleted(KINDS[type(known)], fact.code), fact)


def _place(kind: Kind, code: str) -> tuple[Kind, str]:
    return ("task" if kind == "expected" else kind, code)


def _place_of(fact: Known) -> tuple[Kind, str]:
    return _place(KINDS[type(fact)], fact.code)
