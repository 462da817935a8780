"""Whether a cell rests: no more restless than it usually is, and as heavy at the end of the window
as at its beginning. Part of the weight rule.

How restless a cell usually is, is learned: that scatter of a window which LEARNED_QUANTILE of them
stay below. It follows the cell and not what people do there, since most windows are undisturbed. A
hand or an elbow that keeps nearly still is more restless than the bare cell; a cell on a shaking
floor is not held to the calm of a good one. It is bounded on both sides by the band that is set, so
that neither a frozen cell nor an endless shaking teaches it anything absurd.

Source: notes on weighing shelves: N samples within three deviations for about a second; the scatter
of n samples of a cell at rest exceeds RESTLESS deviations in less than a hundredth of all windows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf, sqrt

from gateway.model import Ns

SAMPLES_MAX = 512
"""Samples in one window: 2 s at 200 Hz, faster than any shelf transmitter answers."""

BAND_DEVIATIONS = 3.0
"""The band holds so many deviations of the noise on either side."""

LEARNED_QUANTILE = 0.4
"""Below one half, for some windows are disturbed; the bare cell's own scatter spreads little."""

LEARNED_STEP, FIRST_STEP = 0.01, 0.05
"""Share by which one window moves what is learned. A hand that is held there for a minute teaches
a quarter more noise, which still tells it from rest; a cell that is new learns faster."""

FIRST_WINDOWS = 60
"""So many windows is a cell new: a minute from the middle to either bound."""

NOISE_LEAST_G = 0.35
"""A display in steps of 1 g that flickers between two of them scatters over half a gram."""

NOISE_MOST = 4.5
"""Times the noise that the band is made for: 3 g, the worst that a cell of 50 kg is known for."""

FROZEN_G = 1e-6
"""A cell whose samples are all the same stands still, or is frozen: that teaches nothing."""

RESTLESS = 1.6
"""Times the usual scatter: exceeded by 3 in 1000 windows of ten samples at rest, and by any hand
that wanders over more than twice the noise."""

HALVES_DEVIATIONS = 3.0
"""How far the two halves of a window may lie apart by noise alone."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A window at rest: its mean and how sure that is, and its scatter."""

    level_g: float
    level_sd_g: float
    sd_g: float


class Window:
    """The latest samples of one cell.

    `halves_max_g` is how far its halves may lie apart at most, whatever the noise: a share of the
    lightest piece, so that no window in which one goes looks like a plateau half-way.
    """

    __slots__ = (
        "_band_g",
        "_learned_at",
        "_learned_windows",
        "_least_g",
        "_most_g",
        "_samples",
        "_samples_min",
        "_span_ns",
        "halves_max_g",
        "noise_g",
    )

    def __init__(self, band_g: float, span_ns: Ns, samples_min: int) -> None:
        self._band_g = band_g
        self._span_ns = span_ns
        self._samples_min = samples_min
        self._samples: deque[tuple[Ns, float]] = deque(maxlen=SAMPLES_MAX)
        self._learned_at: Ns = 0
        self._learned_windows = 0
        self.noise_g = band_g / BAND_DEVIATIONS
        self._least_g = min(NOISE_LEAST_G, self.noise_g)
        self._most_g = NOISE_MOST * self.noise_g
        self.halves_max_g = inf

    def restore(self, noise_g: float) -> None:
        """Take back what an earlier run had learned."""
        self._learned_windows = FIRST_WINDOWS
        self._bound(noise_g)

    def clear(self) -> None:
        """What was weighed so far says nothing of what comes."""
        self._samples.clear()

    def mean_g(self) -> float:
        """Of the samples in the window; 0 if there are none."""
        return sum(gross for _, gross in self._samples) / max(1, len(self._samples))

    def add(self, now: Ns, gross_g: float) -> Rest | None:
        """Take a sample; the window's mean and scatter if the cell rests."""
        samples = self._samples
        samples.append((now, gross_g))
        oldest = now - self._span_ns
        while samples[0][0] < oldest and len(samples) > self._samples_min:
            samples.popleft()
        count = len(samples)
        if count < self._samples_min or now - samples[0][0] < self._span_ns * 3 // 4:
            return None
        weights = [gross for _, gross in samples]
        level = sum(weights) / count
        sd = sqrt(sum([(gross - level) ** 2 for gross in weights]) / (count - 1))
        if samples[0][0] >= self._learned_at and sd > FROZEN_G:
            self._learn(now, sd)
        if sd > RESTLESS * self.noise_g:
            return None
        half = count // 2
        apart = abs(sum(weights[:half]) - sum(weights[count - half :])) / half
        halves_g = max(self._band_g, HALVES_DEVIATIONS * self.noise_g * 2 / sqrt(count))
        if apart > min(halves_g, self.halves_max_g):
            return None
        return Rest(level, max(sd, self.noise_g) / sqrt(count), sd)

    def _learn(self, now: Ns, sd_g: float) -> None:
        """Each sample teaches once: one window, then the next that begins after it."""
        self._learned_at = now
        self._learned_windows += 1
        step = FIRST_STEP if self._learned_windows < FIRST_WINDOWS else LEARNED_STEP
        share = LEARNED_QUANTILE if sd_g > self.noise_g else LEARNED_QUANTILE - 1
        self._bound(self.noise_g * (1 + step * share))

    def _bound(self, noise_g: float) -> None:
        self.noise_g = min(self._most_g, max(self._least_g, noise_g))
