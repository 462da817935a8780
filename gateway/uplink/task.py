"""Tasks from the retained topics: one line of an order, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import TypeVar, get_args

from gateway.measure import DECIMAL
from gateway.model import UNKNOWN_LOCATION, OrderReference, Policy, Task, TaskKind
from gateway.uplink.messages import KEY_MAX, BadPayloadError, Object, key_of, whole_of

SERIALS_MAX = 4096
PRIORITY_MAX = 1000
TIMEOUT_S, TIMEOUT_MAX_S = 300, 86_400
PERMILLE_MAX = 1000
"""As the contract says."""

_WHAT = {"task_id", "version", "type", "order", "item", "quantity", "uom", "from", "to", "lot"}
_HOW = {"serials", "tolerance", "policy", "priority", "due", "timeout_s"}
_KINDS: dict[str, TaskKind] = {kind: kind for kind in get_args(TaskKind)}
_POLICIES: dict[str, Policy] = {policy: policy for policy in get_args(Policy)}

_SERIAL = re.compile(r"([0-9a-f]{2}){1,62}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", re.ASCII)

Word = TypeVar("Word", TaskKind, Policy)


def parse_task(code: str, value: Object, version: int) -> Task:
    """The task that a payload states; BadPayloadError names the first field that is wrong.

    A field that is not of the contract is refused: a task that is only half understood must not
    be worked off.
    """
    _known_only("", value, _WHAT | _HOW)
    quantity, amount, uom = _quantity(value)
    tolerance = _object(value, "tolerance", {})
    _known_only("tolerance.", tolerance, {"pieces", "permille"})
    from_location, to_location = _ends(value)
    return Task(
        code=code,
        kind=_word(value, "type", _KINDS, None),
        order=_order(value),
        item=key_of(value, "item"),
        quantity=quantity,
        from_location=from_location,
        to_location=to_location,
        lot=key_of(value, "lot") if "lot" in value else None,
        serials=_serials(value, None if amount else quantity),
        tolerance_pieces=whole_of(tolerance, "pieces", 0, 0),
        tolerance_permille=_bounded(tolerance, "permille", 0, PERMILLE_MAX, 0),
        policy=_word(value, "policy", _POLICIES, "warning"),
        priority=_bounded(value, "priority", 0, PRIORITY_MAX, 0),
        due_s=_second(value, "due") if "due" in value else None,
        timeout_s=_bounded(value, "timeout_s", 1, TIMEOUT_MAX_S, TIMEOUT_S),
        version=version,
        amount=amount,
        uom=uom,
    )


def _quantity(value: Object) -> tuple[int, str, str]:
    """How many, or a decimal and its unit as they are told: what that comes to, its item says."""
    if "uom" not in value and not isinstance(value.get("quantity"), str):
        return whole_of(value, "quantity", 1), "", ""
    found = value.get("quantity")
    amount = str(found) if type(found) is int else found
    if not isinstance(amount, str) or not DECIMAL.fullmatch(amount) or Decimal(amount) <= 0:
        raise BadPayloadError("quantity: a number above 0 is wanted, a decimal as a string")
    return 0, amount, key_of(value, "uom") if "uom" in value else ""


def _known_only(place: str, value: Object, known: Collection[str]) -> None:
    strange = sorted(value.keys() - set(known))
    if strange:
        raise BadPayloadError(f"{place}{strange[0]:.{KEY_MAX}}: this field is not known")


def _object(value: Object, name: str, default: Object | None = None) -> Object:
    found = value.get(name, default)
    if not isinstance(found, dict):
        raise BadPayloadError(f"{name}: an object is wanted")
    return found


def _word(value: Object, name: str, known: dict[str, Word], default: str | None) -> Word:
    found = value.get(name, default)
    if not isinstance(found, str) or found not in known:
        raise BadPayloadError(f"{name}: one of {', '.join(known)} is wanted")
    return known[found]


def _bounded(value: Object, name: str, least: int, most: int, default: int) -> int:
    found = whole_of(value, name, least, default)
    if found > most:
        raise BadPayloadError(f"{name}: at most {most} is wanted")
    return found


def _order(value: Object) -> OrderReference:
    order = _object(value, "order")
    _known_only("order.", order, OrderReference.__slots__)
    system, kind, number = (key_of(order, name) for name in ("system", "type", "number"))
    return OrderReference(system, kind, number, key_of(order, "line") if "line" in order else "")


def _ends(value: Object) -> tuple[str, str]:
    """Both ends: one at least is a place that can be seen, and they are not the same."""
    ends = []
    for name in ("from", "to"):
        end = _object(value, name, {"location": UNKNOWN_LOCATION})
        _known_only(f"{name}.", end, {"location"})
        ends.append(key_of(end, "location"))
    if ends[0] == ends[1]:
        raise BadPayloadError("from, to: two places are wanted, one of which may be unknown")
    return ends[0], ends[1]


def _serials(value: Object, quantity: int | None) -> tuple[str, ...]:
    found = value.get("serials", [])
    if not isinstance(found, list) or len(found) > SERIALS_MAX:
        raise BadPayloadError(f"serials: a list of at most {SERIALS_MAX} is wanted")
    for each in found:
        if not isinstance(each, str) or not _SERIAL.fullmatch(each):
            raise BadPayloadError("serials: EPCs in lower-case hex, whole bytes, are wanted")
    if found and quantity is not None and len(set(found)) != quantity:
        raise BadPayloadError("serials: as many different ones as the quantity are wanted")
    if len(found) != len(set(found)):
        raise BadPayloadError("serials: one stands twice")
    return tuple(found)


def _second(value: Object, name: str) -> int:
    """Seconds since 1970, UTC, rounded down."""
    found = value[name]
    parts = _TIME.fullmatch(found) if isinstance(found, str) else None
    try:
        if parts is not None:
            return int(datetime.fromisoformat(f"{parts[1]}+00:00").timestamp())
    except ValueError:
        pass  # a 30 February: no time either
    raise BadPayloadError(f"{name}: a time of RFC 3339 in UTC with a Z is wanted")
