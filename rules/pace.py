"""Pace: how often a tag is read, and how much longer than others it must be silent to have left.

A tag that is read more seldom than is usual in its zone gets as much on top of the zone's window
(`rules.silence`) as chance may keep it silent longer. What is told to others, and kept over
a restart, are coarse steps: they change seldom.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from gateway.model import NS_PER_S, Ns

HOUR_NS = 3600 * NS_PER_S

SPARSE_NS = 5 * NS_PER_S
"""A tag with longer gaps is hardly readable: it may take more than a minute to be missed."""

KEPT_S = 180.0
"""The gaps that are remembered are those of the last three minutes."""

GAP_MIN_NS = NS_PER_S // 10
"""Where reads come one after the other it makes no difference how long the gaps are."""

LEAVE_MAX_NS = 300 * NS_PER_S
"""No tag is waited for longer."""

STEPS_NS = tuple(seconds * NS_PER_S for seconds in (10, 15, 20, 25, 30, 40, 50, 80, 120, 200, 300))
"""What is told of a window: the least of these that holds it."""

KEPT_NS = tuple(seconds * NS_PER_S for seconds in (20, 50, 120, 300))
"""What is kept of a window over a restart: the least of these that holds it, and nothing of one
that holds within the first. Each is a row that no movement caused: few, and none when it shrinks.
"""


@dataclass(slots=True)
class Pace:
    """The gaps between the reads of one tag; times are on the clock of covered time.

    `gap` is how long the gap is on average in which a moment falls: the squares of all gaps over
    their sum, so that reads that crowd into one turn of the antenna count as one. `told` is the
    window that was told last, `kept` holds it over a restart (0: within the least of `KEPT_NS`).
    """

    gap: Ns
    told: Ns
    measured_at: Ns = 0
    known_s: float = 0.0
    squares_s: float = 0.0
    kept: Ns = 0

    def measure(self, at: Ns, since: Ns) -> Ns:
        """Take in the gaps since last time, or `since` if that is later; tell the span."""
        span = max(0, at - max(self.measured_at, since))
        span_s, squares_s = span / NS_PER_S, self.squares_s
        kept_s = min(self.known_s, max(0.0, KEPT_S - span_s))
        if kept_s + span_s > 0:
            mean_s = (kept_s * self.gap / NS_PER_S + squares_s) / (kept_s + span_s)
            self.gap = max(GAP_MIN_NS, int(mean_s * NS_PER_S))
        self.known_s = min(KEPT_S, kept_s + span_s)
        self.measured_at, self.squares_s = at, 0.0
        return span

    def slack_ns(self, usual_ns: Ns, false_per_h: float) -> Ns:
        """How much longer than the zone's window its own is, if chance alone may keep it silent so
        long that often: of gaps that end by chance `gap` is twice the mean.
        """
        longer = self.gap - usual_ns
        if longer <= 0:
            return 0
        return int(longer * log(max(1.0, 2 * HOUR_NS / self.gap / false_per_h)) / 2)

    def told_anew(self, window_ns: Ns) -> bool:
        """Whether another window is to be told: at once if it grows, with room if it shrinks."""
        step = _step(window_ns)
        if step > self.told or _step(window_ns * 5 // 4) < self.told:
            self.told = step
            return True
        return False

    def kept_anew(self) -> bool:
        """Whether what was told last is more than is kept, and so is to be kept."""
        if self.told <= max(self.kept, KEPT_NS[0]):
            return False
        self.kept = next(kept for kept in KEPT_NS if kept >= self.told)
        return True


def _step(window_ns: Ns) -> Ns:
    return next((step for step in STEPS_NS if step >= window_ns), LEAVE_MAX_NS)
