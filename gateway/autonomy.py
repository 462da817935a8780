"""How long the disk lasts with the core away, at the rate of the last day."""

from __future__ import annotations

from collections import deque

from gateway.model import NS_PER_S, Ns
from gateway.store import StoreStatus

MARK_EVERY_NS = 3600 * NS_PER_S
MARKS_MAX = 25
"""Marks of the last day, one an hour. Nothing is said before the first hour is over."""


class Autonomy:
    """Learns how many records an hour brings; a store tells what one of them takes."""

    def __init__(self, now: Ns) -> None:
        self._marks: deque[tuple[Ns, int]] = deque([(now, 0)], MARKS_MAX)

    def note(self, now: Ns, booked: int) -> None:
        """`booked` records were booked in this run until now."""
        if now - self._marks[-1][0] >= MARK_EVERY_NS:
            self._marks.append((now, booked))

    def lasts_s(self, now: Ns, booked: int, status: StoreStatus) -> int | None:
        """Seconds until the disk is full; None while that is not known or nothing is booked."""
        since, before = self._marks[0]
        fresh, span_ns = booked - before, now - since
        kept = status.last_seq + 1 - status.first_kept
        if span_ns < MARK_EVERY_NS or fresh <= 0 or kept <= 0:
            return None
        record_bytes = (status.file_bytes + status.wal_bytes) / kept
        return int(status.free_bytes / record_bytes * span_ns / fresh / NS_PER_S)
