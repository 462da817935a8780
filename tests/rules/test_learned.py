"""What a zone has learned goes with its movements to disk, comes back, and is shown."""

from typing import Any

import pytest

from gateway.model import Arrival, Departure, ZoneLearned
from rules import presence
from rules.antenna import ZoneAntenna
from rules.learned import LEARNED_EVERY, LEARNED_ROW, learned_row, take_back
from rules.presence import Presence
from rules.silence import Silences
from rules.trust import in_arrival, in_departure
from rules.watched_zone import WatchedZone
from tests.rules.play import Play, S, read
from tests.rules.tags import ZONES, taught

LEARNED_A = LEARNED_ROW + "A"


def busy() -> Play:
    """So many movements that what was learned is written, and not many more."""
    play = taught()
    for turn in range(LEARNED_EVERY):
        tag = read("r:1", f"30bb{turn:02x}", -55.0)
        play.cover(play.now_s + 4.0, reads={0.25: [tag]})
        play.cover(play.now_s + 26.0)
    return play


def test_what_is_learned_is_written_along_with_every_so_many_movements() -> None:
    play = busy()
    moves = len(play.kinds(Arrival)) + len(play.kinds(Departure))
    told = [fact for fact in play.kinds(ZoneLearned) if fact.zone == "A"]
    assert 1 <= len(told) <= moves // LEARNED_EVERY + 1
    row = play.rows[LEARNED_A]
    assert row["window_ms"] * 1_000_000 == pytest.approx(told[-1].window_ns, abs=1e6)
    assert row["antennas"]["r:1"]["of_tags"] > 0
    assert -5600 < row["antennas"]["r:1"]["usual_cdbm"] < -5000


def test_what_was_learned_comes_back_after_a_restart() -> None:
    before = busy()
    rows = {**ZONES, LEARNED_A: before.rows[LEARNED_A]}
    after = Play([Presence], rows=rows, last_alive_s=-5.0)
    rule = after.engine._rules[0]
    assert isinstance(rule, presence.Presence)
    zone = rule._zones["A"]
    antennas = [each for each in rule._points.values() if each.zone is zone]
    again: dict[str, Any] = dict(learned_row("A", zone.silences, antennas).value)
    kept = before.rows[LEARNED_A]
    assert again["antennas"] == kept["antennas"]
    for key in ("gap_ms", "watched_s", "long_silences", "stirred_permille", "departed", "taken"):
        assert again[key] == kept[key], key
    assert (again["far_of_long"], again["far_ms"]) == (kept["far_of_long"], kept["far_ms"])
    assert again["window_ms"] == pytest.approx(kept["window_ms"], rel=0.05)


def test_row_of_an_earlier_version_is_taken_back() -> None:
    old = {k: v for k, v in busy().rows[LEARNED_A].items() if not k.startswith("far")}
    rule = Play([Presence], rows={**ZONES, LEARNED_A: old}, last_alive_s=-5.0).engine._rules[0]
    assert isinstance(rule, presence.Presence)
    found, new = rule._zones["A"].silences, Silences.of(0.5)
    assert (found.longs, found.far) == (new.longs, new.far)
    assert found.quiet.count == old["long_silences"]


def test_what_is_learned_does_not_depend_on_the_order_of_rows() -> None:
    slow = {**busy().rows[LEARNED_A], "gap_ms": 6000}
    tag = {"tag:3034aa": {"zone": "A"}}
    gaps = []
    for rows in ({LEARNED_A: slow, **tag}, {**tag, LEARNED_A: slow}):
        rule = Play([Presence], rows={**rows, **ZONES}, last_alive_s=-5.0).engine._rules[0]
        assert isinstance(rule, presence.Presence)
        gaps.append(rule._tags["3034aa"].pace.gap)
    assert gaps == [6 * S, 6 * S]


def test_often_stirred_zone_trusts_such_reads_as_little_after_a_restart() -> None:
    silences = Silences.of(0.5)
    for _ in range(40):
        silences.ended(30 * S, 0, stirred=True)
    again = Silences.of(0.5)
    take_back(learned_row("A", silences, ()).value, again, {})
    assert again.stirred_nats == pytest.approx(silences.stirred_nats, abs=0.1)
    assert again.stirred_nats < Silences.of(0.5).stirred_nats / 2


def test_row_of_a_zone_or_antenna_that_is_no_more_is_left_alone() -> None:
    row = dict(busy().rows[LEARNED_A])
    row["antennas"] = {"r:99": row["antennas"]["r:1"]}
    rows = {**ZONES, LEARNED_A: row, LEARNED_ROW + "GONE": row}
    assert Play([Presence], rows=rows, last_alive_s=-5.0).told == []


@pytest.mark.parametrize("long_per_h", [0.0, 10.0, 20.0, 100.0])
def test_what_is_hidden_or_hardly_heard_is_believed_less(long_per_h: float) -> None:
    silences = Silences.of(0.5)
    silences.quiet.count, silences.watched_s = long_per_h, 3600.0
    zone = WatchedZone("A", silences, 5.0)
    antenna = ZoneAntenna("r:1", zone, mean_cdbm=-5000, known=8)
    weaker_cdb = (0, 700, 1000, 1500, 1900, 2300)
    told = [in_arrival(antenna, -5000 - weaker) for weaker in weaker_cdb]
    assert told == sorted(told, reverse=True)
    assert all(500 <= each <= 995 for each in told[:-1])
    assert (told[-1] < 500) == (long_per_h > 15.0)  # likelier wrong than right
    assert in_arrival(ZoneAntenna("r:2", zone), -9000) >= 900  # nothing speaks against it
    calm = Silences.of(0.5)
    calm.quiet.count = 1.0
    for roamed in (False, True):
        hidden = in_departure(antenna, -5000, roamed=roamed)
        other = ZoneAntenna("r:3", WatchedZone("B", calm, 5.0), mean_cdbm=-5000, known=8)
        assert 850 <= hidden <= in_departure(other, -5000, roamed=roamed) <= 990


def test_what_is_hardly_heard_is_not_believed_to_move_where_nothing_moves() -> None:
    busy, quiet = Silences.of(0.5), Silences.of(0.5)
    for _ in range(60):
        for silences in (busy, quiet):
            silences.watched(3600 * S, 2 * S)
        for _ in range(3):
            busy.came(hardly_heard=False)
            quiet.came(hardly_heard=True)  # a tag that comes and goes shows no movement
            quiet.left(roamed=False, hardly_heard=True)
    there, here = (
        ZoneAntenna("r:1", WatchedZone("A", each, 5.0), mean_cdbm=-5000, known=8)
        for each in (busy, quiet)
    )
    for weak_cdbm in (-6000, -6500, -7000):
        assert in_arrival(here, weak_cdbm) < 500 < in_arrival(there, weak_cdbm)
        assert in_departure(here, weak_cdbm, roamed=True) < 500
        assert in_departure(there, weak_cdbm, roamed=True) > 500
    assert in_arrival(here, -5500) == in_arrival(there, -5500) > 980
    assert in_departure(here, -5500, roamed=False) == in_departure(there, -5500, roamed=False)


def test_zone_that_nobody_uses_writes_nothing() -> None:
    play = taught()
    play.cover(play.now_s + 60.0)
    puts = play.puts
    play.cover(play.now_s + 600.0)
    assert play.puts == puts
    assert all(fact.window_ns < 60 * S for fact in play.kinds(ZoneLearned))
