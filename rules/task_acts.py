"""The movements that count for tasks: for an open task all of them, for a closed issue what may yet
come back. Durable, one row each. Part of the task rule.

What is put back takes its pieces from the acts that took them, the latest first; where tags tell
which pieces they are, from the acts of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.model import Movement, Ns, OrderReference
from gateway.ports import NOTHING, Row, Turn
from rules.task_open import TASK_ROW, OpenTask, is_closed

ACT_ROW = "act:"

RETURNABLE_MAX = 10_000
"""Acts of closed tasks in the time that something may come back: one in eight seconds, all day. Of
more, the oldest are forgotten: what comes back of them is a receipt without an order."""


@dataclass(frozen=True, slots=True)
class Act:
    """A movement that counts `quantity` for a task (below 0 it was put back, 0 is of the end that
    does not count). Of its pieces `left` are not back; `epcs` are those of them that are known.

    `weights_mg` are before and after, where a scale told it; `at` is when it was told. Of tasks of
    one name `task_number` tells which.
    """

    movement_id: str
    task: str
    order: OrderReference
    item: str
    place: str
    quantity: int
    left: int
    epcs: tuple[str, ...]
    at: Ns
    number: int = 0
    reads: int = 0
    weights_mg: tuple[int, int] | None = None
    closed: bool = False
    task_number: int = 0


def act_of(now: Ns, movement: Movement, opened: OpenTask, place: str, quantity: int) -> Act:
    """A movement that counts so many pieces for a task at that place."""
    evidence = movement.evidence
    weighed = None
    if evidence.weight_before_mg is not None and evidence.weight_after_mg is not None:
        weighed = (evidence.weight_before_mg, evidence.weight_after_mg)
    return Act(
        movement.movement_id,
        opened.task.code,
        opened.task.order,
        movement.item,
        place,
        quantity,
        max(quantity, 0),
        movement.epcs,
        now,
        reads=evidence.reads or 0,
        weights_mg=weighed,
        task_number=opened.work.number,
    )


class Acts:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._acts: dict[str, Act] = {}
        self._of_task: dict[str, dict[str, None]] = {}
        self._closed: dict[str, None] = {}
        self._numbers = 0

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the acts of earlier runs. Nothing was written of them when their task closed:
        those of a task that is not open, or is another of that name, are closed.
        """
        kept = list(rows)
        tasks = (row for row in kept if row.key.startswith(TASK_ROW) and not is_closed(row))
        opened = {row.key.removeprefix(TASK_ROW): row.value["number"] for row in tasks}
        acts = [self._restored(row, opened) for row in kept if row.key.startswith(ACT_ROW)]
        for act in sorted(acts, key=lambda act: act.number):
            self._keep(act)
            self._numbers = act.number + 1

    def add(self, act: Act) -> Row:
        """A movement counts."""
        act = replace(act, number=self._numbers)
        self._numbers += 1
        self._keep(act)
        return self._row(act)

    def get(self, movement_id: str) -> Act | None:
        """The act that this movement was."""
        return self._acts.get(movement_id)

    def of(self, task: str) -> list[Act]:
        """All acts of an open task in their order."""
        return [self._acts[movement_id] for movement_id in self._of_task.get(task, ())]

    def epcs(self, task: str) -> tuple[str, ...]:
        """The pieces of an open task that are not back, as far as they are known."""
        named = (epc for act in self.of(task) if act.quantity >= 0 for epc in act.epcs)
        return tuple(dict.fromkeys(named))

    def holder(self, epcs: Sequence[str]) -> Act | None:
        """The latest act whose pieces these are, all of them."""
        if not epcs:
            return None
        wanted = set(epcs)
        found = (a for a in self._acts.values() if a.quantity >= 0 and wanted <= set(a.epcs))
        return max(found, key=lambda act: act.number, default=None)

    def returnable(self, item: str, quantity: int, epcs: Sequence[str]) -> list[Act]:
        """Acts of closed tasks that this may come back from, the likeliest first: the pieces
        themselves, then the latest.
        """
        wanted = set(epcs)
        acts = [self._acts[key] for key in self._closed]
        acts = [act for act in acts if act.item == item]
        left: dict[tuple[str, str], int] = {}
        for act in acts:
            left[act.task, act.place] = left.get((act.task, act.place), 0) + act.left
        fitting = [act for act in acts if left[act.task, act.place] >= quantity]
        return sorted(fitting, key=lambda act: (-len(wanted & set(act.epcs)), -act.number))

    def name(self, movement_id: str, epcs: tuple[str, ...]) -> Turn:
        """Which pieces a movement was of is known by now."""
        act = self._acts[movement_id]
        if act.quantity < 0:
            return self._take(self._candidates(act), 0, epcs, named=act)
        fresh = replace(act, epcs=epcs)
        self._acts[movement_id] = fresh
        return Turn(puts=(self._row(fresh),))

    def take_back(self, like: Act, quantity: int, epcs: Sequence[str]) -> Turn:
        """So many pieces are back that acts of this task took from that place."""
        return self._take(self._candidates(like), quantity, epcs)

    def close(self, task: str, *, returnable: bool) -> Turn:
        """The task is closed: what may come back of it stays."""
        deletes = []
        for act in self.of(task):
            if returnable and act.quantity > 0 and act.left > 0:
                self._acts[act.movement_id] = replace(act, closed=True)
                self._closed[act.movement_id] = None
            else:
                deletes.append(ACT_ROW + self._acts.pop(act.movement_id).movement_id)
        self._of_task.pop(task, None)
        while len(self._closed) > RETURNABLE_MAX:
            deletes.append(self._forget(next(iter(self._closed))))
        return Turn(deletes=tuple(deletes)) if deletes else NOTHING

    def overdue(self, before: Ns) -> Turn:
        """Forget what came back of nothing for so long."""
        old = [key for key in self._closed if self._acts[key].at <= before]
        return Turn(deletes=tuple(self._forget(key) for key in old))

    def oldest(self) -> Ns | None:
        """When the first was told of those that may come back."""
        return min((self._acts[key].at for key in self._closed), default=None)

    def _candidates(self, like: Act) -> list[Act]:
        """What may have taken what is back, the latest first."""
        acts = [self._acts[key] for key in self._closed] if like.closed else self.of(like.task)
        same = [act for act in acts if (act.task, act.place) == (like.task, like.place)]
        return [act for act in reversed(same) if act.quantity > 0]

    def _take(
        self, acts: list[Act], quantity: int, epcs: Sequence[str], named: Act | None = None
    ) -> Turn:
        back = set(epcs)
        known_first = sorted(acts, key=lambda act: not back & set(act.epcs))
        changed = []
        if named is not None:
            changed.append(replace(named, epcs=tuple(epcs)))
        for act in known_first:
            part = min(quantity, act.left)
            rest = tuple(epc for epc in act.epcs if epc not in back)
            if part or rest != act.epcs:
                quantity -= part
                changed.append(replace(act, left=act.left - part, epcs=rest))
        deletes = []
        puts = []
        for act in changed:
            self._acts[act.movement_id] = act
            if act.closed and not act.left:
                deletes.append(self._forget(act.movement_id))
            else:
                puts.append(self._row(act))
        return Turn(puts=tuple(puts), deletes=tuple(deletes))

    def _keep(self, act: Act) -> None:
        self._acts[act.movement_id] = act
        if act.closed:
            self._closed[act.movement_id] = None
        else:
            self._of_task.setdefault(act.task, {})[act.movement_id] = None

    def _forget(self, movement_id: str) -> str:
        del self._closed[movement_id]
        del self._acts[movement_id]
        return ACT_ROW + movement_id

    def _row(self, act: Act) -> Row:
        order = act.order
        return Row(
            ACT_ROW + act.movement_id,
            {
                "task": act.task,
                "order": [order.system, order.type, order.number, order.line],
                "item": act.item,
                "place": act.place,
                "quantity": act.quantity,
                "left": act.left,
                "epcs": list(act.epcs),
                "at": act.at,
                "number": act.number,
                "reads": act.reads,
                "weights_mg": None if act.weights_mg is None else list(act.weights_mg),
                "task_number": act.task_number,
                "boot": self._boot,
            },
        )

    def _restored(self, row: Row, opened: Mapping[str, object]) -> Act:
        value: dict[str, Any] = dict(row.value)
        if "closed" not in value:  # older rows say it
            value["closed"] = opened.get(value["task"]) != value["task_number"]
        if value.pop("boot") != self._boot:
            value["at"] = self._last_alive
        order = OrderReference(*value.pop("order"))
        epcs, weights = tuple(value.pop("epcs")), value.pop("weights_mg")
        weights_mg = None if weights is None else (weights[0], weights[1])
        identity = row.key.removeprefix(ACT_ROW)
        return Act(identity, order=order, epcs=epcs, weights_mg=weights_mg, **value)
