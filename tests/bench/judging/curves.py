"""Drawings of what the bench found: how far confidence can be believed, how all methods compare,
and what a knob costs from quick to sure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from tests.bench.judging.chart import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    Axis,
    Panel,
    panel_width,
    picture,
)
from tests.bench.judging.figures import BARS, calibration, figures
from tests.bench.judging.methods import CEILING, OURS
from tests.bench.judging.score import Tally
from tests.bench.judging.table import Sums, trust_of

CONFIDENCE_MIN = 0.5
"""Nothing is published below; the reliability diagram begins there."""

SURE_Z = 1.96
"""Bars of the reliability diagram hold the true share with 95 %."""

DELAY_STEPS_S = (0.5, 1.0, 2.0, 5.0, 10.0)

Knob = tuple[str, Sequence[str]]
"""A setting, RULE.KEY, and the values that it was given."""


def draw(folder: Path, sums: Sums, knob: Knob | None = None) -> None:
    """Write `reliability-LEVEL.svg`, and per family `methods-...` or, of a knob, `sweep-...`."""
    folder.mkdir(parents=True, exist_ok=True)
    for level, trust in trust_of(sums).items():
        (folder / f"reliability-{level}.svg").write_text(reliability(trust), encoding="utf-8")
    for family, level in dict.fromkeys(key[:2] for key in sums):
        of_family = {key[2]: tally for key, tally in sums.items() if key[:2] == (family, level)}
        if knob is None:
            kind, text = "methods", methods(f"{family}, {level}", of_family)
        else:
            kind, text = "sweep", sweep((family, level), of_family, knob)
        if text:
            (folder / f"{kind}-{family}-{level}.svg").write_text(text, encoding="utf-8")


def reliability(trust: Sequence[tuple[int, bool]]) -> str:
    """Confidence told against the share that was right; the diagonal is honest."""
    across = Axis("confidence told, mean of each bin", CONFIDENCE_MIN, 1.0, 0.1)
    panel = Panel(across, Axis("share that was right", CONFIDENCE_MIN, 1.0, 0.1))
    panel.line([(CONFIDENCE_MIN, CONFIDENCE_MIN), (1.0, 1.0)], GREY, dashed=True)
    for one in calibration(trust):
        low, high = _interval(one.share, one.movements)
        panel.line([(one.mean, low), (one.mean, high)], BLUE)
        panel.dot(one.mean, one.share, BLUE, f"{one.movements}")
    return picture("Is confidence as good as its word?", [panel])


def _interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval of a share."""
    square = SURE_Z**2 / count
    middle = (share + square / 2) / (1 + square)
    half = SURE_Z * math.sqrt(share * (1 - share) / count + square / count / 4) / (1 + square)
    return middle - half, middle + half


def methods(title: str, tallies: Mapping[str, Tally]) -> str:
    """All methods: F1 against the median delay of all that they got right."""
    points = {
        name: (median(delays), figures(tally)["F1 30 s"])
        for name, tally in tallies.items()
        if (delays := tally.delays_in_s + tally.delays_out_s)
    }
    if not points:
        return ""
    across = _delay_axis("median delay from act to decision", [x for x, _ in points.values()])
    panel = Panel(across, Axis("F1 within 30 s", 0.0, 1.0, 0.2))
    order = sorted(points, key=lambda name: (name.partition(":")[0] not in (OURS, CEILING), name))
    for name in order:
        colour = {OURS: ORANGE, CEILING: GREEN}.get(name.partition(":")[0], GREY)
        panel.dot(*points[name], colour, name, square=name == CEILING)
    return picture(f"{title}: all methods", [panel])


def sweep(of: tuple[str, str], tallies: Mapping[str, Tally], knob: Knob) -> str:
    """What one knob of ours costs: F1 within 5 s and 30 s against the median delay, as a curve."""
    family, level = of
    name, values = knob
    panels: list[Panel] = []
    for way in ("in", "out"):
        told = {
            value: figures(tallies[key])
            for value in values
            if (key := f"{OURS}:{name}={value}") in tallies
        }
        told = {value: one for value, one in told.items() if f"delay {way} p50 s" in one}
        ceiling = figures(tallies[CEILING]) if CEILING in tallies else {}
        if told:
            panel = _curve(of, (way, panel_width() * len(panels)), told, ceiling)
            panels.append(panel)
    bars = {bar.figure: f", bar {bar.bound(level):g}" for bar in BARS[family]}
    legend = [
        (f"F1 within {within}{bars.get(f'F1 {within}', '')}", colour)
        for within, colour in (("30 s", BLUE), ("5 s", ORANGE))
    ]
    return picture(f"{family}, {level}: {name}", panels, legend) if panels else ""


def _curve(
    of: tuple[str, str],
    place: tuple[str, float],
    told: Mapping[str, Mapping[str, float]],
    ceiling: Mapping[str, float],
) -> Panel:
    way, left = place
    delay = f"delay {way} p50 s"
    of_all = [*told.values(), ceiling] if delay in ceiling else [*told.values()]
    lowest = min(one[f"F1 {within}"] for one in of_all for within in ("5 s", "30 s"))
    low = math.floor(lowest * 20 - 0.5) / 20
    step = 0.01 if low >= 0.9 else 0.02 if low >= 0.8 else 0.1 if low >= 0.4 else 0.2
    low = math.floor(low / step) * step
    across = _delay_axis(f"median delay {way}", [one[delay] for one in of_all])
    panel = Panel(across, Axis("F1", max(0.0, round(low, 2)), 1.0, step), left)
    for bar in BARS[of[0]]:
        if bar.figure in {"F1 5 s", "F1 30 s"}:
            colour = BLUE if bar.figure == "F1 30 s" else ORANGE
            bound = bar.bound(of[1])
            panel.line([(across.low, bound), (across.high, bound)], colour, dashed=True)
    for within, colour in (("30 s", BLUE), ("5 s", ORANGE)):
        points = [(one[delay], one[f"F1 {within}"]) for one in told.values()]
        panel.line(points, colour)
        for (x, y), value in zip(points, told, strict=True):
            panel.dot(x, y, colour, value if within == "30 s" else "")
    if delay in ceiling:
        panel.dot(ceiling[delay], ceiling["F1 30 s"], GREEN, "ceiling", square=True)
    return panel


def _delay_axis(name: str, delays_s: Sequence[float]) -> Axis:
    most = max(1.0, *delays_s)
    step = next((step for step in DELAY_STEPS_S if most / step <= 10), DELAY_STEPS_S[-1])
    return Axis(f"{name}, seconds", 0.0, step * math.ceil(most / step + 0.2), step)
