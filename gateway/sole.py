"""One process per state folder: two that write one ledger would damage it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.ports import ConfigError

LOCK_FILE = "shelfgate.lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Be the only one who writes in this folder; ConfigError if another process is.

    The kernel lets go when the process ends, however it ends.
    """
    folder.mkdir(0o750, parents=True, exist_ok=True)
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise ConfigError(
                f"{folder}: another shelfgate (process {other}) writes here; stop it, or give "
                "this one a gateway.state_folder of its own"
            ) from None
        if os.geteuid() == 0:  # a person as root must not lock the service's user out later
            owner = folder.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(handle)
