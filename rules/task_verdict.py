"""When a task is closed, and what is then said of it. Part of the task rule.

    as asked, and quiet for quiet_s -----------------> done (for quiet_tags_s where only tags tell)
    as asked, pieces asked, their tags still to show -> waits tags_s for them
    too many, or less, and no act for timeout_s -----> over, short; timed_out if nothing counts
    ... or its gate's door closed after it ----------> the same, for quiet_tags_s later
    pieces of other items, or not those asked -------> wrong, WRONG_SKU
    pieces from elsewhere than asked ----------------> wrong, WRONG_LOCATION
    taken back by a person or the core --------------> cancelled, with what was done

As asked is what lies within the tolerance; fewer pieces than asked wait for more all the same, and
bulk goods that a scale cannot tell from what was asked do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.model import NS_PER_S, Evidence, ExceptionCode, Ns, TaskConfirmation, TaskState
from rules.task_acts import Act
from rules.task_open import OpenTask

LIST_BYTES_MAX = 14_000
"""JSON bytes of each list in one confirmation: about 350 movements, 500 EPCs of 96 bits. Of more,
the latest stand in it; the order in each movement tells of all."""

JSON_BYTES = 3
"""Two quotes and a comma around each."""

BY_STATE: dict[TaskState, ExceptionCode] = {
    "short": "SHORT",
    "over": "OVER",
    "timed_out": "TIMEOUT",
}


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long nothing must happen after what was asked is done: where a scale tells it, where
    only tags do, and where the tags of certain pieces are still to show.
    """

    quiet_ns: Ns
    quiet_tags_ns: Ns
    tags_ns: Ns


def due(opened: OpenTask, named: int, pauses: Pauses, *, weighed: bool) -> Ns:
    """When a task in work is closed if nothing more happens; of `named` pieces the EPC is known."""
    timeout_ns = opened.task.timeout_s * NS_PER_S
    if opened.waits or opened.excess > 0:
        wait_ns = timeout_ns
    elif opened.task.serials and named < opened.work.done:
        wait_ns = min(pauses.tags_ns, timeout_ns)
    else:
        wait_ns = pauses.quiet_ns if weighed else pauses.quiet_tags_ns
    return max(opened.work.acted + wait_ns, opened.held)


def due_at_door(opened: OpenTask, closed: Ns, pauses: Pauses) -> Ns:
    """The same, of one whose door was closed after its last act: tags of it may still be told."""
    return max(closed + pauses.quiet_tags_ns, opened.work.acted + pauses.quiet_ns, opened.held)


def strangers(opened: OpenTask, epcs: Iterable[str]) -> tuple[str, ...]:
    """Of these pieces, those that the task did not ask; none if it asks no certain ones."""
    asked = opened.task.serials
    return tuple(epc for epc in epcs if epc not in asked) if asked else ()


def verdict(
    opened: OpenTask, epcs: Sequence[str], *, blind: bool
) -> tuple[TaskState, ExceptionCode | None]:
    """What became of a task that is closed now. `blind` says that not all was watched."""
    work = opened.work
    lacking = opened.wanting > opened.tolerance
    if strangers(opened, epcs) or (lacking and work.astray):
        return "wrong", "WRONG_SKU"
    if work.misplaced > 0:
        return "wrong", "WRONG_LOCATION"
    if not lacking and opened.excess <= 0:
        proven = len(epcs) >= work.done or not opened.task.serials
        return "done", None if proven else "UNRESOLVED"
    state: TaskState = "over" if opened.excess > 0 else "short" if work.done else "timed_out"
    if work.questions:
        return state, "UNRESOLVED"
    if blind and lacking:
        return state, "SENSOR_FAULT"
    if opened.task.policy == "flexible" and state != "timed_out":
        return state, None
    return state, BY_STATE[state]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ends, when, and by whom if a person ended it."""

    confirmation_id: str
    state: TaskState
    exception: ExceptionCode | None
    at: Ns
    actor: str | None = None


def confirmation(
    opened: OpenTask, ending: Ending, acts: Sequence[Act], epcs: Sequence[str], uom: str
) -> TaskConfirmation:
    """What is told of a task that ends now."""
    task, work = opened.task, opened.work
    return TaskConfirmation(
        ending.confirmation_id,
        task.code,
        task.order,
        ending.state,
        task.item,
        uom,
        task.quantity,
        work.done,
        work.done - task.quantity,
        ending.at if work.began is None else work.began,
        ending.at if work.began is None else work.last,
        ending.at,
        ending.exception,
        _latest([act.movement_id for act in acts]),
        _latest(epcs),
        ending.actor or work.actor,
        _evidence(acts),
    )


def _latest(names: Sequence[str]) -> tuple[str, ...]:
    """As many of the last as fit into one record, in their order."""
    room = LIST_BYTES_MAX
    for index in range(len(names) - 1, -1, -1):
        room -= len(names[index]) + JSON_BYTES
        if room < 0:
            return tuple(names[index + 1 :])
    return tuple(names)


def _evidence(acts: Sequence[Act]) -> Evidence:
    """All reads; and the weight before and after, if all of it was at one place."""
    reads = sum(act.reads for act in acts)
    weighed = [act.weights_mg for act in acts if act.weights_mg is not None]
    one_place = len({act.place for act in acts if act.weights_mg is not None}) == 1
    return Evidence(
        reads=reads or None,
        weight_before_mg=weighed[0][0] if one_place else None,
        weight_after_mg=weighed[-1][1] if one_place else None,
    )
