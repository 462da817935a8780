"""Which reference facts are known, and which of those that come are news.

The core tells its facts anew on every connection and a file at every start: what is known already
is not booked again. A lower version that comes later is ignored (docs/asyncapi.yaml, Version); the
facts of files have version 0, so what the core tells of the same code counts more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from gateway.model import BookStock, ExpectedSet, Item, Location, Reference, ReferenceDeleted, Task

Kind: TypeAlias = Literal["item", "location", "expected", "task", "book"]

Known: TypeAlias = Item | Location | ExpectedSet | Task | BookStock

KINDS: dict[type[Known], Kind] = {
    Item: "item",
    Location: "location",
    ExpectedSet: "expected",
    Task: "task",
    BookStock: "book",
}


class Catalogue:
    """The reference facts known so far; as many as the core and the files tell."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._known = {(KINDS[type(fact)], fact.code): fact for fact in known}

    def news(self, facts: Iterable[Reference]) -> list[Reference]:
        """Take over those that change what is known, and return them."""
        return [fact for fact in facts if self._is_news(fact)]

    def of_files(self, facts: Iterable[Reference]) -> list[Reference]:
        """Like `news`, for the facts of all files: what they told once and do not any more goes."""
        told = list(facts)
        kept = {(KINDS[type(f)], f.code) for f in told if not isinstance(f, ReferenceDeleted)}
        gone = [
            ReferenceDeleted(kind, code)
            for (kind, code), fact in self._known.items()
            if fact.version == 0 and (kind, code) not in kept
        ]
        return self.news([*gone, *told])

    def _is_news(self, fact: Reference) -> bool:
        if isinstance(fact, ReferenceDeleted):
            return self._known.pop((fact.kind, fact.code), None) is not None
        key = (KINDS[type(fact)], fact.code)
        known = self._known.get(key)
        if known is not None and (known == fact or fact.version < known.version):
            return False
        self._known[key] = fact
        return True
