"""Which task a movement is of. Part of the task rule; it decides nothing else.

A movement is of one task, never of two. Of the tasks that ask just this, first comes one that asks
these very pieces, then one that it does not make too many, then the first in its rank. What goes
the other way takes back: of a task that has too many, before it is of one that asks for it.

    goes the way of a task at its place ----------> that task
    goes back the way of a task ------------------> taken back
    the item, at another place than asked --------> that task, misplaced
    another item, where a task has its turn ------> stray
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import UNKNOWN_LOCATION, Movement
from rules.task_acts import Act, Acts
from rules.task_book import TaskBook
from rules.task_open import OpenTask
from rules.task_place import Places, ends


@dataclass(frozen=True, slots=True)
class Match:
    """The task, and whether the movement adds to it (1), takes back (-1), or neither (0).

    `place` is where it counts.
    """

    opened: OpenTask
    sign: int
    place: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What a movement is: of a task (`match`), back from a closed one or known already (`act`), or
    neither. It may be of a task's item from elsewhere (`misplaced`), or of another item (`stray`).
    """

    match: Match | None = None
    act: Act | None = None
    misplaced: bool = False
    stray: bool = False
    back: bool = False

    def count(self, movement: Movement) -> None:
        """Enter it into the work of its task."""
        assert self.match is not None
        work, quantity = self.match.opened.work, self.match.sign * movement.quantity
        if not self.stray:
            work.done += quantity
            work.misplaced += quantity if self.misplaced else 0
            return
        key = stray_key(self.match.place, movement.item)
        work.strays[key] = work.strays.get(key, 0) + quantity
        if not work.strays[key]:
            del work.strays[key]


class Matching:
    """See the module."""

    def __init__(self, places: Places, book: TaskBook, acts: Acts) -> None:
        self._places = places
        self._book = book
        self._acts = acts

    def deed(self, movement: Movement) -> Deed:
        """What that movement is."""
        if movement.reverses is not None:
            return self._refuted(movement)
        match = self._asked(movement)
        if match is not None:
            return Deed(match)
        act = self._returned(movement)
        if act is not None:
            return Deed(act=act, back=True)
        holder = self._acts.holder(movement.epcs)
        if holder is not None:
            return Deed(act=holder)
        match = self._elsewhere(movement)
        if match is not None:
            return Deed(match, misplaced=True)
        match = self._stray(movement)
        return Deed() if match is None else Deed(match, stray=True)

    def _asked(self, movement: Movement) -> Match | None:
        """The task that asks the movement, or that it takes back from."""
        fits = [
            (opened, sign)
            for opened in self._book.of_item(movement.item)
            if (sign := self._places.sign(opened.course, movement)) is not None
        ]
        if not fits:
            return None
        backs = [o for o, sign in fits if sign < 0 and self._comes_back(o, movement)]
        spare = [opened for opened in backs if opened.wanting < 0]
        forward = [opened for opened, sign in fits if sign > 0]
        wanting = [opened for opened in forward if opened.wanting > 0]
        if wanting and not spare:
            best = min(wanting, key=lambda opened: _preference(opened, movement))
            return self._match(best, 1, movement)
        if backs:
            return self._match(self._likeliest(spare or backs, movement), -1, movement)
        halves = [opened for opened, sign in fits if sign == 0]
        if halves:
            first = min(halves, key=lambda opened: opened.rank)
            return Match(first, 0, _other_place(first, movement))
        if forward:
            return self._match(_latest(forward), 1, movement)
        return None

    def _elsewhere(self, movement: Movement) -> Match | None:
        """The task whose item moves at another place than asked, or goes back there."""
        for opened in self._book.of_item(movement.item):
            _, back = ends(opened.course, movement)
            if self._moved_there(opened, back, movement.quantity):
                return Match(opened, -1, back)
        wanting = [
            opened
            for opened in self._book.of_item(movement.item)
            if opened.wanting > 0
            and opened.work.state != "queued"
            and self._is_elsewhere(opened, movement)
        ]
        if not wanting:
            return None
        best = min(wanting, key=lambda opened: _preference(opened, movement))
        return self._match(best, 1, movement)

    def _stray(self, movement: Movement) -> Match | None:
        """The task beside whose place another item moves the way that its own should, or back."""
        best: OpenTask | None = None
        for opened in self._near(movement):
            near, back = ends(opened.course, movement)
            if opened.work.strays.get(stray_key(back, movement.item), 0) >= movement.quantity:
                return Match(opened, -1, back)
            waits = opened.wanting > 0 and opened.work.state != "queued"
            here = self._places.area(near) == self._places.area(opened.course.counted)
            if waits and here and (best is None or _turn(opened) < _turn(best)):
                best = opened
        return None if best is None else self._match(best, 1, movement)

    def _returned(self, movement: Movement) -> Act | None:
        """The act of a closed task that the movement takes back."""
        known = set(movement.epcs)
        for act in self._acts.returnable(movement.item, movement.quantity, movement.epcs):
            back = self._places.same(movement.to_location, act.place)
            if back and (not self._places.storage(movement.from_location) or known & set(act.epcs)):
                return act
        return None

    def _refuted(self, movement: Movement) -> Deed:
        """What was told never happened: it is taken back of whatever that was, and of no other."""
        act = self._acts.get(movement.reverses or "")
        if act is not None and act.closed:
            return Deed(act=act, back=True)
        match = None if act is None else self._undone(act, movement.quantity)
        if match is not None:
            counted = match.opened.course.counted
            misplaced = bool(counted) and not self._places.same(match.place, counted)
            return Deed(match, misplaced=misplaced)
        match = self._stray(movement)
        return Deed() if match is None or match.sign > 0 else Deed(match, stray=True)

    def _undone(self, act: Act, quantity: int) -> Match | None:
        """An act of an open task, less so many pieces."""
        opened = self._book.get(act.task)
        sign = (act.quantity < 0) - (act.quantity > 0)
        if opened is None or opened.work.done + sign * quantity < 0:
            return None
        return Match(opened, sign, act.place)

    def _comes_back(self, opened: OpenTask, movement: Movement) -> bool:
        """Whether the task moved it; what was on another shelf meanwhile, only if tags say so."""
        if opened.work.done < movement.quantity:
            return False
        other, _ = ends(opened.course, movement)
        if opened.course.other or not self._places.storage(other):
            return True
        return bool(set(movement.epcs) & set(self._acts.epcs(opened.task.code)))

    def _likeliest(self, backs: list[OpenTask], movement: Movement) -> OpenTask:
        holder = self._acts.holder(movement.epcs)
        for opened in backs:
            if holder is not None and not holder.closed and holder.task == opened.task.code:
                return opened
        return _latest(backs)

    def _moved_there(self, opened: OpenTask, place: str, quantity: int) -> bool:
        acts = self._acts.of(opened.task.code) if opened.work.misplaced >= quantity else ()
        return any(act.place == place and act.left >= quantity for act in acts)

    def _is_elsewhere(self, opened: OpenTask, movement: Movement) -> bool:
        near, far = ends(opened.course, movement)
        counted = opened.course.counted
        if not counted or not self._places.storage(near) or self._places.same(far, counted):
            return False
        return not (opened.course.outward and self._places.storage(far))

    def _near(self, movement: Movement) -> Iterable[OpenTask]:
        areas = {
            self._places.area(place)
            for place in (movement.from_location, movement.to_location)
            if self._places.storage(place)
        }
        for area in sorted(areas):
            for opened in self._book.in_area(area):
                if opened.task.item != movement.item:
                    yield opened

    def _match(self, opened: OpenTask, sign: int, movement: Movement) -> Match:
        near, far = ends(opened.course, movement)
        return Match(opened, sign, near if sign > 0 else far)


def stray_key(place: str, item: str) -> str:
    """Under which pieces of another item are kept."""
    return f"{place}\t{item}"


def _preference(opened: OpenTask, movement: Movement) -> tuple[int, bool, tuple[int, int, int]]:
    asked, known = set(opened.task.serials), set(movement.epcs)
    pieces = 1
    if asked and known:
        pieces = 0 if asked & known else 2
    too_many = opened.wanting + opened.tolerance < movement.quantity
    return pieces, too_many, opened.rank


def _turn(opened: OpenTask) -> tuple[bool, tuple[int, int, int]]:
    return opened.work.state != "picking", opened.rank


def _latest(tasks: list[OpenTask]) -> OpenTask:
    return max(tasks, key=lambda opened: (opened.work.acted, opened.work.number))


def _other_place(opened: OpenTask, movement: Movement) -> str:
    """Of a movement at the end that does not count, the place that is seen."""
    near, far = ends(opened.course, movement)
    return near if far == UNKNOWN_LOCATION else far
