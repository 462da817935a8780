"""A file that holds space back, so that a full disk can still be recorded as such."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

BALLAST_BYTES = 1 << 20
"""Enough for the WAL to grow by the last record, whatever else wants space at that moment."""

RESUME_BYTES = 16 << 20
"""Free space at which booking is tried again: less would be full again within seconds."""


class Ballast:
    """The space held back beside the store."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(f"{store.name}.ballast")

    def lay(self) -> None:
        """Hold the space back, if there is enough to leave some over."""
        if self._path.exists() or not self.has_room():
            return
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            with contextlib.suppress(OSError):
                os.posix_fallocate(handle, 0, BALLAST_BYTES)
        finally:
            os.close(handle)

    def release(self) -> None:
        """Give the space back."""
        self._path.unlink(missing_ok=True)

    def has_room(self) -> bool:
        """Whether booking is worth another try."""
        room = os.statvfs(self._path.parent)
        return room.f_bavail * room.f_frsize >= RESUME_BYTES
