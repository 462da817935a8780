"""What a weight step is, when tags say it is not what was planned there: pieces of other items.

A step of d grams is k own pieces, those whose tags joined it, and some strangers, if

    |d - k u - sum(u_i)| <= 3 sqrt(k s^2 + sum(s_i^2) + 2 scale^2)

with unit weights u and their deviations s. Part of the movement rule; pure arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from gateway.model import Item
from rules.act import WaitingStep, WaitingTag
from rules.catalogue import Catalogue

SPREAD_MIN = 0.005
"""No real part is more alike than half a per cent; a catalogue that says so is optimistic."""

STRANGERS_MAX = 3
"""Pieces of other items in one act; more are no slip of one hand."""

CONSIDERED_MAX = 6
"""Strangers that are tried, those that are nearest in time."""


class Explanation:
    """See the module."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def strangers(
        self, step: WaitingStep, tags: Iterable[WaitingTag]
    ) -> tuple[WaitingTag, ...] | None:
        """Which of those pieces of other items make the step what its tags say; None if none do.

        They must be fewer than were counted: as many of the planned item are the likelier story.
        """
        near = sorted(tags, key=step.apart_ns)[:CONSIDERED_MAX]
        fewer = abs(step.quantity) - len(step.epcs) - 1 if step.quantity else STRANGERS_MAX
        for count in range(1, min(STRANGERS_MAX, fewer) + 1):
            for chosen in combinations(near, count):
                if self._is(step, len(step.epcs), [tag.item for tag in chosen]):
                    return chosen
        return None

    def one_other(self, step: WaitingStep, codes: Iterable[str]) -> bool:
        """Whether one piece of such an item weighs as much as the several that were counted."""
        return abs(step.quantity) != 1 and any(
            code != step.item and self._is(step, 0, [code]) for code in codes
        )

    def some_other(self, step: WaitingStep, codes: Iterable[str]) -> bool:
        """Whether one piece of such an item, and some of its own, fewer than were counted, weigh as
        much.
        """
        own = self._catalogue.get(step.item)
        for code in codes:
            item = self._catalogue.get(code)
            if own is None or own.unit_mg <= 0 or item is None:
                return True
            left_mg = abs(step.after_mg - step.before_mg) - item.unit_mg
            count = max(0, round(left_mg / own.unit_mg))
            fewer = not step.quantity or count + 1 < abs(step.quantity)
            if fewer and self._is(step, count, [code]):
                return True
        return False

    def by_tags(self, step: WaitingStep) -> bool:
        """Whether its own tags make a step clear that is not so by weight."""
        own = self._catalogue.get(step.item)
        if own is None or own.unit_mg <= 0 or not step.epcs:
            return False
        misfit_mg = abs(step.after_mg - step.before_mg) - len(step.epcs) * own.unit_mg
        return 2 * abs(misfit_mg) <= own.unit_mg

    def _is(self, step: WaitingStep, count: int, others: Sequence[str]) -> bool:
        own = self._catalogue.get(step.item)
        if own is None and count:
            return False
        items = [item for code in others if (item := self._catalogue.get(code)) is not None]
        if len(items) < len(others) or not all(item.unit_mg for item in items):
            return False
        pieces = [*items, *([own] * count if own else [])]
        variance = sum(_deviation_mg(piece) ** 2 for piece in pieces) + 2 * step.sd_mg**2
        misfit_mg = abs(step.after_mg - step.before_mg) - sum(piece.unit_mg for piece in pieces)
        return misfit_mg**2 <= 9 * variance


def _deviation_mg(item: Item) -> float:
    return max(item.unit_sd_mg, item.unit_mg * SPREAD_MIN)
