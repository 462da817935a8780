"""The measures and names that all words share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal, TypeAlias

Ns: TypeAlias = int
"""Nanoseconds of CLOCK_BOOTTIME. Never compared across two boots."""

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

ReadPoint: TypeAlias = str
"""One antenna of one reader, written `reader:antenna`, for example `dock-reader:2`."""

CellId: TypeAlias = str
"""One weighing cell of one transmitter, written `device:cell`, for example `shelf-1:3`."""

UNKNOWN_LOCATION = "unknown"
"""The end of a movement that this gateway cannot see."""

Severity: TypeAlias = Literal["info", "warning", "critical"]

Sense: TypeAlias = Literal["tags", "weight"]
"""By what a place is watched."""

MEASURES: Mapping[str, tuple[str, int]] = {
    "g": ("g", 1),
    "kg": ("g", 1000),
    "t": ("g", 1_000_000),
    "ml": ("ml", 1),
    "l": ("ml", 1000),
    "GRM": ("g", 1),
    "KGM": ("g", 1000),
    "TNE": ("g", 1_000_000),
    "MLT": ("ml", 1),
    "LTR": ("ml", 1000),
}
"""What each is in grams or millilitres; the three letters are those of UN/ECE recommendation 20."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def is_day(text: str) -> bool:
    """Whether it is a day of the calendar, such as `2027-03-31`. Such texts sort by time."""
    try:
        return bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False
