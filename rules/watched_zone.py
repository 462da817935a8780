"""A zone as it is watched: its own clock of covered time, which only `Coverage` advances.

The clock goes on where all readers of the zone watch, with every antenna of theirs there; one that
is dead, blind or back after blind time stops it. `unwatched_since` is when the blind time began
that ended last: the last moment at which all readers of the zone had been watching.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import NS_PER_S, Coverage, EpcPattern, Ns
from rules.silence import Silences

NEVER: Ns = 1 << 62
"""Later than any boot lasts."""

EXPECTED_NS, EXPECTED_MAX = 20 * NS_PER_S, 100
"""How long a tag is expected that belongs to a weight, and items of which so many may come at once.
Of more, the first are judged like any other.
"""

SETTLE_TIMES_MAX = 5
"""A zone where tags come all the time settles in the end: after so many settling times."""


@dataclass(slots=True, eq=False)
class WatchedZone:
    """One zone. `lived` is its clock, `floor` where that stood after the last blind time.

    What was first seen there before `known_from` was there on the first start; `found_at` is when
    the last such tag was found. `deadlines` are when silences are looked at, by `lived`.
    """

    location: str
    silences: Silences
    sure_nats: float
    antennas: dict[str, set[int]] = field(default_factory=dict)
    covered: dict[str, Ns] = field(default_factory=dict)
    watched: dict[str, Ns] = field(default_factory=dict)
    blind_devices: set[str] = field(default_factory=set)
    known_from: Ns = NEVER
    found_at: Ns = 0
    lived: Ns = 0
    floor: Ns = 0
    resumed_at: Ns = 0
    unwatched_since: Ns = 0
    movements: int = 0
    expected: dict[EpcPattern, Ns] = field(default_factory=dict)
    deadlines: list[tuple[Ns, str]] = field(default_factory=list)
    restored_slow: list[str] = field(default_factory=list)

    def wire(self, device: str, antenna: int, last_alive: Ns) -> None:
        """Add an antenna; its reader is blind until its first coverage."""
        self.antennas.setdefault(device, set()).add(antenna)
        self.covered[device] = 0
        self.watched[device] = last_alive
        self.blind_devices.add(device)

    def advance(self, now: Ns, coverage: Coverage) -> bool:
        """Move the clock on by what is covered; False while it stands still."""
        device = coverage.device
        blind = coverage.blind_antennas
        if blind and (0 in blind or not self.antennas[device].isdisjoint(blind)):
            self.blind_devices.add(device)
            return False
        if coverage.resumed or device in self.blind_devices:
            self.blind_devices.discard(device)
            top = max(self.covered.values())
            self.covered = dict.fromkeys(self.covered, top)
            self.lived = self.floor = top
            self.resumed_at = now
            self.unwatched_since = self.watched_at
            self.watched[device] = now
            return False
        self.covered[device] += coverage.span_ns
        self.lived = min(self.covered.values())
        self.watched[device] = now
        return True

    @property
    def watched_at(self) -> Ns:
        """Until when all of the zone's readers had been watching."""
        return min(self.watched.values())

    def unwatched_from(self) -> Ns:
        """Since when something may have happened here unseen that is found now."""
        return self.watched_at if self.blind_devices else self.unwatched_since

    def expect(self, now: Ns, pattern: EpcPattern) -> None:
        """A scale has felt that a tag of these came."""
        self.expected = {key: until for key, until in self.expected.items() if until >= now}
        if len(self.expected) >= EXPECTED_MAX:
            del self.expected[next(iter(self.expected))]
        self.expected[pattern] = now + EXPECTED_NS

    def expects(self, epc: str, at: Ns) -> bool:
        """Whether a scale has felt lately that such a tag came."""
        return any(until >= at and pattern.carries(epc) for pattern, until in self.expected.items())

    def settled(self, settle_ns: Ns) -> bool:
        """Whether the tags that were there on the first start have all had time to be found."""
        watched = self.lived - self.floor
        quiet = self.lived - max(self.floor, self.found_at)
        return quiet >= settle_ns or watched >= SETTLE_TIMES_MAX * settle_ns
