"""One byte string for one value: the JSON that is hashed, kept and sent.

Keys sorted, no spaces, UTF-8, nothing escaped but what JSON demands. For values of integers,
strings, booleans, lists and objects with keys of the Basic Multilingual Plane this is RFC 8785.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Canonical: TypeAlias = "bool | int | str | Sequence[Canonical] | Mapping[str, Canonical]"

INTEGER_MAX = (1 << 53) - 1
"""Beyond this a peer that reads JSON numbers as doubles would see another number (RFC 8785)."""

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def canonical(value: Mapping[str, Canonical]) -> bytes:
    """The canonical bytes of a record; ValueError if it holds what a record may not hold."""
    _check(value)
    return _encode(value).encode()


def _check(value: object) -> None:
    """Refuse floats, null, integers that a double cannot hold, and keys that are no strings."""
    kind = type(value)
    if kind is str or kind is bool:
        return
    if kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:  # type: ignore[operator] # an int, see above
            raise ValueError(f"{value} is beyond 2^53 - 1")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if type(key) is not str:
                raise ValueError(f"key {key!r} is not a string")
            if type(inner) is not str:
                _check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            if type(inner) is not str:
                _check(inner)
    else:
        raise ValueError(f"{value!r} has no place in a record: integers and strings only")
