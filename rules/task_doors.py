"""Doors of gates: a load is through when the door is closed after it, and its task waits no more.

Of a task whose place several gates with doors lead to, all of them. What passes while a door says
that it is closed proves its contact wrong: then it ends nothing. Not durable: after a restart a
door counts once it is moved. Part of the task rule.
"""

from __future__ import annotations

from gateway.model import InputChange, Ns, Portal, Site
from rules.task_open import OpenTask


class Doors:
    """See the module."""

    def __init__(self, site: Site) -> None:
        self._gates = [gate for gate in site.portals if gate.door]
        self._closed: dict[str, Ns] = {}

    def moved(self, now: Ns, change: InputChange) -> bool:
        """An input changed; whether it is that of a door."""
        door = f"{change.device}:{change.port}"
        gates = [gate for gate in self._gates if gate.door == door]
        for gate in gates:
            if change.level == gate.closed_level:
                self._closed.setdefault(gate.portal, now)
            else:
                self._closed.pop(gate.portal, None)
        return bool(gates)

    def closed_after(self, opened: OpenTask) -> Ns | None:
        """When the door was closed after the last act of a task; None if it was not."""
        gates = [gate for gate in self._gates if _leads(gate, opened)]
        if not gates or any(gate.portal not in self._closed for gate in gates):
            return None
        closed = max(self._closed[gate.portal] for gate in gates)
        return closed if closed >= opened.work.last else None


def _leads(gate: Portal, opened: OpenTask) -> bool:
    """Whether the task goes through that gate."""
    course = opened.course
    ends = {gate.outside, gate.inside}
    return course.counted in ends and (not course.other or course.other in ends)
