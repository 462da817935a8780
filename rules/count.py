"""Count: a weight step read as pieces.

The change is counted, not the total: with unit weight u known from m pieces, spread CV and noise s
of a level, the error of k pieces in units of u has the deviation

    sd(k) = sqrt(k CV^2 + k^2 CV^2 / m + 2 (s / u)^2)

and the nearest whole number is right with the odds of its density to its neighbours' (`reading`). A
step that is nearer to no pieces at all is no event; one that does not resolve to a whole number
says so with quantity 0, and leaves the count in doubt.

Then the total is asked, with that step and with each later one: n pieces lie there if the weight
says so as surely and within three deviations, zero's wander included, and the change that is told
is what makes the count right; where that is none, the step stays unresolved. The total proves
nothing after a zero that was commanded while parts lay there, until one with nothing there; and it
is not asked where tags book for themselves, since they have told of what the weight has not. A
count that is lost among parts too many, too light or too unlike comes right when few of them are
left, or not at all.

Bulk goods are not counted but added up in grams or millilitres (`bulk_plate`).

What pieces weigh is learned from steps that are sure (`unit_weight`). A plate of several items is
read by maximum a posteriori (`mixed_plate`).

Source: counting-scale statistics (independent unit weights, two plateaus of noise s each).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    ActionDone,
    CellId,
    CellTotal,
    CountChange,
    Fact,
    Item,
    Ns,
    PiecesTold,
    ReferenceDeleted,
    UnitLearned,
    Weighed,
    WeightStep,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.bulk_plate import BulkPlate
from rules.cell_total import total_of
from rules.mixed_plate import MixedPlate
from rules.reading import Bars, level_sd_g
from rules.single_plate import SinglePlate
from rules.unit_weight import UnitWeights

LEARN_PERMILLE = 990
"""A step must be as sure as this to teach what pieces weigh."""


class CountSettings(PluginSettings):
    """Quick or sure: a higher bar leaves more steps unresolved and fewer wrong.

    `several_right_min` is that of plates of several items: what is read there is one of all acts
    that anybody may do, each weighed against all others, and not one of three neighbours.
    """

    right_min: float = Field(0.95, gt=0.5, lt=1)
    several_right_min: float = Field(0.93, gt=0.5, lt=1)
    nothing_below_units: float = Field(0.4, gt=0, lt=0.5)
    misfit_max_units: float = Field(0.3, gt=0, le=0.5)


class Count:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = CountSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        WeightStep,
        Item,
        ReferenceDeleted,
        ActionDone,
        Weighed,
        PiecesTold,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: CountSettings, context: RuleContext) -> None:
        rest = (settings.nothing_below_units, settings.misfit_max_units)
        bars, of_several = (
            Bars(right_min, *rest) for right_min in (settings.right_min, settings.several_right_min)
        )
        self._weights = UnitWeights()
        self._tagged = {cell.cell for cell in context.site.cells if cell.zone}
        self._single: dict[CellId, SinglePlate] = {}
        self._bulk: dict[CellId, BulkPlate] = {}
        self._mixed: dict[CellId, MixedPlate] = {}
        for cell in context.site.cells:
            if len(cell.planned) == 1:
                self._single[cell.cell] = SinglePlate(cell.cell, cell.planned[0], bars)
                self._bulk[cell.cell] = BulkPlate(cell.cell)
            elif cell.planned:
                self._mixed[cell.cell] = MixedPlate(cell.cell, cell.planned, of_several)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the counts, and what was learned."""
        for row in rows:
            plate = self._single.get(row.key) or self._mixed.get(row.key)
            if plate is not None:
                plate.restore(row)
                if isinstance(plate, SinglePlate):
                    self._bulk[row.key].restore(row)
            else:
                self._weights.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Read a step as pieces of the items planned on that cell."""
        del now
        if type(fact) is WeightStep:
            return self._count(fact)
        if type(fact) is Weighed:
            return self._total(fact)
        if type(fact) is PiecesTold:
            plate = self._plate(fact.cell)
            if plate is not None:
                plate.told(fact.item, fact.quantity)
                return Turn(puts=(plate.row(),))
        elif type(fact) is Item:
            self._weights.put(fact)
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._weights.remove(fact.code)
        elif type(fact) is ActionDone and fact.kind == "zero":
            plate = self._plate(fact.cell)
            if plate is not None:
                plate.zeroed()
                return Turn(puts=(plate.row(),))
        return NOTHING

    def _plate(self, cell: CellId) -> SinglePlate | MixedPlate | BulkPlate | None:
        single = self._single.get(cell)
        if single is not None and self._measured(single.item):
            return self._bulk[cell]
        return single or self._mixed.get(cell)

    def _measured(self, code: str) -> Item | None:
        """The item, if it is bulk goods."""
        item = self._weights.item(code)
        return item if item is not None and item.is_bulk else None

    def _count(self, step: WeightStep) -> Turn:
        plate = self._plate(step.cell)
        if plate is None:
            return Turn(facts=(CountChange(step.cell, "", 0, 0, 0, step),))
        if isinstance(plate, BulkPlate):
            item = self._measured(self._single[step.cell].item)
            told = plate.moved(step, item) if item is not None else ()
            return Turn(facts=told, puts=(plate.row(),))
        if isinstance(plate, SinglePlate):
            changes = self._count_single(step, plate)
        else:
            changes = self._count_mixed(step, plate)
        if not changes:
            return NOTHING
        return self._learned(Turn(facts=changes, puts=(plate.row(),)), changes)

    def _count_single(self, step: WeightStep, plate: SinglePlate) -> tuple[CountChange, ...]:
        ware = self._weights.of(plate.item)
        if ware is None:
            return plate.strange(step)
        if step.cause == "first_start":
            return plate.found(step, ware)
        return plate.moved(step, ware, by_total=not self._told_by_tags(step.cell, plate.item))

    def _count_mixed(self, step: WeightStep, plate: MixedPlate) -> tuple[CountChange, ...]:
        wares = [ware for item in plate.items if (ware := self._weights.of(item)) is not None]
        if len(wares) < len(plate.items):
            return plate.strange(step)
        if step.cause == "first_start":
            return plate.found(step, wares)
        told = any(self._told_by_tags(step.cell, item) for item in plate.items)
        return plate.moved(step, wares, by_total=not told)

    def _told_by_tags(self, cell: CellId, code: str) -> bool:
        """Whether tags book that item there for themselves."""
        item = self._weights.item(code)
        return bool(item and item.pattern and cell in self._tagged)

    def _total(self, weighed: Weighed) -> Turn:
        """Tell what lies on a cell in all, for a count of the stock."""
        plate = self._plate(weighed.cell)
        if plate is None:
            return Turn(facts=(CellTotal(weighed.cell, (), False, 0),))
        if isinstance(plate, BulkPlate):
            item = self._measured(self._single[weighed.cell].item)
            return Turn(facts=(plate.total(weighed, item),)) if item is not None else NOTHING
        items = (plate.item,) if isinstance(plate, SinglePlate) else plate.items
        wares = [ware for item in items if (ware := self._weights.of(item)) is not None]
        known = wares if len(wares) == len(items) else ()
        return Turn(facts=(total_of(plate, known, weighed),))

    def _learned(self, turn: Turn, changes: tuple[CountChange, ...]) -> Turn:
        """The same turn, with what a step of one kind of pieces teaches that was watched."""
        change, step = changes[0], changes[0].step
        if len(changes) > 1 or change.settles or change.confidence_permille < LEARN_PERMILLE:
            return turn
        if step.cause != "live" or not change.quantity:
            return turn
        change_g = step.after_g - step.before_g
        row = self._weights.learn(change.item, change_g, change.quantity, level_sd_g(step))
        ware = self._weights.of(change.item)
        if row is None or ware is None:
            return turn
        told = UnitLearned(ware.item, ware.unit_g, ware.sd_g, ware.pieces)
        return turn._replace(facts=(*turn.facts, told), puts=(*turn.puts, row))
