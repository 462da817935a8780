"""Writes the lines of a recording."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from gateway.model import BookDifference, BookLine, BookLot, Fact, Ns, OrderReference, Reference
from gateway.ports import Row
from gateway.recording.words import FACTS, FORMAT, Head


def head_line(head: Head) -> bytes:
    """The first line."""
    return _line({"shelfgate_recording": FORMAT} | _plain_fields(head))


def row_line(rule: str, schema: int, row: Row) -> bytes:
    """A rule's row at the beginning."""
    told = {"rule": rule, "schema": schema, "key": row.key, "value": row.value}
    return _line({"row": told})


def known_line(reference: Reference) -> bytes:
    """A reference fact at the beginning."""
    return _line({"reference": type(reference).__name__} | _plain_fields(reference))


def fact_line(at: Ns, fact: Fact) -> bytes:
    """One fact that the engine is fed."""
    return _line({"at": at, "fact": type(fact).__name__} | _plain_fields(fact))


def wake_line(at: Ns) -> bytes:
    """The engine is woken."""
    return _line({"wake": at})


def end_line(at: Ns) -> bytes:
    """The last line."""
    return _line({"end": at})


def _plain_fields(value: Any) -> dict[str, Any]:
    """The fields of a fact that are not as they are by default."""
    told = {}
    for name, default in _DEFAULTS[type(value)]:
        found = getattr(value, name)
        if found != default:
            told[name] = _plain(found)
    return told


def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (
            field.name,
            field.default if field.default_factory is MISSING else field.default_factory(),
        )
        for field in fields(kind)
    )


_INNER = (Head, OrderReference, BookLine, BookLot, BookDifference)
_DEFAULTS = {kind: _defaults(kind) for kind in (*_INNER, *FACTS.values())}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        if hasattr(value, "_field_defaults"):
            return _compact(value)
        return [_plain(inner) for inner in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return _plain_fields(value) if is_dataclass(value) else value


def _compact(value: Any) -> list[Any]:
    """A reading as a list, without the defaults at its end."""
    told = list(value)
    defaults: dict[str, Any] = value._field_defaults
    for name in reversed(value._fields):
        if name not in defaults or told[-1] != defaults[name]:
            break
        told.pop()
    return told


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _line(content: Mapping[str, Any]) -> bytes:
    return _encode(content).encode() + b"\n"
