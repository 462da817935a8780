"""What the ceiling remembers of a world: when each tag was heard where, and when each antenna had
its turn. A turn that brought no read of anything is not seen; zones with a handful of tags have
none.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from simulators.world.truth import Reads


class Heard(NamedTuple):
    """Times (ns) at which a tag answered in one place, and when the gateway was told."""

    at: array[int]
    told: array[int]


class Visit(NamedTuple):
    """One turn of a place's antenna: its first and last answer, and when the last was told."""

    begin: int
    until: int
    told: int


class Sightings:
    """`of_point` names the place of each antenna."""

    def __init__(self, of_point: dict[str, str]) -> None:
        self._of_point = of_point
        self._heard: dict[tuple[str, str], Heard] = {}
        self._visits: dict[str, list[Visit]] = {}
        self._open: dict[str, tuple[str, int, int, int]] = {}

    def take(self, reads: Reads) -> None:
        """Remember one report."""
        for point, epc, _, age in reads.reads:
            at, place = reads.at - age, self._of_point[point]
            known = self._heard.get((epc, place))
            if known is None:
                known = self._heard[epc, place] = Heard(array("q"), array("q"))
            known.at.append(at)
            known.told.append(reads.at)
            turn = self._open.get(reads.device)
            if turn is None or turn[0] != point:
                self._close(turn)
                self._open[reads.device] = (point, at, at, reads.at)
            else:
                self._open[reads.device] = (point, turn[1], max(turn[2], at), reads.at)

    def finish(self) -> None:
        """No more comes: put late reports in their order."""
        for turn in self._open.values():
            self._close(turn)
        for key, (at, told) in self._heard.items():
            if any(later < sooner for sooner, later in pairwise(at)):
                order = sorted(range(len(at)), key=at.__getitem__)
                self._heard[key] = Heard(
                    array("q", (at[i] for i in order)), array("q", (told[i] for i in order))
                )
        for visits in self._visits.values():
            visits.sort()

    def tags(self) -> dict[str, dict[str, int]]:
        """How often each tag was heard in each place."""
        found: dict[str, dict[str, int]] = {}
        for (epc, place), heard in self._heard.items():
            found.setdefault(epc, {})[place] = len(heard.at)
        return found

    def count(self, epc: str, place: str, begin: int, until: int) -> int:
        """How often a tag was heard in a place from `begin` until before `until`."""
        heard = self._heard.get((epc, place))
        return 0 if heard is None else bisect_left(heard.at, until) - bisect_left(heard.at, begin)

    def nth(self, epc: str, place: str, begin: int, number: int) -> int | None:
        """When the gateway had been told of so many answers since `begin`."""
        heard = self._heard.get((epc, place))
        if heard is None:
            return None
        index = bisect_left(heard.at, begin) + number - 1
        return heard.told[index] if index < len(heard.at) else None

    def last(self, epc: str, place: str, begin: int, until: int) -> int | None:
        """When the gateway was told of the last answer in that span."""
        heard = self._heard.get((epc, place))
        if heard is None:
            return None
        index = bisect_left(heard.at, until) - 1
        return heard.told[index] if index >= 0 and heard.at[index] >= begin else None

    def visits(self, epc: str, place: str, begin: int, until: int) -> Iterator[tuple[Visit, int]]:
        """Turns of that place's antennas, and how often the tag was heard in each."""
        visits = self._visits.get(place, [])
        for index in range(bisect_left(visits, (begin, 0, 0)), len(visits)):
            visit = visits[index]
            if visit.begin >= until:
                return
            yield visit, self.count(epc, place, visit.begin, visit.until + 1)

    def _close(self, turn: tuple[str, int, int, int] | None) -> None:
        if turn is not None:
            point, begin, until, told = turn
            self._visits.setdefault(self._of_point[point], []).append(Visit(begin, until, told))
