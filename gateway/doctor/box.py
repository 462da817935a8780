"""The machine: disk space, how long a sync takes, the clock."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gateway.clock import synchronised
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.model import NS_PER_MS
from gateway.ports import Clock

FREE_FAIL_BYTES = 64 << 20
"""Below it, booking stops soon: the store itself refuses at 16 MiB."""

FREE_WARN_BYTES = 1 << 30
"""About a million movements."""

SYNCS = 30
SYNC_BYTES = 8192
"""What a commit of one movement writes."""

SYNC_WARN_MS = 100
SYNC_FAIL_MS = 1000
"""Cards that are worn out take seconds now and then; a movement should be booked in 100 ms."""


def examine_box(folder: Path, clock: Clock) -> Iterator[Finding]:
    """The machine, and the disk under the state folder; writes a file there and deletes it."""
    yield _clock()
    if not folder.is_dir():
        return
    yield _space(folder)
    yield _syncs(folder, clock)


def _clock() -> Finding:
    if synchronised():
        return ok("clock", "synchronised")
    text = "not synchronised: times of movements are stamped `unsynced`"
    return warn("clock", text, "install chrony, or timedatectl set-ntp true")


def _space(folder: Path) -> Finding:
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    text = f"{free / 1e6:.0f} MB free at {folder}"
    fix = "free some space, or move gateway.state_folder to a larger disk"
    if free < FREE_FAIL_BYTES:
        return fail("disk space", text, fix)
    return ok("disk space", text) if free >= FREE_WARN_BYTES else warn("disk space", text, fix)


def _syncs(folder: Path, clock: Clock) -> Finding:
    try:
        spans = sorted(measure_syncs(folder, clock))
    except OSError as error:
        return fail("disk sync", f"{folder}: {error.strerror}", "make the state folder writable")
    p50, worst = spans[len(spans) // 2] / NS_PER_MS, spans[-1] / NS_PER_MS
    text = f"median {p50:.1f} ms, longest of {len(spans)} {worst:.1f} ms"
    fix = "use a better card or an SSD: every movement waits for the disk once"
    if worst >= SYNC_FAIL_MS:
        return fail("disk sync", text, fix)
    return ok("disk sync", text) if worst < SYNC_WARN_MS else warn("disk sync", text, fix)


def measure_syncs(folder: Path, clock: Clock) -> list[int]:
    """How many nanoseconds each of some small synced writes in the folder takes."""
    spans = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            began = clock.now()
            file.write(bytes(SYNC_BYTES))
            file.flush()
            os.fdatasync(file.fileno())
            spans.append(clock.now() - began)
    return spans
