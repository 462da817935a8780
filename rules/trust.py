"""How far a decision of the presence rule can be believed.

Wrong decisions come where tags are hidden: they grow with how often the tags of a zone fall silent
for long (`rules.silence`), which every zone learns of itself. How the factors stand to each other
was measured in simulated sites of all levels (tuning seeds 1 to 6, 5,200 movements): what stands
where it is read well is wrong the least, what is hardly heard the most.
"""

from __future__ import annotations

from rules.silence import Silences

DOUBT_PER_LONG = 0.004
"""Share of wrong departures per long silence in a tag hour: 10 an hour in a normal zone, 30 in one
with many people and metal.
"""

DOUBT = (0.01, 0.16)
"""Bounds of that share."""

ROAMED, QUIET = 1.5, 0.8
"""The doubt in a departure of a tag that was read on its way (it may be set down yet), and in one
after the whole window.
"""

STANDING = ((2.0, 0.25), (0.0, 0.6), (-2.0, 1.2))
"""The doubt in an arrival, by what its level is worth (`rules.antenna`)."""

HARDLY_HEARD = 3.5

CONFIDENCE = (500, 995)
"""Bounds of what is told, in thousandths."""


def in_departure(silences: Silences, *, roamed: bool) -> int:
    """Confidence in a departure, in thousandths."""
    return _permille(silences, ROAMED if roamed else QUIET)


def in_arrival(silences: Silences, near: float) -> int:
    """Confidence in an arrival at a level that is worth `near`, in thousandths."""
    factor = next((factor for least, factor in STANDING if near >= least), HARDLY_HEARD)
    return _permille(silences, factor)


def _permille(silences: Silences, factor: float) -> int:
    low, high = DOUBT
    doubt = max(low, min(high, DOUBT_PER_LONG * silences.long_per_h))
    least, most = CONFIDENCE
    return max(least, min(most, round(1000 * (1 - factor * doubt))))
