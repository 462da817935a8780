"""Bench `orders`: is each order line confirmed as it truly was, and each mistake told in seconds?

`scripts/bench orders [--json] [--seeds A-B] [--lines N] [--level L] [--failures]`. Simulated
storerooms that work by order, in virtual time, with our rules watching; so many lines in all, the
same number for each seed. `--failures` names on stderr all that was told wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import ceil
from multiprocessing import get_context
from typing import Any

from simulators.world.families.order_day import (
    LINE_EVERY_S,
    MISTAKE_SHARE,
    MISTAKES,
    REST_OF_DAY_S,
)
from simulators.world.parameters import LEVELS, Level
from simulators.world.scenarios import OPENING_S, make_scenario
from simulators.world.truth import NS_PER_S
from tests.bench.judging.at_work import AtWork
from tests.bench.judging.work import WorkTally, judge_work
from tests.bench.report import finish, metric

EXACT_MIN = 0.995
ALERT_P50_MAX_S, ALERT_P99_MAX_S = 3.0, 15.0
FALSE_PER_1000_MAX = 1.0

LINES_MIN = 20
"""For each seed: the last line of a shift is told some minutes before its end."""

NEVER_S = 1e9
"""A delay that did not end, as a figure."""


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench orders", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", default="1-20", type=_seeds)
    parser.add_argument("--lines", default=2000, type=int, help="of all seeds together")
    parser.add_argument("--level", default="normal", choices=LEVELS)
    parser.add_argument("--failures", action="store_true", help="name them on stderr")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    asked = parser.parse_args(arguments)
    if asked.lines < LINES_MIN * len(asked.seeds):
        parser.error(f"--lines: expected at least {LINES_MIN} for each seed")
    return asked


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def run(seed: int, level: Level, lines: int) -> WorkTally:
    """One storeroom with so many lines, watched by our rules and judged."""
    length_s = OPENING_S + lines * LINE_EVERY_S + REST_OF_DAY_S
    scenario, _ = make_scenario("orders", level, seed, length_s)
    watching = AtWork(scenario)
    for observed in scenario.observations():
        watching.observe(observed)
    return judge_work(scenario, watching.end(round(length_s * NS_PER_S)))


def metrics(tally: WorkTally) -> dict[str, dict[str, Any]]:
    """The figures, those with a bar first."""
    counts = tally.counts
    delays_s = [delay_s for _, delay_s in tally.alert_delays_s]
    lines = max(1, counts["lines"])
    told = counts["told"] / counts["slips"] if counts["slips"] else 1.0
    return {
        "confirmed exactly": metric(counts["exact"] / lines, "", at_least=EXACT_MIN),
        "mistakes alerted": metric(told, "", at_least=1.0),
        "alert delay p50": metric(_percentile(delays_s, 50), "s", must=ALERT_P50_MAX_S),
        "alert delay p99": metric(_percentile(delays_s, 99), "s", must=ALERT_P99_MAX_S),
        "false alerts per 1000 lines": metric(
            counts["false alerts"] * 1000 / lines, "", must=FALSE_PER_1000_MAX
        ),
        "negative stock published": metric(counts["negative"], "", must=0),
        "hourly sums wrong": metric(counts["sums wrong"], "", must=0),
        "acts misnamed": metric(counts["acts misnamed"], "", must=0),
        "acts named": metric(_named(counts), ""),
        "hourly sums": metric(counts["sums"], ""),
        "confirmed after last act p50": metric(_percentile(tally.confirm_delays_s, 50), "s"),
        "confirmed after last act p99": metric(_percentile(tally.confirm_delays_s, 99), "s"),
        **_delays(tally),
        **_shares("exact", tally, "lines"),
        **_shares("told", tally, "slips"),
    }


def _named(counts: Counter[str]) -> float:
    """The share of acts whose movement names who did it."""
    told = sum(counts[f"acts {verdict}"] for verdict in ("named", "nameless", "misnamed"))
    return counts["acts named"] / told if told else 1.0


def _delays(tally: WorkTally) -> dict[str, dict[str, Any]]:
    """How soon mistakes are told, by the sense that watches the place."""
    by_sense: dict[str, list[float]] = {}
    for sense, delay_s in tally.alert_delays_s:
        by_sense.setdefault(sense, []).append(delay_s)
    return {
        f"alert delay p{percent} {sense}": metric(_percentile(by_sense[sense], percent), "s")
        for sense in sorted(by_sense)
        for percent in (50, 99)
    }


def _shares(part: str, tally: WorkTally, whole: str) -> dict[str, dict[str, Any]]:
    """The share of each kind of what was counted by kinds."""
    kinds = sorted(name.partition(" ")[2] for name in tally.counts if name.startswith(f"{whole} "))
    counts = tally.counts
    return {
        f"{part}: {kind}": metric(counts[f"{part} {kind}"] / counts[f"{whole} {kind}"], "")
        for kind in kinds
    }


def _percentile(delays_s: Sequence[float], percent: int) -> float:
    ascending = sorted(min(delay_s, NEVER_S) for delay_s in delays_s)
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, len(ascending) * percent // 100)]


def main(arguments: Sequence[str]) -> None:
    """Run, print, and exit 0 only if every bar is reached."""
    asked = options(arguments)
    each = partial(run, level=asked.level, lines=ceil(asked.lines / len(asked.seeds)))
    tally = WorkTally()
    if asked.processes == 1:
        tallies = [each(seed) for seed in asked.seeds]
    else:
        with ProcessPoolExecutor(asked.processes, get_context("spawn")) as pool:
            tallies = [*pool.map(each, asked.seeds)]
    for one in tallies:
        tally.add(one)
    for failure in tally.failures if asked.failures else ():
        sys.stderr.write(f"{failure.what} ({failure.mistake or 'no mistake'}): {failure.detail}\n")
    finish("orders", metrics(tally), _about(asked, tally))


def _about(asked: argparse.Namespace, tally: WorkTally) -> dict[str, Any]:
    made = {name: tally.counts[f"lines {name}"] for name in MISTAKES}
    return {
        "seeds": f"{asked.seeds[0]}-{asked.seeds[-1]}",
        "level": asked.level,
        "lines": tally.counts["lines"],
        "mistake share asked": MISTAKE_SHARE,
        "mistakes made": made,
        "wrong by cause": dict(tally_of(tally)),
    }


def tally_of(tally: WorkTally) -> list[tuple[str, int]]:
    """How often each thing was told wrong, and of which mistake, the commonest first."""
    causes: dict[str, int] = {}
    for failure in tally.failures:
        cause = f"{failure.what} ({failure.mistake})" if failure.mistake else failure.what
        causes[cause] = causes.get(cause, 0) + 1
    return sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
