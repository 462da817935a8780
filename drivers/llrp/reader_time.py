"""A reader's clock, anchored to the gateway's for as long as one connection lives.

A reader stamps with UTC, which may be wrong by years, or with its uptime, which starts at 0 when
it boots (LLRP 1.1 section 7.1.3.1.1). Neither is believed as a time: only the offset to the
gateway's clock counts, the smallest one seen, since what comes late can only make it larger.
"""

from gateway.model import NS_PER_S, Ns

DRIFT_DIVISOR = 2000
"""Two clocks may run apart by 1/2000 (500 ppm, five times a poor crystal): the anchor gives way
by as much, so that a reader that runs slow is followed without ageing its reads."""

STEP_US = 1_000_000
"""Stamps that go back, or offsets that fall, by more are a step of the reader's clock."""


class ReaderTime:
    """Turns stamps of one connection into gateway time. Counts `steps` of the reader's clock."""

    def __init__(self) -> None:
        self.steps = 0
        self._offset_ns: Ns | None = None
        self._anchored_at: Ns = 0
        self._newest_read_us = 0

    def see_event(self, now: Ns, stamp_us: int) -> None:
        """Take the stamp of an event notification that came in now."""
        self._anchor(now, now - stamp_us * 1000)

    def see_reads(self, now: Ns, newest_us: int) -> Ns:
        """Take the newest stamp of a report that came in now; return the offset in nanoseconds.

        A stamp of `s` microseconds is `s * 1000 + offset` in gateway time. Reads that the reader
        held back come in with old stamps: they leave the anchor as it is, and so are old.
        """
        if newest_us < self._newest_read_us - STEP_US:
            self.steps += 1
            self._offset_ns = None
        self._newest_read_us = newest_us
        return self._anchor(now, now - newest_us * 1000)

    def _anchor(self, now: Ns, candidate: Ns) -> Ns:
        offset = self._offset_ns
        if offset is None:
            offset = candidate
        else:
            if candidate < offset - NS_PER_S:
                self.steps += 1
            offset = min(candidate, offset + (now - self._anchored_at) // DRIFT_DIVISOR)
        self._offset_ns = offset
        self._anchored_at = now
        return offset
