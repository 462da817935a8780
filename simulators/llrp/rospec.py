"""What a client may ask the reader to do: the ROSpec, read and checked (LLRP 1.0.1, 10.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from simulators.llrp.antenna import AntennaSettings, apply_configuration
from simulators.llrp.device import Device
from simulators.llrp.report import ReportSpec, parse_report_spec
from simulators.llrp.wire import (
    Parameter,
    ParameterType,
    Status,
    bad_field,
    bad_parameter,
    fields,
    parameters,
    unexpected,
)

NULL, IMMEDIATE, PERIODIC, GPI_START = range(4)
"""Values of ROSpecStartTriggerType."""

DURATION, GPI_STOP, TAG_OBSERVATION = 1, 2, 3
"""Values of the stop trigger types; the third is an AISpec's alone."""

DISABLED, INACTIVE, ACTIVE = range(3)
"""Values of CurrentState."""

PRIORITY_MAX = 7
"""The lowest priority of the standard; this reader, with one level, treats all alike."""

SPECS_MAX = 32
"""AISpecs in one ROSpec, as the capabilities declare."""


@dataclass(frozen=True, slots=True)
class StartTrigger:
    """When an Inactive ROSpec becomes Active by itself."""

    kind: int = NULL
    offset_ms: int = 0
    period_ms: int = 0
    port: int = 0
    level: bool = False


@dataclass(frozen=True, slots=True)
class StopTrigger:
    """When a ROSpec or AISpec ends by itself. `duration_ms` is the time-out of the other kinds,
    where 0 means none. `tags`, `attempts` and `quiet_ms` belong to a tag observation.
    """

    kind: int = NULL
    duration_ms: int = 0
    port: int = 0
    level: bool = False
    observation: int = 0
    tags: int = 0
    attempts: int = 0
    quiet_ms: int = 0


@dataclass(frozen=True, slots=True)
class AiSpec:
    """One inventory: which antennas, how, and until when."""

    antennas: tuple[int, ...]
    stop: StopTrigger
    inventory_spec: int
    settings: dict[int, AntennaSettings]


@dataclass(frozen=True, slots=True)
class RoSpec:
    """A reader operation as the client gave it; `body` are its bytes, for GET_ROSPECS."""

    number: int
    start: StartTrigger
    stop: StopTrigger
    ai_specs: tuple[AiSpec, ...]
    report: ReportSpec
    body: bytes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a ROSpec is checked against and completed from."""

    device: Device
    antennas: dict[int, AntennaSettings]
    report: ReportSpec
    extensions: bool


def parse_rospec(body: bytes, around: Surroundings) -> RoSpec:
    """Read the ROSpec parameter of an ADD_ROSPEC; RequestError where it is wrong."""
    kind = ParameterType.ROSPEC
    number, priority, state = fields("!IBB", body, kind)
    if number == 0:
        raise bad_field(kind, 0, "0 means all ROSpecs")
    if priority > PRIORITY_MAX:
        raise bad_field(kind, 1, "no such priority", Status.A_OUT_OF_RANGE)
    if state != DISABLED:
        raise bad_field(kind, 2, "a ROSpec is added disabled")
    boundary: tuple[StartTrigger, StopTrigger] | None = None
    ai_specs: list[AiSpec] = []
    report = around.report
    for part in parameters(body[6:], kind):
        if part.type == ParameterType.RO_BOUNDARY_SPEC:
            boundary = _boundary(part, around.device)
        elif part.type == ParameterType.AI_SPEC:
            ai_specs.append(_ai_spec(part, around))
        elif part.type == ParameterType.RO_REPORT_SPEC:
            report = parse_report_spec(part.body, extensions=around.extensions)
        elif part.type == ParameterType.RF_SURVEY_SPEC:
            raise bad_parameter(part.type, Status.P_UNSUPPORTED_PARAMETER, "no RF survey")
        else:
            raise unexpected(part, kind)
    if boundary is None:
        raise bad_parameter(ParameterType.RO_BOUNDARY_SPEC, Status.P_MISSING_PARAMETER)
    if not ai_specs:
        raise bad_parameter(ParameterType.AI_SPEC, Status.P_MISSING_PARAMETER)
    if len(ai_specs) > SPECS_MAX:
        raise bad_parameter(ParameterType.AI_SPEC, Status.P_OVERFLOW_PARAMETER)
    return RoSpec(number, *boundary, tuple(ai_specs), report, body)


def with_state(rospec: RoSpec, state: int) -> bytes:
    """Return the body of the ROSpec parameter as GET_ROSPECS tells it."""
    return rospec.body[:5] + bytes([state]) + rospec.body[6:]


def _boundary(boundary: Parameter, device: Device) -> tuple[StartTrigger, StopTrigger]:
    start: StartTrigger | None = None
    stop: StopTrigger | None = None
    for part in parameters(boundary.body, boundary.type):
        if part.type == ParameterType.ROSPEC_START_TRIGGER:
            start = _start_trigger(part, device)
        elif part.type == ParameterType.ROSPEC_STOP_TRIGGER:
            stop = _stop_trigger(part, device, "!BI")
        else:
            raise unexpected(part, boundary.type)
    if start is None:
        raise bad_parameter(ParameterType.ROSPEC_START_TRIGGER, Status.P_MISSING_PARAMETER)
    if stop is None:
        raise bad_parameter(ParameterType.ROSPEC_STOP_TRIGGER, Status.P_MISSING_PARAMETER)
    return start, stop


def _start_trigger(trigger: Parameter, device: Device) -> StartTrigger:
    (kind,) = fields("!B", trigger.body, trigger.type)
    if kind > GPI_START:
        raise bad_field(trigger.type, 0, "no such start trigger")
    for part in parameters(trigger.body[1:], trigger.type):
        if kind == PERIODIC and part.type == ParameterType.PERIODIC_TRIGGER_VALUE:
            offset_ms, period_ms = fields("!II", part.body, part.type)
            return StartTrigger(kind, offset_ms, period_ms)
        if kind == GPI_START and part.type == ParameterType.GPI_TRIGGER_VALUE:
            port, level, _timeout_ms = _input_trigger(part, device)
            return StartTrigger(kind, port=port, level=level)
        raise unexpected(part, trigger.type)
    if kind in {PERIODIC, GPI_START}:
        raise bad_parameter(trigger.type, Status.P_MISSING_PARAMETER, "no trigger value")
    return StartTrigger(kind)


def _stop_trigger(trigger: Parameter, device: Device, layout: str) -> StopTrigger:
    kind, duration_ms = fields(layout, trigger.body, trigger.type)
    most = TAG_OBSERVATION if trigger.type == ParameterType.AI_SPEC_STOP_TRIGGER else GPI_STOP
    if kind > most:
        raise bad_field(trigger.type, 0, "no such stop trigger")
    for part in parameters(trigger.body[5:], trigger.type):
        if part.type == ParameterType.GPI_TRIGGER_VALUE:
            port, level, timeout_ms = _input_trigger(part, device)
            if kind == GPI_STOP:
                return StopTrigger(kind, timeout_ms, port, level)
        elif part.type == ParameterType.TAG_OBSERVATION_TRIGGER:
            if kind == TAG_OBSERVATION:
                return _observation(part)
        else:
            raise unexpected(part, trigger.type)
    if kind in {GPI_STOP, TAG_OBSERVATION}:
        raise bad_parameter(trigger.type, Status.P_MISSING_PARAMETER, "no trigger value")
    return StopTrigger(kind, duration_ms if kind == DURATION else 0)


def _observation(part: Parameter) -> StopTrigger:
    observation, _reserved, tags, attempts, quiet_ms, timeout_ms = fields(
        "!BBHHHI", part.body, part.type
    )
    most_in_version_1 = 2
    if observation > most_in_version_1:
        raise bad_field(part.type, 0, "no such observation trigger")
    return StopTrigger(
        TAG_OBSERVATION,
        timeout_ms,
        observation=observation,
        tags=tags,
        attempts=attempts,
        quiet_ms=quiet_ms,
    )


def _input_trigger(part: Parameter, device: Device) -> tuple[int, bool, int]:
    port, level, timeout_ms = fields("!HBI", part.body, part.type)
    if not 1 <= port <= device.input_count:
        raise bad_field(part.type, 0, "no such input", Status.A_OUT_OF_RANGE)
    return port, bool(level & 0x80), timeout_ms


def _ai_spec(spec: Parameter, around: Surroundings) -> AiSpec:
    (count,) = fields("!H", spec.body, spec.type)
    listed = fields(f"!{count}H", spec.body[2:], spec.type)
    antenna_count = around.device.antenna_count
    if not listed or max(listed) > antenna_count:
        raise bad_field(spec.type, 1, "no such antenna", Status.A_OUT_OF_RANGE)
    antennas = tuple(range(1, antenna_count + 1)) if 0 in listed else listed
    stop: StopTrigger | None = None
    inventory: tuple[int, dict[int, AntennaSettings]] | None = None
    for part in parameters(spec.body[2 + 2 * count :], spec.type):
        if part.type == ParameterType.AI_SPEC_STOP_TRIGGER:
            stop = _stop_trigger(part, around.device, "!BI")
        elif part.type == ParameterType.INVENTORY_PARAMETER_SPEC:
            if inventory is not None:
                raise bad_parameter(part.type, Status.P_OVERFLOW_PARAMETER, "one alone")
            inventory = _inventory_spec(part, around)
        elif part.type != ParameterType.CUSTOM:
            raise unexpected(part, spec.type)
    if stop is None:
        raise bad_parameter(ParameterType.AI_SPEC_STOP_TRIGGER, Status.P_MISSING_PARAMETER)
    if inventory is None:
        raise bad_parameter(ParameterType.INVENTORY_PARAMETER_SPEC, Status.P_MISSING_PARAMETER)
    return AiSpec(antennas, stop, *inventory)


def _inventory_spec(
    spec: Parameter, around: Surroundings
) -> tuple[int, dict[int, AntennaSettings]]:
    number, protocol = struct.unpack_from("!HB", spec.body.ljust(3, b"\0"))
    if number == 0:
        raise bad_field(spec.type, 0, "ids start at 1")
    if protocol != 1:
        raise bad_field(spec.type, 1, "Gen2 alone", Status.A_OUT_OF_RANGE)
    settings = dict(around.antennas)
    for part in parameters(spec.body[3:], spec.type):
        if part.type == ParameterType.ANTENNA_CONFIGURATION:
            apply_configuration(settings, part.body, around.device, extensions=around.extensions)
        elif part.type != ParameterType.CUSTOM:
            raise unexpected(part, spec.type)
    return number, settings
