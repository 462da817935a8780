"""Zones whose stock of the first start is still being found. Part of the movement rule.

A scale knows its load as soon as it has come to rest; a zone takes what it reads for stock until no
more of it is found for seconds. What is laid down or taken meanwhile a scale counts, and its tag is
stock like the others, or was never found: that is no disagreement.

Presence tells of a zone (`ZoneLearned`) when its stock is found. One that was known before tells no
tag as of the first start. Not durable: a restart before then finds the stock anew.
"""

from __future__ import annotations

from gateway.model import Ns
from rules.act import EARLY_NS, WaitingStep

FOREVER: Ns = 1 << 62
"""Until its stock is found a zone is settling."""


class Settling:
    """See the module. One entry for each zone of the site at most."""

    def __init__(self) -> None:
        self._until: dict[str, Ns] = {}

    def found(self, zone: str) -> None:
        """A tag of the first start was found there. Late ones do not let it begin anew."""
        self._until.setdefault(zone, FOREVER)

    def known(self, now: Ns, zone: str) -> None:
        """Its stock is found, now or long ago."""
        until = self._until.setdefault(zone, -FOREVER)
        if until == FOREVER:
            self._until[zone] = now

    def excuses(self, step: WaitingStep) -> bool:
        """Whether the tags of a step may have been found, or have gone, before that."""
        return step.at - EARLY_NS <= self._until.get(step.zone, -FOREVER)
