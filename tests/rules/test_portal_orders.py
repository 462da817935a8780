"""What an open order changes at a gate: a little, and never without reads."""

import pytest

from gateway.model import ExpectedSet, Fact, Passage, ReferenceDeleted
from rules import gate_expected
from rules.gate_expected import Expected
from tests.rules.gate import (
    INNER,
    OUTER,
    Reads,
    Stations,
    carried,
    directions,
    epcs_of,
    go,
    load,
    through,
    watched,
)
from tests.rules.play import OTHER, TAG, read


def order(*epcs: str, portal: str = "gate", way: str = "in", code: str = "O-1") -> ExpectedSet:
    return ExpectedSet(code, portal, way, frozenset(epcs))  # type: ignore[arg-type]


SELDOM: Reads = [(8.2, read(OUTER, TAG, -60.0)), (10.3, read(INNER, TAG, -61.0))]
LAST: Reads = [(10.3, read(INNER, TAG, -61.0))]
HERE = order(TAG)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([], []),
        ([HERE], ["in"]),
        ([order(TAG, way="out")], []),
        ([order(TAG, portal="two")], []),
        ([order(OTHER)], []),
        ([HERE, order(OTHER)], []),
        ([HERE, ReferenceDeleted("expected", "O-1")], []),
        ([HERE, ReferenceDeleted("item", "O-1")], ["in"]),
    ],
    ids=["none", "this", "other way", "other gate", "other tag", "replaced", "done", "no order"],
)
def test_two_reads_are_a_passage_only_where_an_order_expects_just_that(
    facts: list[Fact], told: list[str]
) -> None:
    play = watched(lateness_s=1.0)
    play.feed(1.0, *facts)
    go(play, SELDOM, 60.0)
    assert [way for way in directions(play) if way in ("in", "out")] == told


@pytest.mark.parametrize("expected", [True, False])
def test_one_read_goes_with_its_load_only_if_expected(expected: bool) -> None:
    play = watched(lateness_s=1.0)
    if expected:
        play.feed(1.0, order(TAG, *epcs_of("a")))
    go(play, load("a", through(5.0, 1.2)) + LAST, 60.0)
    told = {fact.epc for fact in play.kinds(Passage) if fact.direction == "in"}
    assert told == {*epcs_of("a"), *([TAG] if expected else [])}


TURNS: Stations = [(5.0, -5.0), (10.0, 0.5), (13.0, 0.5), (18.0, -5.0)]


def test_expected_load_that_turns_back_or_is_not_read_is_not_booked() -> None:
    play = watched(lateness_s=1.0)
    play.feed(1.0, order(TAG, OTHER, *epcs_of("a")))
    go(play, load("a", TURNS) + carried(TAG, TURNS), 60.0)
    assert set(directions(play)) == {"turned_back"}


def test_tag_that_clearly_goes_the_other_way_goes_the_other_way() -> None:
    play = watched(lateness_s=1.0)
    play.feed(1.0, order(TAG, way="out"))
    go(play, carried(TAG, through(5.0)), 60.0)
    assert directions(play) == ["in"]


def test_expected_tag_that_stands_beside_the_gate_is_not_booked() -> None:
    play = watched(lateness_s=1.0)
    play.feed(1.0, order(TAG))
    stands = [(2.0 + n / 4, read(OUTER if n % 3 else INNER, TAG, -60.0 - n % 2)) for n in range(99)]
    go(play, stands + load("a", through(10.0)), 60.0)
    assert TAG not in {fact.epc for fact in play.kinds(Passage)}


def test_order_that_is_taken_back_leaves_what_another_one_expects() -> None:
    expected = Expected()
    expected.put(order(TAG, OTHER, way="out"))
    expected.put(order(TAG, code="O-2"))
    assert (expected.way("gate", TAG), expected.way("gate", OTHER)) == ("in", "out")
    expected.remove("O-1")
    assert (expected.way("gate", TAG), expected.way("gate", OTHER)) == ("in", None)
    expected.remove("never told")


def test_expected_tags_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_expected, "EXPECTED_MAX", 5)
    expected = Expected()
    for number in range(4):
        expected.put(order(*epcs_of(str(number), 2), code=f"O-{number}"))
    ways = [expected.way("gate", epcs_of(str(number), 2)[0]) for number in range(4)]
    assert ways == [None, None, "in", "in"]
