"""The open tasks as a person or the core sees them: what was ordered, and how far it is.

What was ordered stands among the reference facts. How far it is the task rule keeps in its rows,
by `task:{code}`: `state` (queued, active or picking, or a TaskState from its confirmation until the
core takes it back), `done` and `asked`. A task without a row has not been begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from gateway.model import NS_PER_S, UNKNOWN_LOCATION, Task, TaskState
from gateway.ports import JsonValue
from gateway.store import StoreReader
from gateway.store.booking import utc

TASK_RULE = "task"

ENDED = frozenset[JsonValue](get_args(TaskState))

LISTED_MAX = 500
"""Tasks in one answer, the first to be done first: it must fit into one message of the broker."""


def listed_tasks(reader: StoreReader) -> Mapping[str, JsonValue]:
    """The open tasks in the order in which they are due, without their serials; `open` is how
    many there are, those beyond LISTED_MAX among them.
    """
    progress = _progress(reader)
    tasks = [task for task in reader.tasks() if _state(task, progress) not in ENDED]
    tasks.sort(key=_urgency)
    listed = [_told(task, progress) for task in tasks[:LISTED_MAX]]
    return {"open": len(tasks), "tasks": listed}


def shown_task(reader: StoreReader, code: str) -> Mapping[str, JsonValue] | None:
    """One task that is not taken back yet, or None."""
    task = next((task for task in reader.tasks() if task.code == code), None)
    if task is None:
        return None
    return {**_told(task, _progress(reader)), "serials": list(task.serials)}


def task_of_order(reader: StoreReader, body: Mapping[str, Any]) -> Mapping[str, JsonValue] | None:
    """The task that a record is of, by its own word or its order line; None if none is known."""
    order = body.get("order")
    if order is None:
        return None
    code = body.get("task")
    for task in reader.tasks():
        line = {name: value for name, value in asdict(task.order).items() if value}
        if task.code == code or (code is None and line == order and task.item == body["item"]):
            return _told(task, _progress(reader))
    return None


def _urgency(task: Task) -> tuple[int, bool, int, str]:
    return -task.priority, task.due_s is None, task.due_s or 0, task.code


def _progress(reader: StoreReader) -> Mapping[str, Mapping[str, JsonValue]]:
    return {found.row.key: found.row.value for found in reader.state_rows(TASK_RULE)}


def _state(task: Task, progress: Mapping[str, Mapping[str, JsonValue]]) -> JsonValue:
    return progress.get(f"task:{task.code}", {}).get("state", "queued")


def _told(task: Task, progress: Mapping[str, Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    row = progress.get(f"task:{task.code}", {})
    order = task.order
    told: dict[str, JsonValue] = {
        "task_id": task.code,
        "version": task.version,
        "type": task.kind,
        "order": {name: getattr(order, name) for name in type(order).__slots__},
        "item": task.item,
        "asked": row.get("asked", task.quantity),
        "done": row.get("done", 0),
        "state": _state(task, progress),
        "tolerance": {"pieces": task.tolerance_pieces, "permille": task.tolerance_permille},
        "policy": task.policy,
        "priority": task.priority,
        "timeout_s": task.timeout_s,
    }
    for name, place in (("from", task.from_location), ("to", task.to_location)):
        if place != UNKNOWN_LOCATION:
            told[name] = {"location": place}
    if task.amount:
        told["told"] = {"quantity": task.amount} | ({"uom": task.uom} if task.uom else {})
    if task.lot is not None:
        told["lot"] = task.lot
    if task.due_s is not None:
        told["due"] = utc(task.due_s * NS_PER_S)
    return told
