"""Tasks, and movements as the task rule sees them, at a site of three shelves and a gate."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Attribution,
    Cell,
    Coverage,
    Evidence,
    Fact,
    Item,
    Movement,
    MovementKind,
    OrderReference,
    Portal,
    Site,
    Task,
    TaskConfirmation,
    Zone,
)
from rules.task import TaskRule
from tests.rules.play import Play, at

BOLT, NUT, OIL = Item("BOLT"), Item("NUT"), Item("OIL", uom="g")

SHELVES = Site(
    zones=(Zone("A", ("r:1",)), Zone("B", ("r:2",))),
    cells=(
        Cell("s:1", "A1", "BOLT", "A"),
        Cell("s:2", "A2", "NUT", "A"),
        Cell("s:3", "B1", "BOLT", "B"),
        Cell("s:4", "C1"),
    ),
    portals=(Portal("gate", ("g:1",), ("g:2",), UNKNOWN_LOCATION, "HALL"),),
)


def order(number: str = "4711") -> OrderReference:
    return OrderReference("erp", "production", number, "10")


def task(code: str = "T1", quantity: int = 3, source: str = "A1", **rest: Any) -> Task:
    whose = rest.pop("order", order(f"of-{code}"))
    item, kind = rest.pop("item", "BOLT"), rest.pop("kind", "issue")
    return Task(code, kind, whose, item, quantity, source, **rest)


def moved(
    name: str, quantity: int, source: str = "A1", target: str = UNKNOWN_LOCATION, **rest: Any
) -> Movement:
    """So many pieces went from one place to another; their moment is set by `Floor.do`."""
    kind: MovementKind = "transfer"
    if UNKNOWN_LOCATION in {source, target}:
        kind = "receipt" if source == UNKNOWN_LOCATION else "issue"
    item, reason = rest.pop("item", "BOLT"), rest.pop("reason", "observed")
    told = (rest.pop("kind", kind), reason, item, quantity, "pcs", source, target)
    return Movement(name, *told, 0, 0, 990, **rest)


def put(name: str, quantity: int, target: str = "A1", **rest: Any) -> Movement:
    return moved(name, quantity, UNKNOWN_LOCATION, target, **rest)


def scale(before_mg: int, after_mg: int) -> Evidence:
    return Evidence(weight_before_mg=before_mg, weight_after_mg=after_mg)


class Floor(Play):
    """What the task rule tells while people work. A restart keeps what was told."""

    def __init__(self, **known: Any) -> None:
        known.setdefault("site", SHELVES)
        known.setdefault("items", (BOLT, NUT, OIL))
        super().__init__([TaskRule], **known)
        self.feed(self.now_s, Coverage("s", 0))

    def do(self, at_s: float, *facts: Fact) -> None:
        """People and rules do that, in that second."""
        for fact in facts:
            if isinstance(fact, Movement):
                self.feed(at_s, replace(fact, at_event=at(at_s), at_decided=at(at_s)))
            else:
                self.feed(at_s, fact)

    def confirmed(self) -> list[TaskConfirmation]:
        return self.kinds(TaskConfirmation)

    def ended(self) -> list[tuple[str, str, int, str | None]]:
        """Task, state, quantity done and exception of each confirmation."""
        return [(c.task, c.state, c.quantity_done, c.exception) for c in self.confirmed()]

    def whose(self) -> dict[str, str]:
        """The order number of each movement that has one."""
        told = self.kinds(Attribution)
        return {each.movement_id: each.order.number for each in told if each.order}

    def alerts(self) -> list[tuple[str, bool]]:
        """The key of each alert that was raised (True) or cleared."""
        return [(alert.key, alert.raised) for alert in self.kinds(Alert)]


def again(floor: Floor, tasks: Iterable[Fact] = (), **known: Any) -> Floor:
    """The process has died and is started anew in the same second."""
    known = {"rows": floor.rows, "last_alive_s": floor.now_s, "now_s": floor.now_s, **known}
    return Floor(items=(BOLT, NUT, OIL, *tasks), **known)
