"""Which of the tags that wait are those of a step. Part of the movement rule."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import Ns
from rules.act import WaitingStep, WaitingTag
from rules.waiting import Waiting


class StepTags:
    """Looks through what waits; only what it says it gives or drops is changed."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def nearer(self, tag: WaitingTag, step: WaitingStep) -> bool:
        """Whether a tag lies nearer to another step that wants it."""
        apart_ns = step.apart_ns(tag)
        return any(
            other.wants(tag) and other.apart_ns(tag) < apart_ns for other in self._waiting.steps()
        )

    def unmatched(self) -> list[WaitingTag]:
        """Tags that wait for a step of their own."""
        return [tag for tag in self._waiting.tags() if not tag.spare]

    def filled(
        self, now: Ns, step: WaitingStep, tags: Iterable[WaitingTag]
    ) -> tuple[WaitingStep, tuple[str, ...]]:
        """Give a step those tags that wait and that it wants, the nearest first."""
        taken: list[WaitingTag] = []
        for tag in sorted(tags, key=step.apart_ns):
            if step.wants(tag) and step.causes(tag, now):
                step = step.joined(tag)
                taken.append(tag)
        return step, self._waiting.drop(*taken)

    def without_returned(self, step: WaitingStep) -> tuple[WaitingStep, tuple[str, ...]]:
        """The step without those of its tags that are there again, or still."""
        returned = [
            tag
            for tag in self._waiting.tags()
            if tag.arriving and not step.arriving and tag.epc in step.epcs
        ]
        for tag in returned:
            step = step.parted(tag.epc)
        return step, self._waiting.drop(*returned)

    def claimed(self, step: WaitingStep) -> Ns:
        """When tags that came so late that a step of their own may come have found it, or wait for
        none; 0 if there are none such.
        """
        return max(
            (tag.due + 1 for tag in self.unmatched() if step.wants(tag) and step.late(tag)),
            default=0,
        )
