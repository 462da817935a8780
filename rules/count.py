"""Count: a weight step read as pieces.

The change is counted, not the total: with unit weight u, spread CV and scale noise s, the error
of k pieces in units of u has the deviation

    sd(k) = sqrt(k CV^2 + 2 (s / u)^2)

and P(right) = erf(0.5 / (sqrt 2 sd)). A step that is nearer to no pieces at all is no event; one
that does not resolve to a whole number says so with quantity 0.

Source: counting-scale statistics (independent unit weights, two plateaus of noise s each).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import erf, sqrt
from typing import ClassVar

from pydantic import Field

from gateway.model import CountChange, Fact, Item, Ns, ReferenceDeleted, WeightStep
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

SPREAD_MIN = 0.005
"""No real part is more alike than half a per cent; a catalogue that says so is optimistic."""


class CountSettings(PluginSettings):
    """Quick or sure: a higher bar leaves more steps unresolved and fewer wrong."""

    right_min: float = Field(0.95, gt=0.5, lt=1)
    nothing_below_units: float = Field(0.4, gt=0, lt=0.5)
    misfit_max_units: float = Field(0.3, gt=0, le=0.5)


class Count:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = CountSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (WeightStep, Item, ReferenceDeleted)
    schema: ClassVar[int] = 1

    def __init__(self, settings: CountSettings, context: RuleContext) -> None:
        self._settings = settings
        self._planned = {cell.cell: cell.item for cell in context.site.cells}
        self._items: dict[str, Item] = {}
        self._on_hand: dict[str, int] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the counts."""
        for row in rows:
            on_hand = row.value["on_hand"]
            assert isinstance(on_hand, int)
            self._on_hand[row.key] = on_hand

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Read a step as pieces of the item planned on that cell."""
        del now
        if type(fact) is WeightStep:
            return self._count(fact)
        if type(fact) is Item:
            self._items[fact.code] = fact
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._items.pop(fact.code, None)
        return NOTHING

    def _count(self, step: WeightStep) -> Turn:
        code = self._planned.get(step.cell) or ""
        item = self._items.get(code)
        on_hand = self._on_hand.get(step.cell, 0)
        if item is None or item.unit_mg <= 0:
            return Turn(facts=(CountChange(step.cell, code, 0, on_hand, 0, step),))
        quantity, confidence = self._pieces(step, item)
        if quantity == 0 and confidence:
            if step.cause != "first_start":
                return NOTHING
            confidence = 990
        on_hand += quantity
        self._on_hand[step.cell] = on_hand
        change = CountChange(step.cell, code, quantity, on_hand, confidence, step)
        return Turn(facts=(change,), puts=(Row(step.cell, {"on_hand": on_hand}),))

    def _pieces(self, step: WeightStep, item: Item) -> tuple[int, int]:
        """Quantity and confidence; (0, > 0) is surely nothing, (0, 0) does not resolve."""
        unit_g = item.unit_mg / 1000
        units = (step.after_g - step.before_g) / unit_g
        quantity = round(units)
        spread = max(SPREAD_MIN, item.unit_sd_mg / item.unit_mg)
        scale = step.sd_g / unit_g
        if abs(units) < self._settings.nothing_below_units:
            return 0, 990
        deviation = sqrt(max(1, abs(quantity)) * spread**2 + 2 * scale**2)
        right = erf(0.5 / (sqrt(2) * deviation))
        misfit = abs(units - quantity)
        misfit_max = max(3 * deviation, self._settings.misfit_max_units)
        if quantity == 0 or right < self._settings.right_min or misfit > min(0.5, misfit_max):
            return 0, 0
        return quantity, min(995, int(1000 * right))
