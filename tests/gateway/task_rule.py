"""A rule that works tasks off in the simplest way there is, to test the way of tasks around it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any, ClassVar, get_args

import pytest

from gateway import registry
from gateway.model import (
    Attribution,
    Fact,
    Movement,
    Ns,
    OrderReference,
    ReferenceDeleted,
    Task,
    TaskCancel,
    TaskConfirmation,
    TaskState,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn


@dataclass(frozen=True)
class Begun:
    """A task that was told, and what was done of it; `ended` says how it was confirmed."""

    task: Task
    done: int = 0
    movement_ids: tuple[str, ...] = ()
    ended: str = ""

    @property
    def row(self) -> Row:
        state = self.ended or ("picking" if self.done else "queued")
        progress = {"state": state, "done": self.done, "asked": self.task.quantity}
        kept = {**asdict(self.task), "movement_ids": list(self.movement_ids)}
        return Row(f"task:{self.task.code}", {**progress, "task": kept})


class WorkedOff:
    """Every issue of a task's item counts for it; it is done as soon as as much went as asked."""

    Settings: ClassVar[type[PluginSettings]] = PluginSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (Task, TaskCancel, ReferenceDeleted, Movement)
    schema: ClassVar[int] = 1

    def __init__(self, _settings: PluginSettings, context: RuleContext) -> None:
        self._identify = context.identify
        self._begun: dict[str, Begun] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kept: dict[str, Any] = dict(row.value["task"])  # type: ignore[arg-type] # our own row
            movement_ids = tuple(kept.pop("movement_ids"))
            order = OrderReference(**kept.pop("order"))
            task = Task(**{**kept, "order": order, "serials": tuple(kept["serials"])})
            ended = str(row.value["state"]) if row.value["state"] in get_args(TaskState) else ""
            self._begun[task.code] = Begun(task, int(str(row.value["done"])), movement_ids, ended)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        if isinstance(fact, Task):
            return self._learn(fact)
        if isinstance(fact, ReferenceDeleted):
            return Turn(deletes=(f"task:{fact.code}",)) if self._forget(fact) else NOTHING
        if isinstance(fact, TaskCancel):
            begun = self._begun.get(fact.code)
            return NOTHING if begun is None else self._end(now, begun, "cancelled", fact.actor)
        return self._count(now, fact) if isinstance(fact, Movement) else NOTHING

    def _learn(self, task: Task) -> Turn:
        before = self._begun.get(task.code)
        if before is not None and (before.ended or before.task == task):
            return NOTHING
        self._begun[task.code] = Begun(task) if before is None else replace(before, task=task)
        return Turn(puts=(self._begun[task.code].row,))

    def _forget(self, gone: ReferenceDeleted) -> bool:
        return gone.kind == "task" and self._begun.pop(gone.code, None) is not None

    def _count(self, now: Ns, movement: Movement) -> Turn:
        open_ones = (begun for begun in self._begun.values() if not begun.ended)
        begun = next((each for each in open_ones if each.task.item == movement.item), None)
        if begun is None or movement.kind != "issue":
            return NOTHING
        moved = (*begun.movement_ids, movement.movement_id)
        begun = replace(begun, done=begun.done + movement.quantity, movement_ids=moved)
        whose = Attribution(movement.movement_id, begun.task.order)
        if begun.done < begun.task.quantity:
            self._begun[begun.task.code] = begun
            return Turn((whose,), puts=(begun.row,))
        ended = self._end(now, begun, "done")
        return ended._replace(facts=(whose, *ended.facts))

    def _end(self, now: Ns, begun: Begun, state: TaskState, actor: str = "") -> Turn:
        task = begun.task
        told = TaskConfirmation(
            confirmation_id=self._identify("confirmation", task.code),
            task=task.code,
            order=task.order,
            state=state,
            item=task.item,
            uom="pcs",
            quantity_asked=task.quantity,
            quantity_done=begun.done,
            quantity_difference=begun.done - task.quantity,
            at_started=now,
            at_event=now,
            at_decided=now,
            exception="SHORT" if begun.done < task.quantity else None,
            movement_ids=begun.movement_ids,
            actor=actor or None,
        )
        self._begun[task.code] = replace(begun, ended=state)
        return Turn((told,), puts=(self._begun[task.code].row,))


@pytest.fixture
def task_rule(fake_driver: Any, monkeypatch: pytest.MonkeyPatch) -> type[WorkedOff]:
    """Install the rule as `task`, beside the driver `fake`."""
    assert fake_driver
    installed = registry.entry_points

    def found(group: str) -> EntryPoints:
        own = EntryPoint("task", "tests.gateway.task_rule:WorkedOff", registry.RULES)
        return EntryPoints([*installed(group=group), *([own] if group == own.group else [])])

    monkeypatch.setattr(registry, "entry_points", found)
    return WorkedOff
