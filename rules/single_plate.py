"""A plate on which one item is planned: what lies there, and what a step moved. Part of the count
rule; durable, a row per cell.

What lay there at first may be too much to read: then the likeliest number is told, with how likely
it is, and what lies there is not known. It is stated when few enough pieces are left; until then
steps are counted all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gateway.model import CellId, CountChange, WeightStep
from gateway.ports import Row
from rules.reading import UNREAD, Bars, Reading, likeliest, pieces_in, pieces_on
from rules.unit_weight import UnitWeight

EMPTY = Reading(0, 990)
"""A first weight that is nearer to nothing."""

FLAGS = ("doubtful", "unstated", "zero_off")


@dataclass(slots=True)
class SinglePlate:
    """What is known of one cell: `doubtful` after an unresolved step, `unstated` if what lay there
    at first is not known either, `zero_off` after a zero with parts on it.
    """

    cell: CellId
    item: str
    bars: Bars
    on_hand: int = 0
    doubtful: bool = False
    unstated: bool = False
    zero_off: bool = False

    def restore(self, row: Row) -> None:
        """Take back what an earlier run knew; if several items were planned there, with doubt."""
        value: Any = row.value
        self.on_hand, self.doubtful = value["on_hand"], "doubtful" in value
        if not isinstance(value["on_hand"], int):
            self.on_hand, self.doubtful = value["on_hand"].get(self.item, 0), True
        self.unstated, self.zero_off = "unstated" in value, "zero_off" in value

    def row(self) -> Row:
        """The durable form."""
        flags = [flag for flag in FLAGS if getattr(self, flag)]
        return Row(self.cell, {"on_hand": self.on_hand, **dict.fromkeys(flags, 1)})

    def zeroed(self) -> None:
        """The cell was zeroed by command, with parts on it perhaps."""
        self.zero_off = bool(self.on_hand or self.doubtful)

    def told(self, item: str, quantity: int) -> None:
        """A person has said what was unresolved: so many pieces, perhaps of another item."""
        self.on_hand += quantity if item == self.item else 0
        self.doubtful = self.unstated

    def strange(self, step: WeightStep) -> tuple[CountChange, ...]:
        """A step while nobody says what a piece weighs."""
        self.doubtful = True
        self.unstated = self.unstated or step.cause == "first_start"
        return (self._told(step, UNREAD, None),)

    def found(self, step: WeightStep, ware: UnitWeight) -> tuple[CountChange, ...]:
        """What lay there when the cell was first seen."""
        reading = EMPTY if self._nothing(step, ware) else pieces_in(step, ware, self.bars)
        self.on_hand += reading.quantity
        self.doubtful = self.unstated = reading == UNREAD
        if self.unstated:
            reading = likeliest(step, ware)
        return (self._told(step, reading, ware),)

    def moved(
        self, step: WeightStep, ware: UnitWeight, *, by_total: bool
    ) -> tuple[CountChange, ...]:
        """What that step moved, and what it settles; the total is asked only if it may be."""
        if self._nothing(step, ware):
            return ()
        reading = pieces_in(step, ware, self.bars)
        self.on_hand += reading.quantity
        self.doubtful = self.doubtful or reading == UNREAD
        may = self.doubtful and by_total and not self.zero_off
        total = pieces_on(step, ware, self.bars) if may else UNREAD
        if total == UNREAD:
            return (self._told(step, reading, ware),)
        missing = total.quantity - self.on_hand
        moved = self._told(step, reading, ware)
        self.on_hand, self.doubtful = total.quantity, False
        if self.unstated:
            self.unstated = False
            found = replace(step, before_g=step.after_g, cause="first_start")
            return (moved, self._told(found, total, ware))
        quantity = reading.quantity + missing
        settled = Reading(quantity, total.confidence_permille if quantity else 0)
        return (replace(self._told(step, settled, ware), settles=True),)

    def _nothing(self, step: WeightStep, ware: UnitWeight) -> bool:
        change_g = abs(step.after_g - step.before_g)
        return change_g < self.bars.nothing_below_units * ware.unit_g

    def _told(self, step: WeightStep, reading: Reading, ware: UnitWeight | None) -> CountChange:
        return CountChange(
            self.cell,
            self.item,
            reading.quantity,
            None if self.unstated else self.on_hand,
            reading.confidence_permille,
            step,
            ware.unit_g if ware else 0.0,
        )
