"""The control plane of LLRP, with sllurp as its dictionary.

sllurp knows the message and parameter layouts; it is asked for one whole frame or one message at
a time, and whatever it raises becomes a ProtocolError. What it cannot encode is packed here.
"""

import logging
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from sllurp.llrp import LLRPMessage

from gateway.ports import ProtocolError

from .frames import HEADER_BYTES, frame_of, id_of, shown, type_of

# What it would log, with a traceback for each bad frame, is in the ProtocolError already.
_dictionary_log = logging.getLogger("sllurp")
_dictionary_log.addHandler(logging.NullHandler())
_dictionary_log.propagate = False

Fields: TypeAlias = Mapping[str, Any]

# Message types (LLRP 1.1 section 16.1) that this driver tells apart or packs itself.
SET_READER_CONFIG = 3
CLOSE_CONNECTION_RESPONSE = 4
CLOSE_CONNECTION = 14
GET_ROSPECS = 26
GET_ROSPECS_RESPONSE = 36
KEEPALIVE = 62
READER_EVENT_NOTIFICATION = 63
ENABLE_EVENTS_AND_REPORTS = 64
KEEPALIVE_ACK = 72
ERROR_MESSAGE = 100
CUSTOM_MESSAGE = 1023

IMPINJ = 25882
_IMPINJ_ENABLE_EXTENSIONS = 21
_IMPINJ_LINK_MONITOR = 38

_LLRP_STATUS = 287
_ROSPEC = 177
_GPO_WRITE_DATA = 219
_EVENTS_AND_REPORTS = 226
_CUSTOM_PARAMETER = 1023


class Message(NamedTuple):
    """One decoded message: its name in the standard, its id, its fields."""

    name: str
    message_id: int
    fields: dict[str, Any]


class InstalledROSpec(NamedTuple):
    """What GET_ROSPECS tells of one ROSpec. `state` is 0 disabled, 1 inactive, 2 active;
    `content` is all of it, without the state.
    """

    rospec_id: int
    state: int
    content: bytes = b""


def encode(name: str, fields: Fields, message_id: int) -> bytes:
    """Encode a message by sllurp's dictionary; ProtocolError if it cannot."""
    try:
        frame: bytes = LLRPMessage(msgdict={name: {**fields, "ID": message_id}}).msgbytes
    except Exception as error:
        raise ProtocolError(f"{name} cannot be encoded: {error!r}") from error
    return frame


def decode(frame: bytes) -> Message:
    """Decode one whole frame; ProtocolError, with its first bytes, whatever is wrong with it."""
    try:
        message = LLRPMessage(msgbytes=frame)
        name = str(message.msgname)
        return Message(name, id_of(frame), message.msgdict[name])
    except Exception as error:
        raise ProtocolError(
            f"message of type {type_of(frame)} is malformed ({error!r}): {shown(frame)}"
        ) from error


def with_parameters(frame: bytes, *parameters: bytes) -> bytes:
    """Append parameters to an encoded frame. They must be the last ones by the standard's order."""
    body = frame[HEADER_BYTES:] + b"".join(parameters)
    return frame_of(type_of(frame), body, id_of(frame))


def parameter(kind: int, content: bytes) -> bytes:
    """Pack a TLV parameter (section 17.1.1)."""
    return struct.pack("!HH", kind, 4 + len(content)) + content


def hold_upon_reconnect(hold: bool) -> bytes:
    """EventsAndReports (section 13.2.6.4): hold everything after a reconnect until enabled."""
    return parameter(_EVENTS_AND_REPORTS, b"\x80" if hold else b"\x00")


def impinj_link_monitor(misses: int) -> bytes:
    """Let the reader drop a client that leaves `misses` keepalives unanswered."""
    return parameter(
        _CUSTOM_PARAMETER, struct.pack("!IIHH", IMPINJ, _IMPINJ_LINK_MONITOR, 1, misses)
    )


def set_output(port: int, level: bool, message_id: int) -> bytes:
    """SET_READER_CONFIG with one GPOWriteData (section 13.2.6.5) and nothing else."""
    write = parameter(_GPO_WRITE_DATA, struct.pack("!HB", port, 0x80 if level else 0))
    return frame_of(SET_READER_CONFIG, b"\x00" + write, message_id)


def enable_impinj_extensions(message_id: int) -> bytes:
    """IMPINJ_ENABLE_EXTENSIONS: vendor, subtype, 32 reserved bits."""
    body = struct.pack("!IBI", IMPINJ, _IMPINJ_ENABLE_EXTENSIONS, 0)
    return frame_of(CUSTOM_MESSAGE, body, message_id)


def installed_rospecs(frame: bytes) -> list[InstalledROSpec]:
    """Read a GET_ROSPECS_RESPONSE (section 10.1.12), which sllurp does not know.

    Raises ProtocolError if it is malformed or its status is not success.
    """
    found: list[InstalledROSpec] = []
    position = HEADER_BYTES
    succeeded = False
    while position < len(frame):
        kind, content, position = _next_parameter(frame, position)
        if kind == _LLRP_STATUS and content[:2] == b"\x00\x00":
            succeeded = True
        elif kind == _ROSPEC and len(content) >= 6:
            found.append(_rospec(content))
    if not succeeded:
        raise ProtocolError(f"GET_ROSPECS failed: {shown(frame)}")
    return found


def added_rospec(frame: bytes) -> InstalledROSpec:
    """Read back the ROSpec of an ADD_ROSPEC that was just encoded."""
    _, content, _ = _next_parameter(frame, HEADER_BYTES)
    return _rospec(content)


def _rospec(content: bytes) -> InstalledROSpec:
    """ROSpec (section 11.2.1): id, priority, current state, and what it does."""
    return InstalledROSpec(int.from_bytes(content[:4]), content[5], content[:5] + content[6:])


def _next_parameter(frame: bytes, position: int) -> tuple[int, bytes, int]:
    if len(frame) - position >= 4:
        kind, length = struct.unpack_from("!HH", frame, position)
        if 4 <= length <= len(frame) - position:
            return kind & 0x3FF, frame[position + 4 : position + length], position + length
    raise ProtocolError(f"a parameter overruns its message: {shown(frame)}")


def refusal(fields: Fields) -> str | None:
    """Say why a response is not a success, with the place that the reader names; None if it is."""
    status = fields.get("LLRPStatus")
    if not isinstance(status, Mapping):
        return "no status"
    if status.get("StatusCode") == "Success":
        return None
    description = status.get("ErrorDescription", b"")
    text = description.decode("utf-8", "replace") if isinstance(description, bytes) else ""
    place = {key: status[key] for key in ("FieldError", "ParameterError") if key in status}
    parts = [str(status.get("StatusCode", "unknown status")), text, str(place) if place else ""]
    return ", ".join(part for part in parts if part)
