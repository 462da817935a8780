"""What a reader can do, taken from its GET_READER_CAPABILITIES_RESPONSE, never assumed.

LLRP names power, channel and mode by index into tables of the reader's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.ports import LinkError, ProtocolError

from .control import IMPINJ, Fields


@dataclass(frozen=True, slots=True)
class Channel:
    """Hop table and channel index of an RFTransmitter parameter."""

    hop_table: int
    index: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The part of the capabilities that provisioning rests on. Powers are hundredths of a dBm."""

    manufacturer: int
    model: int
    firmware: str
    antenna_count: int
    can_hold_reports: bool
    can_warn_of_full_buffer: bool
    gpi_count: int
    power_cdbm_by_index: Mapping[int, int]
    mode_identifiers: tuple[int, ...]
    hop_tables: tuple[int, ...]
    fixed_channels: int

    @property
    def is_impinj(self) -> bool:
        """Whether the Impinj extensions exist on this reader."""
        return self.manufacturer == IMPINJ

    @property
    def identity(self) -> str:
        """Which reader it is, for people."""
        return f"the reader (maker {self.manufacturer}, model {self.model}, {self.firmware})"

    def power_index(self, power_dbm: float) -> int:
        """Index of the strongest power that is not above the request."""
        wanted = round(power_dbm * 100)
        allowed = [(cdbm, index) for index, cdbm in self.power_cdbm_by_index.items()]
        fitting = [entry for entry in allowed if entry[0] <= wanted]
        if not fitting:
            lowest = min(allowed)[0] / 100 if allowed else None
            raise LinkError(f"power_dbm {power_dbm}: {self.identity} begins at {lowest} dBm")
        return max(fitting)[1]

    def channel(self, wanted: int) -> Channel:
        """Return the reader's first hop table where it hops, else the fixed channel asked for."""
        if self.hop_tables:
            return Channel(self.hop_tables[0], 1)
        if self.fixed_channels and not 1 <= wanted <= self.fixed_channels:
            raise LinkError(f"channel {wanted}: {self.identity} has 1 to {self.fixed_channels}")
        return Channel(0, wanted)

    def mode_index(self, wanted: int) -> int:
        """Check a mode against the table. The index is the table's own identifier."""
        if wanted not in self.mode_identifiers:
            raise LinkError(f"mode {wanted}: {self.identity} has {sorted(self.mode_identifiers)}")
        return wanted

    def antennas(self, wanted: Iterable[int]) -> tuple[int, ...]:
        """Check antennas against the reader's ports; none named means all of them."""
        chosen = tuple(wanted) or tuple(range(1, self.antenna_count + 1))
        if max(chosen, default=0) > self.antenna_count:
            raise LinkError(f"antennas {chosen}: {self.identity} has {self.antenna_count}")
        return chosen

    def inputs(self, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """Check inputs against the reader's ports."""
        if max(wanted, default=0) > self.gpi_count:
            raise LinkError(f"gpi_ports {wanted}: {self.identity} has {self.gpi_count}")
        return wanted


def capabilities_of(fields: Fields) -> Capabilities:
    """Pick the capabilities out of a decoded response; ProtocolError where it makes no sense."""
    try:
        return _capabilities(fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"the reader's capabilities are unusable: {error!r}") from error


def _capabilities(fields: Fields) -> Capabilities:
    general: Mapping[str, Any] = fields["GeneralDeviceCapabilities"]
    protocol: Mapping[str, Any] = fields["LLRPCapabilities"]
    band: Mapping[str, Any] = fields.get("RegulatoryCapabilities", {}).get(
        "UHFBandCapabilities", {}
    )
    ports = general.get("GPIOCapabilities", {})
    frequencies = band.get("FrequencyInformation", {})
    firmware = general.get("ReaderFirmwareVersion", b"")
    return Capabilities(
        manufacturer=int(general["DeviceManufacturerName"]),
        model=int(general["ModelName"]),
        firmware=firmware.decode("utf-8", "replace") if isinstance(firmware, bytes) else "",
        antenna_count=int(general["MaxNumberOfAntennaSupported"]),
        can_hold_reports=bool(protocol.get("SupportsEventAndReportHolding", False)),
        can_warn_of_full_buffer=bool(protocol.get("CanReportBufferFillWarning", False)),
        gpi_count=int(ports.get("NumGPIs", 0)),
        power_cdbm_by_index={
            int(entry["Index"]): int(entry["TransmitPowerValue"])
            for entry in _each(band.get("TransmitPowerLevelTableEntry"))
        },
        mode_identifiers=tuple(
            int(mode["ModeIdentifier"])
            for table in _each(band.get("UHFC1G2RFModeTable"))
            for mode in _each(table.get("UHFC1G2RFModeTableEntry"))
        ),
        hop_tables=tuple(
            int(table["HopTableId"])
            for table in _each(frequencies.get("FrequencyHopTable"))
            if frequencies.get("Hopping")
        ),
        fixed_channels=len(_each(_fixed_table(frequencies).get("Frequency"))),
    )


def _fixed_table(frequencies: Mapping[str, Any]) -> Mapping[str, Any]:
    tables = _each(frequencies.get("FixedFrequencyTable"))
    return tables[0] if tables else {}


def _each(value: Any) -> list[Any]:
    """Return a repeated field as a list, whether it came once, often or not at all."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
