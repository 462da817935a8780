"""Which load a tag belongs to. Part of the portal rule.

A load is a prior: a tag that came into view with it goes with it if its own reads speak for it, or
hardly against it, and more so than for another load. A tag that was in view before has to fit the
pattern of the load by its own reads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rules.gate_company import GAP_BINS, Company, came_with
from rules.gate_story import BIN_NS
from rules.gate_track import Track

FIT_MIN = 0.55
"""Share of a tag's leaning that must fit the pattern: chance gives 0, a member about 0.9."""

ALIKE = 0.1
"""Fits that differ by less say nothing: the larger load is the likelier one."""

AGAINST_MAX = 0.5
"""So many clear quarter seconds may speak against the load that a tag came with: one bad read."""

PRIOR = 0.6
"""What a load of e times as many tags counts, in clear quarter seconds: one is right five times
in six, which is 1.6 nats.
"""


def load_of(track: Track, loads: Sequence[Company], lead: float) -> Company | None:
    """The load that it belongs to; one that came with it must be ahead of others by `lead` clear
    quarter seconds.
    """
    together = [] if track.told else [load for load in loads if came_with(track, load)]
    return _likeliest(track, together, lead) if together else _best_fitting(track, loads)


def _likeliest(track: Track, loads: Sequence[Company], lead: float) -> Company | None:
    leans = track.leans()
    since, until = track.since // BIN_NS, track.silent_from // BIN_NS
    likely = []
    for load in loads:
        there = load.begin <= until and since <= load.until
        if there and until >= load.turn - 2 * GAP_BINS:
            support = load.support(leans)
            likely.append((support + PRIOR * math.log(len(load.members)), support, load))
    if not likely:
        return None
    best, support, load = max(likely, key=lambda one: one[0])
    rivals = [one for one, _, other in likely if other.direction != load.direction]
    if support < -AGAINST_MAX or any(best - rival < lead for rival in rivals):
        return None
    return load


def _best_fitting(track: Track, loads: Sequence[Company]) -> Company | None:
    """The largest of those whose patterns it fits best."""
    leans, fits = track.leans(), []
    for load in loads:
        turned = track.until // BIN_NS >= load.turn - GAP_BINS
        if turned and (fit := load.fit(leans)) > FIT_MIN:
            fits.append((fit, load))
    if not fits:
        return None
    least = max(fit for fit, _ in fits) - ALIKE
    return max((load for fit, load in fits if fit >= least), key=lambda load: len(load.members))
