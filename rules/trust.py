"""How far a decision of the presence rule can be believed.

Wrong decisions come where tags are hidden: zones whose tags fall silent for long more often than
so many times an hour (`rules.silence`) are wrong several times as often, and every zone learns of
itself which kind it is. What stands where it is read well is wrong the least, what is hardly heard
the most; that comes and goes by itself where nobody is. The shares were measured in simulated sites
of all levels (tuning seeds 1 to 6, families shelf and faulty, 12,000 movements).
"""

from __future__ import annotations

from typing import NamedTuple

from rules.antenna import NEAR_UNKNOWN, ZoneAntenna
from rules.silence import Silences

CALM_PER_H, HIDDEN_PER_H = 15.0, 25.0
"""Long silences in a tag hour up to which a zone is calm, and from which on its tags are hidden."""


class Doubt(NamedTuple):
    """The share of decisions that were wrong, in a calm zone and in one whose tags are hidden."""

    calm: float
    hidden: float


ROAMED, QUIET = Doubt(0.04, 0.10), Doubt(0.01, 0.13)
"""A departure of a tag that was read on its way, and may be set down yet; and one after the whole
window.
"""

STANDING = (
    (2.0, Doubt(0.005, 0.03)),
    (0.0, Doubt(0.012, 0.06)),
    (-2.0, Doubt(0.03, 0.13)),
)
"""An arrival, by what its level is worth (`rules.antenna`)."""

HARDLY_HEARD = (
    (-3.9, Doubt(0.05, 0.35)),
    (-5.5, Doubt(0.2, 0.48)),
)
LIKE_ELSEWHERE = Doubt(0.4, 0.75)
"""A level that speaks against standing there rather than for it; and one that does so clearly, for
so is read what stands elsewhere: of these, three of four are wrong where tags are hidden, however
steady they are. By 290 movements of tuning seeds 1 to 10.
"""

MOVES_PER_H = 1.0
"""The zones in which these shares were measured had more movements per tag hour than that."""


def in_departure(antenna: ZoneAntenna, level_cdbm: int, *, roamed: bool) -> int:
    """Confidence in a departure of a tag that stood at that level, in thousandths."""
    silences = antenna.zone.silences
    wrong = _wrong(silences, ROAMED if roamed else QUIET)
    if antenna.hardly_hears(level_cdbm):
        wrong = max(wrong, _wrong(silences, _of_level(antenna, level_cdbm)))
        wrong = _where_nothing_moves(silences, wrong)
    return round(1000 * (1 - wrong))


def in_arrival(antenna: ZoneAntenna, level_cdbm: int) -> int:
    """Confidence in an arrival at that level at that antenna, in thousandths."""
    silences = antenna.zone.silences
    wrong = _wrong(silences, _of_level(antenna, level_cdbm))
    if antenna.hardly_hears(level_cdbm):
        wrong = _where_nothing_moves(silences, wrong)
    return round(1000 * (1 - wrong))


def _of_level(antenna: ZoneAntenna, level_cdbm: int) -> Doubt:
    near = antenna.nearness(level_cdbm) if antenna.known else NEAR_UNKNOWN
    classes = (*STANDING, *HARDLY_HEARD)
    return next((doubt for least, doubt in classes if near >= least), LIKE_ELSEWHERE)


def _wrong(silences: Silences, doubt: Doubt) -> float:
    hidden = (silences.long_per_h - CALM_PER_H) / (HIDDEN_PER_H - CALM_PER_H)
    hidden = max(0.0, min(1.0, hidden))
    return doubt.calm + hidden * (doubt.hidden - doubt.calm)


def _where_nothing_moves(silences: Silences, wrong: float) -> float:
    """What is hardly heard seems to come and go by itself, as often by night as by day; who brings
    and takes things does so the more seldom, the calmer the zone is: that shifts the odds.
    """
    rarer = max(1.0, MOVES_PER_H / silences.moves_per_h)
    return wrong * rarer / (1 - wrong + wrong * rarer)
