"""Where each key of a TOML file stands, so that an error can name its line.

`tomllib` tells values but no positions. This reads only headers and keys; what it does not
understand it leaves out, and the error then names the table's line.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"' ]+?)\s*=\s*(.*)$")
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*$")


def key_lines(text: str) -> dict[Path, int]:
    """Map each key path (array tables with their index) to its line, from 1."""
    lines: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if depth > 0:
            depth += _brackets(line)
            continue
        header = _HEADER.match(line)
        if header:
            table = _table(header.group(1), _split(header.group(2)), counts)
            lines.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            lines[table + _split(key.group(1))] = number
            depth = _brackets(key.group(2))
    return lines


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of a key, or of the nearest table around it that stands in the file."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _table(brackets: str, name: Path, counts: dict[Path, int]) -> Path:
    path: Path = ()
    for index, part in enumerate(name):
        path = (*path, part)
        last = index == len(name) - 1
        if last and brackets == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _split(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _brackets(rest: str) -> int:
    """How many brackets stay open after this line, strings and comments aside."""
    bare = _STRING.sub("", rest)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
