import pytest

from gateway.model import Coverage, Fact
from rules import gate
from rules.portal import Portal
from tests.rules.gate import INNER, OUTER, directions, go, hill, watched
from tests.rules.play import OTHER, TAG, Play, S, read, report, seconds


@pytest.mark.parametrize(
    ("first", "second", "direction"), [(OUTER, INNER, "in"), (INNER, OUTER, "out")]
)
def test_direction_is_the_order_of_the_sides(first: str, second: str, direction: str) -> None:
    play = watched()
    go(play, hill(first, 3.0) + hill(second, 4.0), 10.0)
    [passage] = play.kinds()
    assert (passage.portal, passage.epc, passage.direction) == ("gate", TAG, direction)
    assert (seconds(passage.since), seconds(passage.until)) == (2.0, 5.0)
    assert (passage.reads, passage.rssi_cdbm) == (42, -4500)
    assert passage.confidence_permille >= 980
    assert play.told[0][0] == pytest.approx(6.5, abs=0.3)


def test_stray_reads_of_the_far_side_do_not_turn_the_direction() -> None:
    play = watched()
    late = [(5.0 + index / 10, read(OUTER, TAG, -68.0)) for index in range(3)]
    go(play, hill(OUTER, 3.0) + hill(INNER, 4.2) + late, 10.0)
    assert directions(play) == ["in"]


def test_tag_that_one_side_saw_turned_back() -> None:
    play = watched()
    go(play, hill(OUTER, 3.0), 10.0)
    assert directions(play) == ["turned_back"]


def test_tag_that_went_half_way_turned_back() -> None:
    play = watched()
    go(play, hill(OUTER, 3.0) + hill(INNER, 4.0, peak=-55.0) + hill(OUTER, 5.0), 10.0)
    assert directions(play) == ["turned_back"]


def test_both_sides_at_once_are_uncertain() -> None:
    play = watched()
    reads = hill(OUTER, 3.0) + [
        (at_s + 0.05, tag._replace(read_point=INNER)) for at_s, tag in hill(OUTER, 3.0)
    ]
    go(play, reads, 10.0)
    assert directions(play) == ["uncertain"]


def test_tag_whose_levels_never_change_did_not_move_and_is_not_told() -> None:
    play = watched()
    flat = [
        (2.0 + index / 10, read(OUTER if index < 10 else INNER, dbm=-60.0)) for index in range(20)
    ]
    go(play, flat, 10.0)
    assert play.told == []


def test_reader_without_rssi_tells_direction_by_time_alone() -> None:
    play = watched()
    flat = [
        (2.0 + index / 10, read(OUTER if index < 10 else INNER, dbm=None)) for index in range(20)
    ]
    go(play, flat, 10.0)
    assert directions(play) == ["in"]


def test_two_reads_are_no_passage() -> None:
    play = watched()
    go(play, [(2.0, read(OUTER)), (2.5, read(INNER, dbm=-40.0))], 10.0)
    assert play.told == []


def test_static_tag_beside_the_gate_passes_nothing() -> None:
    play = watched()
    reads = [(2.0 + index / 4, read(OUTER, dbm=-50.0 - index % 3 / 2)) for index in range(200)]
    go(play, reads, 60.0)
    assert play.told == []


def test_shadow_shorter_than_quiet_time_does_not_cut_a_passage() -> None:
    play = watched()
    go(play, hill(OUTER, 3.0) + hill(INNER, 6.3), 12.0)
    assert directions(play) == ["in"]


def test_several_tags_at_once_are_judged_each() -> None:
    play = watched()
    tags = [f"3034{index:020x}" for index in range(30)]
    reads = [pair for epc in tags for pair in hill(OUTER, 3.0, epc) + hill(INNER, 4.0, epc)]
    reads += hill(INNER, 3.0, OTHER) + hill(OUTER, 4.0, OTHER)
    go(play, reads, 10.0)
    assert sorted(directions(play)) == ["in"] * 30 + ["out"]
    assert {fact.epc for fact in play.kinds() if fact.direction == "out"} == {OTHER}


def test_reader_stamps_make_the_order_when_reports_come_in_another() -> None:
    play = watched()
    inner = [tag._replace(age_ns=int((5.2 - at_s) * S)) for at_s, tag in hill(INNER, 4.0)]
    outer = [tag._replace(age_ns=int((5.3 - at_s) * S)) for at_s, tag in hill(OUTER, 3.0)]
    play.cover(5.0, device="g")
    play.feed(5.2, report(*inner, device="g"))
    play.feed(5.3, report(*outer, device="g"))
    play.cover(10.0, device="g")
    [passage] = play.kinds()
    assert passage.direction == "in"
    assert (seconds(passage.since), seconds(passage.until)) == (2.0, 5.0)
    assert passage.confidence_permille >= 980


def test_reads_that_may_come_late_are_waited_for() -> None:
    play = watched(lateness_s=2.0)
    go(play, hill(OUTER, 3.0), 6.0)
    late = [tag._replace(age_ns=int((6.5 - at_s) * S)) for at_s, tag in hill(INNER, 4.5)]
    play.feed(6.5, report(*late, device="g"))
    play.cover(12.0, device="g")
    assert directions(play) == ["in"]


def test_accumulated_reads_stand_in_the_middle_of_their_span() -> None:
    play = watched()
    outer = read(OUTER, dbm=-45.0, seen_count=20, span_ns=S, age_ns=int(1.2 * S))
    inner = read(INNER, dbm=-52.0, seen_count=20, span_ns=S)
    play.cover(5.0, device="g")
    play.feed(5.0, report(outer, inner, device="g"))
    play.cover(10.0, device="g")
    [passage] = play.kinds()
    assert (passage.direction, passage.reads) == ("in", 40)
    assert seconds(passage.since) == 2.8


def test_stall_in_the_middle_does_not_cut_a_passage() -> None:
    play = watched()
    go(play, hill(OUTER, 3.0), 4.0)
    play.feed(9.0, Coverage("g", 0, resumed=True))
    assert play.told == []
    go(play, hill(INNER, 11.3), 15.0)
    assert directions(play) == ["in"]


@pytest.mark.parametrize(
    "blind", [Coverage("g", 0, resumed=True), Coverage("g", S // 4, (2,))], ids=["stall", "antenna"]
)
def test_one_side_alone_proves_nothing_after_blind_time(blind: Fact) -> None:
    play = watched()
    go(play, hill(OUTER, 3.0), 4.0)
    play.feed(4.1, blind)
    play.cover(10.0, device="g")
    assert directions(play) == ["uncertain"]


def test_dead_reader_judges_nothing() -> None:
    play = watched()
    go(play, hill(OUTER, 3.0), 4.0)
    play.feed(100.0, Coverage("r", S), report(read(), device="r"))
    play.wake(200.0)
    assert play.told == []


def crossing(play: Play) -> None:
    """A tag goes from one reader of a gate to the other, and both watch."""
    for moment, tag in hill("h:1", 3.0):
        play.feed(moment, report(tag, device="h"))
    for moment, tag in hill("k:1", 4.5):
        play.feed(moment, report(tag, device="k"))


def test_gate_of_two_readers_is_judged_when_both_were_watched() -> None:
    play = Play([Portal])
    play.feed(1.0, Coverage("h", 0, resumed=True), Coverage("k", 0, resumed=True))
    crossing(play)
    play.feed(8.0, Coverage("h", S // 4))
    assert play.told == []
    play.feed(8.0, Coverage("k", S // 4))
    assert directions(play) == ["in"]


def test_report_that_waited_behind_other_facts_does_not_change_the_direction() -> None:
    """Each time the other reader had the last word, 650 ms later."""
    play = Play([Portal])
    play.feed(1.0, Coverage("h", 0, resumed=True), Coverage("k", 0, resumed=True))
    for (outer_s, outer), (inner_s, inner) in zip(hill("h:1", 3.0), hill("k:1", 3.6), strict=True):
        play.feed(inner_s, report(inner, device="k"))
        play.feed(outer_s + 0.65, Coverage("k", S // 4))
        play.feed(outer_s, report(outer, device="h"))
    play.feed(9.0, Coverage("h", S // 4), Coverage("k", S // 4))
    [passage] = play.kinds()
    assert passage.direction == "in"
    assert (seconds(passage.since), seconds(passage.until)) == (2.0, 4.6)


def test_gate_with_one_reader_dead_is_judged_in_the_end_and_not_as_turned_back() -> None:
    play = Play([Portal])
    play.feed(1.0, Coverage("h", 0, resumed=True))
    for moment, tag in hill("h:1", 3.0):
        play.feed(moment, report(tag, device="h"))
    play.cover(14.0, device="h")
    assert play.told == []
    play.cover(17.0, device="h")
    assert directions(play) == ["uncertain"]


def test_tags_of_a_gate_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "TRACKS_MAX", 10)
    play = watched()
    for index in range(100):
        play.feed(2.0, report(read(OUTER, f"{index:024x}"), device="g"))
    rule = play.engine._rules[0]
    assert isinstance(rule, Portal)
    known = rule._points[OUTER][0]
    assert (len(known.tracks), len(known.awake)) == (10, 10)
