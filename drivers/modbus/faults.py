"""Says once when a unit falls into a fault or comes out of it.

For the gateway a fault belongs to the whole link: it is active as long as any unit has it, and its
detail names them all. It is over when every unit is known to be without it; that is said on a
first start too, since an alert of an earlier run may still stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from gateway.model import DeviceFault

FaultCode: TypeAlias = Literal["unit_silent", "self_test_failed", "values_stale"]


class FaultBoard:
    """The faults of all units of one link.

    Until a unit has answered nothing is told: a link on which nobody answers is down, and a fault
    told of it would look like a sign of life.
    """

    def __init__(self, device: str, units: int) -> None:
        self._device = device
        self._units = units
        self._answered = False
        self._standing: dict[FaultCode, dict[int, str]] = {}

    def connect(self) -> None:
        """A new connection on which nobody has answered yet."""
        self._answered = False

    def note(
        self, unit: int, faults: Mapping[FaultCode, str], *, answered: bool
    ) -> list[DeviceFault]:
        """Note a unit's faults (detail, or "" for none); return what is to be told now."""
        changed = [code for code, detail in faults.items() if self._change(unit, code, detail)]
        if not (self._answered or answered):
            return []
        if not self._answered:
            self._answered = True
            changed = list(self._standing)
        told = [self._told(code) for code in changed]
        return [fault for fault in told if fault is not None]

    def _change(self, unit: int, code: FaultCode, detail: str) -> bool:
        standing = self._standing.setdefault(code, {})
        changed = standing.get(unit) != detail
        standing[unit] = detail
        return changed

    def _told(self, code: FaultCode) -> DeviceFault | None:
        standing = self._standing[code]
        detail = "; ".join(f"unit {n}: {text}" for n, text in sorted(standing.items()) if text)
        if detail:
            return DeviceFault(self._device, code, detail=detail)
        if len(standing) == self._units:
            return DeviceFault(self._device, code, active=False)
        return None
