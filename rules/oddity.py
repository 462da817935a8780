"""Pieces that are known to stand where they should not, or under another item's tag.

    tag of another item, its weight fits -----------> misplaced: that item stands on that cell
    tag of another item, planned item's weight fits -> mislabelled: that tag is a piece of the plan

It stands until it is taken away, and so does its alert. Part of the movement rule; durable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gateway.ports import Row, Turn

ODD_ROW = "odd:"

ODD_MAX = 10_000
"""Such pieces on one site; of more, the oldest are forgotten and are strangers again."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """The piece with that tag on that cell of that zone is one of `item`, whatever its tag says."""

    epc: str
    zone: str
    cell: str
    item: str
    misplaced: bool


class Oddities:
    """All such pieces."""

    def __init__(self) -> None:
        self._known: dict[str, Oddity] = {}

    def restore(self, row: Row) -> bool:
        """Take back one of an earlier run; False if the row is somebody else's."""
        if not row.key.startswith(ODD_ROW):
            return False
        value: dict[str, Any] = dict(row.value)
        epc = row.key.removeprefix(ODD_ROW)
        self._known[epc] = Oddity(epc, **value)
        return True

    def of(self, epc: str, zone: str) -> Oddity | None:
        """What that tag stands for in that zone, if it is odd."""
        odd = self._known.get(epc)
        return odd if odd is not None and odd.zone == zone else None

    def misplaced_on(self, cell: str) -> list[Oddity]:
        """Pieces of other items on a cell."""
        return [odd for odd in self._known.values() if odd.misplaced and odd.cell == cell]

    def any(self, zone: str, item: str) -> bool:
        """Whether a piece of that item stands there under a wrong tag."""
        return any(
            (odd.zone, odd.item, odd.misplaced) == (zone, item, False)
            for odd in self._known.values()
        )

    def put(self, odds: Iterable[Oddity]) -> Turn:
        """They stand there from now on."""
        rows, deletes = [], []
        for odd in odds:
            if len(self._known) >= ODD_MAX and odd.epc not in self._known:
                oldest = next(iter(self._known))
                del self._known[oldest]
                deletes.append(ODD_ROW + oldest)
            self._known[odd.epc] = odd
            value = asdict(odd)
            del value["epc"]
            rows.append(Row(ODD_ROW + odd.epc, value))
        return Turn(puts=tuple(rows), deletes=tuple(deletes))

    def gone(self, epcs: Iterable[str]) -> Turn:
        """They were taken away."""
        known = [epc for epc in epcs if self._known.pop(epc, None) is not None]
        return Turn(deletes=tuple(ODD_ROW + epc for epc in known))
