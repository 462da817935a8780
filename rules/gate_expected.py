"""Which tags orders lead one to expect at a gate, and which way.

Part of the portal rule.
"""

from __future__ import annotations

from typing import Literal

from gateway.model import ExpectedSet

EXPECTED_MAX = 100_000
"""EPCs of all open orders together; those of the oldest order are no longer expected."""


class Expected:
    """The open orders. What they say is a prior: a tag that was not read passes nothing."""

    def __init__(self) -> None:
        self._orders: dict[str, ExpectedSet] = {}
        self._ways: dict[tuple[str, str], ExpectedSet] = {}

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

    def way(self, portal: str, epc: str) -> Literal["in", "out"] | None:
        """Which way that tag is to go there."""
        order = self._ways.get((portal, epc))
        return None if order is None else order.direction
