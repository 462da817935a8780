"""The durable form of what waits: short, since it is written with each change of it. Part of the
movement rule.

A row has the fields in their order (`is`), those with their default at the end left out, and the
boot in which it was written. Moments are told from `decided_at` or `told_at`; when the wait ends is
not kept, because it begins anew. Rows of earlier releases have the fields by their names.
"""

from __future__ import annotations

from dataclasses import MISSING, astuple, fields
from typing import Any

from gateway.model import Ns
from gateway.ports import Row
from rules.act import WaitingStep, WaitingTag

FIELDS, BOOT, DUE = "is", "boot", "due"

_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in (WaitingStep, WaitingTag)}
_DEFAULTS = {
    kind: tuple(field.default for field in fields(kind)) for kind in (WaitingStep, WaitingTag)
}
_ORIGIN = {WaitingStep: "decided_at", WaitingTag: "told_at"}
_MOMENTS = {WaitingStep: ("at", "known_at"), WaitingTag: ("at", "since")}


def row_of(waiting: WaitingStep | WaitingTag, boot: str) -> Row:
    """Its row."""
    kind = type(waiting)
    said: dict[str, Any] = dict(zip(_NAMES[kind], astuple(waiting), strict=True))
    said[DUE] = 0
    for name in _MOMENTS[kind]:
        said[name] -= said[_ORIGIN[kind]]
    values, defaults = list(said.values()), _DEFAULTS[kind]
    while values and defaults[len(values) - 1] is not MISSING:
        if values[-1] != defaults[len(values) - 1]:
            break
        values.pop()
    return Row(waiting.key, {FIELDS: values, BOOT: boot})


def fields_of(row: Row, kind: type[WaitingStep | WaitingTag], due: Ns) -> dict[str, Any]:
    """What a row says, by the names of the fields, and `boot`; it waits until `due`."""
    value: dict[str, Any] = dict(row.value)
    if FIELDS in value:
        said = dict(zip(_NAMES[kind], value.pop(FIELDS), strict=False))
        origin = said.get(_ORIGIN[kind], 0)
        for name in _MOMENTS[kind]:
            said[name] = said.get(name, -origin) + origin
        value = {**said, BOOT: value[BOOT]}
    return {**value, DUE: due}
