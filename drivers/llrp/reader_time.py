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


STEP_PROVEN_NS = 5 * NS_PER_S
"""Stamps that went back and stay so for this long are a step of the clock. Reads that were held
back, and come among fresh ones, are followed by fresh ones sooner."""

STEP_RUNS_NS, STEP_RUNS_DIVISOR = NS_PER_S, 5
"""Stamps that went back and then run with the gateway's clock for so long, within a fifth, are one
too: a reader sends what it held back as fast as it can."""


class ReaderTime:
    """Turns stamps of one connection into gateway time. Counts `steps` of the reader's clock."""

    def __init__(self) -> None:
        self.steps = 0
        self._offset_ns: Ns | None = None
        self._uptime = False
        self._anchored_at: Ns = 0
        self._newest_read_us = 0
        self._went_back_at: Ns | None = None
        self._went_back_us = 0

    def see_event(self, now: Ns, stamp_us: int, *, uptime: bool = False) -> None:
        """Take the stamp of an event notification that came in now."""
        self._take_kind(uptime)
        self._anchor(now, now - stamp_us * 1000)

    def see_reads(self, now: Ns, newest_us: int, *, uptime: bool = False) -> Ns:
        """Take the newest stamp of a report that came in now; return the offset in nanoseconds.

        A stamp of `s` microseconds is `s * 1000 + offset` in gateway time. Reads that the reader
        held back come in with old stamps: they leave the anchor as it is, and so are old.
        """
        if uptime is not self._uptime:
            self._take_kind(uptime)
        candidate = now - newest_us * 1000
        if newest_us < self._newest_read_us - STEP_US and self._went_back_at is None:
            self._went_back_at, self._went_back_us = now, newest_us
        self._newest_read_us = newest_us
        if self._went_back_at is not None:
            self._judge_going_back(now, candidate, newest_us)
        return self._anchor(now, candidate)

    def _take_kind(self, uptime: bool) -> None:
        """UTC and uptime have nothing to do with each other."""
        if uptime is not self._uptime:
            self._uptime = uptime
            self._offset_ns = None
            self._newest_read_us = 0

    def _judge_going_back(self, now: Ns, candidate: Ns, newest_us: int) -> None:
        assert self._went_back_at is not None
        lasts = now - self._went_back_at
        apart = abs((newest_us - self._went_back_us) * 1000 - lasts)
        runs = lasts >= STEP_RUNS_NS and apart * STEP_RUNS_DIVISOR <= lasts
        if self._offset_ns is None or candidate - self._offset_ns <= NS_PER_S:
            self._went_back_at = None
        elif runs or lasts > STEP_PROVEN_NS:
            self.steps += 1
            self._went_back_at = None
            self._offset_ns = None

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
