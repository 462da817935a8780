from random import Random

import pytest

from gateway.model import Arrival, Coverage, Departure, ReadPace
from rules.pace import KEPT_NS, KEPT_S, LEAVE_MAX_NS, STEPS_NS, Pace
from rules.presence import Presence
from tests.rules.play import OTHER, TAG, Play, S, read, report
from tests.rules.tags import GONE_S, HELD_S, SELDOM, taught

OTHERS = [read(epc=f"30bb0{index}") for index in range(6)]
"""Tags that are read often, and show what is usual in their zone."""


def among_others() -> Play:
    """A tag that is read seldom stands among such as are read often until second 300."""
    play = taught()
    play.cover(13.0, reads={0.6: [read()], 0.125: OTHERS})
    play.cover(300.0, reads={**SELDOM, 0.125: OTHERS})
    return play


def departed(play: Play, epc: str = TAG) -> list[float]:
    return [when for when, fact in play.told if type(fact) is Departure and fact.epc == epc]


def paces(play: Play, epc: str = TAG) -> list[int]:
    return [fact.leave_ns for fact in play.kinds(ReadPace) if fact.epc == epc]


def test_seldom_read_tags_of_the_first_start_are_no_receipts() -> None:
    """In session 1 a tag that was there all along may take half a minute to be believed."""
    play = Play([Presence])
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
    play = among_others()
    play.cover(1800.0, reads={**SELDOM, 0.125: OTHERS})
    assert play.kinds(Departure) == []
    told = paces(play)
    assert told[-1] > 20 * S
    kept_ms = play.rows["tag:" + TAG]["leave_ms"]
    assert kept_ms in {kept // 1_000_000 for kept in KEPT_NS}
    assert kept_ms >= told[-1] // 1_000_000
    assert len(told) < 6
    assert play.puts <= len(play.kinds(Arrival)) + len(KEPT_NS)


def test_a_window_is_kept_when_it_outgrows_what_is_kept_and_never_else() -> None:
    pace = Pace(S, STEPS_NS[0])
    rows = []
    for window_s in (8, 19, 24, 8, 45, 60, 24, 61, 119, 290, 8, 300):
        pace.told_anew(window_s * S)
        rows.append(pace.kept // S if pace.kept_anew() else None)
    assert rows == [None, None, 50, None, None, 120, None, None, None, 300, None, None]


def test_seldom_read_tag_leaves_after_its_own_window() -> None:
    play = among_others()
    play.cover(300.0 + 19.0, reads={0.125: OTHERS})
    assert departed(play) == []
    play.cover(400.0, reads={0.125: OTHERS})
    [silent_until] = departed(play)
    assert silent_until <= 300.0 + paces(play)[-1] / S


def test_zone_where_all_tags_are_read_seldom_does_not_flap() -> None:
    play = taught()
    play.cover(13.0, reads={0.6: [read()]})
    play.cover(1800.0, reads=SELDOM)
    assert play.kinds(Departure) == []
    assert play.puts < 6
    play.cover(1880.0)
    assert len(departed(play)) == 1


def test_restart_does_not_forget_a_slow_pace() -> None:
    rows = {"zone:A": {}, "tag:" + TAG: {"zone": "A", "leave_ms": 40000}}
    play = Play([Presence], rows=rows, last_alive_s=-5.0)
    play.cover(39.0, resumed=True)
    assert play.kinds(ReadPace) == [ReadPace("A", TAG, 40 * S)]
    play.cover(41.0)
    assert len(play.kinds(Departure)) == 1


def test_tag_that_speeds_up_gets_the_usual_window_back() -> None:
    play = among_others()
    slow = paces(play)[-1]
    play.cover(600.0, reads={0.125: [*OTHERS, read()]})
    assert paces(play)[-1] < slow
    assert paces(play)[-1] <= 20 * S
    play.cover(600.0 + HELD_S, reads={0.125: OTHERS})
    assert departed(play) == []
    play.cover(600.0 + GONE_S, reads={0.125: OTHERS})
    assert len(departed(play)) == 1


@pytest.mark.parametrize("false_per_h", [1e-5, 0.02, 1.0, 1e6])
def test_slack_is_for_what_is_read_more_seldom_than_is_usual(false_per_h: float) -> None:
    """However many departures a zone has seen, a seldom read tag gets no less time than others."""
    slacks = [Pace(gap_s * S, STEPS_NS[0]).slack_ns(S, false_per_h) for gap_s in (0, 1, 2, 5, 20)]
    assert slacks[:2] == [0, 0]
    assert slacks == sorted(slacks)


def test_slack_is_longer_the_surer_a_zone_is_to_be() -> None:
    pace = Pace(4 * S, STEPS_NS[0])
    assert 4 * S < pace.slack_ns(S, 0.1) < pace.slack_ns(S, 0.001)


def test_mean_gap_follows_the_reads_and_forgets() -> None:
    """The gap in which a moment falls: 20 gaps of 3 s, then a minute of 60 gaps of 1 s."""
    pace = Pace(S, STEPS_NS[0])
    pace.squares_s = 20 * 9.0
    assert pace.measure(60 * S, 0) == 60 * S
    assert pace.gap == 3 * S
    pace.squares_s = 30 * 1.0
    pace.measure(90 * S, 0)
    assert S < pace.gap < 3 * S
    pace.squares_s = KEPT_S
    pace.measure(90 * S + int(KEPT_S) * S, 0)
    assert pace.gap == S


def test_reads_that_crowd_into_one_turn_are_no_pace() -> None:
    """Ten reads within a second, and then none for nine: a moment falls into the long gap."""
    pace = Pace(S, STEPS_NS[0])
    for turn in range(1, 7):
        pace.squares_s = 10 * 0.1**2 + 9.0**2
        pace.measure(turn * 10 * S, 0)
    assert pace.gap > 8 * S


def test_measuring_twice_at_once_changes_nothing() -> None:
    pace = Pace(2 * S, STEPS_NS[0])
    assert [pace.measure(0, 0), pace.measure(0, 0), pace.gap] == [0, 0, 2 * S]


def test_window_is_told_in_steps_and_is_steady_at_a_border() -> None:
    pace = Pace(S, 10 * S)
    told = [pace.told_anew((15 + turn % 2) * S) for turn in range(20)]
    assert (told[:3], sum(told), pace.told) == ([True, True, False], 2, 20 * S)
    assert pace.told_anew(9000 * S)
    assert pace.told == LEAVE_MAX_NS
    assert pace.told_anew(9 * S)
    assert pace.told == 10 * S


@pytest.mark.parametrize(("per_s", "leave_s"), [(8.0, GONE_S), (0.35, 75.0)], ids=["s0", "s1"])
def test_tags_read_by_chance_do_not_flap(per_s: float, leave_s: float) -> None:
    """Ten tags for an hour, read like a Poisson process: the hardest case of a rate."""
    random = Random(5)
    play = taught()
    tags = [f"3034{index:020x}" for index in range(10)]
    for tenth in range(30):
        play.feed(10.0 + tenth / 10, report(*[read(epc=epc) for epc in tags]))
    due = dict.fromkeys(tags, 13.0)
    while play.now_s < 3600.0:
        now_s = play.now_s + 0.25
        for epc in tags:
            while due[epc] <= now_s:
                play.feed(due[epc], report(read(epc=epc)))
                due[epc] += random.expovariate(per_s)
        play.feed(now_s, Coverage("r", S // 4))
    assert play.kinds(Departure) == []
    assert play.puts < 20 * len(tags)
    play.cover(play.now_s + leave_s)
    assert len(play.times(Departure)) == 10


@pytest.mark.parametrize(("gap_s", "cause"), [(1.0, "live"), (6.0, "first_start")])
def test_what_is_read_weakly_soon_after_the_start_was_there_if_it_is_read_seldom(
    gap_s: float, cause: str
) -> None:
    """A minute of watching would have found one that is read each second."""
    play = Play([Presence])
    play.feed(0.0, Coverage("r", 0, resumed=True))
    strong = [read(epc=f"3034{index:02x}") for index in range(8)]
    play.cover(60.0, reads={0.5: strong})
    play.cover(130.0, reads={0.5: strong, gap_s: [read(epc=OTHER, dbm=-75.0)]})
    found = [fact.cause for fact in play.kinds(Arrival) if fact.epc == OTHER]
    assert found == [cause]
