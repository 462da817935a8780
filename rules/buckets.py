"""Counts the buckets of time that demand is added up in, over restarts and boots.

Boot time is not compared across two boots: after another one began, the open bucket goes on from
when an earlier run was last known to watch. Part of the stock rule.
"""

from __future__ import annotations

from typing import Any

from gateway.model import NS_PER_S, Ns
from gateway.ports import Row, RuleContext

BUCKETS_ROW = "buckets"


class Buckets:
    """The open bucket: its `number`, and when it `ends`."""

    def __init__(self, hours: int, context: RuleContext) -> None:
        self.number = 0
        self._hours = hours
        self._span: Ns = hours * 3600 * NS_PER_S
        self._boot = context.boot
        self._last_alive = context.last_alive
        self._began: Ns | None = None
        self._written = -1

    def restore(self, row: Row) -> bool:
        """Go on where an earlier run was; False if its buckets were of another length, so that
        what was added up in them is of no use.
        """
        value: Any = row.value
        if value["hours"] != self._hours:
            return False
        self.number = self._written = value["bucket"]
        self._began = value["began"] if value["boot"] == self._boot else self._last_alive
        return True

    @property
    def ends(self) -> Ns | None:
        """When the open bucket ends."""
        return None if self._began is None else self._began + self._span

    def advance(self, now: Ns) -> bool:
        """Open the bucket of this moment; True if another one ended."""
        if self._began is None:
            self._began = now
        ended = max(0, now - self._began) // self._span
        self.number += ended
        self._began += ended * self._span
        return ended > 0

    def unwritten(self) -> tuple[Row, ...]:
        """The row that tells which bucket is open, where it is not told yet."""
        if self._written == self.number:
            return ()
        self._written = self.number
        value = {
            "bucket": self.number,
            "began": self._began,
            "boot": self._boot,
            "hours": self._hours,
        }
        return (Row(BUCKETS_ROW, value),)
