"""How long to wait before the next attempt to reach a peer."""

from __future__ import annotations

from random import Random

from gateway.model import NS_PER_S, Ns

BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 15.0
"""Longest wait before the second attempt, and before any: a peer that comes back is used again
within a quarter of a minute, and never hammered."""

GOOD_RUN_NS = 30 * NS_PER_S
"""A connection that lasted this long was no failed attempt: the next wait is short again."""


class Backoff:
    """Waits between attempts: exponential with jitter, short again after a good run.

    They are drawn from `least` of the longest up. From zero a fleet that lost one peer together
    does not come back together; a peer that we alone trouble gets a pause each time.
    """

    def __init__(self, random: Random, least: float = 0.0) -> None:
        self._random = random
        self._least = least
        self._attempt = 0

    def wait_s(self, ran_ns: Ns) -> float:
        """The wait after a connection that lasted `ran_ns` (0: none came about)."""
        if ran_ns >= GOOD_RUN_NS:
            self._attempt = 0
        longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(self._attempt, 16))
        self._attempt += 1
        return self._random.uniform(self._least * longest, longest)
