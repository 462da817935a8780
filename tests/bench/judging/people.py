"""Judges who was named: each act that was told against the person who truly did it.

    named         the movement names who did it
    nameless      it names nobody: two were there, or nobody showed a badge
    misnamed      it names somebody else, or somebody where a stranger did it

That two people were there is rightly told if two had something to do there within a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from simulators.world.truth import NS_PER_S, Scenario, TruthAct
from tests.bench.judging.claims import Claim
from tests.bench.judging.score import WIDE_NS, match

TWO_PEOPLE = "two_people"

TOGETHER_NS = 60 * NS_PER_S
"""Whoever had to do there so shortly before may still be there."""


class Named(NamedTuple):
    """One act that was told, and who is said to have done it ("" if nobody)."""

    act: TruthAct
    actor: str
    known: bool

    @property
    def verdict(self) -> str:
        """See the module."""
        if not self.actor:
            return "nameless"
        return "named" if self.known and self.actor == self.act.person else "misnamed"


def names(scenario: Scenario, claims: Iterable[Claim]) -> list[Named]:
    """Who was named, act by act."""
    people = {badge.person for badge in scenario.block.badges}
    told = [claim for claim in claims if not claim.reverses]
    return [
        Named(act, claim.actor, act.person in people)
        for act, claim in match(scenario.acts, told, WIDE_NS)
    ]


def were_two(scenario: Scenario, place: str, at: int) -> bool:
    """Whether two people had something to do at a place, or in the zone around it."""
    zones = {cell.location: cell.zone for cell in scenario.block.cells}
    around = zones.get(place) or place
    there = {
        visit.person
        for visit in scenario.block.visits
        if visit.place == around and visit.begin <= at and at - TOGETHER_NS <= visit.until
    }
    return len(there) > 1
