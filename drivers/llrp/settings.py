"""What a person sets for one LLRP reader. The power and mode tables are the reader's own."""

from typing import Annotated

from pydantic import Field, model_validator

from gateway.model import LightColour
from gateway.ports import PluginSettings

from .frames import FRAME_MAX_BYTES, HEADER_BYTES

PORT = 5084
TLS_PORT = 5085

OUTPUTS_MAX = 32
"""Readers have 2 to 8; beyond is a slip. How many this one has, it tells on connect."""

Antenna = Annotated[int, Field(ge=1, le=65_535)]
PowerDbm = Annotated[float, Field(ge=0, le=40)]
Output = Annotated[int, Field(ge=1, le=OUTPUTS_MAX)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class TlsSettings(PluginSettings):
    """Certificates for LLRP over TLS. `ca_file` is what the reader's certificate is checked by."""

    ca_file: str
    certificate_file: str | None = None
    key_file: str | None = None
    check_hostname: bool = True

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> "TlsSettings":
        if self.key_file and not self.certificate_file:
            raise ValueError("key_file is given without certificate_file")
        return self


class LightSettings(PluginSettings):
    """A light at the outputs: one plain lamp or a buzzer at `port`, or a lamp for each colour."""

    light: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,32}$")]
    port: Output | None = None
    ports: dict[LightColour, Output] = Field(default={})

    @model_validator(mode="after")
    def _one_way(self) -> "LightSettings":
        if (self.port is None) == (not self.ports):
            raise ValueError("port is for one lamp, ports for one of each colour: give one of both")
        return self


class LlrpSettings(PluginSettings):
    """One reader. Everything but `host` has a default that suits a portal or a shelf."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    tls: TlsSettings | None = None
    antennas: tuple[Antenna, ...] = ()
    power_dbm: PowerDbm = 30.0
    power_dbm_by_antenna: dict[Antenna, PowerDbm] = Field(default={})
    session: Annotated[int, Field(ge=0, le=3)] = 1
    deep_session: Annotated[int, Field(ge=2, le=3)] = 2
    population: Annotated[int, Field(ge=1, le=65_535)] = 32
    mode: Annotated[int, Field(ge=0, le=65_535)] | None = None
    search_mode: Annotated[int, Field(ge=0, le=65_535)] | None = None
    channel: Annotated[int, Field(ge=1, le=65_535)] = 1
    gpi_ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = ()
    lights: tuple[LightSettings, ...] = ()
    rssi_floor_dbm: Annotated[int, Field(ge=-128, le=0)] | None = None
    keepalive_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    no_reports_s: Seconds = 5.0
    request_timeout_s: Seconds = 10.0
    lateness_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    frame_max_bytes: Annotated[int, Field(ge=HEADER_BYTES)] = FRAME_MAX_BYTES

    @model_validator(mode="after")
    def _outputs_once(self) -> "LlrpSettings":
        ports = [port for each in self.lights for port in (each.port, *each.ports.values()) if port]
        if len(set(ports)) < len(ports):
            raise ValueError("lights: each output may stand once")
        if len({each.light for each in self.lights}) < len(self.lights):
            raise ValueError("lights: each name may stand once")
        return self

    @property
    def tcp_port(self) -> int:
        """The port to dial: 5084, or 5085 with TLS, unless one is set."""
        return self.port or (TLS_PORT if self.tls else PORT)

    def power_of(self, antenna: int) -> float:
        """Transmit power asked for on one antenna, in dBm."""
        return self.power_dbm_by_antenna.get(antenna, self.power_dbm)
