"""What the installer writes about one Modbus link and the units on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from drivers.modbus.profile import Endian, WeightUnit
from gateway.ports import PluginSettings

CellName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$", max_length=32)]


class UnitSettings(PluginSettings):
    """One transmitter. `cells` names its cells in the profile's order; "" leaves one out."""

    unit_id: Annotated[int, Field(ge=0, le=247)]
    profile: str
    capacity_g: Annotated[float, Field(gt=0)]
    cells: tuple[CellName, ...] = ()
    division_g: Annotated[float, Field(gt=0)] | None = None
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    weight_unit: WeightUnit | None = None
    word_order: Endian | None = None
    byte_order: Endian | None = None
    address_base: Literal[0, 1] | None = None


class ModbusSettings(PluginSettings):
    """One physical link: a TCP connection or a serial port, with all units behind it.

    `timeout_s` is how long an answer may take; `quiet_gap_s` how long an RTU line must then stay
    silent before the next request, at least as long as the slowest unit may still be late.
    """

    link: Literal["tcp", "rtu_over_tcp", "serial"]
    units: Annotated[tuple[UnitSettings, ...], Field(min_length=1)]
    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    path: str = ""
    baud: Annotated[int, Field(ge=1200, le=921600)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    poll_hz: Annotated[float, Field(ge=0.1, le=50)] = 10.0
    timeout_s: Annotated[float, Field(ge=0.05, le=2)] = 0.3
    quiet_gap_s: Annotated[float, Field(ge=0.01, le=2)] = 0.2
    profiles_folder: Path | None = None

    @model_validator(mode="after")
    def _end_named(self) -> ModbusSettings:
        if self.link == "serial" and not self.path:
            raise ValueError("path: a serial link needs one, for example /dev/ttyUSB0")
        if self.link != "serial" and not self.host:
            raise ValueError(f"host: a {self.link} link needs one")
        ids = [unit.unit_id for unit in self.units]
        if len(set(ids)) != len(ids):
            raise ValueError("units: each unit_id may stand once on a link")
        if self.link != "tcp" and 0 in ids:
            raise ValueError("units: on RTU unit_id 0 is for all units, and none of them answers")
        return self
