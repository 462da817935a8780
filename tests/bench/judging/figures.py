"""Figures out of counts, and the bars that ours must reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tests.bench.judging.causes import FALSE
from tests.bench.judging.score import Tally

DAY_S = 86_400

EDGES = (0, 500, 800, 900, 950, 975, 1001)
"""Bounds of the calibration bins, in thousandths."""

BIN_MIN = 400
"""Fewer movements than this say nothing about a bin."""

CALIBRATION_MAX, CALIBRATED_MIN = 0.02, 400
"""How far confidence may lie from truth over all families, and movements it takes to say so."""


class Bin(NamedTuple):
    """Movements told with a confidence from `low` to below `high`, in thousandths."""

    low: int
    high: int
    movements: int
    mean: float
    share: float


class Bar(NamedTuple):
    """A bound on one figure; `hard` is that of hard sites."""

    figure: str
    least: float | None = None
    most: float | None = None
    hard: float | None = None

    def bound(self, level: str) -> float:
        """The bound at that level."""
        plain = self.least if self.least is not None else self.most
        assert plain is not None
        return plain if level != "hard" or self.hard is None else self.hard


class Held(NamedTuple):
    """A bar as it binds: `by` the bar itself, or by the ceiling where that lies beyond the bar.

    `below`: the bound is a lower one.
    """

    value: float
    bound: float
    by: str
    bar: float
    ceiling: float | None
    ok: bool
    below: bool


MARGIN, MARGIN_S, MARGIN_STOCK = 0.01, 1.0, 0.5
"""How near to its ceiling a figure must come where the ceiling itself misses the bar: shares and
ratios (one point), delays in seconds, pieces per 200 movements.
"""

UNRESOLVED = Bar("unresolved share", most=0.03, hard=0.06)

BARS: Mapping[str, tuple[Bar, ...]] = {
    "shelf": (
        Bar("F1 5 s", least=0.95, hard=0.94),
        Bar("F1 30 s", least=0.97, hard=0.96),
        Bar("stock error per 200", most=1.0),
        Bar("transitions per true", most=1.1),
        Bar("delay in p50 s", most=1.5),
        Bar("delay out p50 s", most=10.0),
        UNRESOLVED,
    ),
    "portal": (
        Bar("F1 30 s", least=0.97, hard=0.96),
        Bar("decided share", least=0.99, hard=0.98),
        Bar("direction right", least=0.995, hard=0.985),
        Bar("static booked", most=0.002, hard=0.012),
        Bar("turned back booked", most=0.01, hard=0.05),
        Bar("delay in p95 s", most=3.0),
        UNRESOLVED,
    ),
    "portal_order": (Bar("F1 30 s", least=0.99, hard=0.98), UNRESOLVED),
    "portal_single": (
        Bar("F1 30 s", least=0.95, hard=0.94),
        Bar("direction right", least=0.995, hard=0.985),
        Bar("static booked", most=0.002, hard=0.012),
        Bar("turned back booked", most=0.01, hard=0.02),
        UNRESOLVED,
    ),
    "weight": (
        Bar("F1 30 s", least=0.99, hard=0.98),
        Bar("quantity exact", least=0.995, hard=0.985),
        Bar("mixed right or unresolved", least=0.98, hard=0.97),
        Bar("mixed wrong", most=0.005, hard=0.015),
        UNRESOLVED,
    ),
    "fused": (
        Bar("F1 30 s", least=0.995, hard=0.985),
        Bar("disagreements told", least=1.0, hard=0.99),
        Bar("false disagreements", most=0.01, hard=0.05),
        UNRESOLVED,
    ),
    "quiet": (Bar("false movements", most=0.0), Bar("false departures", most=0.0)),
    "faulty": (
        Bar("false movements", most=0.0),
        Bar("false departures", most=0.0),
        Bar("false by faults", most=0.0),
        UNRESOLVED,
    ),
    "day": (UNRESOLVED,),
}


def held(bar: Bar, level: str, value: float, ceiling: float | None) -> Held:
    """What binds a figure, and whether it holds; `ceiling` is None where none was run."""
    plain, below = bar.bound(level), bar.least is not None
    bound, by = plain, "bar"
    if ceiling is not None and (ceiling < plain if below else ceiling > plain):
        margin = _margin(bar.figure)
        bound, by = (ceiling - margin if below else ceiling + margin), "ceiling"
    ok = value >= bound if below else value <= bound
    return Held(value, bound, by, plain, ceiling, ok, below)


def _margin(figure: str) -> float:
    if figure.startswith("delay"):
        return MARGIN_S
    return MARGIN_STOCK if figure.startswith("stock error") else MARGIN


def figures(tally: Tally) -> dict[str, float]:
    """All figures that the counts allow."""
    counts = tally.counts
    told: dict[str, float] = {"acts": counts["acts"], "claims": counts["claims"]}
    for within in ("5 s", "30 s"):
        right = counts[f"right {within}"]
        told[f"precision {within}"] = _share(right, counts["claims"], 1.0)
        told[f"recall {within}"] = _share(right, counts["acts"], 1.0)
        told[f"F1 {within}"] = _share(2 * right, counts["claims"] + counts["acts"], 1.0)
    wide, acts = counts["right 30 s"], max(1, counts["acts"])
    told["quantity exact"] = _share(counts["exact"], wide, 1.0)
    told["false movements"] = counts["claims"] - wide
    told["false per day"] = (counts["claims"] - wide) * DAY_S / max(1, counts["length s"])
    told["false departures"] = counts["false departures"]
    told["false by faults"] = counts["false by faults"]
    told |= {name: count for name, count in counts.items() if name.startswith(FALSE)}
    told["direction errors"] = counts["direction errors"]
    crossed = wide + counts["direction errors"]
    told["decided share"] = crossed / acts
    told["direction right"] = _share(wide, crossed, 1.0)
    told["transitions per true"] = counts["claims"] / acts
    told["unresolved share"] = counts["unresolved"] / max(1, counts["all acts"])
    told["idle unresolved per day"] = counts["idle unresolved"] * DAY_S / max(1, counts["length s"])
    if "stock error" in counts:
        told["stock error per 200"] = counts["stock error"] * 200 / acts
    for kind in ("static", "turned_back"):
        if counts[kind]:
            told[f"{kind.replace('_', ' ')} booked"] = counts[f"{kind} booked"] / counts[kind]
    for kind in ("mixed", "equal"):
        if counts[kind]:
            answered = counts[f"{kind} right"] + counts[f"{kind} unresolved"]
            told[f"{kind} right"] = counts[f"{kind} right"] / counts[kind]
            told[f"{kind} right or unresolved"] = answered / counts[kind]
            told[f"{kind} wrong"] = counts[f"{kind} wrong"] / counts[kind]
    if counts["odd"]:
        told["disagreements"] = counts["odd"]
        told["disagreements told"] = counts["odd told"] / counts["odd"]
        told["false disagreements"] = counts["false disagreements"] / acts
    told |= _delays("in", tally.delays_in_s) | _delays("out", tally.delays_out_s)
    told["calibration error"] = calibration_error(tally.trust)
    return told


def calibration(trust: Sequence[tuple[int, bool]]) -> list[Bin]:
    """Bins from below; neighbours are joined until each holds `BIN_MIN`, the surest apart."""
    bins: list[Bin] = []
    inside: list[tuple[int, bool]] = []
    upper = EDGES[-1]
    for low, high in reversed([*pairwise(EDGES)]):
        upper = upper if inside else high
        inside += [(permille, right) for permille, right in trust if low <= permille < high]
        if len(inside) >= BIN_MIN:
            bins.append(_bin(low, upper, inside))
            inside = []
    if inside:
        if bins:  # too few are left over: they go to the bin above
            upper = bins.pop().high
            inside = [pair for pair in trust if pair[0] < upper]
        bins.append(_bin(EDGES[0], upper, inside))
    return bins[::-1]


def _bin(low: int, high: int, inside: Sequence[tuple[int, bool]]) -> Bin:
    mean = sum(permille for permille, _ in inside) / len(inside) / 1000
    return Bin(low, high, len(inside), mean, sum(right for _, right in inside) / len(inside))


def calibration_error(trust: Sequence[tuple[int, bool]]) -> float:
    """Expected calibration error: how far confidence and truth lie apart, on average."""
    if not trust:
        return 0.0
    apart = sum(one.movements * abs(one.mean - one.share) for one in calibration(trust))
    return apart / len(trust)


def _share(part: int, whole: int, of_nothing: float) -> float:
    return part / whole if whole else of_nothing


def _delays(way: str, delays_s: Sequence[float]) -> dict[str, float]:
    ascending = sorted(delays_s)
    if not ascending:
        return {}
    last = len(ascending) - 1
    return {
        f"delay {way} p{percent} s": ascending[min(last, len(ascending) * percent // 100)]
        for percent in (50, 95, 99)
    }
