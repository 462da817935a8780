"""The lines of one drain, and the tables that they are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from gateway.telemetry.line_protocol import FieldValue, line, series_key

Key = TypeVar("Key", bound=Hashable)
Tally = TypeVar("Tally")

SERIES_MAX = 1024
"""Antennas, cells, devices, counters of one kind: four times a large gateway, so that a driver
that makes up names fills neither this process nor the server."""


class Table(dict[Key, Tally], Generic[Key, Tally]):
    """Tallies by key, made on first use. Beyond SERIES_MAX a tally is given out but never kept."""

    def __init__(self, make: Callable[[Key], Tally]) -> None:
        super().__init__()
        self._make = make
        self.refused = 0

    def __missing__(self, key: Key) -> Tally:
        tally = self._make(key)
        if len(self) < SERIES_MAX:
            self[key] = tally
        else:
            self.refused += 1
        return tally


class Labels:
    """Makes series keys that all carry the gateway's own tags."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = tuple(tags.items())

    def series(self, measurement: str, **tags: str) -> str:
        """Return the series key of a measurement (without its prefix) and its own tags."""
        return series_key(f"shelfgate_{measurement}", *self._tags, *tags.items())


class Page:
    """Lines that share one time stamp."""

    def __init__(self, at_unix_ns: int) -> None:
        self.lines: list[bytes] = []
        self._at_unix_ns = at_unix_ns

    def add(self, series: str, fields: Mapping[str, FieldValue]) -> None:
        """Write one line, unless no field of it can be written."""
        written = line(series, fields, self._at_unix_ns)
        if written is not None:
            self.lines.append(written)
