"""Two drawings: how far confidence can be believed, and what being quick costs. Plain SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from tests.bench.judging.figures import calibration, figures
from tests.bench.judging.methods import OURS
from tests.bench.judging.score import Tally

SIDE, MARGIN = 360, 50
DELAY_MAX_S = 60.0
CONFIDENCE_MIN = 0.5
"""Nothing is published below; the reliability diagram begins there."""

Point = tuple[float, float, str]
"""Across and up, each 0 to 1, and what to write beside it."""


def draw(folder: Path, sums: Mapping[tuple[str, str, str], Tally]) -> None:
    """Write `reliability.svg`, and one `tradeoff-FAMILY-LEVEL.svg` per family with delays."""
    folder.mkdir(parents=True, exist_ok=True)
    trust = [pair for key, tally in sums.items() if key[2] == OURS for pair in tally.trust]
    (folder / "reliability.svg").write_text(reliability(trust), encoding="utf-8")
    for family, level in dict.fromkeys(key[:2] for key in sums):
        points = list(_tradeoff(family, level, sums))
        if points:
            labels = (f"delay, median of all (0 to {DELAY_MAX_S:.0f} s)", "F1 at 30 s")
            text = _drawing(f"{family}, {level}: quick or sure", labels, points)
            (folder / f"tradeoff-{family}-{level}.svg").write_text(text, encoding="utf-8")


def reliability(trust: Sequence[tuple[int, bool]]) -> str:
    """Confidence told against the share that was right; the diagonal is honest."""
    points = [
        (_stretch(mean), max(0.0, _stretch(share)), f"{count}")
        for _, _, count, mean, share in calibration(trust)
        if mean >= CONFIDENCE_MIN
    ]
    labels = (f"confidence told ({CONFIDENCE_MIN} to 1)", "share that was right")
    return _drawing("reliability of published movements", labels, points, diagonal=True)


def _stretch(share: float) -> float:
    return (share - CONFIDENCE_MIN) / (1.0 - CONFIDENCE_MIN)


def _tradeoff(
    family: str, level: str, sums: Mapping[tuple[str, str, str], Tally]
) -> Iterable[Point]:
    for (of_family, of_level, method), tally in sums.items():
        delays = sorted(tally.delays_in_s + tally.delays_out_s)
        if (of_family, of_level) == (family, level) and delays:
            middle = max(0.0, delays[len(delays) // 2])
            yield min(1.0, middle / DELAY_MAX_S), figures(tally)["F1 30 s"], method


def _drawing(
    title: str, labels: tuple[str, str], points: Sequence[Point], *, diagonal: bool = False
) -> str:
    across, up = labels
    full, end = SIDE + 2 * MARGIN, SIDE + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {full}">',
        "<style>text { font-family: sans-serif; font-size: 11px }</style>",
        f'<rect width="{full}" height="{full}" fill="white"/>',
        f'<text x="{MARGIN}" y="{MARGIN // 2}">{escape(title)}</text>',
        f'<path d="M{MARGIN} {MARGIN}V{end}H{end}" fill="none" stroke="black"/>',
        f'<text x="{MARGIN}" y="{end + 30}">{escape(across)}</text>',
        f'<text transform="translate({MARGIN - 30} {end}) rotate(-90)">{escape(up)}</text>',
    ]
    if diagonal:
        lines.append(f'<path d="M{MARGIN} {end}L{end} {MARGIN}" stroke="grey"/>')
    for x, y, label in points:
        left, top = MARGIN + x * SIDE, end - y * SIDE
        fill = "crimson" if label.startswith(OURS) or diagonal else "grey"
        lines.append(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4" fill="{fill}"/>')
        lines.append(f'<text x="{left + 6:.1f}" y="{top - 4:.1f}">{escape(label)}</text>')
    return "\n".join([*lines, "</svg>", ""])
