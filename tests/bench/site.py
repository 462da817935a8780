"""The gateway of DESIGN's budgets: real default rules and a full wiring, on loopback devices."""

from __future__ import annotations

from pathlib import Path

EPCS = 1000
ANTENNAS = 4
EPC_PREFIX = "30340a1b2c0001000000"

CONFIG = """
[gateway]
id = "bench"
site = "bench"
state_folder = "{folder}/state"

[mqtt]
host = "127.0.0.1"
port = {broker}

[telemetry]
url = "http://127.0.0.1:{influx}"
interval_s = 10

[reference]
items = "items.csv"
"""

READER = """
[[device]]
id = "reader"
driver = "llrp"
host = "127.0.0.1"
port = {port}
session = 0

[[zone]]
location = "Z-1"
antennas = ["reader:1", "reader:2"]

[[zone]]
location = "Z-2"
antennas = ["reader:3", "reader:4"]

[[zone]]
location = "Z-FAR"
antennas = ["gate-reader:3"]

[[portal]]
portal = "gate"
outer = ["gate-reader:1"]
inner = ["gate-reader:2"]
inside = "HALL"

[[device]]
id = "gate-reader"
driver = "llrp"
host = "127.0.0.1"
port = {unused}
"""

READER_OF_MANY = """
[[device]]
id = "reader-{number}"
driver = "llrp"
host = "127.0.0.1"
port = {port}
session = 0

[[zone]]
location = "Z-{number}-1"
antennas = ["reader-{number}:1", "reader-{number}:2"]

[[zone]]
location = "Z-{number}-2"
antennas = ["reader-{number}:3", "reader-{number}:4"]
"""

LINK = """
[[device]]
id = "{device}"
driver = "modbus"
link = "tcp"
host = "127.0.0.1"
port = {port}
poll_hz = 10
units = [
{units}]
"""

CELL = """
[[cell]]
cell = "{cell}"
location = "{location}"
item = "BOLT"
"""


def write_items(folder: Path) -> None:
    """One tagged item and one that is weighed."""
    rows = ["code,name,unit_g,unit_sd_g,uom,epc_prefixes"]
    rows += [f"TAGGED,Tagged,0,0,pcs,{EPC_PREFIX[:18]}", "BOLT,Bolt,21.4,0.2,pcs,"]
    (folder / "items.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_reader_config(folder: Path, port: int, *, broker: int = 1, influx: int = 1) -> Path:
    """A gateway with one reader on four antennas and a gate that is never connected."""
    write_items(folder)
    text = CONFIG.format(folder=folder, broker=broker, influx=influx)
    path = folder / "gateway.toml"
    path.write_text(text + READER.format(port=port, unused=1), encoding="utf-8")
    return path


def write_busy_config(folder: Path, ports: tuple[int, int], broker: int, influx: int) -> Path:
    """A reader and a link of four shelves of eight cells: `tests.bench.busy_site`."""
    reader, shelves = ports
    path = write_reader_config(folder, reader, broker=broker, influx=influx)
    text = path.read_text(encoding="utf-8") + _link(folder, "shelves", shelves, 4, 8)
    path.write_text(text, encoding="utf-8")
    return path


def write_large_config(folder: Path, readers: list[int], link: tuple[int, int, int]) -> Path:
    """Many readers, each with two zones, and one link (its port, its units, their cells)."""
    write_items(folder)
    text = CONFIG.format(folder=folder, broker=1, influx=1)
    for number, port in enumerate(readers):
        text += READER_OF_MANY.format(number=number, port=port)
    port, units, cells = link
    text += _link(folder, "shelves", port, units, cells)
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def write_shelf_config(folder: Path, ports: dict[str, int], units: int, cells: int) -> Path:
    """A gateway with weighing shelves: one link per port, `units` on each, `cells` per unit."""
    write_items(folder)
    text = CONFIG.format(folder=folder, broker=1, influx=1)
    for device, port in ports.items():
        text += _link(folder, device, port, units, cells)
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _link(folder: Path, device: str, port: int, units: int, cells: int) -> str:
    lines = "".join(
        f'  {{ unit_id = {number}, profile = "bench-shelf", capacity_g = 50000, '
        f'weight_unit = "g", decimals = 1 }},\n'
        for number in range(1, units + 1)
    )
    text = LINK.format(device=device, port=port, units=lines)
    text += f'profiles_folder = "{folder}/profiles"\n'
    for number in range(1, units * cells + 1):
        cell = f"{device}:{number}"
        text += CELL.format(cell=cell, location=cell.replace(":", "-"))
    return text


def epc(number: int) -> bytes:
    """The EPC of one of the thousand tags."""
    return bytes.fromhex(f"{EPC_PREFIX}{number:04x}")
