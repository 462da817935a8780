import pytest

from gateway.model import Arrival, Coverage, Departure, ReadPace
from rules import presence
from rules.presence import Presence
from tests.rules.play import OTHER, TAG, Play, S, at, read, report, seconds
from tests.rules.tags import OFTEN, commissioned, present


def test_third_read_within_two_seconds_is_an_arrival() -> None:
    play = commissioned()
    play.feed(11.0, report(read()))
    play.feed(12.0, report(read()))
    assert play.told == []
    play.feed(12.9, report(read()))
    [arrival] = play.kinds(Arrival)
    assert (arrival.zone, arrival.epc, seconds(arrival.since)) == ("A", TAG, 11.0)
    assert (arrival.reads, arrival.rssi_cdbm, arrival.cause) == (3, -5000, "live")
    assert arrival.unwatched_since is None
    assert play.kinds(ReadPace) == [ReadPace("A", TAG, 20 * S)]
    assert play.rows["tag:" + TAG] == {"zone": "A", "leave_ms": 20000}


@pytest.mark.parametrize(
    "moments",
    [(11.0,), (11.0, 11.1), (11.0, 12.9, 14.8), (11.0, 11.1, 14.0, 14.1, 17.0, 17.1)],
    ids=["once", "twice", "spread out", "twice again and again"],
)
def test_stray_reads_never_arrive(moments: tuple[float, ...]) -> None:
    play = commissioned()
    for moment in moments:
        play.feed(moment, report(read()))
    play.cover(60.0)
    assert (play.told, set(play.rows)) == ([], {"zone:A", "zone:B", "zone:PAIR"})


def test_burst_shorter_than_confirm_time_does_not_arrive() -> None:
    play = commissioned()
    play.feed(11.0, *[report(read())] * 20)
    assert play.told == []


def test_tag_leaves_after_ten_watched_seconds() -> None:
    play = present()
    assert play.rows["tag:" + TAG] == {"zone": "A"}
    play.cover(60.0)
    [departure] = play.kinds(Departure)
    assert (departure.zone, departure.epc, departure.cause) == ("A", TAG, "live")
    assert seconds(departure.last_seen) == 13.0
    assert departure.reads == 24
    assert departure.confidence_permille == 990
    assert play.times(Departure) == [pytest.approx(23.0, abs=0.3)]
    assert "tag:" + TAG not in play.rows


def test_one_stray_read_does_not_hold_a_tag_that_left() -> None:
    play = present()
    play.cover(20.0)
    play.feed(20.0, report(read()))
    play.cover(24.0)
    assert len(play.kinds(Departure)) == 1


def test_two_reads_within_the_window_hold_a_tag() -> None:
    play = present()
    play.cover(20.0)
    play.feed(20.0, report(read()))
    play.feed(21.0, report(read()))
    play.cover(29.0)
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
    play.cover(22.0)
    play.feed(900.0)
    play.cover(930.0, resumed=True)
    [departure] = play.kinds(Departure)
    assert play.times(Departure) == [pytest.approx(910.0, abs=0.3)]
    assert (departure.cause, seconds(departure.last_seen)) == ("found_after_gap", 13.0)


def test_tag_seen_again_after_an_outage_leaves_live() -> None:
    play = present()
    play.feed(100.0)
    play.cover(101.0, resumed=True)
    play.cover(104.0, reads=OFTEN)
    play.cover(120.0)
    [departure] = play.kinds(Departure)
    assert departure.cause == "live"


def test_lost_data_starts_the_absence_clock_anew() -> None:
    play = present()
    for _ in range(6):
        play.cover(play.now_s + 9.0, resumed=True)
    assert play.kinds(Departure) == []


@pytest.mark.parametrize("blind", [(1,), (2,), (0,), (1, 2)], ids=str)
def test_blind_antenna_stops_the_absence_clock(blind: tuple[int, ...]) -> None:
    play = present()
    play.cover(60.0, blind=blind)
    assert play.kinds(Departure) == []
    play.cover(69.9)
    assert play.kinds(Departure) == []
    play.cover(71.0)
    assert [fact.cause for fact in play.kinds(Departure)] == ["found_after_gap"]


def test_blind_antenna_of_another_zone_stops_nothing() -> None:
    play = present()
    play.cover(24.0, blind=(3,))
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


def test_restored_tag_that_is_gone_leaves_after_a_full_watched_window() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-500.0)
    play.feed(300.0)
    assert play.told == []
    play.cover(309.7, resumed=True)
    assert play.told == []
    play.cover(311.0)
    [departure] = play.kinds()
    assert (departure.cause, seconds(departure.last_seen)) == ("found_after_gap", -500.0)
    assert set(play.rows) == {"zone:A", "zone:B"}


def test_restored_tag_that_is_there_stays_silently() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(60.0, resumed=True, reads=OFTEN)
    assert (play.told, play.puts) == ([], 0)


def test_accumulated_report_counts_as_its_reads_over_their_span() -> None:
    play = commissioned()
    play.feed(12.0, report(read(seen_count=5, span_ns=int(1.5 * S))))
    [arrival] = play.kinds(Arrival)
    assert (seconds(arrival.since), arrival.reads) == (10.5, 5)


def test_accumulated_report_over_a_long_span_does_not_arrive() -> None:
    play = commissioned()
    play.feed(20.0, report(read(seen_count=3, span_ns=9 * S)))
    assert play.told == []


def test_accumulated_report_holds_a_tag() -> None:
    play = present()
    play.cover(20.0)
    play.feed(20.0, report(read(seen_count=2, span_ns=S)))
    play.cover(29.0)
    assert play.kinds(Departure) == []


def test_late_read_extends_a_presence_and_never_ends_it() -> None:
    play = present()
    play.cover(21.0)
    play.feed(21.0, report(read(age_ns=9 * S), read(age_ns=7 * S)))
    play.cover(30.0)
    assert play.kinds(Departure) == []
    play.cover(40.0)
    [departure] = play.kinds(Departure)
    assert seconds(departure.last_seen) == 14.0


def test_reads_out_of_order_are_no_evidence_of_quickness() -> None:
    play = commissioned()
    play.feed(30.0, report(read(age_ns=0), read(age_ns=15 * S), read(age_ns=0)))
    assert play.told == []


def test_reads_below_the_floor_are_none() -> None:
    play = commissioned()
    play.cover(20.0, reads={0.125: [read(dbm=-80.5)]})
    assert play.told == []
    play.cover(30.0, reads={0.125: [read(dbm=-79.5)]})
    assert len(play.kinds(Arrival)) == 1


def test_reader_without_rssi_is_believed() -> None:
    play = commissioned()
    play.cover(20.0, reads={0.125: [read(dbm=None)]})
    assert [fact.rssi_cdbm for fact in play.kinds(Arrival)] == [-7000]


def test_candidates_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "CANDIDATES_MAX", 10)
    play = commissioned()
    for index in range(1000):
        play.feed(11.0, report(read(epc=f"{index:024x}")))
    [(_, rule)] = zip(play.engine._names, play.engine._rules, strict=True)
    assert isinstance(rule, Presence)
    assert len(rule._candidates) == 10


def test_rows_are_written_with_movements_and_not_with_reads() -> None:
    play = present()
    before = play.puts
    play.cover(600.0, reads=OFTEN)
    assert play.puts == before
