"""What the core says, checked: the down half of docs/asyncapi.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias, get_args

from gateway.uplink.outbox import Result, ResultStatus

SEQ_MAX = (1 << 53) - 1
RESULTS_MAX = 500
"""Results in one ack, as the contract says."""

KEY_MAX = 128
_KEY = re.compile(rf"[^\x00-\x1f\x7f]{{1,{KEY_MAX}}}")
"""A code of the site's own, as the contract says."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

NESTING_ERRORS = (ValueError, RecursionError)
"""What `json` raises at nonsense; the second at brackets nested without end."""

Object: TypeAlias = Mapping[str, Any]
STATUSES: dict[str, ResultStatus] = {status: status for status in get_args(ResultStatus)}


class BadPayloadError(ValueError):
    """A payload against the contract; says which field and why."""


class CoreHello(NamedTuple):
    """How far the core is in an epoch."""

    epoch: str
    high_water: int


class Ack(NamedTuple):
    """What the core has committed, and what became of records."""

    epoch: str
    high_water: int
    results: tuple[Result, ...]


class Request(NamedTuple):
    """A command to this gateway."""

    id: str
    command: str
    args: Object


def parse_object(payload: bytes) -> Object:
    """A JSON object; BadPayloadError if it is none."""
    try:
        value = json.loads(payload)
        if b"\\u" in payload:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair fails here
    except NESTING_ERRORS as error:
        raise BadPayloadError(f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadPayloadError("no JSON object")
    return value


def text_of(value: Object, name: str, default: str | None = None) -> str:
    """A field that is a string, not empty; `default` if it may be absent."""
    found = value.get(name, default)
    if not isinstance(found, str) or (not found and default is None):
        raise BadPayloadError(f"{name}: a string is wanted")
    return found


def key_of(value: Object, name: str) -> str:
    """A field that is a key of the contract: what stands in records must be one."""
    found = value.get(name)
    if not isinstance(found, str) or not _KEY.fullmatch(found):
        raise BadPayloadError(f"{name}: a key of 1 to {KEY_MAX} characters is wanted")
    return found


def bounded_text_of(value: Object, name: str, characters_max: int) -> str:
    """A field that is a line of text for a record: not empty, of printable characters."""
    found = value.get(name)
    if (
        not isinstance(found, str)
        or not 1 <= len(found) <= characters_max
        or _CONTROL.search(found)
    ):
        raise BadPayloadError(f"{name}: a line of 1 to {characters_max} characters is wanted")
    return found


def whole_of(value: Object, name: str, least: int = 0, default: int | None = None) -> int:
    """A field that is an integer of at least `least`; `default` if it may be absent."""
    found = value.get(name, default)
    if type(found) is not int or not least <= found <= SEQ_MAX:
        raise BadPayloadError(f"{name}: an integer from {least} is wanted")
    return found


def flag_of(value: Object, name: str, default: bool | None = None) -> bool:
    """A field that is true or false; `default` if it may be absent."""
    found = value.get(name, default)
    if not isinstance(found, bool):
        raise BadPayloadError(f"{name}: true or false is wanted")
    return found


def parse_hello(payload: bytes) -> CoreHello:
    """The core's hello."""
    value = parse_object(payload)
    return CoreHello(text_of(value, "epoch"), whole_of(value, "hw"))


def parse_ack(payload: bytes) -> Ack:
    """The core's ack; results that are not understood make the whole message bad."""
    value = parse_object(payload)
    results = value.get("results", [])
    if not isinstance(results, list) or len(results) > RESULTS_MAX:
        raise BadPayloadError(f"results: a list of at most {RESULTS_MAX} is wanted")
    high_water = whole_of(value, "hw")
    parsed = tuple(_result(result, high_water) for result in results)
    return Ack(text_of(value, "epoch"), high_water, parsed)


def _result(value: object, high_water: int) -> Result:
    if not isinstance(value, dict):
        raise BadPayloadError("results: objects are wanted")
    status = STATUSES.get(str(value.get("status")))
    if status is None:
        raise BadPayloadError(f"status: {value.get('status')!r} is not known")
    seq = whole_of(value, "seq", 1)
    if seq > high_water:
        raise BadPayloadError(f"results: seq {seq} is above hw {high_water}")
    number, reason = value.get("core_document_no"), value.get("reason")
    for name, found in (("core_document_no", number), ("reason", reason)):
        if not isinstance(found, str | None):
            raise BadPayloadError(f"{name}: a string is wanted")
    return Result(seq, status, number, reason)


def parse_request(payload: bytes) -> Request:
    """A command; which commands there are is not decided here."""
    value = parse_object(payload)
    args = value.get("args", {})
    if not isinstance(args, dict):
        raise BadPayloadError("args: an object is wanted")
    return Request(text_of(value, "id"), text_of(value, "command"), args)
