"""Bench `truth`: are the movements right? Simulated worlds, our rules and all baselines beside.

`scripts/bench truth [--json] [--family F]... [--level L]... [--seeds A-B] [--method M]...
[--baseline-seeds N] [--length S] [--curves FOLDER] [--sweep RULE.KEY=V1,V2,...] [--sites]
[--full] [--log FILE] [--resume FILE]`. Everything happens in virtual time; one seed gives one
world. Bars bind `ours` only; a baseline's figures are for scale, the ceiling's are what the sensors
could prove at best. `ours:portal.sure=0.8` is ours with another setting, `--sweep` draws a curve
of several. `--log` keeps each world's verdict as it comes, `--resume` takes those that the same
code has found before; both may name one file. How far it is stands on stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulators.world.parameters import LEVELS, Level
from simulators.world.scenarios import FAMILIES
from tests.bench.judging import journal
from tests.bench.judging.curves import Knob, draw
from tests.bench.judging.figures import BARS
from tests.bench.judging.methods import CEILING, METHODS, OURS, entry_of
from tests.bench.judging.run import Verdict, World, judge_all, pooled
from tests.bench.judging.table import metrics, print_table
from tests.bench.report import finish

ALL_SEEDS = (OURS, CEILING)
"""What runs on every seed; the baselines run on the first few."""

JUDGED = tuple(name for name in FAMILIES if name in BARS)
"""Families whose movements are judged here; `orders` has a bench of its own."""

SEEDS_MAX = 1000
"""More seeds than anybody asks for: no bound."""

FULL_SEEDS: dict[Level, int] = {"normal": SEEDS_MAX, "hard": SEEDS_MAX, "easy": 5}
"""How many of the seeds a full run judges at each level."""

LONG: dict[str, dict[Level, int]] = {
    "quiet": {"normal": SEEDS_MAX, "hard": 3, "easy": 1},
    "day": {"normal": 2},
}
"""The same for worlds that last a day. They are left out unless asked for by name or `--full`."""

FULL_BASELINE_SEEDS, LONG_BASELINE_SEEDS = 5, 1
"""On so many normal sites the baselines run too: they are for scale, not for judging."""


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench truth", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--family", action="append", choices=JUDGED)
    parser.add_argument("--level", action="append", choices=LEVELS)
    parser.add_argument("--seeds", default="1-3", type=_seeds)
    parser.add_argument("--method", action="append", type=_method)
    parser.add_argument("--baseline-seeds", type=int, default=3, help="baselines run on so many")
    parser.add_argument("--sweep", type=_sweep, help="RULE.KEY=V1,V2,...: ours with each value")
    parser.add_argument("--length", type=float, help="seconds per world, instead of the family's")
    parser.add_argument("--curves", type=Path, help="folder to draw the curves in, as SVG")
    parser.add_argument("--full", action="store_true", help="all families and levels, an hour")
    parser.add_argument("--sites", action="store_true", help="print the parameters of each site")
    parser.add_argument("--log", type=Path, help="file to append each world's verdict to")
    parser.add_argument("--resume", type=Path, help="file of verdicts: worlds in it are not run")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    return parser.parse_args(arguments)


def _method(name: str) -> str:
    entry_of(name)
    return name


def _sweep(text: str) -> Knob:
    name, _, values = text.partition("=")
    knob = (name, tuple(values.split(",")))
    for value in knob[1]:
        entry_of(f"{OURS}:{name}={value}")
    return knob


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str]) -> None:
    """Run, print, and exit 0 only if ours reached every bar."""
    asked = options(arguments)
    methods = tuple(asked.method or (() if asked.sweep else METHODS))
    if asked.sweep:
        name, values = asked.sweep
        methods += tuple(f"{OURS}:{name}={value}" for value in values)
        methods += () if CEILING in methods else (CEILING,)
    lasting = tuple(name for name in methods if name.partition(":")[0] in ALL_SEEDS)
    worlds = [
        World(family, level, seed, methods if rank < with_baselines else lasting, asked.length)
        for family, level, seeds, with_baselines in _plan(asked)
        for rank, seed in enumerate(seeds)
    ]
    verdicts = _verdicts(worlds, asked)
    sums = pooled(verdicts)
    if not asked.json:
        print_table(sums, verdicts, sites=asked.sites)
    if asked.curves:
        draw(asked.curves, sums, asked.sweep)
    finish("truth", metrics(sums, every=asked.json))


def _verdicts(worlds: Sequence[World], asked: argparse.Namespace) -> list[Verdict]:
    """One verdict for each world, in their order; what is known already is not run again."""
    known = list(journal.read(asked.resume, worlds)) if asked.resume else []
    verdicts = {verdict.world: verdict for verdict in known}
    left = [world for world in worlds if world not in verdicts]
    whole_s = sum(world.cost_s for world in worlds)
    done_s = whole_s - sum(world.cost_s for world in left)
    for verdict in judge_all(left, asked.processes):
        verdicts[verdict.world] = verdict
        if asked.log:
            journal.write(asked.log, verdict)
        done_s += verdict.world.cost_s
        _tell_progress(verdict, len(verdicts), len(worlds), done_s / whole_s)
    return [verdicts[world] for world in worlds]


def _tell_progress(verdict: Verdict, done: int, of: int, share: float) -> None:
    world, spent_s = verdict.world, verdict.made_s + sum(verdict.seconds.values())
    name = f"{world.family} {world.level} {world.seed}"
    sys.stderr.write(f"{done:>4} of {of}, {share:4.0%}: {name}, {spent_s:.1f} s of CPU\n")
    sys.stderr.flush()


def _plan(asked: argparse.Namespace) -> Iterator[tuple[str, Level, range, int]]:
    """Family, level, seeds, and on how many of these the baselines run too."""
    if not asked.full:
        for family in asked.family or [name for name in JUDGED if name not in LONG]:
            for level in asked.level or ["normal"]:
                yield family, level, asked.seeds, asked.baseline_seeds
        return
    for family in asked.family or JUDGED:
        for level in asked.level or LEVELS:
            count = LONG.get(family, FULL_SEEDS).get(level, 0)
            baselines = LONG_BASELINE_SEEDS if family in LONG else FULL_BASELINE_SEEDS
            if count:
                yield family, level, asked.seeds[:count], baselines if level == "normal" else 0


if __name__ == "__main__":
    main(sys.argv[1:])
