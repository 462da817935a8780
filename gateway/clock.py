"""The only module that reads a clock."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.model import NS_PER_MS, Ns

ClockQuality = Literal["synced", "unsynced", "stepped"]

STEP_MIN_NS = 500 * NS_PER_MS
"""A wall clock that moved this far against boot time was set, not slewed."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


class BootClock:
    """CLOCK_BOOTTIME: goes on through suspend, starts anew with each boot, never goes back."""

    def now(self) -> Ns:
        """Nanoseconds since boot."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The kernel's id of this boot; durations never span two of them."""
    return BOOT_ID.read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True)
class Anchor:
    """One moment on both clocks."""

    boot_id: str
    boottime_ns: Ns
    wall_unix_ns: int
    quality: ClockQuality

    def wall(self, at: Ns) -> int:
        """Unix nanoseconds of a moment of the same boot."""
        return self.wall_unix_ns + at - self.boottime_ns


class WallClock:
    """Wall time as an anchor on boot time, renewed by `watch`, which tells a set clock."""

    def __init__(self) -> None:
        self._boot = boot_id()
        self.anchor = self._read("synced" if synchronised() else "unsynced")

    def wall(self, at: Ns) -> tuple[int, ClockQuality]:
        """Unix nanoseconds of `at`, and how far to trust them."""
        return self.anchor.wall(at), self.anchor.quality

    def watch(self) -> int:
        """Take a new anchor; return how far the wall clock was set since the last, else 0.

        A clock that was set stays `stepped` until it is synchronised.
        """
        fresh = self._read("synced" if synchronised() else "unsynced")
        step = fresh.wall_unix_ns - self.anchor.wall(fresh.boottime_ns)
        stepped = abs(step) >= STEP_MIN_NS
        was_set = stepped or self.anchor.quality == "stepped"
        if was_set and fresh.quality == "unsynced":
            fresh = Anchor(fresh.boot_id, fresh.boottime_ns, fresh.wall_unix_ns, "stepped")
        self.anchor = fresh
        return step if stepped else 0

    def _read(self, quality: ClockQuality) -> Anchor:
        return Anchor(
            self._boot,
            time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            time.time_ns(),  # noqa: TID251 - this is the one place
            quality,
        )


class _Timex(ctypes.Structure):
    """`struct timex` is 208 bytes on 64-bit Linux; only the return value matters here."""

    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 252))


def synchronised() -> bool:
    """Whether the kernel holds its clock for synchronised, as NTP or PTP left it (adjtimex(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    state: int = libc.adjtimex(ctypes.byref(_Timex()))
    return 0 <= state < TIME_ERROR
