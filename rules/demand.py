"""How much of an item a place gives away in a bucket of time: the method of Teunter, Syntetos and
Babai (2011), in integers.

    a bucket ends:        probability += b * ((1 if something was issued else 0) - probability)
    and where it did:     size        += a * (issued - size)
    forecast per bucket:  probability * size

Unlike Croston's it falls while nothing is issued, so that what nobody takes any more is not bought.
The first bucket, and the first size, are taken as they are. Part of the stock rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

PPB = 1_000_000_000
"""The probability is kept in parts per billion: what rounding takes is nothing beside a piece."""

MILLI = 1000
"""Sizes, and their squares, are kept in thousandths."""

CLOSED_MIN = 7
"""A week of days. After fewer buckets a single busy one is most of what is known."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The weights of the last bucket: of its size (a), and of whether there was any issue (b)."""

    size_permille: int = 100
    probability_permille: int = 100


@dataclass(slots=True)
class Demand:
    """`issued` are pieces of the open bucket, less those that came back; all else is of those that
    are closed. `square_milli` is the mean square of the sizes.
    """

    bucket: int
    issued: int = 0
    closed: int = 0
    probability_ppb: int = 0
    size_milli: int = 0
    square_milli: int = 0

    @property
    def moves(self) -> bool:
        """Whether anything is, or may be, issued."""
        return self.issued > 0 or self.probability_ppb > 0

    def advance(self, bucket: int, smoothing: Smoothing) -> None:
        """Close all buckets before this one."""
        if bucket <= self.bucket:
            return
        self._close(smoothing)
        idle = bucket - self.bucket - 1
        self.bucket, self.issued = bucket, 0
        self.closed = min(CLOSED_MIN, self.closed + idle)
        for _ in range(idle):  # a few hundred at most: by then nothing is left of it
            if not self.probability_ppb:
                break
            self.probability_ppb = _faded(self.probability_ppb, smoothing.probability_permille)

    def plain(self) -> Sequence[int]:
        """As it stands in a row."""
        return astuple(self)

    def _close(self, smoothing: Smoothing) -> None:
        first = self.closed == 0
        self.closed = min(CLOSED_MIN, self.closed + 1)
        b_permille = smoothing.probability_permille
        self.probability_ppb = 0 if first else _faded(self.probability_ppb, b_permille)
        if self.issued <= 0:
            return
        self.probability_ppb += PPB if first else PPB * b_permille // 1000
        size, square = MILLI * self.issued, MILLI * self.issued**2
        if self.size_milli:
            size = _mean(self.size_milli, size, smoothing.size_permille)
            square = _mean(self.square_milli, square, smoothing.size_permille)
        self.size_milli, self.square_milli = size, square


def _faded(probability_ppb: int, permille: int) -> int:
    """Rounded down, so that what is idle for long comes to nothing."""
    return probability_ppb * (1000 - permille) // 1000


def _mean(known: int, new: int, permille: int) -> int:
    return (known * (1000 - permille) + new * permille + 500) // 1000
