"""Turns of the default rules at shelves with both senses, as the daemon hands them to the store:
what a movement truly writes, with the turns before and after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.evidence import EvidenceRing
from gateway.model import Fact, Movement, Ns
from gateway.outcome import Outcome
from simulators.world.scenarios import make_scenario
from simulators.world.truth import Scenario
from tests.bench.judging.ours import Ours, site_of

FAMILY, SEED, LENGTH_S = "fused", 1, 1800.0


class _Booked(Ours):
    """Keeps every turn, with the readings behind its events."""

    def __init__(self, scenario: Scenario) -> None:
        self.turns: list[Outcome] = []
        self._ring = EvidenceRing(site_of(scenario))
        super().__init__(scenario)

    def _feed(self, at: Ns, fact: Fact) -> None:
        self._ring.note(at, fact)
        super()._feed(at, fact)

    def _book(self, outcomes: Iterable[Outcome]) -> None:
        told = [*outcomes]
        self.turns.extend(self._ring.explained(outcome) for outcome in told)
        super()._book(told)


def real_turns(length_s: float = LENGTH_S) -> tuple[list[Outcome], list[Outcome]]:
    """All turns until the first movement, when stock is being found, and those from then on."""
    scenario, _ = make_scenario(FAMILY, "normal", SEED, length_s)
    booked = _Booked(scenario)
    for observed in scenario.observations():
        booked.observe(observed)
    turns = booked.turns
    first = next((n for n, turn in enumerate(turns) if movements_in([turn])), len(turns))
    return turns[:first], turns[first:]


def movements_in(turns: Iterable[Outcome]) -> int:
    """How many movements these tell."""
    return sum(type(event) is Movement for turn in turns for event in turn.events)
