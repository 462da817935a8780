"""The tree of locations: what lies in what, from the site down to the bin.

A location may lie in one of any kind further out; where kinds are not told, anywhere but in itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from gateway.model import Location, LocationKind

KINDS: tuple[LocationKind, ...] = get_args(LocationKind)


def misplaced(location: Location, known: Mapping[str, Location]) -> str | None:
    """Why it cannot lie where it says, among those known; None if it can."""
    if not location.parent:
        return None
    parent = known.get(location.parent)
    if location.parent == location.code:
        return f"parent: {location.code!r} cannot lie in itself"
    if parent is None:
        return f"parent: no location {location.parent!r} is known"
    around = [each.code for each in ancestors(parent, known)]
    if location.code in around:
        way = " in ".join((location.code, *around[: around.index(location.code) + 1]))
        return f"parent: {location.code!r} cannot lie in itself ({way})"
    if location.kind and parent.kind and KINDS.index(parent.kind) >= KINDS.index(location.kind):
        return f"parent: a {location.kind} cannot lie in a {parent.kind} ({parent.code!r})"
    return None


def ancestors(location: Location, known: Mapping[str, Location]) -> list[Location]:
    """The location itself and what it lies in, from the inside out; it ends where a parent is not
    known, and where it would begin anew.
    """
    found = [location]
    while (parent := known.get(found[-1].parent)) is not None and parent not in found:
        found.append(parent)
    return found


def around(code: str, kind: str, known: Mapping[str, Location]) -> str:
    """The code of the nearest location of that kind which the location lies in or is, or ""."""
    location = known.get(code)
    if location is None:
        return ""
    return next((each.code for each in ancestors(location, known) if each.kind == kind), "")
