"""What kind of reader this is, and the capabilities it declares (LLRP 1.0.1 section 9.2).

Two flavours are given: one with the features and tables of a four-port Impinj reader in the
FCC region, and a plain one without vendor extensions, UTC clock or event holding.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from simulators.llrp.wire import ParameterType, bad_message_field, tlv

IMPINJ = 25882
"""IANA private enterprise number that marks Impinj messages and parameters."""

FCC_COUNTRY = 840
FCC_STANDARD = 1
FCC_CHANNELS_KHZ = tuple(902_750 + 500 * channel for channel in range(50))
HOP_STEP = 17
"""Coprime to 50, so that stepping by it visits every channel once and never a neighbour."""


@dataclass(frozen=True, slots=True)
class RfMode:
    """One row of the RF mode table: `miller` 0 is FM0, 1 to 3 are Miller 2, 4 and 8.

    `link_hz` is the backscatter rate, `pie_permille` the ratio of symbols times 1,000, and
    `tari_ns` the one reference interval the mode has.
    """

    number: int
    miller: int
    link_hz: int
    pie_permille: int
    tari_ns: int
    wide_ratio: bool = True
    forward_modulation: int = 0
    spectral_mask: int = 2

    def encode(self) -> bytes:
        """Return the UHFC1G2RFModeTableEntry parameter."""
        body = struct.pack(
            "!IBBBBIIIII",
            self.number,
            0x80 if self.wide_ratio else 0,
            self.miller,
            self.forward_modulation,
            self.spectral_mask,
            self.link_hz,
            self.pie_permille,
            self.tari_ns,
            self.tari_ns,
            0,
        )
        return tlv(ParameterType.C1G2_RF_MODE_TABLE_ENTRY, body)


AUTOMATIC_MODES = tuple(
    RfMode(number, 0, 40_000, 1_500, 6_250, wide_ratio=False, spectral_mask=0)
    for number in (1000, 1002, 1003, 1004, 1005)
)
SPEEDWAY_MODES = (
    RfMode(0, 0, 640_000, 1_500, 6_250, forward_modulation=2),
    RfMode(1, 1, 640_000, 1_500, 6_250, forward_modulation=2),
    RfMode(2, 2, 274_000, 2_000, 20_000, spectral_mask=3),
    RfMode(3, 3, 170_600, 2_000, 20_000, spectral_mask=3),
    RfMode(4, 2, 640_000, 1_500, 7_140),
    *AUTOMATIC_MODES,
)


@dataclass(frozen=True)
class Device:
    """The immutable properties of one reader model."""

    vendor: int
    model: int
    firmware: str
    antenna_count: int = 4
    power_min_cdbm: int = 1_000
    power_step_cdbm: int = 25
    power_steps: int = 81
    sensitivity_steps: int = 42
    modes: tuple[RfMode, ...] = SPEEDWAY_MODES
    input_count: int = 4
    output_count: int = 4
    rospecs_max: int = 1
    access_specs_max: int = 1_508
    has_utc_clock: bool = True
    holds_events: bool = True
    warns_of_full_buffer: bool = True
    mac: bytes = bytes.fromhex("0200fffe00a1b2c3")

    @property
    def has_extensions(self) -> bool:
        """Whether it understands the Impinj messages and parameters."""
        return self.vendor == IMPINJ

    def power_dbm(self, index: int) -> float:
        """Return the conducted power of an entry of the power table, counted from 1."""
        return (self.power_min_cdbm + self.power_step_cdbm * (index - 1)) / 100


IMPINJ_R420 = Device(vendor=IMPINJ, model=2_001_002, firmware="5.14.0.240")
PLAIN = Device(
    vendor=161,
    model=9_500,
    firmware="3.0.35",
    power_steps=201,
    power_step_cdbm=10,
    sensitivity_steps=1,
    modes=SPEEDWAY_MODES[1:4],
    input_count=2,
    output_count=2,
    rospecs_max=8,
    access_specs_max=16,
    has_utc_clock=False,
    holds_events=False,
    warns_of_full_buffer=False,
)
"""No vendor extensions, stamps in uptime only, no holding: the least a client must cope with."""

ALL, GENERAL, LLRP, REGULATORY, AIR_PROTOCOL = range(5)
"""Values of RequestedData in GET_READER_CAPABILITIES."""


def encode_capabilities(device: Device, requested: int) -> bytes:
    """Return the capability parameters that a client asked for; RequestError on an unknown wish."""
    if not ALL <= requested <= AIR_PROTOCOL:
        raise bad_message_field(0, "no such RequestedData")
    parts = {
        GENERAL: _general,
        LLRP: _llrp,
        REGULATORY: _regulatory,
        AIR_PROTOCOL: _air_protocol,
    }
    wanted = parts if requested == ALL else {requested: parts[requested]}
    return b"".join(part(device) for part in wanted.values())


def _general(device: Device) -> bytes:
    firmware = device.firmware.encode()
    flags = 0x4000 if device.has_utc_clock else 0
    body = struct.pack("!HHII", device.antenna_count, flags, device.vendor, device.model)
    body += struct.pack("!H", len(firmware)) + firmware
    for index in range(1, device.sensitivity_steps + 1):
        relative_db = 0 if index == 1 else index + 8
        entry = struct.pack("!Hh", index, relative_db)
        body += tlv(ParameterType.RECEIVE_SENSITIVITY_TABLE_ENTRY, entry)
    ports = struct.pack("!HH", device.input_count, device.output_count)
    body += tlv(ParameterType.GPIO_CAPABILITIES, ports)
    for antenna in range(1, device.antenna_count + 1):
        gen2_alone = struct.pack("!HHB", antenna, 1, 1)
        body += tlv(ParameterType.PER_ANTENNA_AIR_PROTOCOL, gen2_alone)
    return tlv(ParameterType.GENERAL_DEVICE_CAPABILITIES, body)


def _llrp(device: Device) -> bytes:
    flags = 0x40 if device.warns_of_full_buffer else 0
    flags |= 0x08 if device.holds_events else 0
    body = struct.pack(
        "!BBHIIIII", flags, 1, 0, device.rospecs_max, 32, 1, device.access_specs_max, 8
    )
    return tlv(ParameterType.LLRP_CAPABILITIES, body)


def hop_sequence() -> tuple[int, ...]:
    """Return the order in which the channels are visited, in kilohertz."""
    count = len(FCC_CHANNELS_KHZ)
    return tuple(FCC_CHANNELS_KHZ[step * HOP_STEP % count] for step in range(count))


def _regulatory(device: Device) -> bytes:
    band = b"".join(
        tlv(
            ParameterType.TRANSMIT_POWER_LEVEL_TABLE_ENTRY,
            struct.pack("!Hh", index, round(100 * device.power_dbm(index))),
        )
        for index in range(1, device.power_steps + 1)
    )
    hops = hop_sequence()
    table = struct.pack(f"!BBH{len(hops)}I", 1, 0, len(hops), *hops)
    hopping = b"\x80" + tlv(ParameterType.FREQUENCY_HOP_TABLE, table)
    band += tlv(ParameterType.FREQUENCY_INFORMATION, hopping)
    modes = b"".join(mode.encode() for mode in device.modes)
    band += tlv(ParameterType.C1G2_RF_MODE_TABLE, modes)
    body = struct.pack("!HH", FCC_COUNTRY, FCC_STANDARD)
    body += tlv(ParameterType.UHF_BAND_CAPABILITIES, band)
    return tlv(ParameterType.REGULATORY_CAPABILITIES, body)


def _air_protocol(_device: Device) -> bytes:
    block_write_alone = 0x40
    body = struct.pack("!BH", block_write_alone, 2)
    return tlv(ParameterType.C1G2_LLRP_CAPABILITIES, body)
