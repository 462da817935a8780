"""Loads of many tags at a gate: they pass, meet, wait, turn back, and take weak tags along."""

from collections import Counter

import pytest

from gateway.model import Coverage, Passage, Site
from gateway.model import Portal as Wired
from rules.portal import Portal
from tests.rules.gate import (
    INNER,
    OUTER,
    Reads,
    Stations,
    carried,
    directions,
    epcs_of,
    go,
    hill,
    load,
    through,
    watched,
)
from tests.rules.play import TAG, Play, read, report, seconds


def ways(play: Play) -> dict[str, list[str]]:
    """Which way each tag was told to go; turning back is no way."""
    told: dict[str, list[str]] = {}
    for fact in play.kinds(Passage):
        if fact.direction != "turned_back":
            told.setdefault(fact.epc, []).append(fact.direction)
    return told


@pytest.mark.parametrize("speed_m_s", [0.9, 1.4, 2.2])
@pytest.mark.parametrize(("inward", "way"), [(True, "in"), (False, "out")])
def test_load_is_told_within_3_s_after_it_was_2_m_behind_the_gate(
    speed_m_s: float, inward: bool, way: str
) -> None:
    play = watched(lateness_s=1.0)
    go(play, load("a", through(5.0, speed_m_s, inward)), 30.0)
    assert ways(play) == {epc: [way] for epc in epcs_of("a")}
    passed_s = 5.0 + 7.0 / speed_m_s
    late = [when for when in play.times(Passage) if when > passed_s + 3.0]
    assert len(late) <= 1
    crossed_s = 5.0 + 5.0 / speed_m_s
    for fact in play.kinds(Passage):
        assert abs(seconds((fact.since + fact.until) // 2) - crossed_s) < 2.5
        assert fact.confidence_permille >= 980


def test_load_that_turns_back_passes_nothing() -> None:
    for name, deepest_m, stays_s in (("a", -0.8, 0.5), ("b", 0.0, 2.0), ("c", 0.8, 4.0)):
        play = watched(lateness_s=1.0)
        back = [(5.0, -5.0), (10.0, deepest_m), (10.0 + stays_s, deepest_m), (20.0, -5.0)]
        go(play, load(name, back), 40.0)
        assert Counter(directions(play)) == {"turned_back": 20}


@pytest.mark.parametrize("stop_m", [-0.9, 0.0, 0.9])
def test_load_that_waits_in_the_gate_is_told_once_when_it_goes_on(stop_m: float) -> None:
    play = watched(lateness_s=1.0)
    waits = [(5.0, -5.0), (10.0, stop_m), (40.0, stop_m), (46.0, 5.0)]
    go(play, load("a", waits), 60.0)
    assert ways(play) == {epc: ["in"] for epc in epcs_of("a")}
    assert min(play.times(Passage)) > 40.0


def test_loads_that_meet_in_the_gate_go_each_its_own_way() -> None:
    play = watched(lateness_s=1.0)
    reads = load("a", through(5.0, 1.2)) + load("b", through(5.8, 1.5, inward=False))
    go(play, reads, 30.0)
    assert ways(play) == {epc: ["in"] for epc in epcs_of("a")} | {
        epc: ["out"] for epc in epcs_of("b")
    }


def test_train_of_loads_is_told_load_by_load() -> None:
    play = watched(lateness_s=1.0)
    reads = load("a", through(5.0, 0.9)) + load("b", through(7.5, 0.9))
    go(play, reads, 40.0)
    assert ways(play) == {epc: ["in"] for epc in epcs_of("a") + epcs_of("b")}
    first = [when for when, fact in play.told if fact.epc in epcs_of("a")]  # type: ignore[attr-defined]
    assert sorted(first)[-2] < 5.0 + 7.0 / 0.9 + 3.0


def test_load_that_passed_and_comes_back_is_told_twice() -> None:
    play = watched(lateness_s=1.0)
    there_and_back = [(5.0, -5.0), (12.0, 4.5), (16.0, 4.5), (24.0, -5.0)]
    go(play, load("a", there_and_back), 40.0)
    assert ways(play) == {epc: ["in", "out"] for epc in epcs_of("a")}


@pytest.mark.parametrize(
    ("weak", "told"),
    [
        ([(8.2, OUTER, -70.0), (10.3, INNER, -71.0)], True),
        ([(10.2, INNER, -70.0), (10.9, INNER, -65.0)], True),
        ([(8.2, INNER, -70.0), (10.3, OUTER, -71.0)], False),
        ([(10.3, INNER, -71.0)], False),
    ],
    ids=["both sides", "far side", "against it", "once"],
)
def test_tag_read_too_seldom_goes_with_its_load_if_its_reads_fit(
    weak: list[tuple[float, str, float]], told: bool
) -> None:
    play = watched(lateness_s=1.0)
    seldom = [(when, read(point, TAG, dbm)) for when, point, dbm in weak]
    go(play, load("a", through(5.0, 1.2)) + seldom, 60.0)
    assert (ways(play).get(TAG) == ["in"]) is told
    assert len(ways(play)) == 20 + told


def test_tag_that_fell_silent_while_its_load_waits_goes_on_with_it() -> None:
    play = watched(lateness_s=1.0)
    waits = [(5.0, -5.0), (10.0, 0.6), (30.0, 0.6), (36.0, 5.0)]
    seldom = [(8.2, read(OUTER, TAG, -66.0)), (9.8, read(INNER, TAG, -67.0))]
    go(play, load("a", waits) + seldom, 60.0)
    assert ways(play) == {epc: ["in"] for epc in [*epcs_of("a"), TAG]}


def test_tag_heard_once_and_not_again_until_its_load_has_turned_goes_with_it() -> None:
    play = watched(lateness_s=1.0)
    seldom = [(6.3, read(OUTER, TAG, -70.0)), (10.4, read(INNER, TAG, -71.0))]
    go(play, load("a", through(5.0, 1.2)) + seldom, 60.0)
    assert ways(play).get(TAG) == ["in"]


def test_tag_that_did_not_move_while_its_load_waited_goes_on_with_it() -> None:
    play = watched(lateness_s=1.0)
    waits = [(5.0, -5.0), (10.0, -0.9), (30.0, -0.9), (36.0, 5.0)]
    stood = [(9.5 + n / 2, read(OUTER, TAG, -66.0)) for n in range(41)]
    go(play, [*load("a", waits), *stood, (31.2, read(INNER, TAG, -67.0))], 60.0)
    assert ways(play) == {epc: ["in"] for epc in [*epcs_of("a"), TAG]}


def test_read_after_a_passage_shows_no_tag_that_stands() -> None:
    play = watched(lateness_s=1.0)
    late = [(13.5 + n / 2, read(INNER, epc, -77.0)) for n, epc in enumerate(epcs_of("a", 3))]
    back = [
        (when, tag)
        for when, tag in load("a", through(65.0, 1.2, inward=False))
        if tag.epc not in epcs_of("a", 3)
    ]
    for epc in epcs_of("a", 3):
        back += [(68.6, read(INNER, epc, -70.0)), (70.1, read(OUTER, epc, -71.0))]
    go(play, load("a", through(5.0, 1.2)) + late + back, 90.0)
    assert ways(play) == {epc: ["in", "out"] for epc in epcs_of("a")}


def test_tag_that_turned_back_by_itself_may_stand_and_goes_with_no_load() -> None:
    play = watched(lateness_s=1.0)
    beside = [(38.4, read(OUTER, TAG, -60.0)), (39.6, read(OUTER, TAG, -64.0))]
    go(play, hill(OUTER, 3.0) + load("a", through(35.0, 1.2)) + beside, 60.0)
    assert ways(play) == {epc: ["in"] for epc in epcs_of("a")}


def test_tag_between_two_loads_that_meet_waits_for_both_and_goes_with_neither() -> None:
    play = watched(lateness_s=1.0)
    reads = load("a", through(5.0, 1.4)) + load("b", through(5.0, 1.2, inward=False))
    middle = [(8.9, read(OUTER, TAG, -60.0)), (8.95, read(INNER, TAG, -60.0))]
    go(play, reads + middle, 90.0)
    assert TAG not in ways(play)


def test_knob_sets_how_soon_a_load_is_told() -> None:
    last_s = []
    for sure in (0.0, 0.5, 1.0):
        play = watched(lateness_s=1.0, settings={"sure": sure})
        go(play, load("a", through(5.0, 1.2)), 30.0)
        assert ways(play) == {epc: ["in"] for epc in epcs_of("a")}
        last_s.append(max(play.times(Passage)))
    assert last_s == sorted(set(last_s))


def test_gate_may_have_its_own_knob() -> None:
    times = []
    for sure in (0.0, 1.0):
        gate = Wired("gate", (OUTER,), (INNER,), "yard", "hall", sure)
        play = watched(lateness_s=1.0, site=Site(portals=(gate,)), settings={"sure": 0.5})
        go(play, carried(TAG, through(5.0)), 30.0)
        assert ways(play) == {TAG: ["in"]}
        times.append(play.times(Passage)[0])
    assert times[1] - times[0] == pytest.approx(2.0, abs=0.3)


def test_tag_first_heard_beside_a_load_and_always_at_one_level_stands() -> None:
    play = watched(lateness_s=1.0)
    stands = [(8.0 + n / 2, read(OUTER, TAG, -60.0)) for n in range(4)]
    go(play, load("a", through(5.0, 1.2)) + stands, 60.0)
    assert TAG not in ways(play)


def test_reads_too_few_without_companions_are_no_passage() -> None:
    play = watched(lateness_s=1.0)
    go(play, [(8.2, read(OUTER, TAG, -70.0)), (10.3, read(INNER, TAG, -71.0))], 60.0)
    assert play.told == []


def test_single_tag_in_the_hand_is_told_by_its_own_reads() -> None:
    play = watched(lateness_s=1.0)
    go(play, carried(TAG, through(5.0)) + carried("30ff", through(7.0, 1.3, inward=False)), 30.0)
    assert ways(play) == {TAG: ["in"], "30ff": ["out"]}


def rack(epc: str, dbm: float, since_s: float, until_s: float) -> Reads:
    """A tag beside the gate that both sides hear; it drops out for seconds, and is shadowed."""
    reads: Reads = []
    now_s, number = since_s, 0
    while now_s < until_s:
        number += 1
        shadow = -9.0 if number % 17 == 0 else 0.0
        reads.append((now_s, read(OUTER, epc, dbm + shadow + 0.5 * (number % 2))))
        if number % 3 == 0:
            reads.append((now_s + 0.1, read(INNER, epc, dbm - 3.0 + shadow)))
        now_s += 7.0 if number % 11 == 0 else 0.7
    return reads


def test_racks_beside_the_gate_pass_nothing_whatever_passes_between_them() -> None:
    play = watched(lateness_s=1.0)
    reads: Reads = []
    for number in range(10):
        reads += rack(f"30aa{number:04x}", -55.0 - 2 * number, 2.0 + number / 10, 200.0)
    for number in range(5):
        reads += load(f"{number}", through(30.0 + 30 * number, 1.0, inward=number % 2 == 0))
    go(play, reads, 230.0)
    assert sum(map(len, ways(play).values())) == 100
    assert not any(epc.startswith("30aa") for epc in ways(play))


def test_rack_tag_that_is_taken_along_passes() -> None:
    play = watched(lateness_s=1.0)
    taken = [(60.0, -2.0), (62.0, -1.0), (68.0, 5.0)]
    stands = [(2.0 + n / 4, read(OUTER, TAG, -66.0)) for n in range(230)]
    go(play, stands + carried(TAG, taken), 90.0)
    assert ways(play) == {TAG: ["in"]}


def test_tags_that_stand_are_not_looked_at_when_the_gate_is_watched() -> None:
    play = watched(lateness_s=1.0)
    reads: Reads = []
    for number in range(50):
        reads += rack(f"30aa{number:04x}", -50.0 - number / 3, 2.0, 60.0)
    go(play, reads, 80.0)
    rule = play.engine._rules[0]
    assert isinstance(rule, Portal)
    gate = rule._points[OUTER][0]
    assert (len(gate.tracks), len(gate.awake)) == (50, 0)


def halves(stations: Stations, at_s: float) -> tuple[Reads, Reads]:
    reads = sorted(load("a", stations), key=lambda pair: pair[0])
    return [p for p in reads if p[0] < at_s], [p for p in reads if p[0] >= at_s]


def test_load_cut_by_a_restart_is_uncertain_and_not_turned_back() -> None:
    _, after = halves(through(5.0, 1.2), 9.8)
    play = Play([Portal], lateness_s=1.0, now_s=9.5)
    play.feed(9.6, Coverage("g", 0, resumed=True))
    go(play, after, 30.0)
    told = Counter(directions(play))
    assert told["uncertain"] >= 15
    assert told["in"] == told["out"] == told["turned_back"] == 0


def test_load_is_not_gone_when_its_antenna_falls_out() -> None:
    play = watched(lateness_s=1.0)
    stays = [(5.0, -5.0), (10.0, 0.9), (40.0, 0.9)]
    go(play, [pair for pair in load("a", stays) if pair[0] < 11.5], 11.5)
    play.cover(13.9, device="g", blind=(2,))
    assert play.told == []


def test_load_is_not_gone_when_its_reader_was_dead() -> None:
    before, _ = halves(through(5.0, 1.2), 9.9)
    play = watched(lateness_s=1.0)
    go(play, before, 9.9)
    play.feed(60.0, report(read("r:1"), device="r"))
    play.feed(60.0, Coverage("g", 0, resumed=True))
    play.cover(62.0, device="g")
    assert play.told == []
