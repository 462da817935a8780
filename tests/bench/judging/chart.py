"""A small chart in plain SVG: axes with ticks, lines, points, labels that keep clear of each other.

Colours are those of Okabe and Ito, which the colour-blind can tell apart; what matters is told by
shape and word too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

BLUE, ORANGE, GREEN, GREY, BLACK = "#0072b2", "#d55e00", "#009e73", "#767676", "#222222"

WIDTH, HEIGHT = 380, 300
LEFT, TOP, BELOW, RIGHT = 56, 44, 46, 24
CHARACTER, LINE = 6.2, 13.0
"""Size of a label's letter and line at the font size used, in pixels."""

STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:11px;fill:#222}"
    ".title{font-size:14px;font-weight:600}.tick{fill:#555}"
)


class Axis(NamedTuple):
    """What is told along one side: from `low` to `high`, with a mark every `step`."""

    name: str
    low: float
    high: float
    step: float


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        apart = self.right < other.left or other.right < self.left
        return not (apart or self.bottom < other.top or other.bottom < self.top)

    def within(self, other: _Box) -> bool:
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


@dataclass(slots=True)
class Panel:
    """One pair of axes and what is drawn in it; `left` is where it begins in the picture."""

    across: Axis
    up: Axis
    left: float = 0.0
    _shapes: list[str] = field(default_factory=list)
    _taken: list[_Box] = field(default_factory=list)
    _labels: list[tuple[float, float, str, str]] = field(default_factory=list)

    def x(self, value: float) -> float:
        """Pixels from the left of the picture; beyond an end is drawn at the end."""
        share = (value - self.across.low) / (self.across.high - self.across.low)
        return self.left + LEFT + min(1.0, max(0.0, share)) * WIDTH

    def y(self, value: float) -> float:
        """Pixels from the top."""
        share = (value - self.up.low) / (self.up.high - self.up.low)
        return TOP + (1.0 - min(1.0, max(0.0, share))) * HEIGHT

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False
    ) -> None:
        """Connect points in their order."""
        path = "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        width = 1.2 if dashed else 2
        self._shapes.append(
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>'
        )

    def dot(
        self, x: float, y: float, colour: str, label: str = "", *, square: bool = False
    ) -> None:
        """Mark a point; its label finds a place beside it."""
        left, top = self.x(x), self.y(y)
        self._taken.append(_Box(left - 5, top - 5, left + 5, top + 5))
        if square:
            self._shapes.append(
                f'<rect x="{left - 4:.1f}" y="{top - 4:.1f}" width="8" height="8" fill="{colour}"/>'
            )
        else:
            self._shapes.append(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4.5" fill="{colour}"/>')
        if label:
            self._labels.append((left, top, label, colour))

    def drawn(self) -> list[str]:
        """All of it as SVG."""
        return [*self._frame(), *self._shapes, *self._placed()]

    def _frame(self) -> list[str]:
        left, bottom, right = self.left + LEFT, TOP + HEIGHT, self.left + LEFT + WIDTH
        told = []
        for value in _marks(self.across):
            x = self.x(value)
            told.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e4e4e4"/>')
            told.append(_text((x, bottom + 16), f"{value:g}", "middle", "tick"))
        for value in _marks(self.up):
            y = self.y(value)
            told.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#e4e4e4"/>')
            told.append(_text((left - 7, y + 4), f"{value:g}", "end", "tick"))
        told.append(f'<path d="M{left} {TOP}V{bottom}H{right}" fill="none" stroke="{BLACK}"/>')
        told.append(_text((left + WIDTH / 2, bottom + 36), self.across.name, "middle"))
        turn = f'transform="translate({self.left + 14:.0f} {TOP + HEIGHT / 2:.0f}) rotate(-90)"'
        told.append(f'<text {turn} text-anchor="middle">{escape(self.up.name)}</text>')
        return told

    def _placed(self) -> list[str]:
        told = []
        right = self.left + LEFT + WIDTH + RIGHT - 6
        edge = _Box(self.left + LEFT, TOP - 12, right, TOP + HEIGHT)
        for x, y, label, colour in self._labels:
            places = _places(x, y, len(label) * CHARACTER)
            free = [
                box
                for box in places
                if box.within(edge) and not any(box.meets(other) for other in self._taken)
            ]
            box = (free or places)[0]
            self._taken.append(box)
            if box not in places[:NEAREST]:
                aside, below = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
                told.append(f'<path d="M{x:.1f} {y:.1f}L{aside:.1f} {below:.1f}" stroke="#aaa"/>')
            at = (box.left, box.bottom - 3)
            told.append(_text(at, label, "start", style=f"fill:{colour}"))
        return told


NEAREST = 4
"""Places so near to their point that no line is needed to see what they name."""


def _places(x: float, y: float, wide: float) -> list[_Box]:
    """Where a label may stand: right, left, above, below its point, then further off."""
    corners = [
        (x + 8, y - LINE / 2),
        (x - wide - 8, y - LINE / 2),
        (x - wide / 2, y - LINE - 6),
        (x - wide / 2, y + 6),
    ]
    for ring in range(1, 9):
        far = 13 * ring
        corners += [
            (x + 6 + far, y - LINE - far),
            (x + 6 + far, y + far),
            (x - wide - 6 - far, y - LINE - far),
            (x - wide - 6 - far, y + far),
            (x - wide / 2, y - LINE - 6 - far),
            (x - wide / 2, y + 6 + far),
        ]
    return [_Box(left, top, left + wide, top + LINE) for left, top in corners]


def picture(title: str, panels: Sequence[Panel], legend: Sequence[tuple[str, str]] = ()) -> str:
    """The panels side by side under a title; `legend` tells what colours mean."""
    across, down = panel_width(), TOP + HEIGHT + BELOW
    width = across * len(panels)
    size = f'width="{width}" height="{down}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {down}" {size}>',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{down}" fill="white"/>',
        _text((LEFT, 20), title, "start", "title"),
    ]
    at = LEFT + len(title) * 8.6 + 20
    for name, colour in legend:
        lines.append(f'<rect x="{at:.0f}" y="11" width="10" height="10" fill="{colour}"/>')
        lines.append(_text((at + 15, 20), name, "start"))
        at += 30 + len(name) * CHARACTER
    for panel in panels:
        lines += panel.drawn()
    return "\n".join([*lines, "</svg>", ""])


def panel_width() -> int:
    """How far apart two panels begin."""
    return LEFT + WIDTH + RIGHT


def _marks(axis: Axis) -> list[float]:
    count = round((axis.high - axis.low) / axis.step)
    return [round(axis.low + number * axis.step, 6) for number in range(count + 1)]


def _text(at: tuple[float, float], text: str, anchor: str, kind: str = "", style: str = "") -> str:
    named = (f' class="{kind}"' if kind else "") + (f' style="{style}"' if style else "")
    x, y = at
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
