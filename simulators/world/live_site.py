"""The configuration of a simulated world, as an integrator would write it for the gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json import dumps
from pathlib import Path

from simulators.world.plate import ScaleStream
from simulators.world.reader import ReaderStream
from simulators.world.truth import Scenario

TRANSMITTER = "laumas-tlb-w"
"""What stands under every cell."""

HEAD = """\
# Written by simulators.world.live: {family}, {level}, seed {seed}.

[gateway]
id = "edge-live"
site = "live"
state_folder = {folder}

[mqtt]
host = "127.0.0.1"
port = 1883

[reference]
items = "items.csv"
locations = "locations.csv"
"""

READER = """
[[device]]
id = "{device}"
driver = "llrp"
host = "127.0.0.1"
port = {port}
session = {session}
power_dbm = 30.0
"""

SCALE = """
[[device]]
id = "{device}"
driver = "modbus"
link = "tcp"
host = "127.0.0.1"
port = {port}
units = [
{units}
]
"""

UNIT = '  {{ unit_id = {number}, profile = "{profile}", capacity_g = 50000 }},'


def write_site(folder: Path, scenario: Scenario, ports: Mapping[str, int]) -> Path:
    """Write gateway.toml, items.csv and locations.csv into the folder; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        HEAD.format(
            family=scenario.family,
            level=scenario.level,
            seed=scenario.seed,
            folder=dumps(str(folder / "state")),
        ),
        *_devices(scenario, ports),
        *_wiring(scenario),
    ]
    path = folder / "gateway.toml"
    path.write_text("".join(parts), encoding="utf-8")
    rows = [
        f"{good.code},{good.code},{_grams(good.unit_g)},{_grams(good.unit_sd_g)},pcs,{good.prefix}"
        for good in scenario.block.goods
    ]
    _write(folder / "items.csv", "code,name,unit_g,unit_sd_g,uom,epc_prefixes", rows)
    _write(folder / "locations.csv", "code,name", [f"{c},{c}" for c in _locations(scenario)])
    return path


def _grams(grams: float) -> str:
    return f"{grams:.3f}" if grams else ""


def _write(path: Path, head: str, rows: Iterable[str]) -> None:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def _locations(scenario: Scenario) -> list[str]:
    block = scenario.block
    ends = [end for gate in block.gates for end in (gate.outside, gate.inside)]
    told = [*(zone.location for zone in block.zones), *(cell.location for cell in block.cells)]
    return list(dict.fromkeys([*told, *ends]))


def _devices(scenario: Scenario, ports: Mapping[str, int]) -> Iterable[str]:
    gates = {point.partition(":")[0] for gate in scenario.block.gates for point in gate.outer}
    for stream in scenario.block.streams:
        if isinstance(stream, ReaderStream):
            device = stream.plan.device
            session = 0 if device in gates else scenario.site.session
            yield READER.format(device=device, port=ports[device], session=session)
        elif isinstance(stream, ScaleStream):
            plan = stream.plan
            units = "\n".join(
                UNIT.format(number=number, profile=TRANSMITTER)
                for number in range(1, len(plan.cells) + 1)
            )
            yield SCALE.format(device=plan.device, port=ports[plan.device], units=units)


def _wiring(scenario: Scenario) -> Iterable[str]:
    block = scenario.block
    for zone in block.zones:
        yield f'\n[[zone]]\nlocation = "{zone.location}"\nantennas = {dumps(zone.points)}\n'
    for gate in block.gates:
        yield f'\n[[portal]]\nportal = "{gate.gate}"\nouter = {dumps(gate.outer)}\n'
        yield f'inner = {dumps(gate.inner)}\noutside = "{gate.outside}"\ninside = "{gate.inside}"\n'
    for cell in block.cells:
        yield f'\n[[cell]]\ncell = "{cell.cell}"\nlocation = "{cell.location}"\n'
        if len(cell.items) == 1:
            yield f'item = "{cell.items[0]}"\n'
        if cell.zone is not None:
            yield f'zone = "{cell.zone}"\n'
