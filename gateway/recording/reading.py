"""Reads a recording, and refuses what it does not understand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from gateway.model import Ns
from gateway.recording.words import (
    FACTS,
    FORMAT,
    REFERENCES,
    End,
    Fed,
    Head,
    Known,
    Line,
    RuleRow,
    Woken,
)

LINE_MAX_BYTES = 8 * 1024 * 1024
"""A report of 50,000 tags; a longer line is no recording."""


class RecordingError(Exception):
    """The recording is not to be read; names file, line and what was expected."""


def read_recording(path: Path) -> Iterator[Line]:
    """All lines in order, the head first and the end last; RecordingError at the first wrong one.

    The file is read as it is asked for, so its length does not matter.
    """
    try:
        with path.open("rb") as file:
            yield from _lines(path, file)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error


def _lines(path: Path, file: BinaryIO) -> Iterator[Line]:
    order = 0
    number = 0
    for number, text in enumerate(iter(lambda: file.readline(LINE_MAX_BYTES + 1), b""), start=1):
        try:
            line = _parse(text)
            order = _next_order(order, line)
        except ValueError as error:
            raise RecordingError(f"{path}:{number}: {error}") from None
        yield line
    if order != _ORDER[End]:
        raise RecordingError(f"{path}:{number + 1}: cut off: expected an end line")


_ORDER: dict[type, int] = {Head: 1, RuleRow: 2, Known: 2, Fed: 3, Woken: 3, End: 4}


def _next_order(order: int, line: Line) -> int:
    """Where in the recording the line stands; ValueError if it cannot stand there."""
    place = _ORDER[type(line)]
    if order == 0 and place != 1:
        raise ValueError("expected the head of a recording")
    if order == _ORDER[End]:
        raise ValueError("nothing may follow the end")
    if place < order or order == place == 1:
        raise ValueError("a line of this kind cannot stand after those before it")
    return place


def _parse(text: bytes) -> Line:
    """One line; ValueError says what is wrong with it."""
    if len(text) > LINE_MAX_BYTES:
        raise ValueError(f"longer than {LINE_MAX_BYTES} bytes")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - wrong input, not a bug
    for mark, parse in _PARSERS.items():
        if mark in content:
            return parse(content.pop(mark), content)
    raise ValueError(f"expected one of the keys {', '.join(_PARSERS)}")


def _parse_head(version: Any, content: dict[str, Any]) -> Line:
    if version != FORMAT:
        raise ValueError(f"format {version!r}; this release reads {FORMAT}")
    head: Head = _build(Head, content)
    return head


def _parse_row(row: Any, content: dict[str, Any]) -> Line:
    _nothing_else(content)
    if not isinstance(row, dict):
        raise ValueError("row: expected an object")  # noqa: TRY004 - wrong input, not a bug
    built: RuleRow = _build(RuleRow, row)
    return built


def _parse_known(kind: Any, content: dict[str, Any]) -> Line:
    return Known(_build(_named(kind, REFERENCES), content))


def _parse_fact(kind: Any, content: dict[str, Any]) -> Line:
    at = _moment("at", content.pop("at", None))
    return Fed(at, _build(_named(kind, FACTS), content))


def _parse_wake(at: Any, content: dict[str, Any]) -> Line:
    _nothing_else(content)
    return Woken(_moment("wake", at))


def _parse_end(at: Any, content: dict[str, Any]) -> Line:
    _nothing_else(content)
    return End(_moment("end", at))


_PARSERS: dict[str, Callable[[Any, dict[str, Any]], Line]] = {
    "shelfgate_recording": _parse_head,
    "row": _parse_row,
    "reference": _parse_known,
    "fact": _parse_fact,
    "wake": _parse_wake,
    "end": _parse_end,
}


def _nothing_else(content: dict[str, Any]) -> None:
    if content:
        raise ValueError(f"{next(iter(content))}: unknown key")


def _moment(key: str, value: Any) -> Ns:
    if type(value) is not int:
        raise ValueError(f"{key}: expected nanoseconds as an integer")
    return value


def _named(name: Any, known: Mapping[str, type]) -> type:
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"no fact {name!r}; expected one of {', '.join(known)}")
    return known[name]


def _build(kind: type, content: dict[str, Any]) -> Any:
    """The value that an object of a line stands for."""
    strange = sorted(content.keys() - {field.name for field in fields(kind)})
    if strange:
        raise ValueError(f"{strange[0]}: unknown key of {kind.__name__}")
    try:
        return _adapter(kind).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}") from None


@lru_cache(maxsize=64)
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
