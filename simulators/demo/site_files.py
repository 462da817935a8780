"""The configuration of the simulated site, as an integrator would write it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from gateway.epc import decode_epc
from simulators.demo.lights import lamps, wiring
from simulators.world.layout import (
    CARTON,
    DOCK,
    DOCK_GATE,
    DOCK_READER,
    GATE,
    GATE_READER,
    HALL,
    SHELF_READER,
    SHELF_X_M,
    SPOTS,
    WARES,
    Ware,
)

GATEWAY, SITE = "edge-demo", "demo"
DOCK_GATEWAY = "edge-dock"

HEAD = """\
# Written by scripts/demo: {what}.

[gateway]
id = "{gateway}"
site = "{site}"
state_folder = "{folder}/state"

[mqtt]
host = "{host}"
port = {port}
version = "{version}"

[reference]
items = "items.csv"
locations = "locations.csv"
"""

WAREHOUSE = """
[[device]]
id = "{gate_reader}"
driver = "llrp"
host = "127.0.0.1"
port = {gate_port}
session = 0
power_dbm = 30.0

[[device]]
id = "{shelf_reader}"
driver = "llrp"
host = "127.0.0.1"
port = {shelf_port}
session = 0
power_dbm = 30.0

[[device]]
id = "shelf-a"
driver = "modbus"
link = "tcp"
host = "127.0.0.1"
port = {shelf_a_port}
{lamps}[[device.units]]
unit_id = 1
profile = "dini-dgt4x-multiscale"
capacity_g = 50000
weight_unit = "g"
decimals = 1

[[device]]
id = "shelf-b"
driver = "modbus"
link = "tcp"
host = "127.0.0.1"
port = {shelf_b_port}
units = [
  {{ unit_id = 1, profile = "laumas-tlb-w", capacity_g = 50000 }},
  {{ unit_id = 2, profile = "laumas-tlb-w", capacity_g = 50000 }},
  {{ unit_id = 3, profile = "laumas-tlb-w", capacity_g = 50000 }},
  {{ unit_id = 4, profile = "laumas-tlb-w", capacity_g = 50000 }},
]

[[zone]]
location = "SHELF-A"
antennas = ["{shelf_reader}:1", "{shelf_reader}:2"]

[[zone]]
location = "SHELF-B"
antennas = ["{shelf_reader}:3", "{shelf_reader}:4"]

[[portal]]
portal = "{gate}"
outer = ["{gate_reader}:1", "{gate_reader}:2"]
inner = ["{gate_reader}:3", "{gate_reader}:4"]
inside = "{hall}"
sure = 0.75
"""

DOCK_SITE = """
[[device]]
id = "{reader}"
driver = "llrp"
host = "127.0.0.1"
port = {reader_port}
session = 0
power_dbm = 30.0

[[portal]]
portal = "{gate}"
outer = ["{reader}:1", "{reader}:2"]
inner = ["{reader}:3", "{reader}:4"]
inside = "{dock}"
sure = 0.75

[rules.person]
passing_s = 4.0
"""

CELL = """
[[cell]]
cell = "{cell}"
location = "{location}"
item = "{item}"
zone = "SHELF-{shelf}"
"""

SCANNER = """
[[device]]
id = "{device}"
driver = "scanner"
link = "tcp"
host = "127.0.0.1"
port = {port}

[[scanner]]
device = "{device}"
location = "SHELF-{shelf}"
"""

BY_ORDER = """
[rules.task]
demand_order = ["*"]

[rules.person]
demanded = ["SHELF-A", "SHELF-B"]
present_s = 10.0                 # the next comes soon after, at a shelf
passing_s = 4.0                  # and at the gate
"""


class Site(NamedTuple):
    """Where the devices listen, by name; the broker, and the version of MQTT. `by_order` nothing
    leaves without an order, or moves on a shelf without a badge, and each cell has a pick light.
    """

    ports: Mapping[str, int]
    broker: tuple[str, int]
    version: str
    by_order: bool = False


def write_site(folder: Path, site: Site) -> Path:
    """Write gateway.toml, items.csv and locations.csv into the folder; return the first."""
    ports = site.ports
    text = _head(folder, site, GATEWAY, "two readers, two weighing shelves, one gate")
    text += WAREHOUSE.format(
        gate=GATE,
        hall=HALL,
        gate_reader=GATE_READER,
        shelf_reader=SHELF_READER,
        gate_port=ports[GATE_READER],
        shelf_port=ports[SHELF_READER],
        shelf_a_port=ports["shelf-a"],
        shelf_b_port=ports["shelf-b"],
        lamps=lamps() if site.by_order else "",
    )
    for spot in SPOTS:
        text += CELL.format(
            cell=spot.name, location=spot.location, item=spot.ware.code, shelf=spot.shelf
        )
    if site.by_order:
        text += "".join(_by_order(ports)) + "".join(wiring(site.broker))
    places = [f"{spot.location},Cell {spot.name}" for spot in SPOTS]
    places += ["SHELF-A,Shelf A", "SHELF-B,Shelf B", f"{HALL},Hall behind the gate"]
    return _write(folder, text, places)


def _head(folder: Path, site: Site, gateway: str, what: str) -> str:
    host, port = site.broker
    return HEAD.format(
        what=what,
        gateway=gateway,
        site=SITE,
        folder=folder,
        host=host,
        port=port,
        version=site.version,
    )


def write_dock(folder: Path, site: Site) -> Path:
    """Write the same three files for the gateway of the dock."""
    text = _head(folder, site, DOCK_GATEWAY, "one reader, and the gate of the dock")
    text += DOCK_SITE.format(
        gate=DOCK_GATE,
        dock=DOCK,
        reader=DOCK_READER,
        reader_port=site.ports[DOCK_READER],
    )
    return _write(folder, text, [f"{DOCK},Dock behind its gate"])


def _write(folder: Path, text: str, places: Iterable[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    rows = ["code,name,unit_g,unit_sd_g,uom,gtins"]
    for ware in (*WARES, CARTON):
        spread_g = ware.unit_g * ware.spread
        rows.append(f'{ware.code},"{ware.name}",{ware.unit_g},{spread_g:.3f},pcs,{gtin_of(ware)}')
    (folder / "items.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "locations.csv").write_text("\n".join(["code,name", *places, ""]), encoding="utf-8")
    return path


def scanner_at(shelf: str) -> str:
    """What the scanner at a shelf is called."""
    return f"shelf-{shelf.lower()}-scanner"


def _by_order(ports: Mapping[str, int]) -> Iterator[str]:
    for shelf in SHELF_X_M:
        device = scanner_at(shelf)
        yield SCANNER.format(device=device, port=ports[device], shelf=shelf)
    yield BY_ORDER


def gtin_of(ware: Ware) -> str:
    """The trade item that its tags name; empty if it has none."""
    return decode_epc(ware.serials.ljust(24, "0")).gtin if ware.serials else ""
