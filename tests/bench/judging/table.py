"""What the bench tells: a table for people, and one object of figures with their bars."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from tests.bench.judging.causes import FALSE
from tests.bench.judging.figures import (
    BARS,
    CALIBRATED_MIN,
    CALIBRATION_MAX,
    Held,
    calibration,
    calibration_error,
    figures,
    held,
)
from tests.bench.judging.methods import CEILING, OURS
from tests.bench.judging.run import Verdict
from tests.bench.judging.score import Tally
from tests.bench.report import metric

COLUMNS = (
    ("F1 5 s", "F1@5"),
    ("F1 30 s", "F1@30"),
    ("precision 30 s", "prec"),
    ("recall 30 s", "recall"),
    ("quantity exact", "exact"),
    ("transitions per true", "trans"),
    ("false per day", "false/d"),
    ("false departures", "falsedep"),
    ("direction errors", "direrr"),
    ("unresolved share", "unres"),
    ("idle unresolved per day", "idle/d"),
    ("stock error per 200", "stock"),
    ("delay in p50 s", "in50"),
    ("delay in p95 s", "in95"),
    ("delay out p50 s", "out50"),
    ("delay out p95 s", "out95"),
    ("delay out p99 s", "out99"),
    ("calibration error", "ece"),
)

Sums: TypeAlias = Mapping[tuple[str, str, str], Tally]


def bars_of(sums: Sums, family: str, level: str, method: str = OURS) -> dict[str, Held]:
    """Each bar of a family as it binds that method, by figure; figures that did not occur are
    left out.
    """
    ours = figures(sums[family, level, method])
    ceiling = figures(sums[family, level, CEILING]) if (family, level, CEILING) in sums else {}
    return {
        bar.figure: held(bar, level, ours[bar.figure], ceiling.get(bar.figure))
        for bar in BARS[family]
        if bar.figure in ours
    }


def metrics(sums: Sums, *, every: bool) -> dict[str, dict[str, Any]]:
    """Figures by family, level, method and name; ours with their bars. Not `every`: only those."""
    told: dict[str, dict[str, Any]] = {}
    for (family, level, method), tally in sums.items():
        bars = bars_of(sums, family, level) if method == OURS else {}
        for name, value in figures(tally).items():
            key = f"{family}/{level}/{method}/{name}"
            if name in bars:
                told[key] = _bound(bars[name])
            elif every:
                told[key] = metric(value, "")
    for level, trust in trust_of(sums).items():
        if len(trust) >= CALIBRATED_MIN:
            error = calibration_error(trust)
            told[f"all/{level}/{OURS}/calibration error"] = metric(error, "", must=CALIBRATION_MAX)
        for one in calibration(trust) if every else ():
            name = f"all/{level}/{OURS}/right at {one.low}..{one.high - 1}"
            told[name] = metric(one.share, "") | {
                "told": round(one.mean, 4),
                "count": one.movements,
            }
    return told


def trust_of(sums: Sums) -> dict[str, list[tuple[int, bool]]]:
    """Confidences of ours and whether each was right, over all families, by level."""
    trust: dict[str, list[tuple[int, bool]]] = {}
    for (_, level, method), tally in sums.items():
        if method == OURS:
            trust.setdefault(level, []).extend(tally.trust)
    return trust


def _bound(one: Held) -> dict[str, Any]:
    side = {"at_least" if one.below else "must": round(one.bound, 4)}
    told = metric(one.value, "", **side) | {"ok": one.ok, "bar": one.bar, "bound_by": one.by}
    if one.ceiling is not None:
        told["ceiling"] = round(one.ceiling, 4)
    return told


def print_table(sums: Sums, verdicts: Sequence[Verdict], *, sites: bool) -> None:
    """Write everything that a person wants to see, but for the bars."""
    head = "".join(f"{short:>9}" for _, short in COLUMNS)
    last = None
    for (family, level, method), tally in sums.items():
        told = figures(tally)
        if (family, level) != last:
            last = (family, level)
            sys.stdout.write(f"\n{family}, {level}: {tally.counts['acts']} acts\n{'':<13}{head}\n")
        cells = "".join(_cell(told, name) for name, _ in COLUMNS)
        sys.stdout.write(f"{method:<13}{cells}\n")
    _print_causes(sums)
    for level, trust in trust_of(sums).items():
        sys.stdout.write(f"\ncalibration of ours, {level}: confidence, how many, mean, right\n")
        for one in calibration(trust):
            figures_of = f"{one.movements:>7}{one.mean:>8.3f}{one.share:>8.3f}"
            sys.stdout.write(f"  {one.low:>4}..{one.high - 1:<5}{figures_of}\n")
    _print_time(verdicts)
    for verdict in verdicts if sites else ():
        world = verdict.world
        sys.stdout.write(f"site {world.family}/{world.level}/{world.seed}: {verdict.site}\n")


def _cell(told: Mapping[str, float], name: str) -> str:
    if name not in told:
        return f"{'-':>9}"
    value = told[name]
    return f"{value:>9.0f}" if value >= 10_000 else f"{value:>9.3f}"


def _print_causes(sums: Sums) -> None:
    """False movements of ours by what may have led to them, the commonest first."""
    for (family, level, method), tally in sums.items():
        false = Counter({n: count for n, count in tally.counts.items() if n.startswith(FALSE)})
        if method == OURS and false:
            told = "; ".join(f"{n.removeprefix(FALSE)}: {k}" for n, k in false.most_common())
            sys.stdout.write(f"\nfalse movements of ours, {family}, {level}: {told}\n")


def _print_time(verdicts: Sequence[Verdict]) -> None:
    longest: dict[str, float] = {}
    for verdict in verdicts:
        if OURS in verdict.seconds:
            family = verdict.world.family
            seconds = verdict.made_s + verdict.seconds[OURS]
            longest[family] = max(longest.get(family, 0.0), seconds)
    told = ", ".join(f"{family} {seconds:.1f}" for family, seconds in longest.items())
    sys.stdout.write(f"\nCPU seconds of the slowest world with ours: {told}\n\n")
