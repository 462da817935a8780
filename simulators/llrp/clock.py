"""The reader's own clock: true UTC, a wrong one, or none at all."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from simulators.llrp.wire import ParameterType, tlv

US_PER_S = 1_000_000
START_UTC_US = 1_767_225_600 * US_PER_S
"""1 January 2026, where a simulated reader's UTC starts unless told otherwise."""


@dataclass(slots=True)
class ReaderClock:
    """Stamps in microseconds. `now` is the true time in seconds; the UTC clock starts at
    `utc_start_us` plus `offset_s` and gains `drift_ppm`. Without UTC, stamps count from boot.
    """

    now: Callable[[], float]
    has_utc: bool = True
    utc_start_us: int = START_UTC_US
    offset_s: float = 0.0
    drift_ppm: float = 0.0
    booted_s: float | None = None
    started_s: float | None = None

    def __post_init__(self) -> None:
        """Boot now, unless told when."""
        now_s = self.now()
        self.started_s = now_s if self.started_s is None else self.started_s
        self.booted_s = now_s if self.booted_s is None else self.booted_s

    def reboot(self) -> None:
        """Let the uptime begin anew; the UTC clock goes on."""
        self.booted_s = self.now()

    def stamp_us(self, at_s: float | None = None) -> int:
        """Return the reader's time at true time `at_s`, by default now."""
        true_s = self.now() if at_s is None else at_s
        if not self.has_utc:
            return round((true_s - (self.booted_s or 0.0)) * US_PER_S)
        elapsed_s = (true_s - (self.started_s or 0.0)) * (1 + self.drift_ppm / US_PER_S)
        return self.utc_start_us + round((elapsed_s + self.offset_s) * US_PER_S)

    def timestamp(self) -> bytes:
        """Return the UTCTimestamp or Uptime parameter for an event that happens now."""
        kind = ParameterType.UTC_TIMESTAMP if self.has_utc else ParameterType.UPTIME
        return tlv(kind, struct.pack("!Q", self.stamp_us()))
