"""Count: a weight step read as pieces.

The change is counted, not the total: with unit weight u, spread CV and scale noise s, the error
of k pieces in units of u has the deviation

    sd(k) = sqrt(k CV^2 + 2 (s / u)^2)

and P(right) = erf(0.5 / (sqrt 2 sd)). A step that is nearer to no pieces at all is no event; one
that does not resolve to a whole number says so with quantity 0, and leaves the count in doubt.

Then the total is asked, with that step and with each later one: n pieces lie there if the weight
says so as surely and within three deviations,

    sd(n) = sqrt(n CV^2 + (n SPREAD_MIN)^2 + (ZERO_SD_G / u)^2 + (s / u)^2)

and the change that is told is what makes the count right; where that is none, the step stays
unresolved. The total proves nothing after a zero that was commanded while parts lay there, until
one with nothing there; and it is not asked where tags book for themselves, since they have told of
what the weight has not. A count that is lost among parts too many, too light or too unlike comes
right when few of them are left, or not at all.

Source: counting-scale statistics (independent unit weights, two plateaus of noise s each).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import erf, sqrt
from typing import ClassVar

from pydantic import Field

from gateway.model import ActionDone, CountChange, Fact, Item, Ns, ReferenceDeleted, WeightStep
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

SPREAD_MIN = 0.005
"""No real part is more alike than half a per cent; a catalogue that says so is optimistic."""

ZERO_SD_G = 10.0
"""Zero of a cell wanders so far: 0.02 % of 50 kg in 10 K. Below about 40 g no total is sure."""


class CountSettings(PluginSettings):
    """Quick or sure: a higher bar leaves more steps unresolved and fewer wrong."""

    right_min: float = Field(0.95, gt=0.5, lt=1)
    nothing_below_units: float = Field(0.4, gt=0, lt=0.5)
    misfit_max_units: float = Field(0.3, gt=0, le=0.5)


@dataclass(slots=True)
class _Held:
    """What is known to lie on a cell: `doubtful` after an unresolved step, `zero_off` after a zero
    with parts on it.
    """

    on_hand: int = 0
    doubtful: bool = False
    zero_off: bool = False

    def row(self, cell: str) -> Row:
        value = {"on_hand": self.on_hand}
        value |= {"doubtful": 1} if self.doubtful else {}
        return Row(cell, value | ({"zero_off": 1} if self.zero_off else {}))


class Count:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = CountSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (WeightStep, Item, ReferenceDeleted, ActionDone)
    schema: ClassVar[int] = 1

    def __init__(self, settings: CountSettings, context: RuleContext) -> None:
        self._settings = settings
        self._planned = {cell.cell: cell.item for cell in context.site.cells}
        self._zones = {cell.cell: cell.zone for cell in context.site.cells}
        self._items: dict[str, Item] = {}
        self._held: dict[str, _Held] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the counts."""
        for row in rows:
            on_hand = row.value["on_hand"]
            assert isinstance(on_hand, int)
            self._held[row.key] = _Held(on_hand, "doubtful" in row.value, "zero_off" in row.value)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Read a step as pieces of the item planned on that cell."""
        del now
        if type(fact) is WeightStep:
            return self._count(fact)
        if type(fact) is Item:
            self._items[fact.code] = fact
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._items.pop(fact.code, None)
        elif type(fact) is ActionDone and fact.kind == "zero":
            return self._zeroed(fact)
        return NOTHING

    def _zeroed(self, done: ActionDone) -> Turn:
        held = self._held.get(done.cell)
        if held is None:
            return NOTHING
        held.zero_off = bool(held.on_hand or held.doubtful)
        return Turn(puts=(held.row(done.cell),))

    def _count(self, step: WeightStep) -> Turn:
        code = self._planned.get(step.cell) or ""
        item = self._items.get(code)
        if not code:
            return Turn(facts=(CountChange(step.cell, code, 0, 0, 0, step),))
        held = self._held.setdefault(step.cell, _Held())
        quantity, confidence = 0, 0
        if item is not None and item.unit_mg > 0:
            quantity, confidence = self._pieces(step, item)
            if quantity == 0 and confidence and step.cause != "first_start":
                return NOTHING
            if held.doubtful or not confidence:
                total = self._by_total(step, item, held)
                held.doubtful = total is None
                quantity, confidence = total or (quantity, confidence)
        else:
            held.doubtful = True
        held.on_hand += quantity
        change = CountChange(step.cell, code, quantity, held.on_hand, confidence, step)
        return Turn(facts=(change,), puts=(held.row(step.cell),))

    def _by_total(self, step: WeightStep, item: Item, held: _Held) -> tuple[int, int] | None:
        """What makes the count right, and confidence; None if the total does not resolve."""
        if held.zero_off or (item.epc_prefixes and self._zones[step.cell]):
            return None
        unit_g = item.unit_mg / 1000
        pieces = max(0, round(step.after_g / unit_g))
        noise = (ZERO_SD_G**2 + step.sd_g**2) / unit_g**2 + (pieces * SPREAD_MIN) ** 2
        deviation = sqrt(pieces * _spread(item) ** 2 + noise)
        confidence = self._confidence(step.after_g / unit_g - pieces, deviation, 3 * deviation)
        if not confidence:
            return None
        quantity = pieces - held.on_hand
        return quantity, confidence if quantity else 0

    def _pieces(self, step: WeightStep, item: Item) -> tuple[int, int]:
        """Quantity and confidence; (0, > 0) is surely nothing, (0, 0) does not resolve."""
        unit_g = item.unit_mg / 1000
        units = (step.after_g - step.before_g) / unit_g
        quantity = round(units)
        scale = step.sd_g / unit_g
        if abs(units) < self._settings.nothing_below_units:
            return 0, 990
        deviation = sqrt(max(1, abs(quantity)) * _spread(item) ** 2 + 2 * scale**2)
        misfit_max = max(3 * deviation, self._settings.misfit_max_units)
        confidence = self._confidence(units - quantity, deviation, misfit_max)
        return (quantity, confidence) if quantity and confidence else (0, 0)

    def _confidence(self, misfit: float, deviation: float, misfit_max: float) -> int:
        """P(right) in permille; 0 if it is too low, or the weight too far from whole pieces."""
        right = erf(0.5 / (sqrt(2) * deviation))
        if right < self._settings.right_min or abs(misfit) > min(0.5, misfit_max):
            return 0
        return min(995, int(1000 * right))


def _spread(item: Item) -> float:
    return max(SPREAD_MIN, item.unit_sd_mg / item.unit_mg)
