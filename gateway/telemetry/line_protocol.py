r"""Write InfluxDB line protocol: `measurement,tag=value field=value unix_ns`.

The writer is total: whatever text it is given, the line it makes means one point with the tags
and fields asked for. Line protocol has no way to write a backslash before a separator, nor a
control character in a key, so there a backslash becomes `/` and a control character `_`; string
fields keep both.

Source: the line protocol reference of InfluxDB 1 and 2, and what influxd 1.6.7 takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import TypeAlias

from gateway.ports import Sample

FieldValue: TypeAlias = int | float | str

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

SERIES_CACHED_MAX = 4096
"""Series keys kept escaped: four times what one gateway writes, about 1 MB when full."""

_CONTROL = dict.fromkeys([*map(chr, range(32)), "\x7f"], "_")
_IN_MEASUREMENT = str.maketrans({**_CONTROL, "\\": "/", ",": r"\,", " ": r"\ "})
_IN_KEY = str.maketrans({**_CONTROL, "\\": "/", ",": r"\,", " ": r"\ ", "=": r"\="})
_IN_STRING = str.maketrans({"\\": "\\\\", '"': '\\"'})


@lru_cache(maxsize=SERIES_CACHED_MAX)
def series_key(measurement: str, *tags: tuple[str, str]) -> str:
    """Return the escaped `measurement,tag=value` part; tags without key or value are left out.

    ValueError for an empty measurement: that is a bug of the caller.
    """
    if not measurement:
        msg = "a measurement needs a name"
        raise ValueError(msg)
    name = measurement.translate(_IN_MEASUREMENT)
    if name.startswith("#"):  # would make the line a comment
        name = f"_{name[1:]}"
    parts = [f"{_key(key)}={_key(value)}" for key, value in sorted(tags) if key and value]
    return ",".join([name, *parts])


def line(series: str, fields: Mapping[str, FieldValue], at_unix_ns: int) -> bytes | None:
    """Return one line for an escaped series, or None when no field can be written.

    Infinite and undefined floats, and integers beyond 64 bits, cannot be written and are left out.
    """
    texts = [
        f"{_key(key)}={text}"
        for key, value in fields.items()
        if key and (text := _field(value)) is not None
    ]
    if not texts:
        return None
    return f"{series} {','.join(texts)} {at_unix_ns}".encode(errors="replace")


def encode(sample: Sample) -> bytes | None:
    """Return the line of one sample, or None when it has no field that can be written."""
    series = series_key(sample.measurement, *sorted(sample.tags.items()))
    return line(series, sample.fields, sample.at_unix_ns)


@lru_cache(maxsize=SERIES_CACHED_MAX)
def _key(text: str) -> str:
    return text.translate(_IN_KEY)


def _field(value: FieldValue) -> str | None:
    if isinstance(value, str):
        return f'"{value.translate(_IN_STRING)}"'
    if isinstance(value, int):
        return f"{int(value)}i" if INT64_MIN <= value <= INT64_MAX else None
    return repr(float(value)) if isfinite(value) else None
