"""Antenna configuration: power, channel, mode, session and filters of one inventory."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

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


UNAWARE_ACTIONS: tuple[tuple[bool | None, bool | None], ...] = (
    (True, False),
    (True, None),
    (None, False),
    (False, None),
    (False, True),
    (None, True),
)
"""What the six state-unaware filter actions do to a tag that fits and to one that does not: select
it, unselect it, or leave it (None).
"""


@dataclass(frozen=True, slots=True)
class TagFilter:
    """A selection by the bits of the EPC from bit `offset` on, and what it does to a tag."""

    offset: int
    length: int
    mask: int
    action: int = 0

    def selects(self, epc: bytes, before: bool) -> bool:
        """Tell whether a tag is selected after this filter, given that it was before."""
        outcome = UNAWARE_ACTIONS[self.action][0 if self._fits(epc) else 1]
        return before if outcome is None else outcome

    def _fits(self, epc: bytes) -> bool:
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
    filters: tuple[TagFilter, ...] = ()

    def selects(self, epc: bytes) -> bool:
        """Tell whether the filters, applied in order, let a tag take part."""
        selected = True
        for each in self.filters:
            selected = each.selects(epc, selected)
        return selected

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
        settings = replace(settings, filters=())
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
        if len(settings.filters) >= FILTERS_MAX:
            raise bad_parameter(part.type, Status.P_OVERFLOW_PARAMETER, "too many filters")
        return replace(settings, filters=(*settings.filters, _filter(part)))
    if part.type == ParameterType.CUSTOM:
        return _extension(settings, part, extensions=extensions)
    raise unexpected(part, ParameterType.C1G2_INVENTORY_COMMAND)


def _filter(part: Parameter) -> TagFilter:
    mask: tuple[int, int, int] | None = None
    action = 0
    fields("!B", part.body, part.type)
    for inner in parameters(part.body[1:], part.type):
        if inner.type == ParameterType.C1G2_TAG_INVENTORY_MASK:
            mask = _mask(inner)
        elif inner.type == ParameterType.C1G2_STATE_UNAWARE_FILTER_ACTION:
            (action,) = fields("!B", inner.body, inner.type)
            if action >= len(UNAWARE_ACTIONS):
                raise bad_field(inner.type, 0, "no such action")
        else:
            raise bad_parameter(inner.type, Status.P_UNSUPPORTED_PARAMETER, "state-unaware alone")
    if mask is None:
        missing = ParameterType.C1G2_TAG_INVENTORY_MASK
        raise bad_parameter(missing, Status.P_MISSING_PARAMETER)
    return TagFilter(*mask, action)


def _mask(inner: Parameter) -> tuple[int, int, int]:
    bank, pointer, length = fields("!BHH", inner.body, inner.type)
    octets = inner.body[5:]
    if bank >> 6 != EPC_BANK:
        raise bad_field(inner.type, 0, "only masks on the EPC bank")
    if len(octets) * 8 < length:
        raise bad_parameter(inner.type, Status.P_PARAMETER_ERROR, "mask is cut short")
    bits = int.from_bytes(octets, "big") >> (len(octets) * 8 - length)
    return pointer - EPC_BANK_OFFSET_BITS, length, bits


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
