"""Antenna configuration: power, channel, mode, session and filters of one inventory."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from simulators.llrp.device import IMPINJ, Device
from simulators.llrp.wire import (
    Parameter,
    ParameterType,
    Status,
    bad_field,
    bad_parameter,
    fields,
    parameters,
    tlv,
    unexpected,
)

SEARCH_MODE = 23
"""Sub-type of ImpinjInventorySearchMode."""

DUAL_TARGET = 2
SUPPRESSION = 3
SEARCH_MODE_MAX = 6
SESSION_MAX = 3
EPC_BANK = 1
EPC_BANK_OFFSET_BITS = 32
"""CRC and PC stand before the EPC in its memory bank."""

FILTERS_MAX = 2
"""As many as the capabilities declare."""


@dataclass(frozen=True, slots=True)
class TagMask:
    """A selection: the bits of `mask` must stand in the EPC from bit `offset` on."""

    offset: int
    length: int
    mask: int

    def fits(self, epc: bytes) -> bool:
        """Tell whether an EPC carries the mask."""
        tail = len(epc) * 8 - self.offset - self.length
        if self.offset < 0 or tail < 0:
            return False
        return int.from_bytes(epc, "big") >> tail & (1 << self.length) - 1 == self.mask


@dataclass(frozen=True, slots=True)
class AntennaSettings:
    """How one antenna inventories. Indices are those of the capabilities' tables."""

    power_index: int
    sensitivity_index: int = 1
    hop_table: int = 1
    channel_index: int = 0
    mode: int = 0
    session: int = 1
    population: int = 32
    transit_ms: int = 0
    search_mode: int = 0
    masks: tuple[TagMask, ...] = field(default=())

    def encode(self, antenna: int) -> bytes:
        """Return the AntennaConfiguration parameter."""
        control = struct.pack("!HH", self.mode, 0)
        singulation = struct.pack("!BHI", self.session << 6, self.population, self.transit_ms)
        command = b"\0"
        command += tlv(ParameterType.C1G2_RF_CONTROL, control)
        command += tlv(ParameterType.C1G2_SINGULATION_CONTROL, singulation)
        transmitter = struct.pack("!HHH", self.hop_table, self.channel_index, self.power_index)
        body = struct.pack("!H", antenna)
        body += tlv(ParameterType.RF_RECEIVER, struct.pack("!H", self.sensitivity_index))
        body += tlv(ParameterType.RF_TRANSMITTER, transmitter)
        body += tlv(ParameterType.C1G2_INVENTORY_COMMAND, command)
        return tlv(ParameterType.ANTENNA_CONFIGURATION, body)


def factory_settings(device: Device) -> AntennaSettings:
    """Return what an antenna does before anybody configured it: full power, last mode that
    suits all.
    """
    automatic = [mode.number for mode in device.modes if mode.number >= 1000]
    mode = automatic[0] if automatic else device.modes[0].number
    return AntennaSettings(power_index=device.power_steps, mode=mode)


def apply_configuration(
    settings: dict[int, AntennaSettings], body: bytes, device: Device, *, extensions: bool
) -> None:
    """Lay one AntennaConfiguration over the settings by antenna; antenna 0 means all."""
    kind = ParameterType.ANTENNA_CONFIGURATION
    (antenna,) = fields("!H", body, kind)
    if antenna > device.antenna_count:
        raise bad_field(kind, 0, "no such antenna", Status.A_OUT_OF_RANGE)
    for number in [antenna] if antenna else list(settings):
        changed = settings[number]
        for part in parameters(body[2:], kind):
            changed = _part(changed, part, device, extensions=extensions)
        settings[number] = changed


def _part(
    settings: AntennaSettings, part: Parameter, device: Device, *, extensions: bool
) -> AntennaSettings:
    if part.type == ParameterType.RF_RECEIVER:
        (index,) = fields("!H", part.body, part.type)
        if index > device.sensitivity_steps:
            raise bad_field(part.type, 0, "no such sensitivity", Status.A_OUT_OF_RANGE)
        return replace(settings, sensitivity_index=index)
    if part.type == ParameterType.RF_TRANSMITTER:
        return _transmitter(settings, part, device)
    if part.type == ParameterType.C1G2_INVENTORY_COMMAND:
        fields("!B", part.body, part.type)
        settings = replace(settings, masks=())
        for inner in parameters(part.body[1:], part.type):
            settings = _command(settings, inner, device, extensions=extensions)
        return settings
    if part.type == ParameterType.CUSTOM:
        return _extension(settings, part, extensions=extensions)
    raise unexpected(part, ParameterType.ANTENNA_CONFIGURATION)


def _transmitter(settings: AntennaSettings, part: Parameter, device: Device) -> AntennaSettings:
    hop_table, channel_index, power_index = fields("!HHH", part.body, part.type)
    if hop_table > 1:
        raise bad_field(part.type, 0, "no such hop table", Status.A_OUT_OF_RANGE)
    if not 1 <= power_index <= device.power_steps:
        raise bad_field(part.type, 2, "no such power", Status.A_OUT_OF_RANGE)
    return replace(
        settings, hop_table=hop_table, channel_index=channel_index, power_index=power_index
    )


def _command(
    settings: AntennaSettings, part: Parameter, device: Device, *, extensions: bool
) -> AntennaSettings:
    if part.type == ParameterType.C1G2_RF_CONTROL:
        mode, _tari_ns = fields("!HH", part.body, part.type)
        if all(mode != known.number for known in device.modes):
            raise bad_field(part.type, 0, "no such mode", Status.A_OUT_OF_RANGE)
        return replace(settings, mode=mode)
    if part.type == ParameterType.C1G2_SINGULATION_CONTROL:
        first, population, transit_ms = fields("!BHI", part.body, part.type)
        return replace(settings, session=first >> 6, population=population, transit_ms=transit_ms)
    if part.type == ParameterType.C1G2_FILTER:
        if len(settings.masks) >= FILTERS_MAX:
            raise bad_parameter(part.type, Status.P_OVERFLOW_PARAMETER, "too many filters")
        return replace(settings, masks=(*settings.masks, _mask(part)))
    if part.type == ParameterType.CUSTOM:
        return _extension(settings, part, extensions=extensions)
    raise unexpected(part, ParameterType.C1G2_INVENTORY_COMMAND)


def _mask(part: Parameter) -> TagMask:
    inventory_mask = 332
    for inner in parameters(part.body[1:], part.type):
        if inner.type == inventory_mask:
            bank, pointer, length = fields("!BHH", inner.body, inner.type)
            octets = inner.body[5:]
            if bank >> 6 != EPC_BANK or len(octets) * 8 < length:
                raise bad_field(inner.type, 0, "only masks on the EPC bank")
            bits = int.from_bytes(octets, "big") >> (len(octets) * 8 - length)
            return TagMask(pointer - EPC_BANK_OFFSET_BITS, length, bits)
    raise bad_parameter(inventory_mask, Status.P_MISSING_PARAMETER)


def _extension(settings: AntennaSettings, part: Parameter, *, extensions: bool) -> AntennaSettings:
    vendor, subtype = fields("!II", part.body, part.type)
    if vendor != IMPINJ or not extensions:
        raise bad_parameter(part.type, Status.P_UNSUPPORTED_PARAMETER, "extensions are off")
    if subtype != SEARCH_MODE:
        return settings
    _vendor, _subtype, search_mode = fields("!IIH", part.body, part.type)
    if search_mode > SEARCH_MODE_MAX:
        raise bad_field(part.type, 2, "no such search mode", Status.A_OUT_OF_RANGE)
    return replace(settings, search_mode=search_mode)
