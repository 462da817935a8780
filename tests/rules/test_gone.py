"""A tag that had not left is known to, though the gateway was restarted meanwhile."""

from typing import Any

import pytest

from gateway.model import Arrival, Departure, Movement, Passage, StillStands
from gateway.ports import Row
from rules.gone import GONE_NS, Gone, GoneRows
from rules.movement import MovementRule
from rules.passed import PASSED_MAX, Passed
from rules.presence import Presence
from tests.rules.acts import NUT, NUT_TAG
from tests.rules.play import BOLT, OTHER, TAG, Play, S, at, read, report, seconds
from tests.rules.tags import GONE_S, OFTEN, ZONES, presence, present, taught

HELD_S = GONE_NS / S


def row_of(play: Play, epc: str = TAG) -> Any:
    """The row of a departure, if there is one."""
    rows = (row for key, row in play.rows.items() if key.startswith("gone:"))
    return next((row for row in rows if row["epc"] == epc), None)


def gone() -> Play:
    """A tag that stood is told to have left."""
    play = present(taught())
    play.cover(13.0 + GONE_S)
    assert len(play.kinds(Departure)) == 1
    assert row_of(play)["point"] == "r:1"
    return play


def again(play: Play, rules: Any = (Presence,), **known: Any) -> Play:
    later = Play(rules, rows=play.rows, last_alive_s=play.now_s, now_s=play.now_s + 2.0, **known)
    later.cover(later.now_s + 1.0, resumed=True)
    return later


def test_tag_that_is_read_again_as_it_stood_had_not_left_before_the_restart() -> None:
    later = again(gone())
    later.cover(later.now_s + 2.0, reads=OFTEN)
    [arrival] = later.kinds(Arrival)
    assert (arrival.refutes, arrival.zone, arrival.from_zone) == (True, "A", "A")
    assert row_of(later) is None
    assert "tag:" + TAG in later.rows


def test_tag_that_moved_before_the_restart_may_be_where_it_was() -> None:
    play = present(taught())
    play.cover(18.0, reads={0.125: [read("r:3")]})
    assert [fact.zone for fact in play.kinds(Arrival)] == ["A", "B"]
    later = again(play)
    later.cover(later.now_s + 4.0, reads=OFTEN)
    [arrival] = later.kinds(Arrival)
    assert (arrival.refutes, arrival.zone, arrival.from_zone) == (True, "A", "A")


@pytest.mark.parametrize(
    ("wait_s", "there"), [(HELD_S + 1.0, read()), (1.0, read(dbm=-57.0))], ids=["late", "weaker"]
)
def test_tag_that_stands_otherwise_or_later_has_come_anew(wait_s: float, there: Any) -> None:
    later = again(gone())
    later.cover(later.now_s + wait_s)
    later.cover(later.now_s + 10.0, reads={0.125: [there]})
    [arrival] = later.kinds(Arrival)
    assert (arrival.refutes, arrival.from_zone) == (False, "")


@pytest.mark.parametrize(("boot", "point"), [("boot-2", "r:1"), ("boot-1", "r:99")])
def test_other_boot_or_antenna_that_is_no_more_refutes_nothing(boot: str, point: str) -> None:
    play = gone()
    row_of(play)["point"] = point
    later = again(play, boot=boot)
    later.cover(later.now_s + 10.0, reads=OFTEN)
    assert [fact.refutes for fact in later.kinds(Arrival)] == [False]


@pytest.mark.parametrize(("wait_s", "kept"), [(0.0, True), (HELD_S, False)])
def test_row_is_written_over_by_a_later_departure_when_its_time_is_over(
    wait_s: float, kept: bool
) -> None:
    later = again(gone())
    rows = len(later.rows)
    later.cover(later.now_s + wait_s)
    for number in range(20):
        later.cover(later.now_s + 4.0, reads={0.125: [read(epc=f"30bb{number:02}")]})
    later.cover(later.now_s + GONE_S)
    assert row_of(later, "30bb19") is not None
    assert (row_of(later) is not None) == kept
    assert kept or len(later.rows) <= rows + 2


def test_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.gone.GONE_MAX", 2)
    play = taught()
    play.cover(14.0, reads={0.125: [read(epc=f"30bb0{number}") for number in range(4)]})
    play.cover(14.0 + GONE_S)
    assert len(play.kinds(Departure)) == 4
    assert len([key for key in play.rows if key.startswith("gone:")]) == 2


def test_movement_of_an_earlier_run_is_reversed_by_presence_and_movement_together() -> None:
    both, items = [Presence, MovementRule], (BOLT, NUT)
    rows = {f"Presence/{key}": row for key, row in ZONES.items()}
    play = Play(both, rows=rows, items=items)
    play.cover(10.0, resumed=True)
    there = {0.125: [read(epc=NUT_TAG)]}
    play.cover(13.0, reads=there)
    play.cover(13.0 + GONE_S)
    came, left = play.kinds(Movement)
    later = again(play, both, items=items)
    later.cover(later.now_s + 3.0, reads=there)
    [back] = later.kinds(Movement)
    assert (back.reverses, back.reason, back.to_location) == (left.movement_id, "refuted", "A")
    assert (came.reverses, left.reverses) == (None, None)


OUT = Passage("gate", TAG, "out", at(12.0), at(13.0), 40, -4500, 960)


def test_tag_that_stands_still_went_through_no_gate() -> None:
    play = present(taught())
    play.feed(13.5, OUT)
    play.cover(16.5, reads=OFTEN)
    assert play.kinds(StillStands) == []
    play.cover(40.0, reads=OFTEN)
    [stands] = play.kinds(StillStands)
    assert (stands.zone, stands.epc, stands.rssi_cdbm) == ("A", TAG, -5000)
    [told_at] = play.times(StillStands)
    assert 16.0 < told_at <= 13.5 + 11.0
    assert len(play.kinds(Arrival)) == 1
    assert play.kinds(Departure) == []


@pytest.mark.parametrize(
    ("passage", "reads"),
    [
        (Passage("gate", TAG, "turned_back", at(12.0), at(13.0), 40, -4500, 960), OFTEN),
        (Passage("gate", OTHER, "out", at(12.0), at(13.0), 40, -4500, 960), OFTEN),
        (OUT, None),
        (OUT, {0.125: [read(dbm=-57.0)]}),
    ],
    ids=["turned back", "another tag", "not read", "read otherwise"],
)
def test_nothing_is_told_of_what_may_have_gone(passage: Passage, reads: Any) -> None:
    play = present(taught())
    play.feed(13.5, passage)
    play.cover(35.0, reads=reads)
    assert play.kinds(StillStands) == []


@pytest.mark.parametrize("passing_s", [0.0, 2.0])
def test_one_read_as_it_stood_is_chance(passing_s: float) -> None:
    """What is read while it passes says nothing."""
    play = present(taught())
    play.feed(13.5, OUT)
    play.cover(13.5 + passing_s, reads=OFTEN)
    play.cover(20.0)
    play.feed(20.1, report(read()))
    play.cover(60.0)
    assert play.kinds(StillStands) == []


def test_passage_of_what_stands_is_taken_back_by_presence_and_movement_together() -> None:
    rows = {f"Presence/{key}": row for key, row in ZONES.items()}
    play = Play([Presence, MovementRule], rows=rows, items=(BOLT, NUT))
    play.cover(10.0, resumed=True)
    there = {0.125: [read(epc=NUT_TAG)]}
    play.cover(13.0, reads=there)
    play.feed(13.5, Passage("gate", NUT_TAG, "out", at(12.0), at(13.0), 40, -4500, 960))
    play.cover(60.0, reads=there)
    _, passage, back = play.kinds(Movement)
    assert (back.reverses, seconds(back.at_decided) <= 25.0) == (passage.movement_id, True)
    assert (back.from_location, back.to_location) == ("yard", "hall")


def test_tags_that_passed_are_bounded() -> None:
    passed, tag = Passed(150), presence(present(taught()))._tags[TAG]
    for number in range(PASSED_MAX + 1):
        passed.note(str(number), at(0), tag)
    assert ("0" in passed, "1" in passed, str(PASSED_MAX) in passed) == (False, True, True)


def test_rows_of_an_earlier_run_are_written_over_oldest_first() -> None:
    play = gone()
    points = presence(play)._points
    rows = GoneRows("boot-1")
    row = row_of(play)
    for number, told_s in enumerate((60.0, 0.0)):
        told = {**row, "epc": f"3{number}", "told_at": at(told_s)}
        rows.restore(Row(f"gone:{number}", told), points)
    left = Gone(points["r:1"], -5000, at(124.0), at(125.0), 0, roamed=False)
    assert [put.key for put in rows.keep(at(125.0), "32", left).puts] == ["gone:1"]
