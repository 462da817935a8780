"""What a zone has learned, as a durable row: how often its tags are read, how long its silences
last, and how strongly its antennas read. Part of the presence rule.

The row is written along with every LEARNED_EVERY-th movement, so that the disk does not pay for
reads. What comes back is bounded like what is learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model import NS_PER_MS, ZoneLearned
from gateway.ports import JsonValue, Row
from rules.antenna import LEVELS_KEPT, ZoneAntenna
from rules.silence import GAP_NS, GAPS_KEPT, Silences

LEARNED_ROW = "learned:"

LEARNED_EVERY = 16
"""Movements of a zone between two writings: a restart forgets no more than these taught."""


def learned_row(location: str, silences: Silences, antennas: Iterable[ZoneAntenna]) -> Row:
    """What is known by now; windows are told for people, and not taken back."""
    value: dict[str, JsonValue] = {
        "gap_ms": silences.gap_ns // NS_PER_MS,
        "window_ms": silences.window_ns() // NS_PER_MS,
        "roamed_window_ms": silences.roamed_ns() // NS_PER_MS,
        "watched_s": round(silences.watched_s),
        "long_silences": round(silences.quiet.count),
        "long_excess_ms": silences.quiet.mean_ns // NS_PER_MS,
        "far_of_long": round(silences.longs),
        "far_ms": [[round(each.count), round(each.excess_s * 1000)] for each in silences.far],
        "stirred_permille": round(1000 * silences.stirred / silences.quiet.count),
        "departed": round(silences.departed),
        "moves": round(silences.moves),
        "taken": round(silences.taken),
        "came_back_permille": round(1000 * silences.roamed.count / silences.taken),
        "came_back_excess_ms": silences.roamed.mean_ns // NS_PER_MS,
        "antennas": {
            each.point: {
                "usual_cdbm": each.mean_cdbm,
                "of_tags": each.known,
                "stray_cdbm": each.stray_cdbm,
                "of_strays": each.strays,
            }
            for each in antennas
        },
    }
    return Row(LEARNED_ROW + location, value)


def learned_fact(location: str, silences: Silences) -> ZoneLearned:
    """The same for those who watch the gateway."""
    return ZoneLearned(
        zone=location,
        gap_ns=silences.gap_ns,
        long_per_h=silences.long_per_h,
        window_ns=silences.window_ns(),
        roamed_window_ns=silences.roamed_ns(),
    )


def take_back(
    value: Mapping[str, JsonValue], silences: Silences, antennas: Mapping[str, ZoneAntenna]
) -> None:
    """Go on with what an earlier run has learned."""
    low, high = GAP_NS
    silences.gap_ns = max(low, min(high, _whole(value, "gap_ms") * NS_PER_MS))
    silences.gaps = GAPS_KEPT
    silences.watched_s = max(1.0, float(_whole(value, "watched_s")))
    silences.quiet.count = max(1.0, float(_whole(value, "long_silences")))
    silences.quiet.excess_s = silences.quiet.count * _whole(value, "long_excess_ms") / 1000
    _take_back_far(value, silences)
    stirred = max(1, _whole(value, "stirred_permille")) / 1000
    silences.stirred = stirred * silences.quiet.count
    silences.departed = float(_whole(value, "departed"))
    silences.moves = float(_whole(value, "moves")) if "moves" in value else silences.departed
    silences.taken = max(1.0, float(_whole(value, "taken")))
    share = max(1, _whole(value, "came_back_permille")) / 1000
    silences.roamed.count = share * silences.taken
    silences.roamed.excess_s = silences.roamed.count * _whole(value, "came_back_excess_ms") / 1000
    levels = value["antennas"]
    assert isinstance(levels, Mapping)
    for point, told in levels.items():
        antenna = antennas.get(point)
        if antenna is None:
            continue
        assert isinstance(told, Mapping)
        antenna.mean_cdbm = _whole(told, "usual_cdbm")
        antenna.known = min(LEVELS_KEPT, _whole(told, "of_tags"))
        antenna.stray_cdbm = _whole(told, "stray_cdbm")
        antenna.strays = min(LEVELS_KEPT, _whole(told, "of_strays"))


def _take_back_far(value: Mapping[str, JsonValue], silences: Silences) -> None:
    """The tails further out, which earlier versions did not tell."""
    tails = value.get("far_ms")
    if not isinstance(tails, list) or len(tails) != len(silences.far):
        return
    silences.longs = max(1.0, float(_whole(value, "far_of_long")))
    for tail, told in zip(silences.far, tails, strict=True):
        count, excess_ms = told
        tail.count = max(1.0, float(count))
        tail.excess_s = excess_ms / 1000


def _whole(value: Mapping[str, JsonValue], key: str) -> int:
    number = value[key]
    assert isinstance(number, int)
    return number
