"""What a tag decided alone because its scale was blind, so that nothing is booked twice when the
scale is back and finds the same.

    tag without a scale  --- next step of that cell, which began before -------> taken off the step
                         --- scale is back and says nothing for a while -------> senses disagree
                         --- tag goes the other way first ---------------------> booked back

Part of the movement rule; durable. A moment of an earlier run counts as its end, because that is
where what was found after it begins.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.model import CountChange, Ns
from gateway.ports import Row, Turn
from rules.act import WaitingTag

ALONE_ROW = "alone:"
TAG = ALONE_ROW + "tag:"

ALONE_MAX = 10_000
"""Acts on blind shelves; of more, the oldest are forgotten and may be told by both senses."""

BEFORE_ALL: Ns = -(1 << 61)
"""No step reaches back so far."""


@dataclass(frozen=True, slots=True)
class Alone:
    """`quantity` pieces, 1 that came or -1 that went, as the tag `epc` tells.

    `key` is that of its durable row.
    """

    key: str
    cell: str
    zone: str
    item: str
    quantity: int
    decided_at: Ns
    epc: str
    doubted: bool = False
    due: Ns | None = None


class Lone:
    """All that tags decided alone and no scale has confirmed."""

    def __init__(self, last_alive: Ns) -> None:
        self._last_alive = last_alive
        self._acts: dict[str, Alone] = {}

    def restore(self, row: Row) -> bool:
        """Take back what an earlier run decided; False if the row is somebody else's."""
        if not row.key.startswith(ALONE_ROW):
            return False
        value: dict[str, Any] = dict(row.value)
        value["decided_at"] = BEFORE_ALL if value["doubted"] else self._last_alive
        self._acts[row.key] = Alone(row.key, **value)
        return True

    def by_tag(self, now: Ns, tag: WaitingTag, cell: str) -> Turn:
        """A tag has decided, for the cell that would have weighed it."""
        sign = 1 if tag.arriving else -1
        return self._put(Alone(TAG + tag.epc, cell, tag.zone, tag.item, sign, now, tag.epc))

    def in_step(self, change: CountChange) -> list[Alone]:
        """Take out what tags decided that the step counts again: it began before."""
        acts = [
            act
            for act in self._acts.values()
            if (act.cell, act.item) == (change.cell, change.item)
            and act.decided_at >= change.step.since
        ]
        for act in acts:
            del self._acts[act.key]
        return acts

    def undone_by(self, tag: WaitingTag) -> Alone | None:
        """Take out what that tag decided if it goes the other way now."""
        act = self._acts.get(TAG + tag.epc)
        if act is None or act.zone != tag.zone or (act.quantity > 0) == tag.arriving:
            return None
        return self._acts.pop(act.key)

    def back(self, due: Ns, cells: Container[str]) -> None:
        """The scale of these cells can confirm until `due`."""
        for key, act in self._acts.items():
            if not act.doubted and act.cell in cells:
                self._acts[key] = replace(act, due=due)

    def overdue(self, now: Ns) -> list[Alone]:
        """What was not confirmed in time; the caller doubts it, or lets it be."""
        overdue = [act for act in self._acts.values() if act.due is not None and act.due <= now]
        for act in overdue:
            self._acts[act.key] = replace(act, due=None)
        return overdue

    def doubt(self, act: Alone) -> Turn:
        """The scale does not say so; the tag may still go the other way."""
        return self._put(replace(act, due=None, doubted=True))

    def next_due(self) -> Ns | None:
        """When the next confirmation is overdue."""
        return min((act.due for act in self._acts.values() if act.due is not None), default=None)

    def put_off(self, span_ns: Ns) -> None:
        """Nobody could confirm for so long."""
        for key, act in self._acts.items():
            if act.due is not None:
                self._acts[key] = replace(act, due=act.due + span_ns)

    def _put(self, act: Alone) -> Turn:
        deletes: tuple[str, ...] = ()
        if len(self._acts) >= ALONE_MAX and act.key not in self._acts:
            oldest = next(iter(self._acts))
            del self._acts[oldest]
            deletes = (oldest,)
        self._acts[act.key] = act
        return Turn(puts=(_row(act),), deletes=deletes)


def _row(act: Alone) -> Row:
    value = asdict(act)
    del value["key"], value["due"]
    return Row(act.key, value)
