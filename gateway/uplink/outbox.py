"""What delivery needs from the store: the numbered records and how far the core has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from gateway.ports import Record

ResultStatus = Literal["accepted", "rejected", "duplicate", "conflict"]


class Result(NamedTuple):
    """What became of one record in the core."""

    seq: int
    status: ResultStatus
    core_document_no: str | None = None
    reason: str | None = None


class Bounds(NamedTuple):
    """Which records there are. `first_kept` is `last + 1` when none is kept."""

    first_kept: int
    last: int
    high_water: int


class Outbox(Protocol):
    """One epoch of the ledger as delivery sees it; what is above the high-water mark waits."""

    @property
    def epoch(self) -> str:
        """The id of this life of the ledger; every seq is of one epoch."""
        ...

    @property
    def drained(self) -> bool:
        """Whether the core has all of it and nothing can follow: a newer epoch has begun."""
        ...

    def bounds(self) -> Bounds:
        """The first and last committed row, and the last one that the core has settled."""
        ...

    async def records_after(self, seq: int, limit: int) -> Sequence[Record]:
        """Committed records above `seq`, ascending, at most `limit`; settled ones too if kept."""
        ...

    async def recorded_beyond(self, seq: int) -> int:
        """Wait until a row above `seq` is committed; return the last committed seq."""
        ...

    async def acknowledge(self, epoch: str, high_water: int, results: Sequence[Result]) -> None:
        """Commit what the core says: settled up to `high_water`, and what became of records.

        Returns after the commit. A mark at or below the present one changes nothing but results;
        rejected and conflicting records go to quarantine.
        """
        ...
