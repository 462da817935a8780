"""The reader's configuration: what SET_READER_CONFIG changes and GET_READER_CONFIG tells
(LLRP 1.0.1 section 12).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from simulators.llrp.antenna import AntennaSettings, apply_configuration, factory_settings
from simulators.llrp.device import IMPINJ, Device
from simulators.llrp.report import ReportSpec, parse_report_spec
from simulators.llrp.wire import (
    Parameter,
    ParameterType,
    Status,
    bad_field,
    bad_message_field,
    bad_parameter,
    fields,
    message_fields,
    parameters,
    tlv,
    unexpected,
)

LINK_MONITOR = 38
"""Sub-type of ImpinjLinkMonitorConfiguration."""

HOPPING, GPI, ROSPEC, BUFFER_FILL, READER_EXCEPTION, RF_SURVEY, AI_SPEC, SINGULATION, ANTENNA = (
    range(9)
)
"""Values of EventType in an EventNotificationState."""

KEEPALIVE_MIN_MS = 20
"""A shorter period would only keep the loop busy."""

ALL_CONFIG = 0
RESET_TO_FACTORY = 0x80


@dataclass(slots=True)
class Settings:
    """Everything a client can configure. `link_down_misses` 0 means that nobody counts."""

    antennas: dict[int, AntennaSettings]
    report: ReportSpec = field(default_factory=ReportSpec)
    events: set[int] = field(default_factory=lambda: {READER_EXCEPTION, ANTENNA})
    access_report_trigger: int = 1
    keepalive_ms: int = 0
    hold: bool = False
    outputs: dict[int, bool] = field(default_factory=dict)
    input_enabled: dict[int, bool] = field(default_factory=dict)
    link_down_misses: int = 0


@dataclass(slots=True)
class Condition:
    """What the reader senses rather than what it was told."""

    connected: dict[int, bool]
    inputs: dict[int, bool]


def factory(device: Device) -> Settings:
    """Return the configuration of a reader fresh from the factory."""
    antennas = range(1, device.antenna_count + 1)
    return Settings(
        antennas={antenna: factory_settings(device) for antenna in antennas},
        outputs=dict.fromkeys(range(1, device.output_count + 1), False),
        input_enabled=dict.fromkeys(range(1, device.input_count + 1), False),
    )


def changed(settings: Settings, body: bytes, device: Device, *, extensions: bool) -> Settings:
    """Return the settings after a SET_READER_CONFIG; the old ones stay as they are."""
    (flags,) = message_fields("!B", body)
    new = factory(device) if flags & RESET_TO_FACTORY else deepcopy(settings)
    for part in parameters(body[1:]):
        if part.type == ParameterType.ANTENNA_CONFIGURATION:
            apply_configuration(new.antennas, part.body, device, extensions=extensions)
        elif part.type == ParameterType.RO_REPORT_SPEC:
            new.report = parse_report_spec(part.body, extensions=extensions)
        elif part.type == ParameterType.CUSTOM:
            _set_extension(new, part, extensions=extensions)
        else:
            setter = _SETTERS.get(part.type)
            if setter is None:
                raise unexpected(part, 0)
            setter(new, part, device)
    return new


def _set_events(settings: Settings, part: Parameter, _device: Device) -> None:
    for state in parameters(part.body, part.type):
        if state.type != ParameterType.EVENT_NOTIFICATION_STATE:
            raise unexpected(state, part.type)
        event, on = fields("!HB", state.body, state.type)
        if event > ANTENNA:
            raise bad_field(state.type, 0, "no such event in 1.0.1")
        (settings.events.add if on & 0x80 else settings.events.discard)(event)


def _set_keepalive(settings: Settings, part: Parameter, _device: Device) -> None:
    periodic, interval_ms = fields("!BI", part.body, part.type)
    if periodic > 1:
        raise bad_field(part.type, 0, "no such keepalive trigger")
    if periodic and interval_ms < KEEPALIVE_MIN_MS:
        raise bad_field(part.type, 1, "period too short", Status.A_OUT_OF_RANGE)
    settings.keepalive_ms = interval_ms if periodic else 0


def _set_hold(settings: Settings, part: Parameter, device: Device) -> None:
    (flags,) = fields("!B", part.body, part.type)
    if flags & 0x80 and not device.holds_events:
        raise bad_parameter(part.type, Status.P_UNSUPPORTED_PARAMETER, "cannot hold events")
    settings.hold = bool(flags & 0x80)


def _set_output(settings: Settings, part: Parameter, _device: Device) -> None:
    port, level = fields("!HB", part.body, part.type)
    if port not in settings.outputs:
        raise bad_field(part.type, 0, "no such output", Status.A_OUT_OF_RANGE)
    settings.outputs[port] = bool(level & 0x80)


def _set_input(settings: Settings, part: Parameter, _device: Device) -> None:
    port, enabled, _state = fields("!HBB", part.body, part.type)
    if port not in settings.input_enabled:
        raise bad_field(part.type, 0, "no such input", Status.A_OUT_OF_RANGE)
    settings.input_enabled[port] = bool(enabled & 0x80)


def _set_access_report(settings: Settings, part: Parameter, _device: Device) -> None:
    (settings.access_report_trigger,) = fields("!B", part.body, part.type)


def _refuse_antenna_properties(_settings: Settings, part: Parameter, _device: Device) -> None:
    raise bad_parameter(part.type, Status.P_UNSUPPORTED_PARAMETER, "gain is fixed")


_SETTERS: dict[int, Callable[[Settings, Parameter, Device], None]] = {
    ParameterType.READER_EVENT_NOTIFICATION_SPEC: _set_events,
    ParameterType.KEEPALIVE_SPEC: _set_keepalive,
    ParameterType.EVENTS_AND_REPORTS: _set_hold,
    ParameterType.GPO_WRITE_DATA: _set_output,
    ParameterType.GPI_PORT_CURRENT_STATE: _set_input,
    ParameterType.ACCESS_REPORT_SPEC: _set_access_report,
    ParameterType.ANTENNA_PROPERTIES: _refuse_antenna_properties,
}


def _set_extension(settings: Settings, part: Parameter, *, extensions: bool) -> None:
    vendor, subtype = fields("!II", part.body, part.type)
    if vendor != IMPINJ or not extensions:
        raise bad_parameter(part.type, Status.P_UNSUPPORTED_PARAMETER, "extensions are off")
    if subtype == LINK_MONITOR:
        _vendor, _subtype, mode, threshold = fields("!IIHH", part.body, part.type)
        settings.link_down_misses = threshold if mode else 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a GET_READER_CONFIG asks for; 0 stands for all."""

    requested: int
    antenna: int
    gpi: int
    gpo: int


def parse_wish(body: bytes, device: Device) -> Wish:
    """Read a GET_READER_CONFIG; RequestError on an unknown antenna, port or kind."""
    antenna, requested, gpi, gpo = message_fields("!HBHH", body)
    if antenna > device.antenna_count:
        raise bad_message_field(0, "no such antenna", Status.A_OUT_OF_RANGE)
    if requested > len(_GETTERS):
        raise bad_message_field(1, "no such RequestedData")
    if gpi > device.input_count:
        raise bad_message_field(2, "no such input", Status.A_OUT_OF_RANGE)
    if gpo > device.output_count:
        raise bad_message_field(3, "no such output", Status.A_OUT_OF_RANGE)
    return Wish(requested, antenna, gpi, gpo)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that an answer to GET_READER_CONFIG is made of."""

    settings: Settings
    condition: Condition
    device: Device
    state_value: int
    wish: Wish


def state_value(settings: Settings, specs: bytes) -> int:
    """Return the LLRPConfigurationStateValue: equal for equal settings and specs."""
    return zlib.crc32(specs + repr(settings).encode())


def encode_configuration(snapshot: Snapshot) -> bytes:
    """Return the parameters that the client wished to see."""
    requested = snapshot.wish.requested
    getters = _ANSWER_ORDER if requested == ALL_CONFIG else (_GETTERS[requested - 1],)
    return b"".join(getter(snapshot) for getter in getters)


def _chosen(numbers: dict[int, bool], wish: int) -> list[tuple[int, int]]:
    return [(number, 0x80 * on) for number, on in numbers.items() if wish in {0, number}]


def _identification(snapshot: Snapshot) -> bytes:
    mac = snapshot.device.mac
    return tlv(ParameterType.IDENTIFICATION, struct.pack("!BH", 0, len(mac)) + mac)


def _antenna_properties(snapshot: Snapshot) -> bytes:
    return b"".join(
        tlv(ParameterType.ANTENNA_PROPERTIES, struct.pack("!BHh", connected, antenna, 0))
        for antenna, connected in _chosen(snapshot.condition.connected, snapshot.wish.antenna)
    )


def _antenna_configuration(snapshot: Snapshot) -> bytes:
    return b"".join(
        settings.encode(antenna)
        for antenna, settings in snapshot.settings.antennas.items()
        if snapshot.wish.antenna in {0, antenna}
    )


def _report_spec(snapshot: Snapshot) -> bytes:
    return snapshot.settings.report.encode()


def _event_spec(snapshot: Snapshot) -> bytes:
    states = b"".join(
        tlv(
            ParameterType.EVENT_NOTIFICATION_STATE,
            struct.pack("!HB", event, 0x80 * (event in snapshot.settings.events)),
        )
        for event in range(ANTENNA + 1)
    )
    return tlv(ParameterType.READER_EVENT_NOTIFICATION_SPEC, states)


def _access_report(snapshot: Snapshot) -> bytes:
    trigger = snapshot.settings.access_report_trigger
    return tlv(ParameterType.ACCESS_REPORT_SPEC, bytes([trigger]))


def _state_value(snapshot: Snapshot) -> bytes:
    value = struct.pack("!I", snapshot.state_value)
    return tlv(ParameterType.LLRP_CONFIGURATION_STATE_VALUE, value)


def _keepalive(snapshot: Snapshot) -> bytes:
    interval_ms = snapshot.settings.keepalive_ms
    return tlv(ParameterType.KEEPALIVE_SPEC, struct.pack("!BI", interval_ms > 0, interval_ms))


def _inputs(snapshot: Snapshot) -> bytes:
    return b"".join(
        tlv(
            ParameterType.GPI_PORT_CURRENT_STATE,
            struct.pack("!HBB", port, enabled, snapshot.condition.inputs[port]),
        )
        for port, enabled in _chosen(snapshot.settings.input_enabled, snapshot.wish.gpi)
    )


def _outputs(snapshot: Snapshot) -> bytes:
    return b"".join(
        tlv(ParameterType.GPO_WRITE_DATA, struct.pack("!HB", port, level))
        for port, level in _chosen(snapshot.settings.outputs, snapshot.wish.gpo)
    )


def _hold(snapshot: Snapshot) -> bytes:
    return tlv(ParameterType.EVENTS_AND_REPORTS, bytes([0x80 * snapshot.settings.hold]))


_GETTERS: tuple[Callable[[Snapshot], bytes], ...] = (
    _identification,
    _antenna_properties,
    _antenna_configuration,
    _report_spec,
    _event_spec,
    _access_report,
    _state_value,
    _keepalive,
    _inputs,
    _outputs,
    _hold,
)
"""In the order of the RequestedData values 1 to 11."""

_ANSWER_ORDER = (*_GETTERS[:3], _event_spec, _report_spec, *_GETTERS[5:])
"""The order that the standard gives the response: the event spec before the report spec."""
