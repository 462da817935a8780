"""A site with a tiny driver that no device stands behind, for everything above the drivers."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import ClassVar

import pytest

from gateway import registry
from gateway.model import NS_PER_S, DeviceFault, Ns, Pulse, ShowLight, WeightReport, WeightSample
from gateway.ports import DriverContext, Emit, LinkError, PluginSettings


class FakeSettings(PluginSettings):
    behaviour: str = "weigh"
    gross_g: float = 1000.0


class FakeDriver:
    """Weighs one cell `1` 50 times a second, or behaves as its settings say."""

    Settings: ClassVar[type[PluginSettings]] = FakeSettings
    lateness_max_ns: Ns = NS_PER_S // 10
    silence_max_ns: Ns = NS_PER_S
    acts: ClassVar[list[Pulse | ShowLight]] = []
    on_scale_g: ClassVar[float | None] = None

    def __init__(self, settings: FakeSettings, context: DriverContext) -> None:
        self._settings = settings
        self._device = context.device

    async def run(self, emit: Emit) -> None:
        behaviour = self._settings.behaviour
        if behaviour == "refuse":
            raise LinkError("192.0.2.9:502 refused the connection")
        if behaviour == "bug":
            raise KeyError("channel")
        if behaviour == "complain":
            await emit(DeviceFault(self._device, "no_cell", detail="unit 3 does not answer"))
        if behaviour in {"complain", "silent"}:
            await asyncio.Event().wait()
        while True:
            gross_g = self._settings.gross_g if self.on_scale_g is None else self.on_scale_g
            sample = WeightSample(f"{self._device}:1", gross_g)
            await emit(WeightReport(self._device, (sample,)))
            await asyncio.sleep(0.02)

    async def act(self, action: Pulse | ShowLight) -> None:
        self.acts.append(action)


@pytest.fixture
def fake_driver(monkeypatch: pytest.MonkeyPatch) -> type[FakeDriver]:
    """Install the driver `fake` beside those that are installed."""
    module = types.ModuleType("fake_driver")
    module.__dict__["FakeDriver"] = FakeDriver
    monkeypatch.setitem(sys.modules, "fake_driver", module)
    monkeypatch.setattr(FakeDriver, "acts", [])
    monkeypatch.setattr(FakeDriver, "on_scale_g", None)

    def found(group: str) -> EntryPoints:
        own = EntryPoint("fake", "fake_driver:FakeDriver", registry.DRIVERS)
        return EntryPoints([*entry_points(group=group), *([own] if group == own.group else [])])

    monkeypatch.setattr(registry, "entry_points", found)
    return FakeDriver


SITE = """\
[gateway]
id = "edge-t"
site = "test"
state_folder = "{folder}/state"

[mqtt]
host = "127.0.0.1"
port = {port}

[reference]
items = "items.csv"
locations = "locations.csv"

[[device]]
id = "scale"
driver = "fake"
{device}

[[cell]]
cell = "scale:1"
location = "BIN-1"
item = "BOLT"
{rest}
"""

ITEMS = "code,name,unit_g,unit_sd_g,uom,epc_prefixes\nBOLT,Bolt,10.0,0.1,pcs,\n"
LOCATIONS = "code,name\nBIN-1,Bin one\n"


@pytest.fixture
def write_site(
    tmp_path: Path, fake_driver: type[FakeDriver], free_port: int
) -> Callable[..., Path]:
    """Write a configuration with one scale; nobody listens where its broker should be."""
    assert fake_driver

    def write(device: str = "", rest: str = "", port: int = free_port) -> Path:
        path = tmp_path / "gateway.toml"
        text = SITE.format(folder=tmp_path, port=port, device=device, rest=rest)
        path.write_text(text, encoding="utf-8")
        (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
        (tmp_path / "locations.csv").write_text(LOCATIONS, encoding="utf-8")
        return path

    return write


@pytest.fixture
def site(write_site: Callable[..., Path]) -> Path:
    return write_site()
