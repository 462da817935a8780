"""What one location holds of one item, and the durable row that says so. Part of the stock rule."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import Any, TypeAlias

from gateway.model import BookLine
from gateway.ports import JsonValue, Row
from rules.demand import Demand
from rules.outlook import UNKNOWN, Outlook

Place: TypeAlias = tuple[str, str]
"""A location and an item."""


@dataclass(slots=True)
class Line:
    """`quantity` is what movements and statements come to: below zero where more went out than was
    known. `book` is the core's; `raised` are the codes of the alerts that stand. `held` are pieces
    that were weighed to leave and are not told as a movement yet.
    """

    quantity: int
    uom: str
    epcs: set[str] = field(default_factory=set)
    book: int | None = None
    safety: int | None = None
    reorder: int | None = None
    raised: set[str] = field(default_factory=set)
    demand: Demand | None = None
    outlook: Outlook = UNKNOWN
    held: int = 0

    @property
    def foreseen(self) -> int:
        """What `quantity` comes to once all is told that was weighed."""
        return self.quantity - self.held

    def count_in(self, uom: str) -> None:
        """From now on it is counted in that unit; what was counted in another is unknown in it."""
        if uom != self.uom:
            self.quantity, self.uom, self.demand = 0, uom, None

    def learn(self, told: BookLine | None) -> None:
        """Take what the core's book says. What it counts in another unit is not compared."""
        same = told is not None and told.uom == self.uom
        self.book = told.quantity if told is not None and same else None
        self.safety = told.safety if told is not None and same else None
        self.reorder = told.reorder if told is not None and same else None

    @property
    def variance(self) -> int:
        """How much more there is than the core's book says."""
        return 0 if self.book is None else self.quantity - self.book

    @property
    def purchase(self) -> int:
        """What to buy: enough for the lead time, and at least what lifts it to where it is due."""
        due = self.reorder is not None and self.quantity < self.reorder
        lift = (self.reorder or 0) - max(0, self.quantity) if due else 0
        return max(lift, self.outlook.purchase)

    @property
    def matters(self) -> bool:
        """Whether it is worth a row though nothing is there."""
        return self.is_compared or bool(self.raised) or self.demand is not None

    @property
    def is_compared(self) -> bool:
        """Whether the core's book, or a file, says anything of it."""
        return (self.book, self.safety, self.reorder) != (None, None, None)

    def row(self, place: Place) -> Row:
        """Its row. The key is location and item, parted by a tab; what does not apply is absent.

        `forecast` is what Outlook says, with the purchase of this line.
        """
        value: dict[str, JsonValue] = {"quantity": self.quantity, "uom": self.uom}
        for name in ("book", "safety", "reorder"):
            if getattr(self, name) is not None:
                value[name] = getattr(self, name)
        if self.raised:
            value["raised"] = sorted(self.raised)
        if self.demand is not None:
            value["demand"] = list(self.demand.plain())
        if self.outlook is not UNKNOWN or self.purchase:
            value["forecast"] = [*astuple(self.outlook)[:3], self.purchase]
        return Row("\t".join(place), value)

    def take_back(self, value: Any) -> None:
        """Take back what a row says."""
        self.quantity, self.uom = value["quantity"], value["uom"]
        self.book, self.safety = value.get("book"), value.get("safety")
        self.reorder = value.get("reorder")
        self.raised = set(value.get("raised", ()))
        if "demand" in value:
            self.demand = Demand(*value["demand"])
