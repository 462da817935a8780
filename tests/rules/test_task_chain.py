"""All default rules in their order: a person executes an order at a weighing shelf."""

from collections.abc import Iterable
from typing import Any

from gateway.model import (
    Alert,
    Coverage,
    Event,
    Fact,
    Item,
    Movement,
    ReferenceDeleted,
    TaskConfirmation,
)
from rules.count import Count
from rules.health import Health
from rules.movement import MovementRule
from rules.portal import Portal
from rules.presence import Presence
from rules.stock import Stock
from rules.task import TaskRule
from rules.weight import Weight
from tests.rules.play import BOLT, Play, S, weigh
from tests.rules.tasks import order, task

CHAIN = (Presence, Portal, Weight, Count, MovementRule, TaskRule, Stock, Health)
NUT = Item("NUT", unit_mg=50_000, unit_sd_mg=100)
PICK = task("T1", 3, "A2", item="NUT")


class Shelf(Play):
    """A plate of nuts; `booked` are the events of all turns, as they leave the engine."""

    def __init__(self, *tasks: Fact, **known: Any) -> None:
        self.booked: list[Event] = []
        references: tuple[Any, ...] = (NUT, *tasks)
        super().__init__(CHAIN, items=references, **known)

    def _keep(self, outcomes: Iterable[Any]) -> None:
        told = list(outcomes)
        self.booked += [event for outcome in told for event in outcome.events]
        super()._keep(told)

    def lies(self, grams: float, until_s: float, cell: str = "s:2") -> None:
        """So much lies there until then; it is weighed ten times a second."""
        while self.now_s < until_s - 1e-9:
            watched = (Coverage(device, S // 10) for device in ("r", "s"))
            self.feed(round(self.now_s + 0.1, 3), weigh(grams, cell), *watched)

    def moves(self) -> list[tuple[str, int, str | None]]:
        """Kind, quantity and order number of each movement."""
        moves = [event for event in self.booked if isinstance(event, Movement)]
        return [(m.kind, m.quantity, m.order.number if m.order else None) for m in moves]

    def ended(self) -> list[tuple[str, int, str | None]]:
        told = [event for event in self.booked if isinstance(event, TaskConfirmation)]
        return [(each.state, each.quantity_done, each.exception) for each in told]

    def alerts(self) -> list[tuple[str, bool]]:
        """Of all but the readers, which nobody plays here."""
        told = [event for event in self.booked if isinstance(event, Alert)]
        return [(a.key, a.raised) for a in told if a.code != "sense_missing"]


def test_an_issue_by_order_with_one_too_many_put_back_and_one_returned() -> None:
    shelf = Shelf()
    shelf.lies(2000.0, 10.0)
    shelf.feed(10.0, PICK)
    shelf.lies(1800.0, 14.0)
    assert shelf.moves() == [("issue", 4, "of-T1")]
    assert shelf.alerts() == [("over_issue:T1", True)]
    shelf = again(shelf)
    shelf.lies(1850.0, 25.0)
    assert shelf.moves() == [("receipt", 1, "of-T1")]
    assert shelf.alerts() == [("over_issue:T1", False)]
    assert shelf.ended() == [("done", 3, None)]
    shelf = again(shelf)
    shelf.lies(1900.0, 60.0)
    assert shelf.moves() == [("return", 1, "of-T1")]
    [back] = [event for event in shelf.booked if isinstance(event, Movement)]
    assert back.order == order("of-T1")
    assert back.reverses is not None
    shelf.feed(61.0, ReferenceDeleted("task", "T1"))
    shelf.lies(1900.0, 500.0)
    assert shelf.ended() == []
    assert shelf.rows["Stock/A2\tNUT"]["quantity"] == 38


def test_what_is_wrong_at_a_place_with_both_senses_is_said_before_its_movement() -> None:
    shelf = Shelf(BOLT)
    shelf.lies(2000.0, 10.0, "s:1")
    shelf.feed(10.0, task("T1", 3, "A1"))
    shelf.lies(1600.0, 11.5, "s:1")
    assert shelf.alerts() == [("over_issue:T1", True)]
    assert shelf.moves() == []
    shelf = again(shelf, BOLT, task("T1", 3, "A1"))
    shelf.lies(1600.0, 12.5, "s:1")
    shelf.lies(1700.0, 13.8, "s:1")
    assert shelf.alerts() == [("over_issue:T1", False)]
    shelf.lies(1700.0, 30.0, "s:1")
    assert shelf.moves() == [("issue", 4, "of-T1"), ("receipt", 1, "of-T1")]
    assert shelf.alerts() == [("over_issue:T1", False)]
    assert shelf.ended() == [("done", 3, None)]


def again(shelf: Shelf, *known: Fact) -> Shelf:
    """The process dies and is started anew in the same second, with the task known."""
    kept = {"rows": shelf.rows, "now_s": shelf.now_s, "last_alive_s": shelf.now_s}
    return Shelf(*(known or (PICK,)), **kept)
