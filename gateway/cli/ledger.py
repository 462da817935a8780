"""The ledger as the commands read it: past the daemon, over a connection that cannot write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from gateway.assembly import STORE_FILE
from gateway.cli.configured import give_up
from gateway.settings import Configuration
from gateway.store import StoreReader


@contextmanager
def reading(configuration: Configuration) -> Iterator[StoreReader]:
    """The store of that configuration; one that cannot be read ends the process with a reason."""
    path = configuration.gateway.state_folder / STORE_FILE
    if not path.is_file():
        give_up(f"{path}: there is no store yet; the first `shelfgate run` makes it")
    try:
        reader = StoreReader(path)
    except apsw.Error as error:
        give_up(f"{path}: cannot be opened: {error}")
    try:
        yield reader
    except apsw.Error as error:
        give_up(f"{path}: cannot be read: {error}")
    finally:
        reader.close()
