"""What the box has left: processor, memory, disk, temperature. Linux, from /proc and /sys."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gateway.telemetry import names

PROC = Path("/proc/self")
THERMAL = Path("/sys/class/thermal")

THERMAL_ZONES_MAX = 16
"""A Pi has one thermal zone, a server some ten."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: `store` is the folder on the disk that must not fill up."""

    store: Path
    proc: Path = PROC
    thermal: Path = THERMAL


def read(place: Place) -> dict[str, float]:
    """Return gauges by name. What this board or kernel does not tell is left out.

    Blocks for as long as the disk does: call it in a thread.
    """
    found = (_memory(place.proc), _written(place.proc), _temperature(place.thermal))
    gauges = {name: value for pair in found if pair for name, value in [pair]}
    return gauges | _disk(place.store)


def processor_ns() -> int:
    """Return the processor time that this process has used, user and system, in nanoseconds."""
    times = os.times()
    return round((times.user + times.system) * 1e9)


def _memory(proc: Path) -> tuple[str, float] | None:
    """Resident pages, the second figure of statm (proc(5))."""
    try:
        pages = int((proc / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return names.MEMORY_BYTES, float(pages * os.sysconf("SC_PAGE_SIZE"))


def _written(proc: Path) -> tuple[str, float] | None:
    """`write_bytes`: what this process caused to be sent to the disk (proc(5), io)."""
    try:
        text = (proc / "io").read_text(encoding="ascii")
        return names.WRITTEN_BYTES, float(text.partition("\nwrite_bytes: ")[2].split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _temperature(thermal: Path) -> tuple[str, float] | None:
    """The warmest thermal zone; the kernel tells thousandths of a degree."""
    warmest: float | None = None
    for zone in sorted(thermal.glob("thermal_zone*/temp"))[:THERMAL_ZONES_MAX]:
        try:
            celsius = int(zone.read_text(encoding="ascii")) / 1000
        except (OSError, ValueError):
            continue
        warmest = celsius if warmest is None else max(warmest, celsius)
    return None if warmest is None else (names.TEMPERATURE_C, warmest)


def _disk(store: Path) -> dict[str, float]:
    try:
        disk = os.statvfs(store)
    except OSError:
        return {}
    free = disk.f_bavail * disk.f_frsize
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    # As df counts: what is reserved for root is neither used nor free.
    share = 100 * used / (used + free) if used + free else 0.0
    return {names.DISK_FREE_BYTES: float(free), names.DISK_USED_PERCENT: share}
