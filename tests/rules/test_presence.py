from collections.abc import Callable
from random import Random

import pytest

from gateway.model import Arrival, Coverage, Departure
from rules import astray
from rules.presence import Presence
from tests.rules.play import OTHER, TAG, Play, S, at, read, report, seconds
from tests.rules.tags import GONE_S, HELD_S, OFTEN, commissioned, presence, present, taught

LAST_READ_S = 13.0
"""When `present` ends."""


def test_reads_at_one_level_are_an_arrival() -> None:
    play = taught()
    play.feed(11.0, report(read()))
    play.feed(11.1, report(read()))
    assert play.told == []
    play.cover(13.0, reads=OFTEN)
    [arrival] = play.kinds()
    assert (arrival.zone, arrival.epc, arrival.cause) == ("A", TAG, "live")
    assert 10.0 <= seconds(arrival.since) <= 11.0
    assert arrival.reads > 2
    assert (arrival.rssi_cdbm, arrival.unwatched_since) == (-5000, None)
    assert play.rows["tag:" + TAG] == {"zone": "A"}


def test_first_tag_of_an_antenna_arrives_too() -> None:
    """Nobody knows yet how strongly it reads what stands there."""
    play = commissioned()
    play.cover(16.0, reads=OFTEN)
    [arrival] = play.kinds(Arrival)
    assert arrival.zone == "A"
    assert 8.0 <= seconds(arrival.since) <= 10.125


@pytest.mark.parametrize(
    "moments",
    [(11.0,), (11.0, 11.1), (11.0, 21.5, 32.0), (11.0, 11.1, 24.0, 24.1, 37.0, 37.1)],
    ids=["once", "twice", "spread out", "twice again and again"],
)
@pytest.mark.parametrize("start", [commissioned, taught])
def test_stray_reads_never_arrive(start: Callable[[], Play], moments: tuple[float, ...]) -> None:
    play = start()
    rows = set(play.rows)
    for moment in moments:
        play.feed(moment, report(read()))
    play.cover(60.0)
    assert (play.told, set(play.rows)) == ([], rows)


def test_tag_that_is_carried_past_does_not_arrive() -> None:
    """It is read often for some seconds, but at another level every few centimetres."""
    random = Random(7)
    play = commissioned()
    for index in range(90):
        play.feed(11.0 + index / 10, report(read(dbm=-62.0 + random.gauss(0.0, 5.0))))
    play.cover(60.0)
    assert play.told == []


def test_tag_whose_level_is_never_steady_arrives_where_it_lingers() -> None:
    play = commissioned()
    for index in range(6):
        play.feed(11.0 + 1.5 * index, report(read(dbm=-80.0 + 2.0 * index)))
    assert play.told == []
    for index in range(6, 12):
        play.feed(11.0 + 1.5 * index, report(read(dbm=-80.0 + 2.0 * index)))
    [arrival] = play.kinds(Arrival)
    assert arrival.zone == "A"
    assert 10.0 <= seconds(arrival.since) <= 11.0


def test_burst_shorter_than_confirm_time_does_not_arrive() -> None:
    play = commissioned()
    play.feed(11.0, *[report(read())] * 20)
    assert play.told == []


@pytest.mark.parametrize("start", [commissioned, taught])
def test_tag_leaves_after_a_watched_silence(start: Callable[[], Play]) -> None:
    play = present(start())
    assert play.rows["tag:" + TAG] == {"zone": "A"}
    play.cover(LAST_READ_S + HELD_S)
    assert play.kinds(Departure) == []
    play.cover(LAST_READ_S + GONE_S)
    [departure] = play.kinds(Departure)
    assert (departure.zone, departure.epc, departure.cause) == ("A", TAG, "live")
    assert LAST_READ_S <= seconds(departure.last_seen) < LAST_READ_S + 0.125
    assert (departure.reads, departure.rssi_cdbm) == (24, -5000)
    assert 800 < departure.confidence_permille < 1000
    assert "tag:" + TAG not in play.rows


def test_one_stray_read_elsewhere_does_not_hold_a_tag_that_left() -> None:
    play = present()
    play.cover(LAST_READ_S + HELD_S)
    play.feed(play.now_s, report(read("r:3", dbm=-62.0)))
    play.cover(LAST_READ_S + GONE_S)
    assert len(play.kinds(Departure)) == 1


def test_one_read_at_its_own_level_holds_a_tag() -> None:
    play = present()
    play.cover(LAST_READ_S + HELD_S)
    play.feed(play.now_s, report(read(dbm=-50.5)))
    play.cover(LAST_READ_S + 2 * HELD_S)
    assert play.kinds(Departure) == []


def test_read_in_a_shadow_holds_a_tag() -> None:
    play = present()
    play.cover(LAST_READ_S + HELD_S)
    play.feed(play.now_s, report(read(dbm=-59.0)))
    play.cover(LAST_READ_S + 2 * HELD_S)
    assert play.kinds(Departure) == []


def test_tag_that_was_taken_up_leaves_sooner_than_one_that_falls_silent() -> None:
    silent, taken = present(), present()
    taken.feed(13.2, report(read(dbm=-61.0)))
    taken.feed(13.4, report(read(dbm=-66.0)))
    taken.feed(13.6, report(read("r:3", dbm=-72.0)))
    for play in (silent, taken):
        play.cover(LAST_READ_S + GONE_S)
        [departure] = play.kinds(Departure)
        assert LAST_READ_S <= seconds(departure.last_seen) <= 13.6
    assert taken.times(Departure)[0] < silent.times(Departure)[0] - 5.0


def test_thing_that_is_lifted_and_set_down_in_its_zone_has_not_moved() -> None:
    play = present()
    for index in range(30):
        play.feed(13.1 + index / 10, report(read(dbm=-58.0 - 7.0 * (index % 3))))
    play.cover(60.0, reads={0.125: [read(dbm=-56.0)]})
    assert len(play.kinds(Arrival)) == 1
    assert play.kinds(Departure) == []


@pytest.mark.parametrize("back", [0, 1], ids=["never again", "when the reader is back"])
def test_reader_outage_is_no_departure(back: int) -> None:
    play = present()
    play.feed(900.0, *[Coverage("p", 250_000_000)] * 10)
    if back:
        play.cover(909.5, resumed=True)
    assert play.kinds(Departure) == []


def test_absence_clock_starts_anew_after_an_outage() -> None:
    play = present()
    play.cover(LAST_READ_S + HELD_S)
    play.feed(900.0)
    play.cover(900.0 + HELD_S, resumed=True)
    assert play.kinds(Departure) == []
    play.cover(900.0 + GONE_S)
    [departure] = play.kinds(Departure)
    assert departure.cause == "found_after_gap"
    assert LAST_READ_S <= seconds(departure.last_seen) < LAST_READ_S + 0.125


def test_tag_seen_again_after_an_outage_leaves_live() -> None:
    play = present()
    play.feed(100.0)
    play.cover(101.0, resumed=True)
    play.cover(104.0, reads=OFTEN)
    play.cover(104.0 + GONE_S)
    [departure] = play.kinds(Departure)
    assert departure.cause == "live"


def test_lost_data_starts_the_absence_clock_anew() -> None:
    play = present()
    for _ in range(6):
        play.cover(play.now_s + HELD_S, resumed=True)
    assert play.kinds(Departure) == []


@pytest.mark.parametrize("blind", [(1,), (2,), (0,), (1, 2)], ids=str)
def test_blind_antenna_stops_the_absence_clock(blind: tuple[int, ...]) -> None:
    play = present()
    play.cover(60.0, blind=blind)
    assert play.kinds(Departure) == []
    play.cover(60.0 + HELD_S)
    assert play.kinds(Departure) == []
    play.cover(60.0 + GONE_S)
    assert [fact.cause for fact in play.kinds(Departure)] == ["found_after_gap"]


def test_blind_time_is_no_silence_of_a_tag_that_was_taken_up() -> None:
    play = present(taught())
    play.feed(13.2, report(read("r:3", dbm=-60.0)))
    play.cover(60.0, blind=(2,))
    assert play.kinds(Departure) == []


def test_blind_antenna_of_another_zone_stops_nothing() -> None:
    play = present()
    play.cover(LAST_READ_S + GONE_S, blind=(3,))
    assert len(play.kinds(Departure)) == 1


def test_coverage_of_another_reader_proves_nothing() -> None:
    play = present()
    play.cover(60.0, device="p", resumed=True)
    assert play.kinds(Departure) == []


def test_first_start_arrives_as_such_and_then_the_zone_is_commissioned() -> None:
    play = Play([Presence])
    play.feed(0.0, report(read()))
    play.cover(3.0, resumed=True, reads=OFTEN)
    assert [fact.cause for fact in play.kinds(Arrival)] == ["first_start"]
    assert "zone:A" not in play.rows
    play.cover(7.0)
    assert play.rows["zone:A"] == {"commissioned": 1}
    play.cover(10.0, reads={0.125: [read(epc=OTHER)]})
    assert [fact.cause for fact in play.kinds(Arrival)] == ["first_start", "live"]


def test_busy_zone_is_commissioned_in_the_end() -> None:
    play = Play([Presence])
    play.feed(0.0, Coverage("r", 0, resumed=True))
    for index in range(20):
        play.cover(play.now_s + 3.0, reads={0.125: [read(epc=f"3034{index:02x}")]})
    causes = [fact.cause for fact in play.kinds(Arrival)]
    assert causes == ["first_start"] * 10 + ["live"] * 10


def test_zone_is_not_commissioned_while_one_of_its_readers_is_dead() -> None:
    play = Play([Presence])
    play.cover(60.0, device="p", resumed=True)
    assert play.rows == {}
    play.cover(61.0, device="q", resumed=True)
    assert play.rows == {}


def test_arrival_after_a_gap_says_since_when_nobody_watched() -> None:
    play = commissioned()
    play.feed(500.0)
    play.cover(503.0, resumed=True, reads=OFTEN)
    [arrival] = play.kinds(Arrival)
    assert arrival.cause == "found_after_gap"
    assert arrival.unwatched_since == at(10.0)


def test_tag_came_no_earlier_than_it_may_have_come() -> None:
    """It is read as soon as the reader is back: half a gap before, it was still watched."""
    play = commissioned()
    play.feed(10.3)
    play.cover(13.0, resumed=True, reads=OFTEN)
    [arrival] = play.kinds(Arrival)
    assert arrival.unwatched_since <= arrival.since


def test_restored_tag_that_is_gone_leaves_after_a_full_watched_window() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-500.0)
    play.feed(300.0)
    assert play.told == []
    play.cover(300.0 + HELD_S, resumed=True)
    assert play.told == []
    play.cover(300.0 + GONE_S)
    [departure] = play.kinds(Departure)
    assert (departure.cause, seconds(departure.last_seen)) == ("found_after_gap", -500.0)
    assert set(play.rows) == {"zone:A", "zone:B"}


def test_restored_tag_that_is_there_stays() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(60.0, resumed=True, reads=OFTEN)
    assert play.kinds(Arrival, Departure) == []
    assert play.puts <= 1


def test_restored_tag_that_stands_elsewhere_in_its_zone_stays() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(60.0, resumed=True, reads={0.125: [read("r:2", dbm=-66.0)]})
    assert play.kinds(Arrival, Departure) == []


def test_accumulated_report_counts_as_its_reads_over_their_span() -> None:
    play = taught()
    play.feed(12.0, report(read(seen_count=5, span_ns=int(1.5 * S))))
    [arrival] = play.kinds(Arrival)
    assert arrival.reads == 5
    assert 9.5 <= seconds(arrival.since) <= 10.5


def test_accumulated_report_over_a_long_span_does_not_arrive() -> None:
    play = commissioned()
    play.feed(20.0, report(read(seen_count=3, span_ns=30 * S)))
    assert play.told == []


def test_accumulated_report_holds_a_tag() -> None:
    play = present()
    play.cover(LAST_READ_S + HELD_S)
    play.feed(play.now_s, report(read(seen_count=2, span_ns=S)))
    play.cover(LAST_READ_S + 2 * HELD_S)
    assert play.kinds(Departure) == []


def test_late_read_extends_a_presence_and_never_ends_it() -> None:
    play = present()
    play.cover(21.0)
    play.feed(21.0, report(read(age_ns=9 * S), read(age_ns=7 * S)))
    play.cover(21.0 + HELD_S)
    assert play.kinds(Departure) == []
    play.cover(21.0 + GONE_S)
    [departure] = play.kinds(Departure)
    assert 14.0 <= seconds(departure.last_seen) < 15.0


def test_reads_out_of_order_are_no_evidence_of_quickness() -> None:
    play = commissioned()
    play.feed(30.0, report(read(age_ns=0), read(age_ns=15 * S), read(age_ns=0)))
    assert play.told == []


def test_reads_below_the_floor_are_none() -> None:
    play = commissioned(settings={"rssi_floor_dbm": -80.0})
    play.cover(30.0, reads={0.125: [read(dbm=-80.5)]})
    assert play.told == []
    play.cover(50.0, reads={0.125: [read(dbm=-79.5)]})
    assert len(play.kinds(Arrival)) == 1


def test_reader_without_rssi_is_believed() -> None:
    play = commissioned()
    play.cover(20.0, reads={0.125: [read(dbm=None)]})
    assert [fact.rssi_cdbm for fact in play.kinds(Arrival)] == [-7000]


def test_runs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(astray, "RUNS_MAX", 10)
    play = commissioned()
    for index in range(1000):
        play.feed(11.0, report(read(epc=f"{index:024x}")))
    assert len(presence(play)._astray) == 10


def test_rows_are_written_with_movements_and_not_with_reads() -> None:
    """A row for the arrival, and one at most for a pace; the reads of ten minutes write none."""
    play = present()
    play.cover(60.0, reads=OFTEN)
    before = play.puts
    assert before <= 2
    play.cover(600.0, reads=OFTEN)
    assert play.puts == before
