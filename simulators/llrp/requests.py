"""Answers to a client's requests, without any I/O: one request in, one answer out."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.llrp.device import IMPINJ, Device, encode_capabilities
from simulators.llrp.rospec import Surroundings, parse_rospec
from simulators.llrp.rospec_table import AccessSpecTable, RoSpecTable
from simulators.llrp.settings import (
    Condition,
    Settings,
    Snapshot,
    changed,
    encode_configuration,
    factory,
    parse_wish,
    state_value,
)
from simulators.llrp.wire import (
    VERSION,
    Frame,
    MessageType,
    Parameter,
    ParameterType,
    RequestError,
    Status,
    bad_message_field,
    bad_parameter,
    frame,
    llrp_status,
    message_fields,
    parameters,
)

ENABLE_EXTENSIONS = 21
ENABLE_EXTENSIONS_RESPONSE = 22
"""Sub-types of the Impinj messages."""

RESPONSE_STEP = 10
"""The type of a response is that of its request plus 10, CLOSE_CONNECTION's excepted."""


@dataclass
class Requests:
    """The state that requests read and change. `extensions` lasts as long as one connection."""

    device: Device
    settings: Settings = field(init=False)
    condition: Condition = field(init=False)
    rospecs: RoSpecTable = field(init=False)
    access_specs: AccessSpecTable = field(init=False)
    extensions: bool = False

    def __post_init__(self) -> None:
        """Start as from the factory, with every antenna connected and every input low."""
        device = self.device
        self.reset()
        self.condition = Condition(
            dict.fromkeys(range(1, device.antenna_count + 1), True),
            dict.fromkeys(range(1, device.input_count + 1), False),
        )

    def reset(self) -> None:
        """Forget settings, ROSpecs and AccessSpecs, as some readers do without power."""
        self.settings = factory(self.device)
        self.rospecs = RoSpecTable(self.device)
        self.access_specs = AccessSpecTable(self.device)

    def answer(self, request: Frame) -> bytes:
        """Carry out one request and return the whole answering frame."""
        if request.version != VERSION:
            return error_message(request, Status.M_UNSUPPORTED_VERSION, "version 1 alone")
        if request.type == MessageType.CUSTOM_MESSAGE:
            return self._custom(request)
        handler = _HANDLERS.get(request.type)
        if handler is None:
            return error_message(request, Status.M_UNSUPPORTED_MESSAGE, "no such request")
        try:
            body = handler(self, request.body)
            status = llrp_status()
        except RequestError as refusal:
            body, status = b"", refusal.encode()
        return frame(request.type + RESPONSE_STEP, request.message_id, status + body)

    def surroundings(self) -> Surroundings:
        """Return what a new ROSpec is checked against."""
        settings = self.settings
        return Surroundings(self.device, settings.antennas, settings.report, self.extensions)

    def _custom(self, request: Frame) -> bytes:
        head = struct.pack("!IB", IMPINJ, ENABLE_EXTENSIONS)
        if not self.device.has_extensions or request.body[:5] != head:
            return error_message(request, Status.M_UNSUPPORTED_MESSAGE, "no such vendor message")
        self.extensions = True
        body = struct.pack("!IB", IMPINJ, ENABLE_EXTENSIONS_RESPONSE) + llrp_status()
        return frame(MessageType.CUSTOM_MESSAGE, request.message_id, body)


def error_message(request: Frame, code: Status, text: str) -> bytes:
    """Return the ERROR_MESSAGE that answers a request nobody can carry out."""
    return frame(MessageType.ERROR_MESSAGE, request.message_id, llrp_status(code, text))


def _capabilities(requests: Requests, body: bytes) -> bytes:
    (requested,) = message_fields("!B", body)
    return encode_capabilities(requests.device, requested)


def _get_config(requests: Requests, body: bytes) -> bytes:
    wish = parse_wish(body, requests.device)
    specs = requests.rospecs.configured() + requests.access_specs.configured()
    value = state_value(requests.settings, specs)
    snapshot = Snapshot(requests.settings, requests.condition, requests.device, value, wish)
    return encode_configuration(snapshot)


def _set_config(requests: Requests, body: bytes) -> bytes:
    requests.settings = changed(
        requests.settings, body, requests.device, extensions=requests.extensions
    )
    return b""


def _add_rospec(requests: Requests, body: bytes) -> bytes:
    spec = _only(body, ParameterType.ROSPEC)
    requests.rospecs.add(parse_rospec(spec.body, requests.surroundings()))
    return b""


def _add_access_spec(requests: Requests, body: bytes) -> bytes:
    requests.access_specs.add(_only(body, ParameterType.ACCESS_SPEC).body)
    return b""


def _only(body: bytes, kind: ParameterType) -> Parameter:
    found = list(parameters(body))
    if not found or found[0].type != kind:
        raise bad_parameter(kind, Status.P_MISSING_PARAMETER, "the message holds none")
    if len(found) > 1:
        raise bad_parameter(found[1].type, Status.P_UNEXPECTED_PARAMETER, "one alone")
    return found[0]


def _by_number(
    command: Callable[[Requests, int], None], *, all_allowed: bool = True
) -> Callable[[Requests, bytes], bytes]:
    def handler(requests: Requests, body: bytes) -> bytes:
        (number,) = message_fields("!I", body)
        if number == 0 and not all_allowed:
            raise bad_message_field(0, "name one ROSpec")
        command(requests, number)
        return b""

    return handler


_HANDLERS: dict[int, Callable[[Requests, bytes], bytes]] = {
    MessageType.GET_READER_CAPABILITIES: _capabilities,
    MessageType.GET_READER_CONFIG: _get_config,
    MessageType.SET_READER_CONFIG: _set_config,
    MessageType.ADD_ROSPEC: _add_rospec,
    MessageType.DELETE_ROSPEC: _by_number(lambda r, number: r.rospecs.delete(number)),
    MessageType.START_ROSPEC: _by_number(
        lambda r, number: r.rospecs.start(number), all_allowed=False
    ),
    MessageType.STOP_ROSPEC: _by_number(
        lambda r, number: r.rospecs.stop(number), all_allowed=False
    ),
    MessageType.ENABLE_ROSPEC: _by_number(lambda r, number: r.rospecs.enable(number)),
    MessageType.DISABLE_ROSPEC: _by_number(lambda r, number: r.rospecs.disable(number)),
    MessageType.GET_ROSPECS: lambda r, _body: r.rospecs.encode(),
    MessageType.ADD_ACCESSSPEC: _add_access_spec,
    MessageType.DELETE_ACCESSSPEC: _by_number(lambda r, number: r.access_specs.delete(number)),
    MessageType.ENABLE_ACCESSSPEC: _by_number(lambda r, number: r.access_specs.enable(number)),
    MessageType.DISABLE_ACCESSSPEC: _by_number(lambda r, number: r.access_specs.disable(number)),
    MessageType.GET_ACCESSSPECS: lambda r, _body: r.access_specs.encode(),
}
