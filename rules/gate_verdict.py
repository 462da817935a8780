"""What is said of a tag that was at a gate: by its load, or by its own reads alone.

Part of the portal rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from gateway.model import Ns
from rules.gate_company import SURE_PURITY, Company, came_with
from rules.gate_knob import Knob
from rules.gate_story import Direction, Story
from rules.gate_track import Track

Way: TypeAlias = "Literal['in', 'out'] | None"
"""Which way an open order lets one expect a tag to go."""

WITH_LOAD, BY_ITSELF, AFTER_STANDING, WAS_BACK, UNCLEAR = 995, 980, 920, 700, 500
"""Confidence of each kind of evidence: the share of movements that were right on tuning sites,
normal and hard together: 0.999 of 30,000, 0.99 of 240, 0.93 of 40; the last two book nothing.
"""

ORDER_MARGIN = 1.0
"""What an open order adds to the story that it tells too: one clear quarter second."""

LOAD_READS_MIN, ORDER_READS_MIN = 2, 1
"""Reads of its own that a tag needs to go with its load; and if an order expects just that."""

CLEAR_PURITY, CLEAR_WEIGHT = 0.7, 3.0
"""A story that needs no companions' word that it did not stand."""

LEAN_MIN = 1.0
"""What leans less shows nothing: a tag that both sides heard, always alike, may have gone anywhere,
and one that only one side heard may have been on the other in blind time.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of the rule, as they bear on a verdict; `quiet_ns` allows for late reads."""

    knob: Knob
    quiet_ns: Ns
    late_ns: Ns
    static_ns: Ns
    reads_min: int


class Verdict(NamedTuple):
    """`turn` is the quarter second in which it passed or went back."""

    direction: Direction
    confidence_permille: int
    turn: int


def with_load(track: Track, load: Company, way: Way) -> Verdict | None:
    """It went with its load, unless it is one that stands beside it."""
    reads_min = ORDER_READS_MIN if way == load.direction else LOAD_READS_MIN
    if track.told or sum(track.reads) < reads_min:
        return None
    story = track.story()
    alike = story.direction == load.direction
    if track.home is not None and (track.settled or not (alike and track.levels.moved)):
        return None
    clear = alike and story.purity >= CLEAR_PURITY and story.weight >= CLEAR_WEIGHT
    waited = load.waited and came_with(track, load)
    if track.levels.stood and not clear and not waited:
        return None
    if load.direction != "turned_back":
        return Verdict(load.direction, WITH_LOAD, load.turn)
    direction = _back(track)
    return Verdict(direction, _confidence(direction), load.turn)


def alone(track: Track, limits: Limits, way: Way) -> Verdict | None:
    """What its own reads say; None where it was not seen to move, or only where it stood."""
    if sum(track.reads) < (LOAD_READS_MIN if way else limits.reads_min):
        return None
    story = track.story()
    if not _carried(track, limits, way):
        return None
    direction = _direction(track, story, way, limits.knob.margin)
    if direction == "uncertain":
        lasted = track.until - track.since
        if track.told or lasted > limits.static_ns:
            return None
    if direction == "turned_back" and track.told:
        return None
    confidence = _confidence(direction)
    if track.home is not None:
        if direction not in ("uncertain", "out" if track.home else "in"):
            return None
        confidence = min(confidence, AFTER_STANDING)
    return Verdict(direction, confidence, story.turn)


def _carried(track: Track, limits: Limits, way: Way) -> bool:
    """Whether it was seen to move; from where it stood, if it did."""
    if track.home is not None:
        far = track.reads[1 - track.home]
        return far >= limits.reads_min and (track.coarse or track.risen >= limits.reads_min)
    if track.coarse:
        return track.levels.moved or min(track.reads) >= limits.reads_min
    return track.levels.moved or (way is not None and not track.levels.stood)


def _direction(track: Track, story: Story, way: Way, margin_min: float) -> Direction:
    if min(track.reads) and story.weight - abs(track.origin) < LEAN_MIN and not way:
        return "uncertain"
    if story.purity < SURE_PURITY:
        return "uncertain"
    if story.direction == "turned_back":
        return _back(track)
    margin = story.margin + ORDER_MARGIN * (story.direction == way)
    return story.direction if margin >= margin_min else "uncertain"


def _back(track: Track) -> Direction:
    """What one side alone heard is no proof of anything if blind time may hide the other."""
    one_sided = track.story().other < LEAN_MIN
    return "uncertain" if track.blind and one_sided else "turned_back"


def _confidence(direction: Direction) -> int:
    if direction == "uncertain":
        return UNCLEAR
    return WAS_BACK if direction == "turned_back" else BY_ITSELF
