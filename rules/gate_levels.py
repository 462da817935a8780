"""Whether a tag at a gate stands or is carried: by the level at which each antenna hears it.

Fading belongs to the place, not to the moment: a tag that stands is heard by each antenna at one
level within a decibel, one that is carried at another level every quarter wave (8 cm). So each
level is compared with that of the same antenna some time before. A shadow only takes away: it
leaves few reads and low ones, and the level behind it is still the one that is known.

Part of the portal rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import NS_PER_MS, Ns

SAME_CDB = 150
"""Levels so near are those of one place: noise 0.2 to 1 dB, channels 0.3, steps of 0.5 dB."""

APART_NS = 400 * NS_PER_MS
"""Reads of one dwell say the same twice; after so long a carried tag is elsewhere."""

COUNT_MAX = 6
"""So often at most a level counts as known, so that it can be forgotten as soon."""

STANDS, STILL_MAX, CHANGE_COST = 4, 10, 2
"""Net comparisons that show a tag standing: a carried one gets there by chance once in a hundred.
It stands until changes, which weigh more, have used up what it had, at most the second figure.
"""

SMOOTHING = 4
"""Of a level that is met again a part is taken over: it follows slow drift."""

CHANGES_MIN = 2
"""Changes or repeats that are no chance."""


@dataclass(slots=True)
class Known:
    """The level of one antenna; `at` is when it was last compared, `count` how sure it is."""

    level: int
    at: Ns
    count: int = 1


@dataclass(slots=True)
class Levels:
    """What is known of one tag. `changes` and `repeats` count comparisons while it did not stand;
    `since` is from when it stands.
    """

    known: dict[int, Known] = field(default_factory=dict)
    still: int = 0
    standing: bool = False
    since: Ns = 0
    changes: int = 0
    repeats: int = 0

    def compare(self, at: Ns, antenna: int, rssi: int) -> None:
        """Take in one read."""
        known = self.known.get(antenna)
        if known is None:
            self.known[antenna] = Known(rssi, at)
            return
        if at - known.at < APART_NS:
            return
        known.at = at
        off = rssi - known.level
        if -SAME_CDB <= off <= SAME_CDB:
            known.level += round(off / SMOOTHING)
            known.count = min(COUNT_MAX, known.count + 1)
            self._repeat(at)
        else:
            known.count -= 1
            if known.count <= 0:
                known.level, known.count = rssi, 1
            self._change()

    def leave(self) -> None:
        """It is not where it stood: it was heard as never before."""
        self.still, self.standing = 0, False

    def begin(self) -> None:
        """Count anew."""
        self.changes = self.repeats = 0

    @property
    def moved(self) -> bool:
        """Whether levels changed as only those of a carried tag do, that may have waited too."""
        return self.changes >= CHANGES_MIN and 2 * self.changes > self.repeats

    @property
    def stood(self) -> bool:
        """Whether levels came again as only those of a tag do that stands."""
        return self.repeats >= CHANGES_MIN and self.repeats >= 2 * self.changes

    def _repeat(self, at: Ns) -> None:
        self.still = min(STILL_MAX, self.still + 1)
        self.repeats += not self.standing
        if self.still >= STANDS and not self.standing:
            self.standing, self.since = True, at

    def _change(self) -> None:
        self.still = max(0, self.still - CHANGE_COST)
        self.changes += not self.standing
        if not self.still:
            self.standing = False
