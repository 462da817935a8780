"""Pieces that were weighed to leave a place, before their movement is told. Part of the stock rule.

Not durable: after a restart the movement itself says it.
"""

from __future__ import annotations

from gateway.model import StepHeld
from rules.stock_line import Place
from rules.stock_lines import StockLines

HELD_MAX = 100
"""Steps that wait at once: more than hands at shelves. Of more, each is known when it is told."""


class HeldSteps:
    """Keeps `Line.held` of all lines."""

    def __init__(self, lines: StockLines) -> None:
        self._lines = lines
        self._steps: dict[str, StepHeld] = {}

    def hold(self, step: StepHeld) -> Place | None:
        """A step waits to be told: the place whose stock it lessens, if it does."""
        if step.quantity >= 0 or len(self._steps) >= HELD_MAX:
            return None
        place = (step.location, step.item)
        self._steps[step.movement_id] = step
        self._lines.line(place, step.uom).held -= step.quantity
        return place

    def release(self, identity: str) -> Place | None:
        """It is told, or was none: the place of a step that was held, if it has a line still."""
        step = self._steps.pop(identity, None)
        if step is None:
            return None
        place = (step.location, step.item)
        line = self._lines.get(place)
        if line is None:
            return None
        line.held += step.quantity
        return place
