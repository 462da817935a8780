"""Pace: how long a tag must stay silent to have left, given how often it is read.

The leave window is LEAVE_GAPS times the tag's own mean gap between reads, in steps of two from
the usual window up to LEAVE_MAX_NS. In Gen2 session 0 a tag is read many times a second and has
the usual window; in session 1 it falls silent for up to 5 s after each read.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import NS_PER_S, Ns

LEAVE_GAPS = 10
"""Mean gaps in a leave window: fewer than 2 of 10 expected reads is chance once in 2,000."""

READS_SURE = 48
"""The mean gap is that of so many last reads: known within a seventh."""

LEAVE_MAX_NS = 60 * NS_PER_S
"""No tag is waited for longer: one read more seldom than every 5 s is not readable there."""


@dataclass(slots=True)
class Pace:
    """The leave window of one tag; times are on the clock of covered time."""

    usual: Ns
    leave: Ns
    gap: Ns = 0
    measured_at: Ns = 0
    reads_then: int = 0
    reads_known: int = 1

    @classmethod
    def first(cls, usual: Ns, at: Ns, span: Ns, reads: int) -> Pace:
        """Of a tag that has just arrived with so many reads; two of them were luck."""
        pace = cls(usual, usual, span // max(1, reads - 2), at, reads)
        pace.leave = pace.window()
        return pace

    @classmethod
    def kept(cls, usual: Ns, leave: Ns) -> Pace:
        """As an earlier run left it."""
        leave = max(usual, leave)
        return cls(usual, leave, leave // LEAVE_GAPS, reads_known=LEAVE_GAPS)

    def measure(self, at: Ns, since: Ns, reads: int) -> bool:
        """Take in the reads since last time, or `since` if that is later; True if the window
        changes.
        """
        span = at - max(self.measured_at, since)
        if span < self.usual // 2:
            return False
        seen = reads - self.reads_then
        kept = min(self.reads_known, max(0, READS_SURE - seen))
        self.gap = (kept * self.gap + span) // max(1, kept + seen)
        self.reads_known = min(READS_SURE, kept + seen)
        self.measured_at, self.reads_then = at, reads
        leave, self.leave = self.leave, self.window()
        return leave != self.leave

    def window(self) -> Ns:
        """The usual window, doubled until it holds enough gaps; it shrinks only with room."""
        needed = self.gap * LEAVE_GAPS
        leave = self.usual
        while leave < LEAVE_MAX_NS and (
            leave < needed or (leave < self.leave and leave * 7 // 8 < needed)
        ):
            leave = min(2 * leave, LEAVE_MAX_NS)
        return leave
