"""The count that runs, or ran last, and what earlier counts have left: durable. Part of the
stock-take rule.

A restart in the middle of a count takes back which locations are still to be counted; they are
looked at anew. Which come first in a cycle count is told by what earlier ones found there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.model import CountReport, CountRequest, CountScope, Ns
from gateway.ports import Row

COUNT_ROW = "count"
PLACE_ROW = "place:"


@dataclass(slots=True)
class Session:
    """One count. `pending` are the locations that are still to be reported, with how often each
    was begun anew; `started` is a moment of this boot, 0 where an earlier one began it.
    """

    count_id: str
    scope: CountScope
    asked_by: str
    actor: str
    pending: dict[str, int]
    locations: int
    started: Ns = 0
    reported: int = 0
    disturbed: int = 0
    differences: int = 0
    sensors: int = 0

    @property
    def runs(self) -> bool:
        """Whether it is not over."""
        return bool(self.pending)

    def tally(self, report: CountReport) -> int:
        """One location more is reported: returns how many pieces are off there."""
        self.reported += 1
        self.disturbed += report.disturbed
        differing = [line for line in report.lines if line.reason is not None]
        unsure = [line for line in differing if line.counted is None]
        self.sensors += len(unsure)
        self.differences += len(differing) - len(unsure)
        counted = (abs((line.counted or 0) - line.expected) for line in differing)
        return sum(off for off, line in zip(counted, differing, strict=True) if line not in unsure)

    def row(self) -> Row:
        """What is kept of it; it is for people, too."""
        value = {name: getattr(self, name) for name in self.__slots__ if name != "started"}
        return Row(COUNT_ROW, {**value, "pending": dict(self.pending)})


@dataclass(slots=True)
class Past:
    """What counts have left of a location: when it was counted last (as a number of counts), and
    how many pieces were off there, of which half is forgotten with each count; `moved` are the
    movements since then, of this run.
    """

    counted: int = 0
    off: int = 0
    moved: int = 0


@dataclass(slots=True)
class Sessions:
    """See the module. `dear` are the items that a cycle count looks at first."""

    dear: frozenset[str]
    current: Session | None = None
    _past: dict[str, Past] = field(default_factory=dict)
    _number: int = 0

    def restore(self, row: Row) -> bool:
        """Take back a row; False if it is somebody else's."""
        value: Any = dict(row.value)
        if row.key == COUNT_ROW:
            self.current = Session(**value)
            return True
        if not row.key.startswith(PLACE_ROW):
            return False
        past = Past(value["counted"], value["off"])
        self._past[row.key.removeprefix(PLACE_ROW)] = past
        self._number = max(self._number, past.counted)
        return True

    def begin(self, now: Ns, request: CountRequest, locations: Collection[str]) -> Session:
        """A count begins."""
        self._number += 1
        self.current = Session(
            request.count_id,
            request.scope,
            request.asked_by,
            request.actor,
            dict.fromkeys(locations, 0),
            len(locations),
            now,
        )
        return self.current

    def moved(self, location: str) -> None:
        """One movement more there."""
        self._past.setdefault(location, Past()).moved += 1

    def counted(self, location: str, off: int) -> Row:
        """A location was counted; so many pieces were off."""
        past = self._past.setdefault(location, Past())
        past.counted, past.off, past.moved = self._number, past.off // 2 + off, 0
        return Row(PLACE_ROW + location, {"counted": past.counted, "off": past.off})

    def due(self, planned: Iterable[tuple[str, Collection[str]]], number: int) -> list[str]:
        """The locations that a cycle count looks at: those with dear items first, then those with
        most discrepancies, then those that were counted longest ago, then the busiest.
        """

        def urgency(place: tuple[str, Collection[str]]) -> tuple[bool, int, int, int, str]:
            location, items = place
            past = self._past.get(location, Past())
            dear = not self.dear.isdisjoint(items)
            return not dear, -past.off, past.counted, -past.moved, location

        return [location for location, _ in sorted(planned, key=urgency)[:number]]
