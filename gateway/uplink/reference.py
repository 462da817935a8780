"""Reference data from the retained topics: items, locations, book stock, expected sets, tasks,
badges.
"""

from __future__ import annotations

from gateway.model import Badge, BookStock, ExpectedSet, Reference, ReferenceDeleted
from gateway.uplink.book import parse_book
from gateway.uplink.master import HEX_DIGITS, hex_list, parse_item, parse_location
from gateway.uplink.messages import BadPayloadError, Object, parse_object, text_of, whole_of
from gateway.uplink.task import parse_task
from gateway.uplink.topics import decode_key

EPCS_MAX = 4096
EPC_DIGITS_MAX = 124
SCAN_MAX = 256
"""As the contract says."""


def parse_reference(path: str, payload: bytes) -> Reference:
    """What `item/{code}`, `location/{code}`, `book/{location}`, `badge/{code}` or `task/{id}` says;
    an empty payload takes it back.

    What it was that a deleted `task/{id}` named, a task or an expected set, the catalogue knows.
    BadPayloadError if the payload is against the contract.
    """
    kind, _, level = path.partition("/")
    try:
        key = decode_key(level)
    except UnicodeDecodeError:
        raise BadPayloadError("the key in the topic is not UTF-8") from None
    if not payload:
        return _deleted(kind, key)
    value = parse_object(payload)
    version = whole_of(value, "version", 1)
    named = text_of(value, "task_id" if kind == "task" else "code")
    if named != key:
        raise BadPayloadError(f"the payload names {named!r}, the topic {key!r}")
    if kind == "item":
        return parse_item(key, value, version)
    if kind == "location":
        return parse_location(key, value, version)
    if kind == "book":
        return BookStock(key, parse_book(value), version)
    if kind == "badge":
        return _badge(key, value, version)
    if value.get("type") == "expected":
        return _expected(key, value, version)
    return parse_task(key, value, version)


def _deleted(kind: str, key: str) -> ReferenceDeleted:
    if kind == "item":
        return ReferenceDeleted("item", key)
    if kind == "book":
        return ReferenceDeleted("book", key)
    if kind == "badge":
        return ReferenceDeleted("badge", key)
    return ReferenceDeleted("location" if kind == "location" else "task", key)


def _badge(code: str, value: Object, version: int) -> Badge:
    scan, epc = text_of(value, "scan", ""), text_of(value, "epc", "")
    if len(scan) > SCAN_MAX:
        raise BadPayloadError(f"scan: at most {SCAN_MAX} characters are wanted")
    if len(epc) > EPC_DIGITS_MAX or not HEX_DIGITS.issuperset(epc):
        raise BadPayloadError("epc: lower-case hex digits are wanted")
    return Badge(code, text_of(value, "actor"), scan, epc, version)


def _expected(code: str, value: Object, version: int) -> ExpectedSet:
    direction = text_of(value, "direction")
    if direction not in ("in", "out"):
        raise BadPayloadError("direction: in or out is wanted")
    return ExpectedSet(
        code=code,
        portal=text_of(value, "portal"),
        direction="in" if direction == "in" else "out",
        epcs=frozenset(hex_list(value, "epcs", EPCS_MAX)),
        version=version,
    )
