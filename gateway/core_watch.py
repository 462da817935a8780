"""Tells the rules when the core falls behind what is booked here, and when it has caught up.

It is behind while it cannot be reached, and while it does not settle what it was sent: a book that
it told before says nothing of what moved since.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.model import NS_PER_MS, NS_PER_S, CoreBehind, Fact, Ns
from gateway.uplink.uplink import UplinkState

BEHIND_NS = 30 * NS_PER_S
"""A core that keeps up settles within a second. Three times what a reading of the backlog's age may
be out of date, so that a record which has just been settled counts for nothing.
"""


class CoreWatch:
    """See the module. `feed` takes the fact to the rules."""

    def __init__(self, feed: Callable[[Fact], None]) -> None:
        self._feed = feed
        self._behind = False
        self._cut_from: Ns | None = None

    def look(self, now: Ns, uplink: UplinkState, oldest_ms: int) -> None:
        """Look at the uplink, and at how old the oldest record is that the core has not settled (0
        if it has all).
        """
        if uplink.connected:
            self._cut_from = None
        elif self._cut_from is None:
            self._cut_from = now
        cut_ns = 0 if self._cut_from is None else now - self._cut_from
        waited_ns = oldest_ms * NS_PER_MS
        late = max(cut_ns, waited_ns) >= BEHIND_NS
        caught_up = uplink.connected and waited_ns < BEHIND_NS
        behind = not caught_up if self._behind else late
        if behind != self._behind:
            self._behind = behind
            self._feed(CoreBehind(behind))
