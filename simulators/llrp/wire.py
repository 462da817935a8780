"""Frames and parameters of LLRP 1.0.1, packed by hand from the standard.

It knows only what a reader needs: it cuts frames out of a byte stream, walks the TLV parameters
of a request, and builds answers. Whatever is wrong with a request becomes a `RequestError`, which
carries the status code and the place of the error for the LLRPStatus of the answer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

VERSION = 1
"""The only protocol version spoken: LLRP 1.0.1."""

HEADER = struct.Struct("!HII")
REQUEST_BYTES_MAX = 4 * 1024 * 1024
"""A longer request is hostile: the largest real one, an ADD_ROSPEC, has a few kilobytes."""

TYPE_MASK = 0x3FF


class MessageType(IntEnum):
    """Message types of LLRP 1.0.1 section 16.1, and of 1.1 where a reader must refuse them."""

    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    GET_ROSPECS = 26
    ADD_ACCESSSPEC = 40
    DELETE_ACCESSSPEC = 41
    ENABLE_ACCESSSPEC = 42
    DISABLE_ACCESSSPEC = 43
    GET_ACCESSSPECS = 44
    GET_SUPPORTED_VERSION = 46
    GET_REPORT = 60
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100
    CUSTOM_MESSAGE = 1023


class ParameterType(IntEnum):
    """Parameter types of LLRP 1.0.1 section 16.2 that a reader meets or sends."""

    UTC_TIMESTAMP = 128
    UPTIME = 129
    GENERAL_DEVICE_CAPABILITIES = 137
    RECEIVE_SENSITIVITY_TABLE_ENTRY = 139
    PER_ANTENNA_AIR_PROTOCOL = 140
    GPIO_CAPABILITIES = 141
    LLRP_CAPABILITIES = 142
    REGULATORY_CAPABILITIES = 143
    UHF_BAND_CAPABILITIES = 144
    TRANSMIT_POWER_LEVEL_TABLE_ENTRY = 145
    FREQUENCY_INFORMATION = 146
    FREQUENCY_HOP_TABLE = 147
    FIXED_FREQUENCY_TABLE = 148
    ROSPEC = 177
    RO_BOUNDARY_SPEC = 178
    ROSPEC_START_TRIGGER = 179
    PERIODIC_TRIGGER_VALUE = 180
    GPI_TRIGGER_VALUE = 181
    ROSPEC_STOP_TRIGGER = 182
    AI_SPEC = 183
    AI_SPEC_STOP_TRIGGER = 184
    TAG_OBSERVATION_TRIGGER = 185
    INVENTORY_PARAMETER_SPEC = 186
    RF_SURVEY_SPEC = 187
    ACCESS_SPEC = 207
    LLRP_CONFIGURATION_STATE_VALUE = 217
    IDENTIFICATION = 218
    GPO_WRITE_DATA = 219
    KEEPALIVE_SPEC = 220
    ANTENNA_PROPERTIES = 221
    ANTENNA_CONFIGURATION = 222
    RF_RECEIVER = 223
    RF_TRANSMITTER = 224
    GPI_PORT_CURRENT_STATE = 225
    EVENTS_AND_REPORTS = 226
    RO_REPORT_SPEC = 237
    TAG_REPORT_CONTENT_SELECTOR = 238
    ACCESS_REPORT_SPEC = 239
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    READER_EVENT_NOTIFICATION_SPEC = 244
    EVENT_NOTIFICATION_STATE = 245
    READER_EVENT_NOTIFICATION_DATA = 246
    HOPPING_EVENT = 247
    GPI_EVENT = 248
    ROSPEC_EVENT = 249
    REPORT_BUFFER_LEVEL_WARNING_EVENT = 250
    REPORT_BUFFER_OVERFLOW_ERROR_EVENT = 251
    READER_EXCEPTION_EVENT = 252
    AI_SPEC_EVENT = 254
    ANTENNA_EVENT = 255
    CONNECTION_ATTEMPT_EVENT = 256
    CONNECTION_CLOSE_EVENT = 257
    LLRP_STATUS = 287
    FIELD_ERROR = 288
    PARAMETER_ERROR = 289
    C1G2_LLRP_CAPABILITIES = 327
    C1G2_RF_MODE_TABLE = 328
    C1G2_RF_MODE_TABLE_ENTRY = 329
    C1G2_INVENTORY_COMMAND = 330
    C1G2_FILTER = 331
    C1G2_TAG_INVENTORY_MASK = 332
    C1G2_STATE_UNAWARE_FILTER_ACTION = 334
    C1G2_RF_CONTROL = 335
    C1G2_SINGULATION_CONTROL = 336
    C1G2_EPC_MEMORY_SELECTOR = 348
    CUSTOM = 1023


class Status(IntEnum):
    """Status codes of LLRP 1.0.1 section 14.1: M_ of the message, P_ of a parameter, A_ of a
    field, R_ of the device.
    """

    SUCCESS = 0
    M_PARAMETER_ERROR = 100
    M_FIELD_ERROR = 101
    M_UNSUPPORTED_MESSAGE = 109
    M_UNSUPPORTED_VERSION = 110
    P_PARAMETER_ERROR = 200
    P_FIELD_ERROR = 201
    P_UNEXPECTED_PARAMETER = 202
    P_MISSING_PARAMETER = 203
    P_OVERFLOW_PARAMETER = 205
    P_UNKNOWN_PARAMETER = 207
    P_UNSUPPORTED_PARAMETER = 209
    A_INVALID = 300
    A_OUT_OF_RANGE = 301
    R_DEVICE_ERROR = 401


class FramingError(Exception):
    """A header claims a length that no request can have: the stream is lost."""


class Frame(NamedTuple):
    """One message as it came, without its ten header bytes."""

    version: int
    type: int
    message_id: int
    body: bytes


class Parameter(NamedTuple):
    """One TLV parameter; `body` is what follows its four header bytes."""

    type: int
    body: bytes


class RequestError(Exception):
    """A request that the reader cannot carry out, as its LLRPStatus will say it."""

    def __init__(self, code: Status, text: str = "", detail: bytes = b"") -> None:
        super().__init__(text or code.name)
        self.code = code
        self.text = text
        self.detail = detail

    def encode(self) -> bytes:
        """Return the LLRPStatus parameter."""
        return llrp_status(self.code, self.text, self.detail)


class FrameCutter:
    """Cuts frames out of a byte stream, however the bytes are split."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield every frame that is complete now; raises FramingError when the stream is lost."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            first, length, message_id = HEADER.unpack_from(self._buffer)
            if not HEADER.size <= length <= REQUEST_BYTES_MAX:
                raise FramingError(f"a frame of {length} bytes")
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[HEADER.size : length])
            del self._buffer[:length]
            yield Frame((first >> 10) & 7, first & TYPE_MASK, message_id, body)


def frame(message_type: int, message_id: int, body: bytes = b"") -> bytes:
    """Return a whole frame of protocol version 1."""
    first = VERSION << 10 | message_type
    return HEADER.pack(first, HEADER.size + len(body), message_id) + body


def tlv(parameter_type: int, body: bytes = b"") -> bytes:
    """Return one TLV parameter."""
    return struct.pack("!HH", parameter_type, 4 + len(body)) + body


def custom(vendor: int, subtype: int, body: bytes = b"") -> bytes:
    """Return one vendor parameter."""
    return tlv(ParameterType.CUSTOM, struct.pack("!II", vendor, subtype) + body)


def llrp_status(code: Status = Status.SUCCESS, text: str = "", detail: bytes = b"") -> bytes:
    """Return an LLRPStatus parameter, with a FieldError or ParameterError as `detail`."""
    words = text.encode()
    body = struct.pack("!HH", code, len(words)) + words + detail
    return tlv(ParameterType.LLRP_STATUS, body)


def field_error(number: int, code: Status = Status.A_INVALID) -> bytes:
    """Return a FieldError: which field of its parameter or message, counted from 0."""
    return tlv(ParameterType.FIELD_ERROR, struct.pack("!HH", number, code))


def parameter_error(parameter_type: int, code: Status, nested: bytes = b"") -> bytes:
    """Return a ParameterError that names a parameter type and what is wrong with it."""
    body = struct.pack("!HH", parameter_type, code) + nested
    return tlv(ParameterType.PARAMETER_ERROR, body)


def bad_parameter(parameter_type: int, code: Status, text: str = "") -> RequestError:
    """Return the refusal of a whole parameter."""
    return RequestError(Status.M_PARAMETER_ERROR, text, parameter_error(parameter_type, code))


def bad_field(
    parameter_type: int, number: int, text: str = "", code: Status = Status.A_INVALID
) -> RequestError:
    """Return the refusal of one field of a parameter."""
    nested = field_error(number, code)
    detail = parameter_error(parameter_type, Status.P_FIELD_ERROR, nested)
    return RequestError(Status.M_PARAMETER_ERROR, text, detail)


def bad_message_field(number: int, text: str, code: Status = Status.A_INVALID) -> RequestError:
    """Return the refusal of a field that stands in the message itself."""
    return RequestError(Status.M_FIELD_ERROR, text, field_error(number, code))


def parameters(data: bytes, inside: int = 0) -> Iterator[Parameter]:
    """Yield the TLV parameters of `data`, which lies in parameter type `inside` (0: message)."""
    position = 0
    while position < len(data):
        if data[position] & 0x80:
            raise bad_parameter(data[position] & 0x7F, Status.P_UNEXPECTED_PARAMETER, "TV")
        if position + 4 > len(data):
            raise bad_parameter(inside, Status.P_PARAMETER_ERROR, "cut short")
        first, length = struct.unpack_from("!HH", data, position)
        kind = first & TYPE_MASK
        if length < 4 or position + length > len(data):
            raise bad_parameter(kind, Status.P_PARAMETER_ERROR, "length does not fit")
        yield Parameter(kind, data[position + 4 : position + length])
        position += length


def fields(layout: str, data: bytes, inside: int) -> tuple[int, ...]:
    """Unpack the fixed fields at the start of a parameter of type `inside`."""
    if len(data) < struct.calcsize(layout):
        raise bad_parameter(inside, Status.P_PARAMETER_ERROR, "too short for its fields")
    return struct.unpack_from(layout, data)


def message_fields(layout: str, data: bytes) -> tuple[int, ...]:
    """Unpack the fixed fields at the start of a message body."""
    if len(data) < struct.calcsize(layout):
        raise bad_message_field(0, "too short for its fields")
    return struct.unpack_from(layout, data)


def unexpected(parameter: Parameter, inside: int) -> RequestError:
    """Return the refusal of a parameter that does not belong where it stands."""
    known = parameter.type in ParameterType.__members__.values()
    code = Status.P_UNEXPECTED_PARAMETER if known else Status.P_UNKNOWN_PARAMETER
    return bad_parameter(parameter.type, code, f"not expected inside {inside}")
