"""Runs methods over worlds, on all cores: one world is one piece of work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from time import process_time

from simulators.world.parameters import Level
from simulators.world.scenarios import make_scenario
from simulators.world.truth import NS_PER_S
from tests.bench.judging.methods import entry_of, fits
from tests.bench.judging.score import Tally, score


@dataclass(frozen=True, slots=True)
class World:
    """One piece of work."""

    family: str
    level: Level
    seed: int
    methods: tuple[str, ...]
    length_s: float | None = None


@dataclass(slots=True)
class Verdict:
    """What came out of one world."""

    world: World
    tallies: dict[str, Tally] = field(default_factory=dict)
    site: dict[str, float | int | str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def judge(world: World) -> Verdict:
    """Make the world, let every method watch it, and score each."""
    scenario, parameters = make_scenario(world.family, world.level, world.seed, world.length_s)
    verdict = Verdict(world)
    end = round(scenario.length_s * NS_PER_S)
    fitting = [name for name in world.methods if fits(entry_of(name), scenario)]
    first, others = fitting[:1], fitting[1:]  # ours is timed by itself, the others share a pass
    for names in (first, others):
        begun = process_time()
        methods = {name: entry_of(name).make(scenario) for name in names}
        observers = [method.observe for method in methods.values()]
        for observed in scenario.observations() if names else ():
            for observe in observers:
                observe(observed)
        for name, method in methods.items():
            verdict.tallies[name] = score(scenario, method.finish(end), entry_of(name).sense)
            verdict.seconds[name] = (process_time() - begun) / len(names)
    verdict.site = parameters.told() | scenario.block.figures
    return verdict


def judge_all(worlds: Sequence[World], processes: int) -> Iterator[Verdict]:
    """All verdicts in the order of the worlds."""
    if processes == 1:
        yield from map(judge, worlds)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(judge, worlds)


def pooled(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, str], Tally]:
    """Tallies by family, level and method, over all seeds."""
    sums: dict[tuple[str, str, str], Tally] = {}
    for verdict in verdicts:
        for method, tally in verdict.tallies.items():
            key = (verdict.world.family, verdict.world.level, method)
            sums.setdefault(key, Tally()).add(tally)
    return sums
