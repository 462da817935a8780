"""A plate on which several items are planned: what lies there, and what a step moved.

    step --- one reading is likely enough ---> so many pieces of each item
         --- several are, or none is --------> unresolved, with the items that it may have been

    unresolved --- all of it goes back, or ------------------------.
               --- readings but one would take more than was counted, or
               --- one reading makes the total right --------------+--> settled, told with that step

What lay there at first is not known until few enough pieces are left to read the total: then it is
stated. The readings are those of `rules.mixed`. Part of the count rule; durable, a row per cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

from gateway.model import CountChange, WeightStep
from gateway.ports import JsonValue, Row
from rules import mixed
from rules.mixed import Hypothesis
from rules.reading import ZERO_SD_G, Bars, level_sd_g, permille
from rules.unit_weight import UnitWeight

IN_LINE_UNITS = 0.3
"""Of the lightest piece: what is unresolved has gone back if all of it comes to no more."""


TOTAL_MIN = 0.99
"""A total is asked with each step until it answers, so the answer must be surer than that of one
step: each asking is another chance to be wrong."""


@dataclass(slots=True)
class MixedPlate:
    """What is known of one cell.

    `held` is what was counted, `lost` that other pieces lie there as well, `stated` that those of
    the first start are told, `zero_off` that a total proves nothing. While steps are `unclear_g`,
    together so heavy, they are one of `unclear`, or something else if that is empty.
    """

    cell: str
    items: tuple[str, ...]
    bars: Bars
    held: tuple[int, ...] = ()
    lost: bool = True
    stated: bool = False
    zero_off: bool = False
    unclear: list[Hypothesis] = field(default_factory=list)
    unclear_g: float | None = None

    def __post_init__(self) -> None:
        self.held = self.held or (0,) * len(self.items)

    def restore(self, row: Row) -> None:
        """Take back what an earlier run knew; a plate that was planned otherwise is new."""
        value: Any = row.value
        counted = value["on_hand"]
        if not isinstance(counted, dict) or tuple(counted) != self.items:
            return
        self.held = tuple(counted.values())
        self.lost, self.stated = "lost" in value, "stated" in value
        self.zero_off = "zero_off" in value
        self.unclear = [Hypothesis(tuple(k), p / 1e6) for *k, p in value.get("unclear", ())]
        self.unclear_g = value["unclear_mg"] / 1000 if "unclear_mg" in value else None

    def row(self) -> Row:
        """The durable form."""
        value: dict[str, JsonValue] = {"on_hand": dict(zip(self.items, self.held, strict=True))}
        value |= {flag: 1 for flag in ("lost", "stated", "zero_off") if getattr(self, flag)}
        if self.unclear_g is not None:
            value["unclear_mg"] = round(self.unclear_g * 1000)
            value["unclear"] = [(*one.pieces, round(one.probability * 1e6)) for one in self.unclear]
        return Row(self.cell, value)

    def zeroed(self) -> None:
        """The cell was zeroed by command, with parts on it perhaps."""
        self.zero_off = self.lost or self.unclear_g is not None or any(self.held)

    def told(self, item: str, quantity: int) -> None:
        """A person has said what was unresolved: so many pieces, perhaps of another item."""
        moved = tuple(quantity if item == each else 0 for each in self.items)
        self.held = _sum(self.held, moved)
        self.unclear, self.unclear_g = [], None

    def strange(self, step: WeightStep) -> tuple[CountChange, ...]:
        """A step while nobody says what the pieces weigh."""
        self.lost = True
        return (self._unresolved(step, ()),)

    def found(self, step: WeightStep, wares: Sequence[UnitWeight]) -> tuple[CountChange, ...]:
        """What lay there when the cell was first seen."""
        likely = self._total(step, wares, None)
        return self._state(step, likely) if likely else (self._unresolved(step, ()),)

    def moved(
        self, step: WeightStep, wares: Sequence[UnitWeight], *, by_total: bool
    ) -> tuple[CountChange, ...]:
        """What that step moved, and what it settles; totals are asked only if they may be."""
        change_g = step.after_g - step.before_g
        if abs(change_g) < self.bars.nothing_below_units * min(ware.unit_g for ware in wares):
            return ()
        likely = mixed.change(change_g, sqrt(2) * level_sd_g(step), wares, self._most())
        best = self._likeliest(likely)
        if best:
            self.held = _sum(self.held, best.pieces)
            self.lost = self.lost or (self.unclear_g is None and min(self.held) < 0)
        else:
            self._doubt(change_g, likely)
        back = self._gone_back(wares)
        told = best
        settled = None if back else self._settled(step, wares, by_total=by_total)
        if settled and not (self.lost and not self.stated):
            self.lost, self.unclear, self.unclear_g = False, [], None
            missing = tuple(n - h for n, h in zip(settled.pieces, self.held, strict=True))
            self.held = settled.pieces
            told = _joined(best, missing, settled.probability)
        changes = self._told(step, wares, told, settles=bool(settled)) if told else ()
        if not changes:
            changes = (replace(self._unresolved(step, likely), settles=back or bool(settled)),)
        if settled and self.lost:
            changes = (*changes, *self._state(replace(step, before_g=step.after_g), settled))
        return changes

    def _most(self) -> tuple[int, ...] | None:
        """How many pieces lie there at most; None if that is not known."""
        if self.lost or (self.unclear_g is not None and not self.unclear):
            return None
        more = [max(0, *numbers) for numbers in zip(*(h.pieces for h in self.unclear), strict=True)]
        return _sum(self.held, more) if more else self.held

    def _likeliest(self, likely: Sequence[Hypothesis]) -> Hypothesis | None:
        return likely[0] if likely and likely[0].probability >= self.bars.right_min else None

    def _doubt(self, change_g: float, likely: list[Hypothesis]) -> None:
        """One more step that may be one of these, or something else."""
        known = self.unclear_g is None or bool(self.unclear)
        if not known or sum(one.probability for one in likely) < self.bars.right_min:
            self.unclear = []
        else:
            self.unclear = mixed.both(self.unclear, likely) if self.unclear else likely
        self.unclear_g = (self.unclear_g or 0.0) + change_g

    def _gone_back(self, wares: Sequence[UnitWeight]) -> bool:
        """Whether all that was unclear has gone the way it came."""
        if self.unclear_g is None:
            return False
        back = abs(self.unclear_g) <= IN_LINE_UNITS * min(ware.unit_g for ware in wares)
        if back:
            self.unclear, self.unclear_g = [], None
        return back

    def _settled(
        self, step: WeightStep, wares: Sequence[UnitWeight], *, by_total: bool
    ) -> Hypothesis | None:
        """What lies there for sure by now, if that was not clear before this step."""
        if not self.lost and self.unclear_g is None:
            return None
        if self.lost or not self.unclear:
            return self._total(step, wares, None) if by_total else None
        whole = [
            Hypothesis(
                _sum(self.held, one.pieces),
                one.probability * mixed.within(one.pieces, self.held),
            )
            for one in self.unclear
        ]
        missing = 1.0 - sum(one.probability for one in self.unclear)
        weight = missing + sum(one.probability for one in whole)
        best = max(whole, key=lambda one: one.probability)
        if best.probability >= self.bars.right_min * weight:
            return best._replace(probability=best.probability / weight)
        return self._total(step, wares, whole) if by_total else None

    def _total(
        self, step: WeightStep, wares: Sequence[UnitWeight], among: Sequence[Hypothesis] | None
    ) -> Hypothesis | None:
        if self.zero_off:
            return None
        noise_g = sqrt(ZERO_SD_G**2 + level_sd_g(step) ** 2)
        likely = mixed.total(step.after_g, noise_g, wares, among)
        return likely[0] if likely and likely[0].probability >= TOTAL_MIN else None

    def _state(self, step: WeightStep, whole: Hypothesis) -> tuple[CountChange, ...]:
        """What lies there is known at last: state it all."""
        self.held, self.lost, self.stated = whole.pieces, False, True
        self.unclear, self.unclear_g = [], None
        first = replace(step, cause="first_start")
        return tuple(
            CountChange(self.cell, item, count, count, permille(whole.probability), first)
            for item, count in zip(self.items, whole.pieces, strict=True)
        )

    def _told(
        self,
        step: WeightStep,
        wares: Sequence[UnitWeight],
        what: Hypothesis,
        *,
        settles: bool,
    ) -> tuple[CountChange, ...]:
        """Each item's pieces with their share of the step; the shares go on from one another."""
        moved = [(w, k, h) for w, k, h in zip(wares, what.pieces, self.held, strict=True) if k]
        spreads = [ware.variance(quantity) for ware, quantity, _ in moved]
        expected_g = sum(quantity * ware.unit_g for ware, quantity, _ in moved)
        misfit_g = step.after_g - step.before_g - expected_g
        changes: list[CountChange] = []
        level_g = step.before_g
        for part, ((ware, quantity, held), spread) in enumerate(zip(moved, spreads, strict=True)):
            before_g = level_g
            level_g += quantity * ware.unit_g + misfit_g * spread / sum(spreads)
            share = replace(step, before_g=before_g, after_g=level_g)
            change = CountChange(
                self.cell,
                ware.item,
                quantity,
                None if self.lost else held,
                permille(what.probability),
                share,
                ware.unit_g,
                part,
                settles=settles,
            )
            changes.append(change)
        return tuple(changes)

    def _unresolved(self, step: WeightStep, likely: Sequence[Hypothesis]) -> CountChange:
        """Which items it may have been, likeliest first; all of them if nothing is likely."""
        named = [
            item
            for one in likely
            for item, quantity in zip(self.items, one.pieces, strict=True)
            if quantity
        ]
        candidates = tuple(dict.fromkeys(named)) or self.items
        return CountChange(self.cell, "", 0, None, 0, step, candidates=candidates)


def _sum(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(first, second, strict=True))


def _joined(best: Hypothesis | None, missing: tuple[int, ...], probability: float) -> Hypothesis:
    """What this step moved and what earlier ones did, as one."""
    if best is None:
        return Hypothesis(missing, probability)
    return Hypothesis(_sum(best.pieces, missing), min(best.probability, probability))
