"""The ceiling: what could be known at best, and when, by somebody who is told the truth and the
site's noise and only asks whether the sensors brought the evidence. Beyond it no rule can come.

Decided is an arrival with the third read in its new place, a departure when silence speaks for
absence (`silence.py`), a crossing with its last needed read once the load has passed, a change of
weight when its plate first lies still. Two items of one unit weight on a plate stay unresolved,
and so does what two other counts would explain as well.
"""

from __future__ import annotations

from collections import Counter

from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    CellPlan,
    Observed,
    Reads,
    Scenario,
    TruthAct,
    Weights,
)
from tests.bench.baselines.places import Places
from tests.bench.baselines.sightings import Sightings
from tests.bench.baselines.silence import Habits, gone_since
from tests.bench.baselines.stillness import Stillness
from tests.bench.judging.claims import Alarm, Claim, Open, Told
from tests.bench.judging.score import ODD_KINDS

READS_MIN = 3
"""Reads that prove a tag in a place."""

CROSSING_READS_MIN = 2
"""Reads at a gate: which way, companions on the same pallet may tell."""

CROSSING_NS, LATEST_NS = 8 * NS_PER_S, 60 * NS_PER_S
"""A crossing's reads lie so near to it; what is decided later than so is of no use."""

RECENT_NS = 120 * NS_PER_S
"""What a tag's own read chance is taken from."""

COUNT_MAX, LIKELY_SD = 6, 2.0
"""Counts that are weighed against each other on a mixed plate, and how near they must come."""


class Ceiling:
    """Books every act whose evidence came, right, when it came, and nothing else."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        site, block = scenario.site, scenario.block
        places = Places(scenario)
        self._item = places.item
        self._seen = Sightings(
            {point: place.partition("/")[0] for point, place in places.of_point.items()}
        )
        self._still = Stillness(site.noise_g, site.resolution_g)
        self._cells = {cell.location: cell for cell in block.cells}
        self._goods = {good.code: good for good in block.goods}
        self._since: dict[str, int] = {}
        self._told = Told()

    def observe(self, observed: Observed) -> None:
        """Take in one observation."""
        if type(observed) is Reads:
            self._seen.take(observed)
        elif type(observed) is Weights:
            self._still.take(observed)

    def finish(self, at: int) -> Told:
        """What could be known, and the stock that it comes to."""
        del at
        self._seen.finish()
        acts = self._scenario.acts
        tags = len(self._seen.tags())
        leaves = sum(act.source != OUTSIDE for act in acts if act.epcs)
        self._leaves_per_s = max(1, leaves) / max(1, tags) / self._scenario.length_s
        for act in acts:
            self._act(act)
        self._told.stock = self._stock()
        return self._told

    def _act(self, act: TruthAct) -> None:
        cell = self._cells.get(_watched(act))
        if cell is not None:
            decided = self._still.rest_after(cell.cell, act.at)
        elif act.kind == "pass":
            decided = self._crossing(act)
        else:
            decided = self._tag(act)
        for epc in act.epcs:
            self._since[epc] = act.at
        if decided is None or decided > act.until + LATEST_NS:
            return
        if act.kind in ODD_KINDS:
            key = f"senses_disagree:{_watched(act)}"
            self._told.alarms.append(Alarm(key, decided, decided + LATEST_NS))
        if cell is not None and self._ambiguous(act, cell):
            self._told.unresolved.append(Open(act.at, decided, cell.location, "ambiguous"))
            return
        ends = (act.item, act.source, act.target, act.quantity)
        self._told.claims.append(Claim(act.at, decided, *ends, act.epcs, 1000))

    def _tag(self, act: TruthAct) -> int | None:
        """One tag that was laid down, taken or moved."""
        epc, since = act.epcs[0], self._since.get(act.epcs[0], 0)
        if act.source != OUTSIDE:
            if self._seen.count(epc, act.source, since, act.at) < READS_MIN:
                return None
            if act.target == OUTSIDE:
                return self._departure(epc, act, since)
        return self._seen.nth(epc, act.target, act.at, READS_MIN)

    def _departure(self, epc: str, act: TruthAct, since: int) -> int | None:
        begin, site = max(since, act.at - RECENT_NS), self._scenario.site
        stood = self._seen.visits(epc, act.source, begin, act.at)
        hidden = (site.shadow_every_s, site.shadow_s)
        habits = Habits.of(stood, self._leaves_per_s, hidden)
        turns = self._seen.visits(epc, act.source, begin, act.until + LATEST_NS)
        return gone_since(turns, habits, act.at)

    def _crossing(self, act: TruthAct) -> int | None:
        begin, until = act.at - CROSSING_NS, act.until + CROSSING_NS
        for gate in self._scenario.block.gates:
            epc, place = act.epcs[0], gate.gate
            if self._seen.count(epc, place, begin, until) < CROSSING_READS_MIN:
                continue
            needed = self._seen.nth(epc, place, act.at, 1)
            if needed is None or needed > until:
                needed = self._seen.last(epc, place, begin, until)
            return None if needed is None else max(needed, act.until)
        return None

    def _ambiguous(self, act: TruthAct, cell: CellPlan) -> bool:
        """Whether another count of another item would weigh as much."""
        mine = self._goods[act.item]
        change = act.quantity * mine.unit_g
        noise = self._scenario.site.noise_g**2
        for other in cell.items:
            good = self._goods[other]
            for count in range(1, COUNT_MAX + 1) if other != act.item else ():
                spread = act.quantity * mine.unit_sd_g**2 + count * good.unit_sd_g**2
                if abs(count * good.unit_g - change) < LIKELY_SD * (spread + noise) ** 0.5:
                    return True
        return False

    def _stock(self) -> Counter[tuple[str, str]]:
        """Where tags were found and followed to; by weight the truth."""
        stock: Counter[tuple[str, str]] = Counter()
        ways: dict[str, list[TruthAct]] = {}
        for act in self._scenario.acts:
            for epc in act.epcs:
                ways.setdefault(epc, []).append(act)
        last = {epc: claim.target for claim in self._told.claims for epc in claim.epcs}
        weighed = {cell.zone for cell in self._scenario.block.cells}
        zones = {zone.location for zone in self._scenario.block.zones} - weighed
        for epc, places in self._seen.tags().items():
            item, acts = self._item(epc), ways.get(epc)
            found = {place: n for place, n in places.items() if place in zones and n >= READS_MIN}
            if not item:
                continue
            if epc in last:
                stock[last[epc], item] += last[epc] in zones
            elif acts and acts[0].source in found:
                stock[acts[0].source, item] += 1
            elif not acts and found:
                stock[max(found, key=lambda place: found[place]), item] += 1
        for claim in self._told.claims:
            if claim.source not in zones and claim.target not in zones:
                stock[claim.source, claim.item] -= claim.quantity
                stock[claim.target, claim.item] += claim.quantity
        for key, count in self._scenario.block.stock.items():
            if key[0] in self._cells:
                stock[key] = count
        return stock


def _watched(act: TruthAct) -> str:
    return act.target if act.source == OUTSIDE else act.source
