"""Bench `truth`: are the movements right? Simulated worlds, our rules and all baselines beside.

`scripts/bench truth [--json] [--family F]... [--level L]... [--seeds A-B] [--method M]...
[--baseline-seeds N] [--length S] [--curves FOLDER] [--sites]`. Everything happens in virtual time;
one seed gives one world. Bars bind `ours` only; a baseline's figures are for scale, the ceiling's
are what the antennas could prove at best. `ours:portal.quiet_s=3` is ours with another setting.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.world.parameters import LEVELS
from simulators.world.scenarios import FAMILIES
from tests.bench.judging.curves import draw
from tests.bench.judging.figures import BARS, calibration, calibration_error, figures
from tests.bench.judging.methods import METHODS, OURS, entry_of
from tests.bench.judging.run import Verdict, World, judge_all, pooled
from tests.bench.judging.score import Tally
from tests.bench.report import finish, metric

COLUMNS = (
    ("F1 5 s", "F1@5"),
    ("F1 30 s", "F1@30"),
    ("precision 30 s", "prec"),
    ("recall 30 s", "recall"),
    ("quantity exact", "exact"),
    ("transitions per true", "trans"),
    ("false per day", "false/d"),
    ("direction errors", "direrr"),
    ("unresolved share", "unres"),
    ("stock error per 200", "stock"),
    ("delay in p50 s", "in50"),
    ("delay out p50 s", "out50"),
    ("delay out p99 s", "out99"),
    ("calibration error", "ece"),
)

CALIBRATION_MAX, CALIBRATED_MIN = 0.02, 400
"""How far confidence may lie from truth over all families, and movements it takes to say so."""

ALL_SEEDS = (OURS, "ceiling")
"""What runs on every seed; the baselines run on the first few."""

Sums = dict[tuple[str, str, str], Tally]


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench truth", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--family", action="append", choices=[*FAMILIES])
    parser.add_argument("--level", action="append", choices=LEVELS)
    parser.add_argument("--seeds", default="1-3", type=_seeds)
    parser.add_argument("--method", action="append", type=_method)
    parser.add_argument("--baseline-seeds", type=int, default=3, help="baselines run on so many")
    parser.add_argument("--length", type=float, help="seconds per world, instead of the family's")
    parser.add_argument("--curves", type=Path, help="folder to draw the curves in, as SVG")
    parser.add_argument("--sites", action="store_true", help="print the parameters of each site")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    return parser.parse_args(arguments)


def _method(name: str) -> str:
    entry_of(name)
    return name


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str]) -> None:
    """Run, print, and exit 0 only if ours reached every bar."""
    asked = options(arguments)
    families = asked.family or [name for name in FAMILIES if name != "day"]
    methods = tuple(asked.method or METHODS)
    lasting = tuple(name for name in methods if name.partition(":")[0] in ALL_SEEDS)
    worlds = [
        World(
            family, level, seed, methods if rank < asked.baseline_seeds else lasting, asked.length
        )
        for family in families
        for level in asked.level or ["normal"]
        for rank, seed in enumerate(asked.seeds)
    ]
    verdicts = list(judge_all(worlds, asked.processes))
    sums = pooled(verdicts)
    if not asked.json:
        _print_table(sums)
        _print_calibration(sums)
        _print_time(verdicts)
        if asked.sites:
            _print_sites(verdicts)
    if asked.curves:
        draw(asked.curves, sums)
    finish("truth", _metrics(sums))


def _metrics(sums: Sums) -> dict[str, dict[str, Any]]:
    """Every figure; ours with their bars."""
    told: dict[str, dict[str, Any]] = {}
    for (family, level, method), tally in sums.items():
        bars = {bar.figure: bar for bar in BARS[family]} if method == OURS else {}
        for name, value in figures(tally).items():
            bar = bars.get(name)
            bounds: dict[str, float] = {}
            if bar is not None:
                side = "at_least" if bar.least is not None else "must"
                bounds[side] = bar.bound(level)
            if bounds or "--json" in sys.argv:
                told[f"{family}/{level}/{method}/{name}"] = metric(value, "", **bounds)
    for level in dict.fromkeys(key[1] for key in sums):
        trust = [p for key, t in sums.items() if key[1:] == (level, OURS) for p in t.trust]
        if len(trust) >= CALIBRATED_MIN:
            error = calibration_error(trust)
            told[f"all/{level}/{OURS}/calibration error"] = metric(error, "", must=CALIBRATION_MAX)
    return told


def _print_table(sums: Sums) -> None:
    head = "".join(f"{short:>9}" for _, short in COLUMNS)
    last = None
    for (family, level, method), tally in sums.items():
        told = figures(tally)
        if (family, level) != last:
            last = (family, level)
            sys.stdout.write(f"\n{family}, {level}: {tally.counts['acts']} acts\n{'':<13}{head}\n")
        cells = "".join(
            f"{told[name]:>9.3f}" if name in told else f"{'-':>9}" for name, _ in COLUMNS
        )
        sys.stdout.write(f"{method:<13} {cells[1:]}\n")


def _print_calibration(sums: Sums) -> None:
    trust = [pair for key, tally in sums.items() if key[2] == OURS for pair in tally.trust]
    sys.stdout.write("\ncalibration of ours: confidence, how many, mean, share right\n")
    for low, high, count, mean, share in calibration(trust):
        sys.stdout.write(f"  {low:>4}..{high - 1:<5}{count:>7}{mean:>8.3f}{share:>8.3f}\n")


def _print_time(verdicts: Sequence[Verdict]) -> None:
    longest: dict[str, float] = {}
    for verdict in verdicts:
        if OURS in verdict.seconds:
            family = verdict.world.family
            longest[family] = max(longest.get(family, 0.0), verdict.seconds[OURS])
    told = ", ".join(f"{family} {seconds:.1f}" for family, seconds in longest.items())
    sys.stdout.write(f"\nCPU seconds of the slowest world with ours: {told}\n\n")


def _print_sites(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        world = verdict.world
        sys.stdout.write(f"site {world.family}/{world.level}/{world.seed}: {verdict.site}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
