"""Which antennas and cells watch which place: site data, fixed while the daemon runs.

Part of `gateway.model`; import it from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.light import LightId, LightKind
from gateway.units import CellId, ReadPoint


@dataclass(frozen=True, slots=True)
class Zone:
    """A place that antennas watch. `sure` is its knob from quick (0) to sure (1); None is the
    usual.
    """

    location: str
    antennas: tuple[ReadPoint, ...]
    sure: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A weighing cell: its location, the item planned on it, the zone whose tags stand on it.

    A plate of several items has them all in `items`, and no `item`.
    """

    cell: CellId
    location: str
    item: str | None = None
    zone: str | None = None
    items: tuple[str, ...] = ()

    @property
    def planned(self) -> tuple[str, ...]:
        """All items planned on the cell."""
        return self.items or (() if self.item is None else (self.item,))


@dataclass(frozen=True, slots=True)
class Portal:
    """A gate between two locations, with antennas on either side. `sure` is its knob, as that of a
    zone. `door` is the digital input (`device:port`) that is at `closed_level` while its door is
    closed; "" is none.
    """

    portal: str
    outer: tuple[ReadPoint, ...]
    inner: tuple[ReadPoint, ...]
    outside: str
    inside: str
    sure: float | None = None
    door: str = ""
    closed_level: bool = True


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner that stands at a location: who scans a badge there is there."""

    device: str
    location: str


@dataclass(frozen=True, slots=True)
class Light:
    """A light: a pick light shows what is to be done at its location; a stack light and a buzzer
    have none, and tell of the alerts of the whole gateway.
    """

    light: LightId
    kind: LightKind
    location: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """All wiring of one gateway."""

    zones: tuple[Zone, ...] = ()
    cells: tuple[Cell, ...] = ()
    portals: tuple[Portal, ...] = ()
    scanners: tuple[Scanner, ...] = ()
    lights: tuple[Light, ...] = ()
