"""What is wrong with a step is said when it is weighed, not when its movement is told. Part of the
task rule.

    step held for its tags ----> counted as the movement that it would be; its alerts are raised
    told as that movement -----> that counts, and what is said stands as far as it says the same
    told otherwise ------------> counted no more, and what was only said because of it is cleared

A task is not closed while a step that may count for it is held. Durable are steps that raised
something; those of an earlier boot are told under another id, and are counted no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import astuple, dataclass, replace
from typing import Any

from gateway.model import UNKNOWN_LOCATION, Movement, Ns, StepHeld
from gateway.ports import NOTHING, Row, Turn
from rules.task_acts import Acts
from rules.task_book import TaskBook
from rules.task_guard import Guard
from rules.task_match import Matching
from rules.task_open import OpenTask
from rules.turns import together

HELD_ROW = "held:"

HELD_MAX = 100
"""Steps that wait at once: more than hands at shelves. Of more, each is said when it is told."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A step that waits, the task that it counts for ("" is none), and where; `loose` says that it
    was counted as taken without an order.
    """

    step: StepHeld
    task: str = ""
    place: str = ""
    loose: bool = False
    kept: bool = False
    boot: str = ""

    @property
    def known(self) -> int:
        """So many pieces are said to have left without an order."""
        return -self.step.quantity if self.loose else 0


class Foresight:
    """See the module. `boot` is that of the rule's context."""

    def __init__(
        self, book: TaskBook, acts: Acts, matching: Matching, guard: Guard, boot: str
    ) -> None:
        self._book, self._acts = book, acts
        self._matching = matching
        self._guard = guard
        self._boot = boot
        self._held: dict[str, Foreseen] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the steps that raised something."""
        for row in rows:
            if row.key.startswith(HELD_ROW):
                value: dict[str, Any] = dict(row.value)
                step = StepHeld(row.key.removeprefix(HELD_ROW), *value.pop("step"))
                self._held[step.movement_id] = Foreseen(step, **value, kept=True)

    def begin(self, now: Ns) -> Turn:
        """The first is watched in this run: nothing is told any more under ids of earlier boots."""
        old = [key for key, each in self._held.items() if each.boot != self._boot]
        return together(*(self.over(now, key) for key in old))

    def held(self, now: Ns, step: StepHeld) -> Turn:
        """A step waits to be told; without pieces, it turned out to be none."""
        if not step.quantity:
            return self.over(now, step.movement_id)
        if len(self._held) >= HELD_MAX:
            return NOTHING
        movement = _movement(now, step)
        foreseen = Foreseen(step, boot=self._boot)
        with self._counted(now):
            deed = self._matching.deed(movement)
        if deed.match is not None:
            match = deed.match
            foreseen = replace(foreseen, task=match.opened.task.code, place=match.place)
            self._held[step.movement_id] = foreseen
            said = self.look(now, match.opened, match.place)
        elif deed.act is None:
            said = self._guard.loose(now, movement, taken_only=True)
            foreseen = replace(foreseen, loose=said is not NOTHING)
        else:
            said = NOTHING
        kept = said is not NOTHING
        self._held[step.movement_id] = replace(foreseen, kept=kept)
        return together(said, Turn(puts=(_row(foreseen),))) if kept else NOTHING

    def over(self, now: Ns, identity: str) -> Turn:
        """A step is not what it seemed: what was said only because of it is cleared."""
        foreseen = self.taken(identity)
        if foreseen is None:
            return NOTHING
        step = foreseen.step
        less = NOTHING
        if foreseen.known:
            less = self._guard.less(now, step.location, step.item, foreseen.known)
        return together(self.settled(now, foreseen), less)

    def taken(self, identity: str) -> Foreseen | None:
        """The step of that id, which is held no longer; it has to be settled."""
        return self._held.pop(identity, None)

    def settled(self, now: Ns, foreseen: Foreseen) -> Turn:
        """It counts by itself now, or not at all."""
        identity = foreseen.step.movement_id
        gone = Turn(deletes=(HELD_ROW + identity,)) if foreseen.kept else NOTHING
        opened = self._book.get(foreseen.task)
        if opened is None:
            return gone
        return together(gone, self.look(now, opened, foreseen.place))

    def waits_for(self, task: str) -> bool:
        """Whether a step is held that may count for that task."""
        return any(each.task == task for each in self._held.values())

    def look(self, now: Ns, opened: OpenTask, place: str) -> Turn:
        """Say what is wrong with a task after an act at that place, with all that is held."""
        epcs = self._acts.epcs(opened.task.code)
        with self._counted(now):
            return self._guard.look(now, opened, epcs, place)

    @contextmanager
    def _counted(self, now: Ns) -> Iterator[None]:
        """Within it, the work on tasks is what it is once all that is held is told."""
        before = []
        for foreseen in self._held.values():
            movement = _movement(now, foreseen.step)
            deed = self._matching.deed(movement)
            if deed.match is not None:
                opened = deed.match.opened
                before.append((opened, opened.work))
                opened.work = replace(opened.work, strays=copy(opened.work.strays))
                deed.count(movement)
        try:
            yield
        finally:
            for opened, work in reversed(before):
                opened.work = work


def _movement(now: Ns, step: StepHeld) -> Movement:
    """What it is told as by weight alone."""
    ends = (UNKNOWN_LOCATION, step.location)
    if step.quantity < 0:
        ends = (step.location, UNKNOWN_LOCATION)
    return Movement(
        step.movement_id,
        "issue" if step.quantity < 0 else "receipt",
        "observed",
        step.item,
        abs(step.quantity),
        step.uom,
        *ends,
        step.at,
        now,
        0,
    )


def _row(foreseen: Foreseen) -> Row:
    step = list(astuple(foreseen.step)[1:])
    return Row(
        HELD_ROW + foreseen.step.movement_id,
        {
            "step": step,
            "task": foreseen.task,
            "place": foreseen.place,
            "loose": foreseen.loose,
            "boot": foreseen.boot,
        },
    )
