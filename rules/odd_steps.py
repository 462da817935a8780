"""Steps at a place with both senses that are not what is planned there: pieces of other items, and
pieces under another item's tag. Part of the movement rule.

A misplaced piece may weigh so little of what is planned that the count takes the step for nothing:
such light steps are kept in mind for as long as a tag may take that explains them. They are
evidence, and not durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.model import Movement, Ns, StepHeld
from gateway.ports import Turn
from rules.act import WaitingStep, WaitingTag
from rules.oddity import Oddity
from rules.shelf import Shelf
from rules.turns import together
from rules.waits import ARRIVE_MAX_NS

CODE = "wrong_place"


class OddSteps:
    """See the module."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._light: dict[str, WaitingStep] = {}

    def weighed(self, step: WaitingStep) -> None:
        """A cell has changed; until it is counted, by less than a piece."""
        self._light[step.cell] = step

    def counted(self, step: WaitingStep) -> None:
        """That was pieces, or an unresolved step."""
        self._light.pop(step.cell, None)

    def light(self, now: Ns, tags: Sequence[WaitingTag], tag: WaitingTag) -> Turn | None:
        """A tag of another item waits: is it what a step weighed that was none of its own?"""
        for step in self.beside(now, tag):
            others = [each for each in tags if of_other(step, each)]
            strangers = self._shelf.explanation.strangers(step, others)
            if strangers is not None:
                del self._light[step.cell]
                deletes = self._shelf.waiting.drop(*strangers)
                return together(Turn(deletes=deletes), self.told(now, step, strangers))
        return None

    def beside(self, now: Ns, tag: WaitingTag) -> list[WaitingStep]:
        """Lately weighed steps of less than a piece that a tag of another item may be of."""
        return [
            step
            for step in self._light.values()
            if now - step.known_at <= ARRIVE_MAX_NS and of_other(step, tag)
        ]

    def doubtful(self, step: WaitingStep) -> bool:
        """Whether it may as well be pieces of another item."""
        if step.arriving:
            return self._shelf.explanation.one_other(step, self._shelf.items)
        odds = self._shelf.oddities.misplaced_on(step.cell)
        return self._shelf.explanation.some_other(step, [odd.item for odd in odds])

    def taken_away(self, now: Ns, step: WaitingStep) -> Turn | None:
        """Pieces that were misplaced there weigh as much, though their tags are not missed yet."""
        if step.arriving:
            return None
        tags = [
            WaitingTag(odd.epc, odd.zone, odd.item, False, step.at, 0, step.cause, 0, 0, 0)
            for odd in self._shelf.oddities.misplaced_on(step.cell)
        ]
        strangers = self._shelf.explanation.strangers(step, tags)
        return None if strangers is None else self.told(now, step, strangers)

    def mislabelled(self, step: WaitingStep, tag: WaitingTag) -> Turn:
        """A tag of another item is on a piece of the step."""
        odd = Oddity(tag.epc, step.zone, step.cell, step.item, misplaced=False)
        return self._shelf.oddities.put((odd,))

    def told(self, now: Ns, step: WaitingStep, strangers: Sequence[WaitingTag]) -> Turn:
        """It was pieces of other items, and of its own as many as have their tags."""
        by_item: dict[str, list[WaitingTag]] = {}
        for tag in strangers:
            by_item.setdefault(tag.item, []).append(tag)
        facts: list[Movement | StepHeld] = []
        if step.epcs:
            facts.append(self._shelf.telling.step(now, of_own(step, len(step.epcs))))
        elif step.quantity:
            facts.append(self._shelf.telling.held(step, 0))
        facts += [self._shelf.telling.others(now, step, tags) for tags in by_item.values()]
        side = self._put if step.arriving else self._taken
        return together(Turn(facts=tuple(facts)), *side(now, step, strangers, tuple(by_item)))

    def _put(
        self, now: Ns, step: WaitingStep, strangers: Sequence[WaitingTag], items: Sequence[str]
    ) -> Iterable[Turn]:
        place = self._shelf.cells[step.cell].location
        yield self._shelf.oddities.put(
            Oddity(tag.epc, step.zone, step.cell, tag.item, misplaced=True) for tag in strangers
        )
        for item in items:
            yield self._shelf.disagreement.found(now, place, item, CODE)

    def _taken(
        self, now: Ns, step: WaitingStep, strangers: Sequence[WaitingTag], items: Sequence[str]
    ) -> Iterable[Turn]:
        place = self._shelf.cells[step.cell].location
        known = self._shelf.oddities.gone(tag.epc for tag in strangers)
        yield known
        left = {odd.item for odd in self._shelf.oddities.misplaced_on(step.cell)}
        for item in items:
            if not known.deletes:  # nobody was told when it was laid there
                yield self._shelf.disagreement.found(now, place, item, CODE)
            if item not in left:
                yield self._shelf.disagreement.gone(now, place, item, CODE)


def of_other(step: WaitingStep, tag: WaitingTag) -> bool:
    """Whether that tag may be on a piece of another item that the step weighed."""
    return tag.item != step.item and not tag.spare and step.meets(tag)


def of_own(step: WaitingStep, pieces: int) -> WaitingStep:
    """The step as so many pieces of its own item."""
    return replace(step, quantity=pieces if step.arriving else -pieces)
