"""How far a task is, told to whoever shows it. Part of the task rule; it decides nothing."""

from __future__ import annotations

from gateway.model import TaskProgress
from gateway.ports import Turn
from rules.task_acts import Acts
from rules.task_book import TaskBook
from rules.task_open import TASK_ROW, OpenTask
from rules.task_place import Places
from rules.turns import together


def told_progress(turn: Turn, book: TaskBook, acts: Acts, places: Places) -> Turn:
    """The turn, with the progress of each task whose row it changes."""
    keys = dict.fromkeys((*(row.key for row in turn.puts), *turn.deletes))
    codes = [key.removeprefix(TASK_ROW) for key in keys if key.startswith(TASK_ROW)]
    told = []
    for code in codes:
        opened = book.get(code)
        ended = TaskProgress(code, ended=True)
        told.append(ended if opened is None else _progress(opened, acts, places))
    return together(turn, Turn(facts=tuple(told))) if told else turn


def _progress(opened: OpenTask, acts: Acts, places: Places) -> TaskProgress:
    task, work, counted = opened.task, opened.work, opened.course.counted
    astray: dict[str, int] = {}
    for key, pieces in work.strays.items():
        place, _, _ = key.partition("\t")
        astray[place] = astray.get(place, 0) + pieces
    if work.misplaced > 0 and counted:
        for act in acts.of(task.code):
            if act.quantity > 0 and not places.same(act.place, counted):
                astray[act.place] = astray.get(act.place, 0) + act.left
    return TaskProgress(
        task.code,
        task.item,
        counted,
        opened.course.outward,
        max(opened.wanting, 0),
        -opened.wanting if opened.excess > 0 else 0,
        tuple(sorted((place, pieces) for place, pieces in astray.items() if pieces > 0)),
        bool(work.questions),
        opened.rank,
        work.actor,
    )
