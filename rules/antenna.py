"""One antenna of a zone, and how strongly it usually reads the tags that stand before it.

What is carried past along the aisle, and what stands in the next zone, is read some 15 dB weaker
than what stands in the zone (`rules.run` weighs that). The usual level is learned from the tags
that came to stand there; it is durable, and no single tag shifts it by much.
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.watched_zone import WatchedZone

LEVELS_KEPT = 32
"""The usual level of an antenna is that of about so many tags."""

SHIFT_MAX_CDB = 2000
"""One tag counts as no further than this from the usual level: a fault must not drag it away."""

AWAY_CDB, AWAY_BOUNDS_CDB = 1500, (600, 2200)
"""How much weaker a tag is read that stands in the next zone or is carried past: loss between
zones 15 dB (8 to 25), or twice the distance; and the bounds of what is learned of it.
"""

STRAYS_SURE = 8
"""So many strays tell how weak they are here."""

DEVIATION_CDB = 600
"""Deviation of the level of one tag: fading 4 dB, material and tilt."""

NEAR_MAX, NEAR_MIN, NEAR_UNKNOWN = 3.1, -4.0, 1.5
"""Bounds of the evidence of one level, and what it is worth where nothing was learned yet."""


@dataclass(slots=True, eq=False)
class ZoneAntenna:
    """`mean_cdbm` is the usual level, of `known` tags."""

    point: str
    zone: WatchedZone
    mean_cdbm: int = 0
    known: int = 0
    stray_cdbm: int = 0
    strays: int = 0

    def learn(self, level_cdbm: int) -> None:
        """One more tag stands there."""
        self.known = min(LEVELS_KEPT, self.known + 1)
        off = level_cdbm - self.mean_cdbm if self.known > 1 else 0
        if self.known == 1:
            self.mean_cdbm = level_cdbm
        self.mean_cdbm += max(-SHIFT_MAX_CDB, min(SHIFT_MAX_CDB, off)) // self.known

    def learn_stray(self, level_cdbm: int) -> None:
        """One more tag that stands elsewhere is read here, at a steady level."""
        self.strays = min(LEVELS_KEPT, self.strays + 1)
        self.stray_cdbm += (level_cdbm - self.stray_cdbm) // self.strays

    @property
    def away_cdb(self) -> int:
        """How much weaker than its own tags those of other zones are read here."""
        if self.strays < STRAYS_SURE:
            return AWAY_CDB
        low, high = AWAY_BOUNDS_CDB
        return max(low, min(high, self.mean_cdbm - self.stray_cdbm))

    def near(self, level_cdbm: int) -> float:
        """Log likelihood ratio of standing here against standing elsewhere or being carried past,
        for one level: two normal distributions that lie so far apart.
        """
        if not self.known:
            return NEAR_UNKNOWN
        return max(NEAR_MIN, min(NEAR_MAX, self.nearness(level_cdbm)))

    def nearness(self, level_cdbm: int) -> float:
        """The same without bounds."""
        away = self.away_cdb
        return (level_cdbm - self.mean_cdbm + away / 2) * away / DEVIATION_CDB**2

    def hardly_hears(self, level_cdbm: int) -> bool:
        """Whether that level is rather one of what stands elsewhere, or in a dead spot."""
        return self.known > 0 and self.nearness(level_cdbm) < 0

    def against(self, level_cdbm: int, other: ZoneAntenna, other_cdbm: int) -> float:
        """Log likelihood ratio of a tag standing here, not there, that is read at these levels:
        what its own place and material take is taken from both. Both must be known.
        """
        usual = (level_cdbm - self.mean_cdbm) - (other_cdbm - other.mean_cdbm)
        here, there = self.away_cdb, other.away_cdb
        return (usual - (there - here) / 2) * (here + there) / (2 * DEVIATION_CDB**2)
