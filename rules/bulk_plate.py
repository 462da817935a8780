"""A plate of bulk goods: grams or millilitres, no pieces. Part of the count rule; durable, a row
per cell.

All that went onto the cell is added up in milligrams, and a change is told as soon as the sum is
off what was told by more than the noise of a step explains:

    held = sum of steps;   tell if |held - told| > 3 sqrt(2) s,   s the scatter of a level

So a step within the noise tells nothing and is not lost, and rounding to whole grams or millilitres
never adds up: what is told is at every moment the rounded sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import Any

from gateway.model import CellId, CellTotal, CountChange, Item, Weighed, WeightStep
from gateway.ports import Row
from rules.reading import CERTAIN_PERMILLE, LEVEL_SD_MIN_G, ZERO_SD_G, level_sd_g, permille

DEVIATIONS_MIN = 3.0
"""What is nearer to nothing than this is noise: of a thousand quiet steps three are further off."""

HELD = "held_mg"


@dataclass(slots=True)
class BulkPlate:
    """What is known of one cell: what lies there by its steps; `on_hand` is what is told of it."""

    cell: CellId
    held_mg: int = 0
    on_hand: int = 0
    zero_off: bool = False

    def restore(self, row: Row) -> None:
        """Take back what an earlier run knew; nothing if pieces were counted there."""
        value: Any = row.value
        if HELD in value:
            self.held_mg, self.on_hand = value[HELD], value["on_hand"]
            self.zero_off = "zero_off" in value

    def row(self) -> Row:
        """The durable form."""
        flags = {"zero_off": 1} if self.zero_off else {}
        return Row(self.cell, {"on_hand": self.on_hand, HELD: self.held_mg, **flags})

    def told(self, _item: str, quantity: int) -> None:
        """A person has said what an unresolved step was."""
        self.on_hand += quantity

    def zeroed(self) -> None:
        """The cell was zeroed by command, with goods on it perhaps."""
        self.zero_off = bool(self.on_hand)

    def moved(self, step: WeightStep, item: Item) -> tuple[CountChange, ...]:
        """What that step moved, or what lay there when the cell was first seen.

        Of a volume whose density nobody says it is not known, and stays open.
        """
        first = step.cause == "first_start"
        change_g = step.after_g if first else step.after_g - step.before_g
        self.held_mg += round(change_g * 1000)
        if not item.bulk_g:
            return (CountChange(self.cell, item.code, 0, None, 0, step),)
        noise_g = sqrt(2) * max(LEVEL_SD_MIN_G, level_sd_g(step))
        off_g = self.held_mg / 1000 - self.on_hand * item.bulk_g
        quantity = round(off_g / item.bulk_g)
        if not quantity or abs(off_g) <= DEVIATIONS_MIN * noise_g:
            quantity = 0
            if not first:
                return ()
        self.on_hand += quantity
        sure = permille(erf(abs(off_g) / noise_g / sqrt(2))) if quantity else CERTAIN_PERMILLE
        held, unit_g = self.on_hand, item.bulk_g
        return (CountChange(self.cell, item.code, quantity, held, sure, step, unit_g),)

    def total(self, weighed: Weighed, item: Item) -> CellTotal:
        """What lies there in all, weighed for long; nothing after a zero with goods on it."""
        if self.zero_off or not item.bulk_g:
            return CellTotal(self.cell, (), False, 0)
        noise_g = sqrt(ZERO_SD_G**2 + max(LEVEL_SD_MIN_G, weighed.sd_g) ** 2)
        expected_g = sum(weighed.expected) * item.bulk_g
        fits = bool(weighed.expected) and abs(weighed.level_g - expected_g) <= (
            DEVIATIONS_MIN * noise_g
        )
        quantity = max(0, round(weighed.level_g / item.bulk_g))
        return CellTotal(self.cell, (quantity,), fits, CERTAIN_PERMILLE)
