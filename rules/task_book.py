"""The tasks that are known: open ones with their work, and of closed ones just that, until the core
takes them back. Durable. Part of the task rule.

Of all open tasks for one item and place, the first is active, whatever is queued behind it: higher
priority, earlier due, first come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.model import Ns, Task
from gateway.ports import NOTHING, Row, Turn
from rules.task_open import TASK_ROW, OpenTask, Work, closed_row, is_closed, work_of
from rules.task_place import Places
from rules.turns import together

OPEN_MAX = 10_000
"""Tasks that are open at once: more than the people of a site do in a day."""

Group = tuple[str, str, bool]


class TaskBook:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, places: Places, boot: str, last_alive: Ns) -> None:
        self._places = places
        self._boot = boot
        self._last_alive = last_alive
        self._open: dict[str, OpenTask] = {}
        self._closed: dict[str, int] = {}
        self._works: dict[str, Work] = {}
        self._by_item: dict[str, dict[str, OpenTask]] = {}
        self._by_area: dict[str, dict[str, OpenTask]] = {}
        self._groups: dict[Group, dict[str, OpenTask]] = {}
        self._in_work: dict[str, OpenTask] = {}
        self._numbers = 0

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back what had been done; the tasks themselves are told after that."""
        for row in rows:
            if not row.key.startswith(TASK_ROW):
                continue
            code, value = row.key.removeprefix(TASK_ROW), dict[str, Any](row.value)
            self._numbers = max(self._numbers, value["number"] + 1)
            if is_closed(row):
                self._closed[code] = value["number"]
            else:
                self._works[code] = work_of(row, self._boot, self._last_alive)

    def full(self, task: Task) -> bool:
        """Whether there is no room for that task."""
        known = task.code in self._open or task.code in self._closed
        return not known and len(self._open) >= OPEN_MAX

    def is_other(self, opened: OpenTask, task: Task) -> bool:
        """Whether a newer version asks what the work on the older one cannot count for."""
        asked = (opened.task.item, opened.course)
        return asked != (task.item, self._places.course(task))

    def take(self, task: Task) -> OpenTask | None:
        """A task is told, or its newer version; None if it is closed."""
        if task.code in self._closed:
            return None
        course = self._places.course(task)
        opened = self._open.get(task.code)
        if opened is None:
            work = self._works.pop(task.code, None)
            opened = OpenTask(task, course, work or Work(self._numbers), kept=work is not None)
            self._numbers += work is None
        else:
            self._unlist(opened)
            opened.task, opened.course = task, course
        self._list(opened)
        return opened

    def get(self, code: str) -> OpenTask | None:
        """The open task of that code."""
        return self._open.get(code)

    def of_item(self, item: str) -> Iterable[OpenTask]:
        """The open tasks for an item."""
        return self._by_item.get(item, {}).values()

    def in_area(self, area: str) -> Iterable[OpenTask]:
        """The open tasks whose place that counts is in an area."""
        return self._by_area.get(area, {}).values()

    def in_work(self) -> list[OpenTask]:
        """The tasks that something has been done for, in the order in which they came."""
        return sorted(self._in_work.values(), key=lambda opened: opened.work.number)

    def started(self) -> list[OpenTask]:
        """The open tasks that are not queued behind another."""
        return [opened for opened in self._open.values() if opened.work.state != "queued"]

    def keep(self, opened: OpenTask) -> Turn:
        """Its work has changed."""
        if opened.work.state == "picking":
            self._in_work[opened.task.code] = opened
        return Turn(puts=(opened.row(self._boot),))

    def activate(self, opened: OpenTask) -> Turn:
        """The first of those with the same item and place is active, if it was queued."""
        return self._first(self._groups.get(self._group(opened), {}))

    def activate_all(self) -> Turn:
        """The same, of all that are open."""
        return together(*(self._first(group) for group in self._groups.values()))

    def close(self, opened: OpenTask, state: str) -> Turn:
        """It is closed: that is kept until the core takes it back."""
        task, work = opened.task, opened.work
        self._unlist(opened)
        self._closed[task.code] = work.number
        return Turn(puts=(closed_row(task, state, work.done, work.number),))

    def forget(self, code: str) -> Turn:
        """The core has taken back a task that is closed."""
        if self._closed.pop(code, None) is None:
            return NOTHING
        return Turn(deletes=(TASK_ROW + code,))

    def orphans(self) -> list[str]:
        """Tasks that were taken back while nobody was told; they are forgotten by this."""
        codes = list(self._works)
        self._works.clear()
        return codes

    def _first(self, group: dict[str, OpenTask]) -> Turn:
        first = min(group.values(), key=lambda opened: opened.rank, default=None)
        if first is None or first.work.state != "queued":
            return NOTHING
        first.work.state = "active"
        return self.keep(first)

    def _group(self, opened: OpenTask) -> Group:
        course = opened.course
        return opened.task.item, course.counted, course.outward

    def _list(self, opened: OpenTask) -> None:
        code = opened.task.code
        self._open[code] = opened
        self._by_item.setdefault(opened.task.item, {})[code] = opened
        area = self._places.area(opened.course.counted)
        self._by_area.setdefault(area, {})[code] = opened
        self._groups.setdefault(self._group(opened), {})[code] = opened
        if opened.work.state == "picking":
            self._in_work[code] = opened

    def _unlist(self, opened: OpenTask) -> None:
        code = opened.task.code
        del self._open[code]
        self._in_work.pop(code, None)
        area = self._places.area(opened.course.counted)
        _drop(self._by_item, opened.task.item, code)
        _drop(self._by_area, area, code)
        _drop(self._groups, self._group(opened), code)


def _drop(index: dict[Any, dict[str, OpenTask]], key: object, code: str) -> None:
    del index[key][code]
    if not index[key]:
        del index[key]
