"""What a person sets for one LLRP reader. The power and mode tables are the reader's own."""

from typing import Annotated

from pydantic import Field, model_validator

from gateway.ports import PluginSettings

from .frames import FRAME_MAX_BYTES, HEADER_BYTES

PORT = 5084
TLS_PORT = 5085

Antenna = Annotated[int, Field(ge=1, le=65_535)]
PowerDbm = Annotated[float, Field(ge=0, le=40)]
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
    rssi_floor_dbm: Annotated[int, Field(ge=-128, le=0)] | None = None
    keepalive_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    no_reports_s: Seconds = 5.0
    request_timeout_s: Seconds = 10.0
    lateness_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    frame_max_bytes: Annotated[int, Field(ge=HEADER_BYTES)] = FRAME_MAX_BYTES

    @property
    def tcp_port(self) -> int:
        """The port to dial: 5084, or 5085 with TLS, unless one is set."""
        return self.port or (TLS_PORT if self.tls else PORT)

    def power_of(self, antenna: int) -> float:
        """Transmit power asked for on one antenna, in dBm."""
        return self.power_dbm_by_antenna.get(antenna, self.power_dbm)
