"""Which tags orders lead one to expect at a gate, and which way.

An order names its EPCs (`ExpectedSet`), or it is a task whose way leads through the gate: that
expects its serials, or, without serials, all pieces of its item. Part of the portal rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from gateway.model import UNKNOWN_LOCATION, ExpectedSet, Portal, Task
from rules.catalogue import Catalogue

EXPECTED_MAX = 100_000
"""EPCs of all open orders together; those of the oldest order are no longer expected."""

TASK = "task\t"
"""Before the code of a task: no ExpectedSet is called so."""

Way: TypeAlias = Literal["in", "out"]


class Expected:
    """The open orders. What they say is a prior: a tag that was not read passes nothing."""

    def __init__(self, gates: Iterable[Portal] = ()) -> None:
        self.catalogue = Catalogue()
        self._gates = tuple(gates)
        self._orders: dict[str, ExpectedSet] = {}
        self._ways: dict[tuple[str, str], ExpectedSet] = {}
        self._items: dict[str, tuple[str, dict[str, Way]]] = {}

    def put(self, order: ExpectedSet) -> None:
        """An order is new, or reads otherwise now."""
        self.remove(order.code)
        self._orders[order.code] = order
        for epc in order.epcs:
            self._ways[order.portal, epc] = order
        while len(self._ways) > EXPECTED_MAX and len(self._orders) > 1:
            self.remove(next(iter(self._orders)))

    def remove(self, code: str) -> None:
        """An order is done, or taken back."""
        order = self._orders.pop(code, None)
        if order is not None:
            for epc in order.epcs:
                if self._ways.get((order.portal, epc)) is order:
                    del self._ways[order.portal, epc]

    def put_task(self, task: Task) -> None:
        """A task is new, or reads otherwise now."""
        self.remove_task(task.code)
        ways = dict(self._through(task))
        if task.serials:
            for portal, way in ways.items():
                code = f"{TASK}{task.code}\t{portal}"
                self.put(ExpectedSet(code, portal, way, frozenset(task.serials)))
        elif ways:
            self._items[task.code] = (task.item, ways)

    def remove_task(self, code: str) -> None:
        """A task is done, or taken back."""
        self._items.pop(code, None)
        for gate in self._gates:
            self.remove(f"{TASK}{code}\t{gate.portal}")

    def way(self, portal: str, epc: str) -> Way | None:
        """Which way that tag is to go there; None if nobody says, or not all the same."""
        order = self._ways.get((portal, epc))
        if order is not None:
            return order.direction
        if not self._items:
            return None
        item = self.catalogue.of_tag(epc)
        if item is None:
            return None
        asked = {ways.get(portal) for code, ways in self._items.values() if code == item.code}
        asked.discard(None)
        return asked.pop() if len(asked) == 1 else None

    def _through(self, task: Task) -> Iterator[tuple[str, Way]]:
        """The gates that the task leads through; an end that is not known may be any."""
        source, target = task.from_location, task.to_location
        for gate in self._gates:
            if target == gate.inside and source in {gate.outside, UNKNOWN_LOCATION}:
                yield gate.portal, "in"
            elif source == gate.inside and target in {gate.outside, UNKNOWN_LOCATION}:
                yield gate.portal, "out"
