"""What one sense has seen and the other has not yet confirmed: steps that wait for their tags,
and tags that wait for their step. Pure bookkeeping for the movement rule; durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from gateway.model import NS_PER_S, Ns
from gateway.ports import Row
from rules.act import STEP_ROW, WaitingStep, WaitingTag
from rules.waiting_rows import fields_of, row_of

WAITING_MAX = 100_000
"""Acts in flight at once: every known tag of the largest site coming or going in one window. Of
more, the oldest are decided on what is known."""

UNTIL_WATCHED: Ns = 1 << 61
"""The end of a wait that was restored and whose device has not been watched since, and of one for
a device that is blind."""

UNWATCHED_MAX_NS = 300 * NS_PER_S
"""How long such a wait lasts once other devices are back: longer than a reader takes to boot after
a power cut. A reader that stays away must not keep a decided step from the core for ever."""


class Waiting:
    """All that waits. `boot` is this boot; `last_alive` stands for any moment of an earlier one."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._steps: dict[str, WaitingStep] = {}
        self._tags: dict[str, WaitingTag] = {}
        self._unbounded = False  # whether restored waits have no end yet

    def restore(self, row: Row) -> None:
        """Take back what an earlier run waited for; it waits on until its device is watched."""
        kind = WaitingStep if row.key.startswith(STEP_ROW) else WaitingTag
        value = fields_of(row, kind, UNTIL_WATCHED)
        self._unbounded = True
        earlier = value.pop("boot") != self._boot
        if earlier:
            value["at"] = self._last_alive
        if kind is WaitingStep:
            value["epcs"] = tuple(value.get("epcs", ()))
            if earlier:
                value["known_at"] = self._last_alive
            self._steps[row.key] = WaitingStep(**value)
        else:
            if earlier:
                value["since"], value["told_at"] = self._last_alive, 0
            tag = WaitingTag(**value)
            self._tags[tag.key] = tag

    def add(self, waiting: WaitingStep | WaitingTag) -> Row:
        """Let it wait, or wait as it is now; return its durable row."""
        known = waiting.key in self._steps or waiting.key in self._tags
        if not known and len(self._steps) + len(self._tags) >= WAITING_MAX:
            self._hurry()
        if isinstance(waiting, WaitingStep):
            self._steps[waiting.key] = waiting
        else:
            self._tags[waiting.key] = waiting
        return row_of(waiting, self._boot)

    def drop(self, *waiting: WaitingStep | WaitingTag) -> tuple[str, ...]:
        """They wait no longer; the keys of those that did."""
        keys = tuple(each.key for each in waiting)
        books: tuple[dict[str, Any], ...] = (self._steps, self._tags)
        return tuple(key for key in keys for book in books if book.pop(key, None) is not None)

    def steps(self) -> Iterable[WaitingStep]:
        """All steps that wait, oldest first."""
        return self._steps.values()

    def tags(self) -> Iterable[WaitingTag]:
        """All tags that wait, oldest first."""
        return self._tags.values()

    def tag(self, key: str) -> WaitingTag | None:
        """The tag of that key, if it waits."""
        return self._tags.get(key)

    def overdue(self, now: Ns) -> tuple[list[WaitingStep], list[WaitingTag]]:
        """Take out what has waited long enough."""
        steps = [step for step in self._steps.values() if step.due <= now]
        tags = [tag for tag in self._tags.values() if tag.due <= now]
        self.drop(*steps, *tags)
        return steps, tags

    def next_due(self) -> Ns | None:
        """When the next wait is over; None if none ends by itself."""
        dues = [step.due for step in self._steps.values()]
        dues += [tag.due for tag in self._tags.values()]
        return min((due for due in dues if due < UNTIL_WATCHED), default=None)

    def put_off(self, span_ns: Ns) -> None:
        """Add a time in which nobody watched to every wait."""
        self._set_due(
            lambda each: each.due if each.due >= UNTIL_WATCHED else each.due + span_ns,
            lambda _: True,
        )

    def bound(self, now: Ns) -> bool:
        """Some device is watched again: bound the restored waits. False if there are none."""
        unbounded, self._unbounded = self._unbounded, False
        if unbounded:
            due = now + UNWATCHED_MAX_NS
            self._set_due(
                lambda each: min(each.due, due),
                lambda each: isinstance(each, WaitingTag) or not each.told,
            )
        return unbounded

    def renew(self, zone: str, due_of: Callable[[WaitingStep | WaitingTag], Ns]) -> None:
        """Begin every wait in the zone anew."""
        self._set_due(due_of, lambda each: each.zone == zone and _open(each))

    def renew_tags(
        self, places: set[tuple[str, str]], due_of: Callable[[WaitingStep | WaitingTag], Ns]
    ) -> None:
        """Begin the waits of the tags of these zones and items anew, for their scale is back."""
        self._set_due(
            due_of,
            lambda each: isinstance(each, WaitingTag) and (each.zone, each.item) in places,
        )

    def extend(self, zone: str, wait_ns: Ns) -> None:
        """Let the steps in the zone wait for their tags so long at least since each was known."""
        for key, step in self._steps.items():
            due = step.known_at + wait_ns
            untimely = step.arriving or step.alerted or not step.told
            if step.zone == zone and step.due < due and not untimely:
                self._steps[key] = replace(step, due=due)

    def _set_due(
        self,
        due_of: Callable[[WaitingStep | WaitingTag], Ns],
        where: Callable[[WaitingStep | WaitingTag], bool],
    ) -> None:
        for step_key, step in self._steps.items():
            if where(step):
                self._steps[step_key] = replace(step, due=due_of(step))
        for tag_key, tag in self._tags.items():
            if where(tag):
                self._tags[tag_key] = replace(tag, due=due_of(tag))

    def _hurry(self) -> None:
        """End the wait of one: steps first, because they are told in any case."""
        for key, step in self._steps.items():
            if step.due > 0:
                self._steps[key] = replace(step, due=0)
                return
        for tag_key, tag in self._tags.items():
            if tag.due > 0:
                self._tags[tag_key] = replace(tag, due=0)
                return


def _open(waiting: WaitingStep | WaitingTag) -> bool:
    """Whether a wait still asks something of its zone, or has no end yet."""
    told = isinstance(waiting, WaitingStep) and waiting.alerted
    return not told or waiting.due >= UNTIL_WATCHED
