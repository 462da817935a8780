from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Arrival, Coverage, Departure, Fact, ReadPace, Stall, TagRead, TagReport
from rules import presence
from rules.pace import LEAVE_GAPS, LEAVE_MAX_NS, Pace
from rules.presence import Presence
from tests.rules.play import OTHER, TAG, Play, S, at, read, report, seconds

OFTEN = {0.125: [read()]}
SELDOM = {1 / 0.35: [read()]}


def commissioned(**known: Any) -> Play:
    """A gateway that runs for a while: everything that comes now comes live."""
    play = Play([Presence], rows={"zone:A": {}, "zone:B": {}, "zone:PAIR": {}}, **known)
    play.cover(10.0, resumed=True)
    return play


def present(**known: Any) -> Play:
    play = commissioned(**known)
    play.cover(13.0, reads=OFTEN)
    assert [type(fact) for fact in play.kinds()] == [Arrival]
    return play


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


def test_seldom_read_tags_of_the_first_start_are_no_receipts() -> None:
    """In session 1 a tag that was there all along may take half a minute to be believed."""
    play = Play([Presence], {"enter_window_s": 10.0})
    play.feed(0.0, Coverage("r", 0, resumed=True))
    tags = {f"3034{index:02x}": 2.2 + 0.4 * index for index in range(12)}
    due = {epc: 0.5 * gap for epc, gap in tags.items()}
    while play.now_s < 60.0:
        now_s = play.now_s + 0.25
        for epc, gap in tags.items():
            while due[epc] <= now_s:
                play.feed(due[epc], report(read(epc=epc)))
                due[epc] += gap
        play.feed(now_s, Coverage("r", S // 4))
    assert {fact.cause for fact in play.kinds(Arrival)} == {"first_start"}
    assert len(play.kinds(Arrival)) >= 6
    play.cover(65.0, reads={0.125: [read(epc=OTHER)]})
    assert play.kinds(Arrival)[-1].cause == "live"


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


def test_restored_tag_does_not_move_before_its_own_zone_was_watched() -> None:
    rows = {"zone:A": {}, "zone:B": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    strong = {0.125: [read("r:3", dbm=-40.0)]}
    play.cover(4.0, resumed=True, reads=strong)
    assert play.told == []
    play.cover(8.0, reads={0.125: [read("r:3", dbm=-60.0), read("r:1", dbm=-50.0)]})
    assert play.told == []


def test_restored_tag_found_in_another_zone_moved_unwatched() -> None:
    rows = {"zone:A": {}, "tag:" + TAG: {"zone": "A"}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(8.0, resumed=True, reads={0.125: [read("r:3")]})
    departure, arrival = play.kinds()
    assert (departure.to_zone, arrival.from_zone) == ("B", "A")
    assert {departure.cause, arrival.cause} == {"found_after_gap"}


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


def test_tag_in_two_zones_is_in_the_stronger() -> None:
    play = commissioned()
    play.cover(20.0, reads={0.125: [read("r:1", dbm=-62.0), read("r:3", dbm=-50.0)]})
    [arrival] = play.kinds()
    assert arrival.zone == "B"


def test_equally_strong_reads_elsewhere_move_nothing() -> None:
    play = present()
    play.cover(60.0, reads={0.125: [read("r:1"), read("r:3", dbm=-46.0)]})
    assert play.kinds(Departure) == []


def test_move_is_one_departure_and_one_arrival() -> None:
    play = present()
    play.cover(18.0, reads={0.125: [read("r:3", dbm=-43.0)]})
    departure, arrival = play.kinds()[1:]
    assert (departure.zone, departure.to_zone) == ("A", "B")
    assert (arrival.zone, arrival.from_zone) == ("B", "A")
    assert play.rows["tag:" + TAG] == {"zone": "B"}
    assert play.times(Departure)[0] == play.times(Arrival)[1]


def test_silence_before_an_outage_does_not_count_for_a_move_after_it() -> None:
    play = present()
    play.cover(21.0)
    play.feed(100.0)
    play.cover(104.0, resumed=True, reads={0.125: [read("r:3", dbm=-70.0)]})
    assert len(play.kinds(Arrival)) == 1


def test_move_to_a_weaker_zone_waits_for_silence() -> None:
    play = present()
    play.cover(30.0, reads={0.125: [read("r:3", dbm=-70.0)]})
    assert [fact.zone for fact in play.kinds(Arrival)] == ["A", "B"]
    assert 18.0 < play.times(Departure)[0] < 20.0


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
    watch_pair(play, 69.0, "pq")
    assert play.kinds(Departure) == []
    watch_pair(play, 71.0, "pq")
    assert len(play.kinds(Departure)) == 1


def test_blind_antenna_of_one_reader_blinds_the_zone_of_two() -> None:
    play = pair()
    while play.now_s < 60.0:
        play.feed(play.now_s + 0.25, Coverage("p", S // 4, (1,)), Coverage("q", S // 4))
    assert play.kinds(Departure) == []
    watch_pair(play, 69.0, "pq")
    assert play.kinds(Departure) == []


def test_candidates_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "CANDIDATES_MAX", 10)
    play = commissioned()
    for index in range(1000):
        play.feed(11.0, report(read(epc=f"{index:024x}")))
    [(_, rule)] = zip(play.engine._names, play.engine._rules, strict=True)
    assert isinstance(rule, Presence)
    assert len(rule._candidates) == 10


def test_deadlines_do_not_pile_up_when_a_tag_comes_and_goes() -> None:
    play = present()
    for turn in range(6):
        point = "r:3" if turn % 2 == 0 else "r:1"
        play.cover(play.now_s + 2.0, reads={0.125: [read(point, dbm=-43.0 + 7 * turn)]})
    play.cover(play.now_s + 60.0, reads=OFTEN)
    rule = play.engine._rules[0]
    assert isinstance(rule, Presence)
    assert sum(len(zone.deadlines) for zone in rule._zones.values()) == 1
    assert len(play.kinds(Departure)) == 6


def test_rows_are_written_with_movements_and_not_with_reads() -> None:
    play = present()
    before = play.puts
    play.cover(600.0, reads=OFTEN)
    assert play.puts == before


def test_seldom_read_tag_does_not_flap_and_tells_its_pace() -> None:
    play = commissioned()
    play.feed(10.5, report(read()))
    play.feed(11.1, report(read()))
    play.feed(11.8, report(read()))
    assert len(play.kinds(Arrival)) == 1
    play.cover(3600.0, reads=SELDOM)
    assert play.kinds(Departure) == []
    assert play.kinds(ReadPace)[-1].leave_ns == 40 * S
    assert play.rows["tag:" + TAG] == {"zone": "A", "leave_ms": 40000}
    assert play.puts < 6


def test_seldom_read_tag_leaves_after_its_own_window() -> None:
    play = commissioned()
    play.cover(13.0, reads={0.6: [read()]})
    play.cover(300.0, reads=SELDOM)
    play.cover(400.0)
    assert len(play.kinds(Arrival)) == 1
    assert 335.0 < play.times(Departure)[0] < 341.0


def test_restart_does_not_forget_a_slow_pace() -> None:
    rows = {"zone:A": {}, "tag:" + TAG: {"zone": "A", "leave_ms": 40000}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(39.0, resumed=True)
    assert play.kinds() == [ReadPace("A", TAG, 40 * S)]
    play.cover(41.0)
    assert len(play.kinds(Departure)) == 1


def test_tag_that_speeds_up_gets_the_usual_window_back() -> None:
    play = commissioned()
    play.cover(13.0, reads={0.6: [read()]})
    play.cover(300.0, reads=SELDOM)
    play.cover(600.0, reads=OFTEN)
    assert play.rows["tag:" + TAG] == {"zone": "A"}
    assert play.kinds(ReadPace)[-1].leave_ns == 10 * S
    play.cover(700.0)
    assert play.times(Departure) == [pytest.approx(610.0, abs=0.6)]


def test_window_of_a_tag_that_is_hardly_read_is_capped() -> None:
    pace = Pace.first(10 * S, 0, 30 * S, 3)
    assert pace.leave == LEAVE_MAX_NS
    assert not pace.measure(60 * S, 0, 4)
    assert Pace.kept(10 * S, 0).leave == 10 * S


def test_window_holds_enough_gaps_and_is_steady_at_a_border() -> None:
    pace = Pace.first(10 * S, 0, S, 10)
    reads, changes = 10, 0
    for minute in range(1, 200):
        reads += 60 * LEAVE_GAPS // (10 + minute % 2)
        changes += pace.measure(minute * 60 * S, 0, reads)
    assert changes <= 1


@pytest.mark.parametrize(("per_s", "leave_s"), [(8.0, 10), (0.35, 40)], ids=["s0", "s1"])
def test_tags_read_by_chance_do_not_flap(per_s: float, leave_s: int) -> None:
    """Ten tags for an hour, read like a Poisson process: the hardest case of a rate."""
    random = Random(5)
    play = commissioned()
    tags = [f"3034{index:020x}" for index in range(10)]
    for moment in (10.5, 11.1, 11.8):
        play.feed(moment, report(*[read(epc=epc) for epc in tags]))
    due = dict.fromkeys(tags, 12.0)
    while play.now_s < 3600.0:
        now_s = play.now_s + 0.25
        for epc in tags:
            while due[epc] <= now_s:
                play.feed(due[epc], report(read(epc=epc)))
                due[epc] += random.expovariate(per_s)
        play.feed(now_s, Coverage("r", S // 4))
    assert play.kinds(Departure) == []
    assert play.puts < 60
    play.cover(play.now_s + 61.0)
    silence = sorted(when - 3600.0 for when in play.times(Departure))
    assert len(silence) == 10
    assert silence[4] <= leave_s + 0.5


MOMENTS = st.lists(
    st.tuples(
        st.floats(0.01, 4.0),
        st.sampled_from(["read", "strong", "other", "cover", "resumed", "blind", "stall", "late"]),
        st.integers(1, 20),
    ),
    max_size=150,
)


def fact_of(what: str, gap_s: float) -> Fact:
    if what == "cover":
        return Coverage("r", int(gap_s * S))
    if what == "resumed":
        return Coverage("r", 0, resumed=True)
    if what == "blind":
        return Coverage("r", int(gap_s * S), (1,))
    if what == "stall":
        return Stall(S)
    point = "r:3" if what in {"strong", "other"} else "r:1"
    age_ns = 2 * S if what == "late" else 0
    return report(read(point, dbm=-40.0 if what == "strong" else -55.0, age_ns=age_ns))


def run(moments: list[tuple[float, str, int]]) -> Play:
    play = Play([Presence])
    for gap_s, what, times in moments:
        for _ in range(times):
            play.feed(play.now_s + gap_s, fact_of(what, gap_s))
    return play


@settings(max_examples=150, deadline=None)
@given(MOMENTS)
def test_arrivals_and_departures_alternate(moments: list[tuple[float, str, int]]) -> None:
    play = run(moments)
    inside: set[str] = set()
    for fact in play.kinds(Arrival, Departure):
        if type(fact) is Arrival:
            assert inside == set()
            inside.add(fact.zone)
        else:
            assert inside == {fact.zone}
            inside.clear()
    kept = {row["zone"] for key, row in play.rows.items() if key.startswith("tag:")}
    assert kept == inside
    assert run(moments).told == play.told


@settings(max_examples=100, deadline=None)
@given(MOMENTS)
def test_without_coverage_nothing_departs(moments: list[tuple[float, str, int]]) -> None:
    blind = [moment for moment in moments if moment[1] not in {"cover", "resumed", "blind"}]
    play = run(blind)
    assert [fact for fact in play.kinds(Departure) if not fact.to_zone] == []
