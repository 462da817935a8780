from random import Random

import pytest

from gateway.model import Arrival, Coverage, Departure, ReadPace
from rules.pace import LEAVE_GAPS, LEAVE_MAX_NS, Pace
from rules.presence import Presence
from tests.rules.play import OTHER, TAG, Play, S, read, report
from tests.rules.tags import OFTEN, SELDOM, commissioned


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
