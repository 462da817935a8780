"""A task that is not closed yet, and its durable row. Part of the task rule.

queued --- it is the first of its item and place --> active
queued, active --- something is done for it -------> picking
any --- see `rules.task_verdict` ------------------> closed: only its row stays
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isqrt
from typing import Any, Literal, TypeAlias

from gateway.model import Movement, Ns, Task
from gateway.ports import JsonValue, Row
from rules.task_place import Course

TASK_ROW = "task:"

NO_DUE_S = 1 << 62
"""Later than any due time: a task without one comes after those that have one."""

BULK, BULK_PERMILLE = {"g", "ml"}, 5
"""In what bulk goods are told, and their usual tolerance."""

QUESTIONS_MAX = 16
"""Open questions kept for one task; more of them do not change what is said of it."""

Progress: TypeAlias = Literal["queued", "active", "picking"]


@dataclass(slots=True)
class Work:
    """What has been done for a task. `began` and `last` are moments of acts as they happened,
    `acted` is when the last was told.

    `strays` are pieces of other items that were moved instead and are not back yet, by the act's
    place and item; `misplaced` are pieces of the item that came from elsewhere than asked.
    `unwatched` says that for some time no sense watched its place. `noise` is the square of how far
    off the scale may be in what was done, of bulk goods.
    """

    number: int
    state: Progress = "queued"
    done: int = 0
    began: Ns | None = None
    last: Ns = 0
    acted: Ns = 0
    misplaced: int = 0
    strays: dict[str, int] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    actor: str | None = None
    noise: int = 0
    unwatched: bool = False

    @property
    def astray(self) -> int:
        """Pieces of other items that are not back yet."""
        return sum(self.strays.values())


@dataclass(slots=True)
class OpenTask:
    """A task, where it asks stock to go, and what has been done. `held` puts its closing off;
    `kept` says that it has a row.
    """

    task: Task
    course: Course
    work: Work
    held: Ns = 0
    kept: bool = False

    @property
    def rank(self) -> tuple[int, int, int]:
        """Which of several comes first: the least."""
        due_s = NO_DUE_S if self.task.due_s is None else self.task.due_s
        return (-self.task.priority, due_s, self.work.number)

    @property
    def tolerance(self) -> int:
        """So many more or less are as good as asked; of bulk goods no less than the noise of the
        scale, and half a per cent where the order says nothing.
        """
        told = self.task.tolerance_pieces or self.task.tolerance_permille
        permille = self.task.tolerance_permille
        if self.work.noise and not told:
            permille = BULK_PERMILLE
        by_share = self.task.quantity * permille // 1000
        return max(self.task.tolerance_pieces, by_share, isqrt(self.work.noise))

    @property
    def wanting(self) -> int:
        """Pieces that are still to be moved; below 0 there are too many."""
        return self.task.quantity - self.work.done

    @property
    def waits(self) -> bool:
        """Whether more is still to be moved."""
        return self.wanting > (self.tolerance if self.work.noise else 0)

    @property
    def excess(self) -> int:
        """Pieces beyond what may be too many."""
        return -self.wanting - self.tolerance

    def acted(self, now: Ns, at_event: Ns) -> None:
        """Something was done for it."""
        work = self.work
        work.state = "picking"
        work.began = at_event if work.began is None else min(work.began, at_event)
        work.last, work.acted = max(work.last, at_event), now

    def row(self, boot: str) -> Row:
        """What is kept of it from now on; `asked`, `state` and `done` are for people, too."""
        work = self.work
        self.kept = True
        value: dict[str, JsonValue] = {**asdict(work), "asked": self.task.quantity, "boot": boot}
        return Row(TASK_ROW + self.task.code, value)


def noise_of(movement: Movement) -> int:
    """The square of how far off a movement of bulk goods may be, by three deviations of the scale
    at each of its two levels, and by at least one gram or millilitre; 0 of pieces.
    """
    told = movement.evidence
    if movement.uom not in BULK or told.weight_before_mg is None or told.weight_after_mg is None:
        return 0
    moved_mg = abs(told.weight_after_mg - told.weight_before_mg)
    if not moved_mg or told.sd_mg is None:
        return 1
    return max(1, 18 * (told.sd_mg * movement.quantity) ** 2 // moved_mg**2)


def closed_row(task: Task, state: str, done: int, number: int) -> Row:
    """What is kept of a task that is closed, until it is taken back."""
    return Row(
        TASK_ROW + task.code,
        {"state": state, "done": done, "asked": task.quantity, "number": number},
    )


def is_closed(row: Row) -> bool:
    """Whether the row is of a task that is closed."""
    return "acted" not in row.value


def work_of(row: Row, boot: str, last_alive: Ns) -> Work:
    """What had been done; moments of another boot were at the latest when that was last alive."""
    value: dict[str, Any] = dict(row.value)
    del value["asked"]
    if value.pop("boot") != boot:
        value["acted"] = value["last"] = last_alive
        value["began"] = None if value["began"] is None else last_alive
    return Work(**value)
