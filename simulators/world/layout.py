"""Where everything stands: a small warehouse with two smart shelves and a gate, and a dock.

Two weighing shelves of four cells each. On shelf A lie loose parts that only the scale sees, and
boxes whose every piece carries a tag; so on shelf B. One reader watches both shelves, two antennas
each; another watches the gate, two antennas on either side. What leaves by it may go on to the
dock, which has a gate of its own. Coordinates are metres.
"""

from __future__ import annotations

from dataclasses import dataclass

SHELF_READER = "shelf-reader"
GATE_READER = "gate-reader"
GATE = "gate"
HALL = "HALL"
DOCK_READER = "dock-reader"
DOCK_GATE = "dock-gate"
DOCK = "DOCK"

BEHIND = {GATE_READER: HALL, DOCK_READER: DOCK}
"""What lies behind the gate that a reader watches."""


@dataclass(frozen=True, slots=True)
class Ware:
    """An item as the world makes it. `serials` are the leading hex digits of its EPCs, if any."""

    code: str
    name: str
    unit_g: float
    spread: float
    serials: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """One weighing cell and what belongs on it; `pieces` lie there at the start."""

    device: str
    cell: int
    location: str
    shelf: str
    ware: Ware
    pieces: int

    @property
    def name(self) -> str:
        """The cell as the gateway names it."""
        return f"{self.device}:{self.cell}"


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works there, and his badge: it has a tag (`epc`) or a printed code (`scan`)."""

    name: str
    badge: str
    epc: str = ""
    scan: str = ""


@dataclass(frozen=True, slots=True)
class Mast:
    """One antenna and where it hangs. `facing_deg` is None for one that hears all around."""

    reader: str
    antenna: int
    x_m: float
    y_m: float
    facing_deg: float | None = None


WARES = (
    Ware("BOLT-M8", "Hex bolt M8x40", 21.4, 0.010),
    Ware("NUT-M8", "Hex nut M8", 11.6, 0.010),
    Ware("BEARING-6204", "Ball bearing 6204", 106.0, 0.004),
    Ware("RELAY-24V", "Relay 24 V", 35.2, 0.012),
    Ware("SENSOR-IR", "Light barrier, boxed", 184.0, 0.010, "30340a1b2c00010000"),
    Ware("VALVE-3-2", "Solenoid valve, boxed", 412.0, 0.008, "30340a1b2c00020000"),
    Ware("DRIVE-075", "Drive 0.75 kW, boxed", 1250.0, 0.005, "30340a1b2c00030000"),
    Ware("CABLE-M12", "Sensor cable M12, bagged", 96.0, 0.012, "30340a1b2c00040000"),
)
CARTON = Ware("CARTON-PUMP", "Pump, carton", 8200.0, 0.01, "30340a1b2c00050000")

SPOTS = (
    Spot("shelf-a", 1, "A-1", "A", WARES[0], 60),
    Spot("shelf-a", 2, "A-2", "A", WARES[1], 80),
    Spot("shelf-a", 3, "A-3", "A", WARES[4], 10),
    Spot("shelf-a", 4, "A-4", "A", WARES[5], 8),
    Spot("shelf-b", 1, "B-1", "B", WARES[2], 30),
    Spot("shelf-b", 2, "B-2", "B", WARES[3], 40),
    Spot("shelf-b", 3, "B-3", "B", WARES[6], 6),
    Spot("shelf-b", 4, "B-4", "B", WARES[7], 12),
)

MASTS = (
    Mast(SHELF_READER, 1, 0.2, 0.4),
    Mast(SHELF_READER, 2, 0.8, 0.4),
    Mast(SHELF_READER, 3, 4.2, 0.4),
    Mast(SHELF_READER, 4, 4.8, 0.4),
    Mast(GATE_READER, 1, -0.9, 1.1, 234.0),
    Mast(GATE_READER, 2, -0.9, -1.1, 126.0),
    Mast(GATE_READER, 3, 0.9, 1.1, -54.0),
    Mast(GATE_READER, 4, 0.9, -1.1, 54.0),
    Mast(DOCK_READER, 1, -0.9, 1.1, 234.0),
    Mast(DOCK_READER, 2, -0.9, -1.1, 126.0),
    Mast(DOCK_READER, 3, 0.9, 1.1, -54.0),
    Mast(DOCK_READER, 4, 0.9, -1.1, 54.0),
)
"""Shelves and gates have their own coordinates: they stand far apart. Antennas of a gate look away
from it, turned in to the lane: each side hears better what is on its own.
"""

SHELF_X_M = {"A": 0.0, "B": 4.0}
SHELF_WIDTH_M = 1.0

BADGE = Ware("BADGE", "Badge", 12.0, 0.0)
"""What everybody wears; it is no stock."""

STAFF = (
    Worker("Ana", "B-17", epc="3414257bf400000000000011"),
    Worker("Ben", "B-18", epc="3414257bf400000000000012"),
    Worker("Chen", "B-19", scan="950600013435200005"),
    Worker("Dora", "B-20", scan="950600013435200012"),
)
"""Tags name the badge as an asset (GIAI-96), the printed code its bearer (GSRN)."""
