"""The ceiling: what could be known at best by somebody who is told the truth and only asks whether
the antennas saw enough to prove it. Beyond it no rule can come; by weight it sees everything.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from simulators.world.truth import NS_PER_S, OUTSIDE, Observed, Reads, Scenario, TruthAct
from tests.bench.baselines.places import Places
from tests.bench.judging.claims import Claim, Told

READS_MIN = 3
"""Reads that prove a tag in a place."""

CROSSING_READS_MIN = 2
"""Reads at a gate: which way, companions on the same pallet may tell."""

BEFORE_NS, AFTER_NS, CROSSING_NS = 60 * NS_PER_S, 25 * NS_PER_S, 8 * NS_PER_S


class Ceiling:
    """Books every act that was seen, at once and right, and nothing else."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._of_point = Places(scenario).of_point
        self._seen: dict[tuple[str, str], list[int]] = {}

    def observe(self, observed: Observed) -> None:
        """Take in one observation; only reads count."""
        if type(observed) is Reads:
            for point, epc, _, age in observed.reads:
                key = (epc, self._of_point[point].partition("/")[0])
                self._seen.setdefault(key, []).append(observed.at - age)

    def finish(self, at: int) -> Told:
        """What could be known; its stock is the truth."""
        del at
        for times in self._seen.values():
            times.sort()
        claims = [
            Claim(act.at, act.until, act.item, act.source, act.target, act.quantity, act.epcs, 1000)
            for act in self._scenario.acts
            if not act.epcs or self._visible(act)
        ]
        return Told(claims=claims, stock=self._scenario.block.stock)

    def _visible(self, act: TruthAct) -> bool:
        if any(cell.zone for cell in self._scenario.block.cells):
            return True  # its weight was felt
        epc = act.epcs[0]
        if act.kind == "pass":
            gates = (gate.gate for gate in self._scenario.block.gates)
            begin, until = act.at - CROSSING_NS, act.until + CROSSING_NS
            return any(self._reads(epc, g, begin, until) >= CROSSING_READS_MIN for g in gates)
        if act.target == OUTSIDE:
            return self._reads(epc, act.source, act.at - BEFORE_NS, act.at) >= READS_MIN
        return self._reads(epc, act.target, act.at, act.until + AFTER_NS) >= READS_MIN

    def _reads(self, epc: str, place: str, begin: int, until: int) -> int:
        times = self._seen.get((epc, place), [])
        return bisect_right(times, until) - bisect_left(times, begin)
