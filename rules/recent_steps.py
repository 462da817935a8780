"""Steps that have found their tags, kept in mind for a while: a tag may turn out to be another.

Part of the movement rule. Not durable: what it rests on is evidence of this run.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from gateway.model import NS_PER_S, Ns
from rules.act import WaitingStep, WaitingTag

RECENT_NS = 300 * NS_PER_S
"""How long a step may lose a tag that turns out to stand there still: as long as one that fell
silent instead is waited for (`missing_s`)."""

RECENT_MAX = 1_000
"""Steps in that time; of more, the oldest keep the tags they have."""


class RecentSteps:
    """See the module."""

    def __init__(self) -> None:
        self._steps: OrderedDict[str, WaitingStep] = OrderedDict()

    def remember(self, now: Ns, step: WaitingStep) -> None:
        """It is told, and its tags are known."""
        self._steps[step.key] = replace(step, due=now + RECENT_NS)
        if len(self._steps) > RECENT_MAX:
            self._steps.popitem(last=False)

    def took(self, now: Ns, tag: WaitingTag) -> WaitingStep | None:
        """The step that took a tag which is found there."""
        return next((step for step in self._lately(now) if step.took(tag)), None)

    def without(self, step: WaitingStep, tag: WaitingTag) -> WaitingStep:
        """Take out a step whose tag stands there still; it lacks one now."""
        del self._steps[step.key]
        return step.parted(tag.epc)

    def has(self, now: Ns, tag: WaitingTag) -> bool:
        """Whether a step of its item had it already, read in whatever zone."""
        return any(
            tag.epc in step.epcs and (step.item, step.arriving) == (tag.item, tag.arriving)
            for step in self._lately(now)
        )

    def named(self, now: Ns, tag: WaitingTag) -> bool:
        """Whether a step had that tag, whichever way it went."""
        return any(tag.epc in step.epcs for step in self._lately(now))

    def excused(self, now: Ns, tag: WaitingTag) -> bool:
        """Whether a tag that is found late belongs to a piece that was thought to need none."""
        for step in self._lately(now):
            fits = step.excused and (step.item, step.arriving) == (tag.item, tag.arriving)
            if fits and step.meets(tag):
                self._steps[step.key] = replace(step, excused=step.excused - 1)
                return True
        return False

    def _lately(self, now: Ns) -> list[WaitingStep]:
        while self._steps and next(iter(self._steps.values())).due <= now:
            self._steps.popitem(last=False)
        return list(self._steps.values())
