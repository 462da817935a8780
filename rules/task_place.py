"""Where a task asks stock to go, and whether a movement goes there. Part of the task rule.

One end of a task counts: for an issue what leaves its source, for all others what comes to its
target; where that end is not seen, the other one. A zone holds the cells that stand in it, and what
tags tell of a zone may have happened at any of its cells. An end that is not seen fits any place.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gateway.model import UNKNOWN_LOCATION, Movement, Sense, Site, Task

SHELF = "shelf of "
"""Before the name of a transmitter: no place is called so."""


@dataclass(frozen=True, slots=True)
class Course:
    """Which way stock is to go at the place that counts, and the other end; "" is not seen."""

    outward: bool
    counted: str
    other: str


class Places:
    """The places that this gateway sees."""

    def __init__(self, site: Site) -> None:
        self._zone_of = {cell.location: cell.zone for cell in site.cells if cell.zone}
        self._shelf_of = {
            cell.location: SHELF + cell.cell.rpartition(":")[0]
            for cell in site.cells
            if not cell.zone
        }
        self._weighed = {cell.location for cell in site.cells}
        zones = {zone.location for zone in site.zones}
        self._storage = zones | {cell.location for cell in site.cells}
        gates = {end for gate in site.portals for end in (gate.outside, gate.inside)}
        self._seen = (self._storage | gates) - {UNKNOWN_LOCATION}
        self._weighing: dict[str, set[str]] = {}
        self._reading: dict[str, set[str]] = {}
        for cell in site.cells:
            places = {cell.location, cell.zone or cell.location}
            for place in places:
                self._weighing.setdefault(place, set()).add(cell.cell)
            if cell.zone:
                self._reading.setdefault(cell.location, set()).add(cell.zone)
        for zone in site.zones:
            self._reading.setdefault(zone.location, set()).add(zone.location)
        for gate in site.portals:
            for end in (gate.outside, gate.inside):
                self._reading.setdefault(end, set()).add(gate.portal)

    def storage(self, place: str) -> bool:
        """Whether stock lies there under our eyes; what is behind a gate does not."""
        return place in self._storage

    def blind(self, place: str, missing: Collection[tuple[Sense, str]], *, tagged: bool) -> bool:
        """Whether no sense watches a place, for pieces with tags or without: a scale that is left
        tells of all, a reader of those with tags only.
        """
        weighing, reading = self._weighing.get(place, set()), self._reading.get(place, set())
        weighed = weighing and not any(("weight", cell) in missing for cell in weighing)
        read = reading and not any(("tags", point) in missing for point in reading)
        return bool(weighing or reading) and not (weighed or (read and tagged))

    def weighed(self, place: str) -> bool:
        """Whether a scale tells at once what happens there."""
        return place in self._weighed

    def area(self, place: str) -> str:
        """Where a hand may go astray: the zone around a cell, or the cells of its transmitter, that
        stand side by side; of any other place, itself.
        """
        return self._zone_of.get(place) or self._shelf_of.get(place, place)

    def same(self, place: str, other: str) -> bool:
        """Whether one of them is the other, or holds it."""
        zone_of = self._zone_of
        return place == other or zone_of.get(place) == other or zone_of.get(other) == place

    def course(self, task: Task) -> Course:
        """Where the task asks stock to go."""
        source, target = self._named(task.from_location), self._named(task.to_location)
        outward = task.kind == "issue" or not target
        if outward and not source and target:
            outward = False
        elif not outward and not target:
            outward = True
        return Course(outward, source, target) if outward else Course(outward, target, source)

    def sign(self, course: Course, movement: Movement) -> int | None:
        """1 if the movement is what the course asks, -1 if it takes that back, 0 if it is of the
        other end alone; None if it is neither.
        """
        near, far = ends(course, movement)
        for here, there, sign in ((near, far, 1), (far, near, -1)):
            if self._counts(here, course) and not self._counts(there, course):
                return sign if self._other_fits(there, course) else None
        halves = course.other and UNKNOWN_LOCATION in {near, far}
        if halves and any(self.same(end, course.other) for end in (near, far)):
            return 0
        return None

    def _counts(self, place: str, course: Course) -> bool:
        return self.same(place, course.counted) if course.counted else self.storage(place)

    def _other_fits(self, place: str, course: Course) -> bool:
        if not course.other or place not in self._seen:
            return True
        return self.same(place, course.other)

    def _named(self, place: str) -> str:
        return place if place in self._seen else ""


def ends(course: Course, movement: Movement) -> tuple[str, str]:
    """Where the movement would count, if it goes the way of the course, and where it would not."""
    if course.outward:
        return movement.from_location, movement.to_location
    return movement.to_location, movement.from_location
