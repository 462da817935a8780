"""Tags that stand: what holds them, what betrays that they were taken, and when they left."""

import pytest

from gateway.model import Arrival, Departure, TagRead
from rules.antenna import ZoneAntenna
from rules.pace import LEAVE_MAX_NS, STEPS_NS, Pace
from rules.run import Run, sure_nats_of
from rules.silence import WINDOW_MAX_NS, Silences
from rules.standing import MOVE_MIN_NS, REACH_MAX_NS, SHADE_MAX_NS, STIRRED_MAX, Standing
from rules.watched_zone import WatchedZone
from tests.rules.play import TAG, Play, S, read, report, seconds
from tests.rules.tags import GONE_S, HELD_S, OFTEN, presence, present, taught

SEEN_S = 100
"""When the tags of the unit tests below were read last, on the clock of their zone too."""


def antenna(point: str = "r:1", location: str = "A") -> ZoneAntenna:
    found = ZoneAntenna(point, WatchedZone(location, Silences.of(0.5), sure_nats_of(0.5)))
    for _ in range(10):
        found.learn(-5000)
    return found


def standing(gap_s: float = 0.2) -> Standing:
    found = antenna()
    found.zone.lived = SEEN_S * S
    found.zone.silences.gap_ns = S // 5
    pace = Pace(round(gap_s * S), STEPS_NS[0])
    tag = Standing(found, -5000, SEEN_S * S, 0, SEEN_S * S, pace, reads=9)
    tag.still = tag.still_at = SEEN_S * S
    return tag


def on_its_way(dbm: float = -60.0, second: float = SEEN_S + 1.0) -> Run:
    one, at = read("r:3", dbm=dbm), round(second * S)
    found = Run.begin(at, one, antenna("r:3", "B"))
    found.add(at, one, 150)
    return found


def stirred(*reads: tuple[float, float]) -> Standing:
    """A tag that was read on its way at these seconds and levels."""
    tag = standing()
    for second, dbm in reads:
        tag.stir(round(second * S), on_its_way(dbm, second), round(dbm * 100))
    return tag


def test_read_on_its_way_makes_a_silence_shorter() -> None:
    near, far = stirred((SEEN_S + 1.0, -60.0)), stirred((SEEN_S + 1.0, -80.0))
    assert near.silence_end() < far.silence_end() < standing().silence_end()


def test_tag_that_was_taken_up_is_still_given_the_time_to_be_set_down() -> None:
    tag = stirred(*((SEEN_S + 0.5 * index, -50.0) for index in range(200)))
    assert tag.silence_end() >= tag.roamed + tag.roamed_ns()
    assert tag.roamed_ns() >= 2 * tag.silences.gap_ns
    assert tag.stirred_nats <= STIRRED_MAX + tag.silences.stirred_nats


def test_silence_of_a_tag_on_its_way_lasts_from_where_it_was_read_last() -> None:
    tag = standing()
    first = tag.silence_end()
    tag.zone.lived += 60 * S
    tag.stir(tag.zone.lived, on_its_way(), -6000)
    assert tag.silence_end() > max(first, tag.zone.lived)


@pytest.mark.parametrize("gap_s", [0.2, 3.0, 5.0, 6.0, 60.0, 10**6])
def test_window_grows_with_the_gaps_and_is_bounded(gap_s: float) -> None:
    tag = standing(gap_s)
    most = WINDOW_MAX_NS if gap_s <= 5.0 else LEAVE_MAX_NS
    assert standing().window_ns() <= tag.window_ns() <= most
    assert tag.roamed_ns() <= tag.window_ns()


@pytest.mark.parametrize("gap_s", [0.2, 2.0, 6.0])
@pytest.mark.parametrize("stirred_s", [None, 0.1, 1.0, 30.0])
def test_tag_was_taken_between_its_last_read_and_the_first_on_its_way(
    gap_s: float, stirred_s: float | None
) -> None:
    tag = standing(gap_s)
    if stirred_s is not None:
        moment = SEEN_S + stirred_s
        tag.stir(round(moment * S), on_its_way(second=moment), -6000)
    latest = SEEN_S + (gap_s if stirred_s is None else min(stirred_s, 2 * REACH_MAX_NS / S)) / 2
    assert SEEN_S <= tag.left_at() / S <= latest


def test_shadow_before_it_was_taken_still_was_the_tag() -> None:
    tag = standing()
    tag.zone.lived += 3 * S
    tag.seen_astray((SEEN_S + 3) * S, 1, -6000)
    assert tag.left_at() >= (SEEN_S + 3) * S


def test_far_weaker_read_in_its_zone_was_the_tag_in_the_aisle() -> None:
    tag = standing()
    tag.zone.lived += 3 * S
    tag.seen_astray((SEEN_S + 3) * S, 1, -7500)
    assert tag.left_at() < (SEEN_S + 1) * S


def test_weaker_level_settles_only_when_it_outlasts_a_shadow() -> None:
    tag = standing()
    home, shade_s = tag.antenna, SHADE_MAX_NS / S
    for span_s, level, settles in [(2.0, -6000, False), (shade_s, -6000, True), (0.5, -5500, True)]:
        run = Run.begin(SEEN_S * S, read(dbm=level / 100), home)
        run.last_at += round(span_s * S)
        assert tag.settle(run) is settles
        assert tag.rssi == (level if settles else -5000)


def test_tag_moves_no_sooner_than_its_own_zone_had_a_turn() -> None:
    tag, run = standing(), on_its_way(-50.0)
    tag.zone.lived += MOVE_MIN_NS - 1
    assert not tag.left_for(run)
    tag.zone.lived += 1
    assert tag.left_for(run)


def test_blind_time_is_no_silence_before_a_move() -> None:
    tag, run = standing(), on_its_way(-50.0)
    tag.zone.lived += 60 * S
    tag.zone.floor = tag.zone.lived
    assert not tag.left_for(run)


@pytest.mark.parametrize(("hidden_s", "teaches"), [(1.0, False), (9.0, True)])
def test_longest_silence_of_a_tag_on_its_way_teaches_its_zone(
    hidden_s: float, teaches: bool
) -> None:
    """Wherever it is set down, and however often it is read in the end."""
    tag = stirred((SEEN_S + 0.1, -50.0))
    before = tag.silences.roamed.count
    for pause_s in (hidden_s, 0.5):
        tag.zone.lived += round(pause_s * S)
        tag.stir(tag.zone.lived, on_its_way(-62.0, tag.zone.lived / S), -6200)
    tag.set_down()
    assert (tag.silences.roamed.count > before) is teaches
    assert tag.hidden == 0


def test_tag_that_comes_back_teaches_its_zone() -> None:
    tag = stirred((SEEN_S + 0.1, -50.0))
    before = tag.silences.roamed.count
    tag.zone.lived += 9 * S
    tag.seen_still((SEEN_S + 9) * S, 1)
    assert tag.stirred_nats == 0.0
    assert tag.silences.roamed.count > before
    assert tag.silence_end() == tag.zone.lived + tag.window_ns()


@pytest.mark.parametrize("dbm", [-50.0, -58.0, -42.0, -64.0, -75.0])
def test_tag_that_is_read_by_two_antennas_at_two_levels_stays(dbm: float) -> None:
    """Each has its turns; then one of them falls silent, and then the other one."""
    play = present(taught())
    first, second = read("r:1"), read("r:2", dbm=dbm)
    play.cover(60.0, reads={0.25: [first], 1.0: [second]})
    play.cover(60.0 + 2 * GONE_S, reads={0.25: [second]})
    play.cover(60.0 + 4 * GONE_S, reads={0.25: [first]})
    assert play.kinds(Arrival, Departure)[1:] == []
    play.cover(60.0 + 5 * GONE_S)
    assert [type(fact) for fact in play.kinds(Arrival, Departure)[1:]] == [Departure]


def test_reads_of_two_antennas_keep_a_tag_still() -> None:
    """What stands still all the time has its level, and nothing of it is astray."""
    play = present(taught())
    antennas = presence(play)._points
    known = [antennas[point].known for point in ("r:1", "r:2")]
    play.cover(60.0, reads={0.25: [read("r:1"), read("r:2", dbm=-58.0)]})
    assert [antennas[point].known for point in ("r:1", "r:2")] == known
    tag = presence(play)._tags[TAG]
    assert (tag.antenna.point, tag.rssi, tag.stirred_nats) == ("r:1", -5000, 0.0)
    assert tag.zone.lived - tag.still <= S


@pytest.mark.parametrize("dbm", [-57.0, -63.0, -45.0, -72.0])
def test_tag_that_is_moved_within_its_zone_stays(dbm: float) -> None:
    play = present(taught())
    play.cover(60.0, reads={0.125: [read(dbm=dbm)]})
    assert play.kinds(Arrival, Departure)[1:] == []
    assert presence(play)._tags[TAG].rssi == round(dbm * 100)
    assert len(presence(play)._astray) == 0


@pytest.mark.parametrize(
    "shadow",
    [[read(dbm=-58.0)], [read(dbm=-62.0), read("r:2", dbm=-70.0)]],
    ids=["one antenna", "two antennas"],
)
def test_shadow_betrays_no_act(shadow: list[TagRead]) -> None:
    play = present(taught())
    play.cover(17.0, reads={0.5: shadow})
    assert presence(play)._tags[TAG].stirred_nats == 0.0
    play.cover(17.0 + HELD_S)
    play.cover(60.0, reads=OFTEN)
    assert play.kinds(Arrival, Departure)[1:] == []


def left_after(*reads: TagRead) -> tuple[float, float]:
    """When a tag is told to have left, and when it did, if it is read so, and then no more."""
    play = present(taught())
    for index, one in enumerate(reads):
        play.feed(13.25 + 0.25 * index, report(one))
    play.cover(13.0 + GONE_S + 5.0)
    [departure] = play.kinds(Departure)
    return play.times(Departure)[0], seconds(departure.last_seen)


def test_tag_that_is_read_on_its_way_leaves_sooner() -> None:
    silent, _ = left_after()
    for dbm in (-60.0, -48.0):
        told_at, taken_at = left_after(read("r:3", dbm=dbm))
        assert told_at < silent - 5.0
        assert 13.0 <= taken_at <= 13.25
    for dbm in (-58.0, -46.0):
        shaded, _ = left_after(read(dbm=dbm))
        assert shaded >= silent


def test_tag_that_is_lifted_and_set_back_is_there_all_the_time() -> None:
    play = present(taught())
    play.feed(13.2, report(read(dbm=-44.0)))
    play.feed(13.6, report(read("r:3", dbm=-58.0)))
    play.cover(15.0)
    play.cover(60.0, reads=OFTEN)
    assert play.kinds(Arrival, Departure)[1:] == []
    assert presence(play)._tags[TAG].stirred_nats == 0.0


def test_blind_time_starts_the_silence_of_a_tag_on_its_way_anew() -> None:
    play = present(taught())
    play.feed(13.2, report(read("r:3", dbm=-60.0)))
    play.feed(200.0)
    play.cover(201.0, resumed=True)
    assert play.kinds(Departure) == []
    play.cover(200.0 + GONE_S)
    assert [fact.cause for fact in play.kinds(Departure)] == ["found_after_gap"]


def test_silent_tags_cost_nothing_between_looks() -> None:
    """One deadline a tag, however often it is read on its way."""
    play: Play = present(taught())
    for index in range(50):
        play.feed(13.1 + index / 50, report(read("r:3", dbm=-60.0 + index % 7)))
    assert sum(len(zone.deadlines) for zone in presence(play)._zones.values()) <= 3
