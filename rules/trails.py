"""Where the tags of badges are read in the zones of shelves, second by second.

    read in a zone, and louder than in others ------> there, from LEAD_NS before until HELD_NS after
    read once there, and nowhere as loud -----------> maybe there

A badge that somebody wears before a shelf is read many times a second; he stays for seconds only,
which is sooner than a tag that is set down is known to stand, or to be gone. So it is the reads
that tell it. Nothing of it is durable: after a restart they tell it again. Part of the person rule.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from gateway.model import NS_PER_S, Ns
from rules.sights import DECIDED_NS, LEAD_NS, Present

HELD_NS = 5 * NS_PER_S
"""A badge is silent so long while its bearer bends over it, and its antenna has its turn."""

CLOSE_NS = 1_500_000_000
"""What was read so shortly before or after counts before all else: who walks is elsewhere soon."""

READS_MIN = 2
"""One read may be a stray: it names nobody, and makes others doubtful."""

ALIKE_CDB = 300
"""Where a badge is read at levels so much alike, its bearer may be in either zone."""

ACTORS_MAX = 1_000
"""More than work within reach of one gateway. Of more, who was read longest ago is forgotten."""


class Second:
    """What was read of one badge in one second: by zone, how often and how loud at best."""

    __slots__ = ("at", "found")

    def __init__(self, at: Ns) -> None:
        self.at = at
        self.found: dict[str, tuple[int, int]] = {}

    def read(self, zone: str, level_cdbm: int) -> None:
        """One more read there."""
        count, loudest = self.found.get(zone, (0, level_cdbm))
        self.found[zone] = count + 1, max(loudest, level_cdbm)


class Trails:
    """See the module. Nobody is remembered longer than `keep_ns`."""

    def __init__(self, keep_ns: Ns) -> None:
        self._keep_ns = min(keep_ns, DECIDED_NS + HELD_NS)
        self._trails: dict[str, deque[Second]] = {}

    def read(self, at: Ns, zone: str, actor: str, level_cdbm: int | None) -> bool:
        """A badge was read; whether that is news of its bearer."""
        news = actor not in self._trails
        if news and len(self._trails) >= ACTORS_MAX:
            del self._trails[min(self._trails, key=lambda each: self._trails[each][-1].at)]
        trail = self._trails.setdefault(actor, deque())
        second = at - at % NS_PER_S
        if not trail or second > trail[-1].at:
            trail.append(Second(second))
            while trail[0].at <= second - self._keep_ns:
                trail.popleft()
        trail[-1].read(zone, 0 if level_cdbm is None else level_cdbm)
        return news

    def present(self, at: Ns, zone: str) -> Present:
        """Who was in a zone at that moment."""
        found = Present()
        for actor, trail in self._trails.items():
            close = _zones(trail, at, CLOSE_NS, CLOSE_NS)
            around = close or _zones(trail, at, HELD_NS, LEAD_NS)
            if zone in around:
                found.there.add(actor)
            elif not around and zone in _zones(trail, at, HELD_NS, LEAD_NS, reads_min=1):
                found.maybe.add(actor)
        return found

    def forget(self, actor: str) -> None:
        """Forget him everywhere."""
        self._trails.pop(actor, None)

    def overdue(self, now: Ns) -> None:
        """Forget what can matter no more."""
        gone = [a for a, trail in self._trails.items() if trail[-1].at + self._keep_ns <= now]
        for actor in gone:
            del self._trails[actor]

    def next_due(self) -> Ns | None:
        """When the next is to be forgotten."""
        return min((t[-1].at + self._keep_ns for t in self._trails.values()), default=None)


def _zones(
    trail: deque[Second], at: Ns, before_ns: Ns, after_ns: Ns, *, reads_min: int = READS_MIN
) -> set[str]:
    """Where the badge was loudest in that time around a moment, if it was read so often there."""
    counts: dict[str, int] = {}
    levels: dict[str, int] = {}
    for second in _within(trail, at - before_ns, at + after_ns):
        for zone, (count, loudest) in second.found.items():
            counts[zone] = counts.get(zone, 0) + count
            levels[zone] = max(loudest, levels.get(zone, loudest))
    top = max(levels.values(), default=0) - ALIKE_CDB
    return {zone for zone, count in counts.items() if count >= reads_min and levels[zone] >= top}


def _within(trail: deque[Second], begin: Ns, end: Ns) -> Iterator[Second]:
    """The seconds that reach into that time."""
    for second in reversed(trail):
        if second.at + NS_PER_S <= begin:
            return
        if second.at <= end:
            yield second
