"""Open questions that a method told: which true acts they are of, and which are of nothing.

A question covers the acts of its place between the moment that it names and its decision; where
both name EPCs, they must share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulators.world.truth import NS_PER_S, TruthAct
from tests.bench.judging.claims import Open

DECIDED_NS = 60 * NS_PER_S
"""What is decided later than this after an act is of no use."""

EARLY_NS = 5 * NS_PER_S
"""Something may be told a little before the act is over."""


def covers(one: Open, act: TruthAct, zones: Mapping[str, str]) -> bool:
    """Whether that question is of that act; `zones` are the zones of cells."""
    ends = {act.source, act.target}
    if one.place not in ends | {zones.get(end, "") for end in ends}:
        return False
    if act.epcs and one.epcs and set(act.epcs).isdisjoint(one.epcs):
        return False
    begins, until = one.at - EARLY_NS, one.decided + EARLY_NS
    return begins <= act.until and act.at <= until and one.decided <= act.until + DECIDED_NS


def left_open(
    acts: Sequence[TruthAct], told: Sequence[Open], zones: Mapping[str, str]
) -> list[TruthAct]:
    """The acts that some question is of."""
    return [act for act in acts if any(covers(one, act, zones) for one in told)]


def idle(acts: Sequence[TruthAct], told: Sequence[Open], zones: Mapping[str, str]) -> list[Open]:
    """The questions that are of no act."""
    return [one for one in told if not any(covers(one, act, zones) for act in acts)]
