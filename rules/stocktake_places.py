"""What can be counted, and what watches it. Part of the stock-take rule.

A location is counted by the cells that stand on it and by the tags that belong there: those of a
zone are of the location of the cell on which their item is planned, and of the zone itself where
it is planned on none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import Cell, CellId, ReadPoint, Site


@dataclass(frozen=True, slots=True)
class Watched:
    """What watches a location: its cells, and the zone whose tags may be of it ("" for none)."""

    location: str
    cells: tuple[Cell, ...]
    zone: str

    @property
    def planned(self) -> tuple[str, ...]:
        """The items that are weighed there."""
        return tuple(dict.fromkeys(item for cell in self.cells for item in cell.planned))


class CountPlaces:
    """All that can be counted."""

    def __init__(self, site: Site) -> None:
        cells: dict[str, list[Cell]] = {zone.location: [] for zone in site.zones}
        for cell in site.cells:
            cells.setdefault(cell.location, []).append(cell)
        zones = {zone.location: zone.antennas for zone in site.zones}
        self._watched = {
            location: Watched(location, tuple(of), _zone(location, of, zones))
            for location, of in cells.items()
        }
        self._home = {
            (cell.zone, item): cell.location
            for cell in site.cells
            if cell.zone
            for item in cell.planned
        }
        self._antennas = {
            location: [(device, int(antenna)) for device, _, antenna in _parted(points)]
            for location, points in zones.items()
        }
        gates = (point for gate in site.portals for point in (*gate.outer, *gate.inner))
        self._at_gates = {device for device, _, _ in _parted(gates)}
        self.zone_of = {point: location for location, points in zones.items() for point in points}
        self.cells = {cell.cell: cell for cell in site.cells}

    @property
    def locations(self) -> list[str]:
        """All of them, in order."""
        return sorted(self._watched)

    def of(self, location: str) -> Watched | None:
        """What watches it; None if nothing does."""
        return self._watched.get(location)

    def home(self, zone: str, item: str) -> str:
        """The location that a tag of that item in a zone belongs to."""
        return self._home.get((zone, item), zone)

    def antennas(self, zone: str) -> list[tuple[str, int]]:
        """Devices and antennas that watch a zone."""
        return self._antennas.get(zone, [])

    def readers(self, locations: Iterable[str]) -> list[str]:
        """The readers that may read deeply for these; one that watches a gate, too, must not: what
        passes there would be missed.
        """
        zones = {watched.zone for place in locations if (watched := self._watched.get(place))}
        devices = {device for zone in zones for device, _ in self.antennas(zone)}
        return sorted(devices - self._at_gates)

    def around(self, place: str) -> list[str]:
        """The locations that something concerns which happened at a place: those of the cells in it
        where it is a zone.
        """
        return [
            location
            for location, watched in self._watched.items()
            if place in {location, watched.zone}
        ]

    def of_cell(self, cell: CellId) -> str:
        """The location of a cell, "" if it is not known."""
        known = self.cells.get(cell)
        return known.location if known else ""


def _zone(location: str, cells: Iterable[Cell], zones: Iterable[str]) -> str:
    return next((cell.zone for cell in cells if cell.zone), location if location in zones else "")


def _parted(points: Iterable[ReadPoint]) -> Iterable[tuple[str, str, str]]:
    return (point.rpartition(":") for point in points)
