"""Joins delivery to the store: one epoch's records, and how far the core has them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ports import LinkError, Record
from gateway.store.store import Store
from gateway.store.words import StoreFull
from gateway.uplink.outbox import Bounds, Result


class EpochOutbox:
    """Delivers one epoch. An old one is delivered to its end under its own uuid."""

    def __init__(self, store: Store, epoch: str) -> None:
        self._store = store
        self._epoch = epoch

    @property
    def epoch(self) -> str:
        """The uuid that stands in every record."""
        return self._epoch

    @property
    def drained(self) -> bool:
        """Whether this is an old epoch of which the core has all: go on with the next outbox."""
        window = self._store.window(self._epoch)
        return self._epoch != self._store.epoch.uuid and window.high_water == window.last_seq

    def bounds(self) -> Bounds:
        """The first and last committed record, and the last one that the core has settled."""
        window = self._store.window(self._epoch)
        return Bounds(window.first_kept, window.last_seq, window.high_water)

    async def records_after(self, seq: int, limit: int) -> Sequence[Record]:
        """Committed records above `seq`, ascending, at most `limit`; settled ones too if kept."""
        return await self._store.records_after(seq, limit, self._epoch)

    async def recorded_beyond(self, seq: int) -> int:
        """Wait until a record above `seq` is committed; return the last committed seq.

        Nothing comes any more in an epoch that is not the current one.
        """
        while (last := self._store.window(self._epoch).last_seq) <= seq:
            await self._store.next_commit()
        return last

    async def acknowledge(self, epoch: str, high_water: int, results: Sequence[Result]) -> None:
        """Commit what the core says. See Store.acknowledge.

        LinkError when there is no space for it: the core says it again on the next connection.
        """
        try:
            await self._store.acknowledge(epoch, high_water, results)
        except StoreFull as full:
            raise LinkError("no space left for what the core acknowledges") from full


def next_outbox(store: Store) -> EpochOutbox:
    """What is to be delivered next: the oldest epoch with something unsettled."""
    return EpochOutbox(store, store.next_epoch().uuid)
