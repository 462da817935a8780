"""What the installer writes about one Modbus link and the units on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from drivers.modbus.profile import Endian, WeightUnit
from gateway.model import LightColour, LightPattern
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


Register = Annotated[int, Field(ge=0, le=65535)]
Code = Annotated[int, Field(ge=1, le=65535)]


class LightSettings(PluginSettings):
    """A light of a unit: what it is made of, by address on the wire (from 0).

    Its lamp is one `coil`, or one of `coils` for each colour, or a `colour_register` that takes the
    code of a colour (0 is dark). A display takes the number at `number_register`, `blank` for none.
    One that blinks by itself has a `pattern_register`; any other is switched by the gateway.
    """

    light: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,32}$")]
    unit_id: Annotated[int, Field(ge=0, le=247)]
    coil: Register | None = None
    coils: dict[LightColour, Register] = Field(default={})
    colour_register: Register | None = None
    colours: dict[LightColour, Code] = Field(default={})
    pattern_register: Register | None = None
    patterns: dict[LightPattern, Code] = Field(default={})
    number_register: Register | None = None
    number_max: Code = 9999
    blank: Register = 0

    @model_validator(mode="after")
    def _lamp_named(self) -> LightSettings:
        if self.coil is not None and self.coils:
            raise ValueError("coil is for one lamp, coils for one of each colour: give one of both")
        if self.coil is None and not self.coils and self.colour_register is None:
            raise ValueError("a light needs a coil, coils or a colour_register")
        if (self.colour_register is not None) != bool(self.colours):
            raise ValueError("colour_register and colours belong together")
        if self.colours and set(self.colours) != set(get_args(LightColour)):
            raise ValueError("colours: a code is needed for each of red, amber, green, blue, white")
        if (self.pattern_register is not None) != bool(self.patterns):
            raise ValueError("pattern_register and patterns belong together")
        if self.patterns and set(self.patterns) != set(get_args(LightPattern)):
            raise ValueError("patterns: a code is needed for each of steady, slow, fast, double")
        return self


class ModbusSettings(PluginSettings):
    """One physical link: a TCP connection or a serial port, with all units behind it.

    `timeout_s` is how long an answer may take; `quiet_gap_s` how long an RTU line must then stay
    silent before the next request, at least as long as the slowest unit may still be late.
    """

    link: Literal["tcp", "rtu_over_tcp", "serial"]
    units: tuple[UnitSettings, ...] = ()
    lights: tuple[LightSettings, ...] = ()
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
        if not self.units and not self.lights:
            raise ValueError("units: a link needs one, or lights")
        if len({each.light for each in self.lights}) < len(self.lights):
            raise ValueError("lights: each name may stand once")
        ids = [unit.unit_id for unit in self.units]
        if len(set(ids)) != len(ids):
            raise ValueError("units: each unit_id may stand once on a link")
        if self.link != "tcp" and 0 in (*ids, *(each.unit_id for each in self.lights)):
            raise ValueError(
                "units, lights: on RTU unit_id 0 is for all units, and none of them answers"
            )
        return self
