"""Runs methods over worlds, on all cores: one world is one piece of work.

A world is made once. All methods are handed the same observations, some thousand at a time, so
that each of them can be timed by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from time import process_time

from simulators.world.parameters import Level
from simulators.world.scenarios import FAMILIES, make_scenario
from simulators.world.truth import NS_PER_S, Scenario
from tests.bench.judging.claims import Method
from tests.bench.judging.methods import entry_of, fits
from tests.bench.judging.score import Tally, score

HANDFUL = 4096
"""Observations that are kept until every method has seen them: a megabyte or two."""

CPU_S_PER_HOUR = {
    "shelf": 12.0,
    "portal": 9.0,
    "portal_order": 9.0,
    "portal_single": 6.0,
    "weight": 3.0,
    "fused": 5.0,
    "faulty": 4.0,
    "quiet": 3.0,
    "day": 6.0,
}
"""What an hour of a world costs with ours and the ceiling, roughly: which worlds go first."""

BASELINE_SHARE = 0.2
"""What each further method adds to that."""


@dataclass(frozen=True, slots=True)
class World:
    """One piece of work."""

    family: str
    level: Level
    seed: int
    methods: tuple[str, ...]
    length_s: float | None = None

    @property
    def cost_s(self) -> float:
        """CPU seconds, roughly."""
        hours = (self.length_s or FAMILIES[self.family].length_s) / 3600.0
        more = BASELINE_SHARE * max(0, len(self.methods) - 2)
        return CPU_S_PER_HOUR[self.family] * hours * (1.0 + more)


@dataclass(slots=True)
class Verdict:
    """What came out of one world, and the CPU seconds that it took: `made_s` to make the world
    and its observations, `seconds` each method to watch it and to be scored.
    """

    world: World
    tallies: dict[str, Tally] = field(default_factory=dict)
    site: dict[str, float | int | str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    made_s: float = 0.0


def judge(world: World) -> Verdict:
    """Make the world, let every method watch it, and score each."""
    begun = process_time()
    scenario, parameters = make_scenario(world.family, world.level, world.seed, world.length_s)
    verdict = Verdict(world)
    names = [name for name in world.methods if fits(entry_of(name), scenario)]
    methods = {name: entry_of(name).make(scenario) for name in names}
    verdict.seconds = dict.fromkeys(names, 0.0)
    _watch(scenario, methods, verdict.seconds)
    end = round(scenario.length_s * NS_PER_S)
    for name, method in methods.items():
        since = process_time()
        verdict.tallies[name] = score(scenario, method.finish(end), entry_of(name).sense)
        verdict.seconds[name] += process_time() - since
    verdict.site = parameters.told() | scenario.block.figures
    verdict.made_s = process_time() - begun - sum(verdict.seconds.values())
    return verdict


def _watch(scenario: Scenario, methods: dict[str, Method], seconds: dict[str, float]) -> None:
    """Show all observations to all methods; adds what each of them took."""
    observations = scenario.observations()
    while methods and (seen := [*islice(observations, HANDFUL)]):
        for name, method in methods.items():
            since, observe = process_time(), method.observe
            for observed in seen:
                observe(observed)
            seconds[name] += process_time() - since


def judge_all(worlds: Sequence[World], processes: int) -> Iterator[Verdict]:
    """All verdicts as they come. The longest worlds go first, so that no core idles at the end."""
    ordered = sorted(worlds, key=lambda world: -world.cost_s)
    if processes == 1:
        yield from map(judge, ordered)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(judge, world) for world in ordered]):
            yield done.result()


def pooled(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, str], Tally]:
    """Tallies by family, level and method, over all seeds."""
    sums: dict[tuple[str, str, str], Tally] = {}
    for verdict in verdicts:
        for method, tally in verdict.tallies.items():
            key = (verdict.world.family, verdict.world.level, method)
            sums.setdefault(key, Tally()).add(tally)
    return sums
