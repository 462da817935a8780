"""The measures and names that all words share."""

from __future__ import annotations

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
