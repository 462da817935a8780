"""What people are called for while a task is worked on. Part of the task rule.

What is wrong with a task is said as it stands: when it is mended, the alert is cleared.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import Movement, Ns, Severity, TaskState
from gateway.ports import NOTHING, Turn
from rules.task_alerts import TaskAlerts
from rules.task_open import OpenTask
from rules.task_place import Places
from rules.task_verdict import strangers
from rules.turns import together

OVER = "{place}: {excess} {item} more moved than the {asked} of task {task}; put back what is over"
SHORT = "{place}: task {task} ended with {done} of {asked} {item}; look what is left there"
WRONG_ITEM = (
    "{place}: pieces were moved that task {task} does not ask ({asked} {item}); put them back"
)
WRONG_PLACE = "{place}: {item} of task {task} was asked at another place ({right}); move it there"
UNPLANNED = "{place}: {quantity} {item} taken without an order; name the order or put them back"
FULL = "task {task} has no room among all that are open; cancel or finish some and tell it again"


ALL_PLACES = "*"


class Guard:
    """Raises and clears the alerts of tasks. In `demand_order` are the places and zones that
    nothing may leave without an order.
    """

    def __init__(self, alerts: TaskAlerts, places: Places, demand_order: Iterable[str]) -> None:
        self._alerts = alerts
        self._places = places
        self._demand = frozenset(demand_order)

    def look(self, now: Ns, opened: OpenTask, epcs: tuple[str, ...], place: str) -> Turn:
        """Say what is wrong with a task after an act at that place."""
        task, work = opened.task, opened.work
        words = {
            "place": place,
            "item": task.item,
            "task": task.code,
            "asked": task.quantity,
            "excess": -opened.wanting,
            "right": opened.course.counted or "anywhere",
        }
        over = -opened.wanting if opened.excess > 0 and task.policy != "flexible" else 0
        wrong = work.astray + len(strangers(opened, epcs))
        severity = _severity(opened)
        return together(
            self._alerts.now(now, f"over_issue:{task.code}", over, OVER.format(**words), severity),
            self._alerts.now(now, f"wrong_item:{task.code}", wrong, WRONG_ITEM.format(**words)),
            self._alerts.now(
                now, f"wrong_place:{task.code}", work.misplaced, WRONG_PLACE.format(**words)
            ),
        )

    def closed(self, now: Ns, opened: OpenTask, state: TaskState) -> Turn:
        """Say what a task lacks that is closed."""
        task, done = opened.task, opened.work.done
        lacking = opened.wanting if opened.wanting > opened.tolerance else 0
        if task.policy == "flexible" or state == "cancelled":
            lacking = 0
        place = opened.course.counted or "anywhere"
        text = SHORT.format(
            place=place, item=task.item, task=task.code, asked=task.quantity, done=done
        )
        return self._alerts.now(now, f"short:{task.code}", lacking, text, _severity(opened))

    def loose(
        self, now: Ns, movement: Movement, *, known: int = 0, taken_only: bool = False
    ) -> Turn:
        """Something moved that is of no task, which may need one there; `known` pieces of it were
        told before. What comes may have left without an order: not if it is `taken_only`.
        """
        place, item, quantity = movement.from_location, movement.item, movement.quantity
        if self._demands(movement):
            text = UNPLANNED.format(place=place, item=item, quantity=quantity)
            return self._alerts.more(now, f"unplanned:{place}:{item}", quantity - known, text)
        return NOTHING if taken_only else self.less(now, movement.to_location, item, quantity)

    def less(self, now: Ns, place: str, item: str, quantity: int) -> Turn:
        """So many pieces are back that left there without an order."""
        return self._alerts.less(now, f"unplanned:{place}:{item}", quantity)

    def full(self, now: Ns, task: str, *, full: bool) -> Turn:
        """There is no room for a task, or there is again."""
        return self._alerts.now(now, "tasks_full", int(full), FULL.format(task=task), "critical")

    def _demands(self, movement: Movement) -> bool:
        """Whether it should not have left without an order."""
        place = movement.from_location
        if movement.kind not in {"issue", "transfer"} or movement.reverses is not None:
            return False
        if ALL_PLACES in self._demand and self._places.storage(place):
            return True
        return bool({place, self._places.area(place)} & self._demand)


def _severity(opened: OpenTask) -> Severity:
    return "critical" if opened.task.policy == "strict" else "warning"
