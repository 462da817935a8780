"""Whether a task was watched: what no sense watches for a while goes unseen, and is kept with the
tasks there until they end. Part of the task rule.
"""

from __future__ import annotations

from gateway.model import Item, Sense, SenseChange
from gateway.ports import Turn
from rules.task_book import TaskBook
from rules.task_open import OpenTask
from rules.task_place import Places
from rules.turns import together


class TaskSenses:
    """See the module."""

    def __init__(self, places: Places, book: TaskBook) -> None:
        self._places = places
        self._book = book
        self._untagged: set[str] = set()
        self._missing: set[tuple[Sense, str]] = set()

    def item(self, item: Item) -> None:
        """Pieces of it carry tags, or do not."""
        (self._untagged.discard if item.pattern else self._untagged.add)(item.code)

    def changed(self, change: SenseChange) -> Turn:
        """A sense is missing, or is there again."""
        unseen = self._unseen()
        sense = (change.sense, change.point)
        (self._missing.add if change.missing else self._missing.discard)(sense)
        turns = []
        for opened in (*unseen, *self._unseen()):
            if not opened.work.unwatched:
                opened.work.unwatched = True
                turns.append(self._book.keep(opened))
        return together(*turns)

    def blind(self, opened: OpenTask) -> bool:
        """Whether for some time, or now, nobody saw what was done for a task."""
        tagged = opened.task.item not in self._untagged
        unseen = self._places.blind(opened.course.counted, self._missing, tagged=tagged)
        return opened.work.unwatched or unseen

    def _unseen(self) -> list[OpenTask]:
        return [opened for opened in self._book.started() if self.blind(opened)]
