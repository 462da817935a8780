from collections.abc import Callable, Sequence

import pytest

from gateway.model import Arrival, Coverage, Departure, TagRead, TagReport
from rules.presence import Presence
from tests.rules.play import OTHER, TAG, Play, S, read, seconds
from tests.rules.tags import GONE_S, HELD_S, OFTEN, commissioned, presence, present, taught


def test_restored_tag_does_not_move_before_its_own_zone_was_watched() -> None:
    rows = {"zone:PAIR": {}, "zone:B": {}, "tag:" + TAG: {"zone": "PAIR"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(60.0, resumed=True, reads={0.125: [read("r:3", dbm=-40.0)]})
    assert play.kinds(Arrival, Departure) == []


def test_restored_tag_that_is_read_in_its_zone_too_does_not_move() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(1.5, resumed=True, reads={0.125: [read("r:3", dbm=-60.0)]})
    play.cover(30.0, reads={0.125: [read("r:3", dbm=-60.0), read("r:1", dbm=-50.0)]})
    assert play.kinds(Arrival, Departure) == []


def test_restored_tag_found_in_another_zone_moved_unwatched() -> None:
    rows = {"zone:A": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(15.0, resumed=True, reads={0.125: [read("r:3")]})
    departure, arrival = play.kinds(Arrival, Departure)
    assert (departure.to_zone, arrival.from_zone) == ("B", "A")
    assert {departure.cause, arrival.cause} == {"found_after_gap"}


@pytest.mark.parametrize("start", [commissioned, taught])
def test_tag_in_two_zones_is_in_the_stronger(start: Callable[[], Play]) -> None:
    play = start()
    play.cover(20.0, reads={0.125: [read("r:1", dbm=-62.0), read("r:3", dbm=-50.0)]})
    [arrival] = play.kinds(Arrival, Departure)
    assert arrival.zone == "B"


def test_equally_strong_reads_elsewhere_move_nothing() -> None:
    play = present()
    play.cover(60.0, reads={0.125: [read("r:1"), read("r:3", dbm=-46.0)]})
    assert play.kinds(Departure) == []


def test_move_is_one_departure_and_one_arrival() -> None:
    play = present()
    play.cover(18.0, reads={0.125: [read("r:3", dbm=-43.0)]})
    departure, arrival = play.kinds(Arrival, Departure)[1:]
    assert (departure.zone, departure.to_zone) == ("A", "B")
    assert (arrival.zone, arrival.from_zone) == ("B", "A")
    assert play.rows["tag:" + TAG] == {"zone": "B"}
    assert play.times(Departure)[0] == play.times(Arrival)[1]


def test_seldom_read_tag_left_no_later_than_it_stood_elsewhere() -> None:
    play = commissioned()
    play.cover(70.0, reads={4.0: [read()]})
    play.cover(73.9)
    play.cover(100.0, reads={0.125: [read("r:3")]})
    departure, arrival = play.kinds(Arrival, Departure)[1:]
    assert departure.last_seen <= arrival.since


def test_silence_before_an_outage_does_not_count_for_a_move_after_it() -> None:
    play = present()
    play.cover(21.0)
    play.feed(100.0)
    play.cover(104.0, resumed=True, reads={0.125: [read("r:3", dbm=-70.0)]})
    assert len(play.kinds(Arrival)) == 1


def test_reads_that_a_reader_held_back_move_no_tag_that_was_seen_since() -> None:
    play = present()
    old = [read("r:3", dbm=-30.0, age_ns=300 * S - quarter * S // 4) for quarter in range(8)]
    play.feed(play.now_s + 0.01, TagReport("r", tuple(old)))
    play.cover(16.0, reads=OFTEN)
    assert len(play.kinds(Arrival, Departure)) == 1


def moved_at(dbm: float) -> float:
    """When a tag is told to have moved that is read in the next zone, at that level."""
    play = present(taught())
    play.cover(40.0, reads={0.125: [read("r:3", dbm=dbm)]})
    departure, arrival = play.kinds(Arrival, Departure)[1:]
    assert (departure.to_zone, arrival.from_zone) == ("B", "A")
    assert arrival.since < play.engine.now
    return play.times(Departure)[0]


def test_move_to_where_it_is_read_weakly_waits_for_silence() -> None:
    usual, weak = moved_at(-50.0), moved_at(-64.0)
    assert usual + 1.0 < weak < 13.0 + GONE_S


def watch_pair(play: Play, until_s: float, devices: str, reads: Sequence[TagRead] = ()) -> None:
    while play.now_s < until_s:
        now_s = play.now_s + 0.25
        if reads:
            play.feed(now_s, TagReport("p", tuple(reads)))
        play.feed(now_s, *[Coverage(device, S // 4) for device in devices])


def pair() -> Play:
    play = commissioned()
    play.feed(10.0, Coverage("p", 0, resumed=True), Coverage("q", 0, resumed=True))
    watch_pair(play, 20.0, "pq")
    watch_pair(play, 24.0, "pq", [read("p:1")])
    assert len(play.kinds(Arrival)) == 1
    return play


def test_zone_of_two_readers_is_absent_only_where_both_watch() -> None:
    play = pair()
    watch_pair(play, 60.0, "p")
    assert play.kinds(Departure) == []
    play.feed(60.0, Coverage("q", 0, resumed=True))
    watch_pair(play, 60.0 + HELD_S, "pq")
    assert play.kinds(Departure) == []
    watch_pair(play, 60.0 + GONE_S, "pq")
    assert len(play.kinds(Departure)) == 1


def test_blind_antenna_of_one_reader_blinds_the_zone_of_two() -> None:
    play = pair()
    while play.now_s < 60.0:
        play.feed(play.now_s + 0.25, Coverage("p", S // 4, (1,)), Coverage("q", S // 4))
    assert play.kinds(Departure) == []
    watch_pair(play, 60.0 + HELD_S, "pq")
    assert play.kinds(Departure) == []


def test_deadlines_do_not_pile_up_when_a_tag_comes_and_goes() -> None:
    play = present()
    for turn in range(6):
        point = "r:3" if turn % 2 == 0 else "r:1"
        play.cover(play.now_s + 9.0, reads={0.125: [read(point, dbm=-50.0)]})
    play.cover(play.now_s + 60.0, reads=OFTEN)
    assert len(play.kinds(Departure)) == 6
    assert sum(len(zone.deadlines) for zone in presence(play)._zones.values()) == 1


def test_zone_of_two_readers_is_unwatched_since_the_first_of_them_died() -> None:
    play = pair()
    watch_pair(play, 60.0, "p")
    play.feed(60.0, Coverage("q", 0, resumed=True))
    watch_pair(play, 63.0, "pq", [read("p:1", OTHER)])
    arrival = play.kinds(Arrival)[1]
    assert arrival.cause == "found_after_gap"
    assert seconds(arrival.unwatched_since) == pytest.approx(24.0, abs=0.3)


def test_arrival_beside_a_blind_reader_may_be_as_old_as_the_blindness() -> None:
    play = pair()
    while play.now_s < 60.0:
        play.feed(play.now_s + 0.25, Coverage("p", S // 4), Coverage("q", S // 4, (1,)))
    watch_pair(play, 63.0, "p", [read("p:1", OTHER)])
    arrival = play.kinds(Arrival)[1]
    assert arrival.cause == "found_after_gap"
    assert seconds(arrival.unwatched_since) == pytest.approx(24.0, abs=0.3)


def test_zone_where_both_readers_died_is_unwatched_until_both_are_back() -> None:
    play = pair()
    play.feed(60.0, Coverage("p", 0, resumed=True))
    watch_pair(play, 70.0, "p")
    play.feed(70.0, Coverage("q", 0, resumed=True))
    watch_pair(play, 73.0, "pq", [read("p:1", OTHER)])
    assert seconds(play.kinds(Arrival)[1].unwatched_since) == pytest.approx(24.0, abs=0.3)


@pytest.mark.parametrize("start", [commissioned, taught])
def test_stray_reads_of_a_stronger_zone_put_an_arrival_off_but_not_for_ever(
    start: Callable[[], Play],
) -> None:
    play = start()
    for index in range(14):
        play.feed(play.now_s, TagReport("r", (read("r:3", dbm=-45.0 + 6.0 * (index % 4)),)))
        play.cover(play.now_s + 1.5, reads={0.25: [read("r:1", dbm=-62.0)]})
    [arrival] = play.kinds(Arrival)
    assert arrival.zone == "A"
    assert 8.0 <= seconds(arrival.since) <= 11.0


def test_stronger_zone_that_is_read_as_often_wins_though_the_weaker_was_seen_long_before() -> None:
    play = commissioned()
    weak, strong = read("r:1", dbm=-54.0), read("r:3", dbm=-50.0)
    play.cover(12.0, reads={1.5: [weak]})
    assert play.told == []
    play.cover(16.0, reads={0.125: [weak, strong]})
    assert [arrival.zone for arrival in play.kinds(Arrival)] == ["B"]


def test_level_that_was_read_elsewhere_all_along_moves_nothing_while_the_tag_is_shaded() -> None:
    play = present()
    stray = read("r:3", dbm=-64.0)
    play.cover(40.0, reads={0.5: [read("r:1")], 1.5: [stray]})
    play.cover(52.0, reads={1.5: [stray]})
    assert play.kinds(Departure) == []
    play.cover(90.0, reads={0.125: [read("r:1")]})
    assert len(play.kinds(Arrival)) == 1
