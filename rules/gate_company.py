"""Companions: the tags of one load go the same way at the same time.

Tags whose own stories are alike and turn together make a company. What they lean to, averaged per
quarter second, is its pattern: where the load was, when. Two loads that meet in the gate are two
companies with opposite patterns. Which other tags belong to it: `rules.gate_joining`.

Part of the portal rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.model import Ns
from rules.gate_knob import Knob
from rules.gate_story import BIN_NS, Direction, Lean
from rules.gate_track import Track

COMPANY_MIN = 5
"""Tags that make a company whose pattern says more than one tag's own reads."""

GAP_BINS, BACK_GAP_BINS = 4, 16
"""Loads that follow each other turn more than this apart: a pallet is 1.2 m long. Where a tag that
goes back turns is less sharp.
"""

FIT_WEIGHT_MIN = 0.3
"""So much a tag must lean, and its load with it, to be compared: one good read."""

AWAY_WEIGHT = 0.5
"""How much it speaks against a load that a tag was heard before or after all others."""

SURE_MARGIN, SURE_PURITY = 1.0, 0.6
"""What a tag's own story must have to count, and to shape a company."""

FRESH_BINS = 8
"""Who belongs to a load comes into view with it: at most two seconds before a quarter of it."""

RECENT_BINS = 3
"""What counts as now: three quarters of a second, in which about every antenna had its turn."""

GONE_MIN = 10
"""Tags over which fading cancels out well enough, to a decibel or two."""

SIDE_SHARE = 4.0
"""The side where it went must hear it so many times stronger."""


@dataclass(slots=True)
class Company:
    """`pattern` is the mean lean per quarter second, `turn` when it turned, `side` where it was at
    last, `begin` when a quarter of it was in view; `waited` is one that stood in the gate.
    `expires` is 0 until it has passed.
    """

    direction: Direction
    members: list[Track]
    pattern: dict[int, float]
    turn: int
    side: int
    begin: int
    waited: bool
    expires: Ns = 0

    @property
    def until(self) -> int:
        """The last quarter second in which it was heard."""
        return max(self.pattern)

    def support(self, leans: Sequence[Lean]) -> float:
        """How much they speak for it, in clear quarter seconds."""
        return sum(value * self.pattern.get(number, 0.0) for number, value in leans)

    def fit(self, leans: Sequence[Lean]) -> float:
        """How well they follow the pattern, -1 to 1; 0 where they say too little."""
        matched = weight = 0.0
        for number, value in leans:
            load = self.pattern.get(number)
            if load is None:
                weight += abs(value) * AWAY_WEIGHT
            else:
                matched += value * load
                weight += abs(value * load)
        return matched / weight if weight >= FIT_WEIGHT_MIN else 0.0

    def gone(self, followers: Sequence[Track], now: int, known: int, knob: Knob) -> bool:
        """Whether those who follow it have faded on the far side, by what was last heard of each.

        Up to quarter second `known` all has been told: who was not heard since then is silent.
        """
        if self.direction == "turned_back" or now < self.turn + knob.turned_bins:
            return False
        if len(followers) < GONE_MIN or self._doubted(followers):
            return False
        powers = [0.0, 0.0]
        for track in followers:
            if track.silent_from < known * BIN_NS:
                continue
            for side, level in enumerate(track.recent(RECENT_BINS)):
                powers[side] += 10.0 ** ((level - track.peak) / 1000)
        there, here = powers[self.side], powers[1 - self.side]
        return there + here < knob.faded * len(followers) and there >= SIDE_SHARE * here

    def _doubted(self, followers: Sequence[Track]) -> bool:
        """Whether more of them tell another story than shaped this one."""
        others = sum(is_sure(one) and one.story().direction != self.direction for one in followers)
        return others > len(self.members)


def is_sure(track: Track) -> bool:
    """Whether its own reads tell its story well enough to shape a company."""
    story = track.story()
    return track.levels.moved and story.margin >= SURE_MARGIN and story.purity >= SURE_PURITY


def companies(tracks: Iterable[Track]) -> list[Company]:
    """All companies among these tags."""
    ways: dict[tuple[Direction, int], list[Track]] = {}
    for track in tracks:
        if is_sure(track):
            story = track.story()
            ways.setdefault((story.direction, story.side), []).append(track)
    found = []
    for (direction, side), alike in ways.items():
        alike.sort(key=lambda track: track.story().turn)
        gap = BACK_GAP_BINS if direction == "turned_back" else GAP_BINS
        found += [
            _company(direction, side, members)
            for members in _parted(alike, gap)
            if len(members) >= COMPANY_MIN
        ]
    return found


def came_with(track: Track, load: Company) -> bool:
    """Whether it came into view with that load; what was seen before may stand there."""
    known = track.home is not None or track.blind
    return not known and track.since // BIN_NS >= load.begin - FRESH_BINS


def _company(direction: Direction, side: int, members: list[Track]) -> Company:
    turn = members[len(members) // 2].story().turn
    begin = sorted(one.since for one in members)[len(members) // 4] // BIN_NS
    stood = sum(one.levels.since >= one.since for one in members)
    waited = 2 * stood >= len(members)
    return Company(direction, members, _pattern(members), turn, side, begin, waited)


def _parted(alike: Sequence[Track], gap: int) -> Iterator[list[Track]]:
    """Cut where nobody turned for so long; they are in order of their turns."""
    together: list[Track] = []
    for track in alike:
        if together and track.story().turn - together[-1].story().turn > gap:
            yield together
            together = []
        together.append(track)
    if together:
        yield together


def _pattern(members: Sequence[Track]) -> dict[int, float]:
    """Mean leans, each quarter second together with its neighbours."""
    sums: dict[int, list[float]] = {}
    for track in members:
        for number, value in track.leans():
            for near, share in ((number - 1, 0.5), (number, 1.0), (number + 1, 0.5)):
                whole = sums.setdefault(near, [0.0, 0.0])
                whole[0] += share * value
                whole[1] += share
    return {number: value / share for number, (value, share) in sums.items()}
