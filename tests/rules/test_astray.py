"""Reads of tags that are not where they are read: strays, ghosts, what was taken for gone."""

from typing import Any

import pytest

from gateway.model import Arrival, Coverage, Departure, TagRead, TagReport
from rules import astray
from rules.astray import GONE_NS, STRAY_HOLDS_NS, WAY_MAX_NS
from tests.rules.play import TAG, Play, S, read, report, seconds
from tests.rules.tags import GONE_S, HELD_S, OFTEN, presence, present, taught

AT_HOME, STRAY = read(), read("r:3", dbm=-64.0)


def with_stray(until_s: float = 60.0) -> Play:
    """A tag stands in A, and B reads it too: always at the same level, once a second."""
    play = present(taught())
    play.cover(until_s, reads={0.125: [AT_HOME], 1.0: [STRAY]})
    return play


def gone(play: Play, *, roamed: bool = False) -> Play:
    """A tag that stood in A until second 13 is told to have left, after it was read on its way."""
    present(play)
    if roamed:
        play.feed(13.2, report(read("r:3", dbm=-60.0)))
    while not play.kinds(Departure):
        play.cover(play.now_s + 0.5)
    return play


def moves(play: Play) -> list[Any]:
    """What was told since the first arrival."""
    return play.kinds(Arrival, Departure)[1:]


@pytest.mark.parametrize("dbm", [-64.0, -50.0], ids=str)
def test_level_that_is_read_elsewhere_while_the_tag_stands_moves_nothing(dbm: float) -> None:
    play = present(taught())
    stray = read("r:3", dbm=dbm)
    play.feed(13.05, report(stray), report(AT_HOME))
    play.cover(100.0, reads={0.125: [AT_HOME], 1.5: [stray]})
    assert moves(play) == []


def test_known_stray_level_holds_a_tag_that_is_shaded() -> None:
    play = with_stray()
    play.cover(60.0 + 2 * GONE_S, reads={1.0: [STRAY]})
    assert moves(play) == []
    play.cover(play.now_s + GONE_S)
    assert [type(fact) for fact in moves(play)] == [Departure]


def test_stray_level_holds_a_tag_after_a_shadow_too_but_not_for_ever() -> None:
    """In session 1 a tag that another antenna reads is silent when its own has its turn."""
    play = with_stray()
    shaded = read("r:3", dbm=-71.0)
    play.cover(64.0, reads={1.0: [shaded]})
    play.cover(64.0 + 2 * GONE_S, reads={1.0: [STRAY]})
    assert moves(play) == []
    play.cover(64.0 + STRAY_HOLDS_NS / S + 2 * GONE_S, reads={1.0: [STRAY]})
    assert [type(fact) for fact in moves(play)][:1] == [Departure]


def test_weaker_level_than_that_of_its_strays_does_not_hold_a_tag() -> None:
    play = with_stray()
    play.cover(60.0 + GONE_S, reads={1.0: [read("r:3", dbm=-71.0)]})
    assert [type(fact) for fact in moves(play)][:1] == [Departure]


def test_one_strong_stray_read_does_not_keep_a_tag_for_ever() -> None:
    """A truck reflected it once; later it is set down in B, at the level of that one read."""
    play = with_stray()
    play.feed(60.1, report(read("r:3", dbm=-50.0), AT_HOME))
    play.cover(80.0, reads={0.125: [AT_HOME], 1.0: [STRAY]})
    play.cover(80.0 + 2 * GONE_S, reads={0.125: [read("r:3", dbm=-50.0)]})
    assert [(type(fact), fact.zone) for fact in moves(play)] == [(Departure, "A"), (Arrival, "B")]


def test_tag_with_a_stray_level_in_the_next_zone_still_moves_there() -> None:
    play = with_stray()
    play.cover(60.0 + HELD_S, reads={0.125: [read("r:3", dbm=-50.0)]})
    departure, arrival = moves(play)
    assert (departure.to_zone, arrival.from_zone, arrival.refutes) == ("B", "A", False)
    assert 59.9 <= seconds(departure.last_seen) <= 60.1
    assert 59.9 <= seconds(arrival.since) <= 62.0


def test_tag_does_not_stand_elsewhere_before_it_left() -> None:
    """What the next zone reads of it all along tells nothing of when it was set down there."""
    play = with_stray()
    play.feed(60.1, report(read("r:3", dbm=-55.0)))
    play.feed(60.4, report(read("r:3", dbm=-55.0)))
    play.cover(80.0, reads={1.0: [read("r:3", dbm=-67.0)]})
    departure, arrival = moves(play)
    assert arrival.zone == "B"
    assert seconds(departure.last_seen) <= seconds(arrival.since) + 0.001
    assert seconds(arrival.since) >= 59.9


def test_tag_in_the_wrong_zone_is_put_right() -> None:
    """B is slow to read it at first; A reads it far worse than what stands there."""
    play = taught()
    weak, usual = read("r:1", dbm=-62.0), read("r:3", dbm=-50.0)
    play.cover(18.0, reads={0.125: [weak]})
    assert [fact.zone for fact in play.kinds(Arrival)] == ["A"]
    play.cover(60.0, reads={0.125: [weak], 1.0: [usual]})
    departure, arrival = moves(play)
    assert (departure.zone, departure.to_zone, arrival.zone) == ("A", "B", "B")
    assert (arrival.refutes, arrival.from_zone) == (True, "")
    [_, told_at] = play.times(Arrival)
    assert seconds(departure.last_seen) <= told_at
    assert seconds(arrival.since) <= told_at
    assert play.rows["tag:" + TAG]["zone"] == "B"


def test_misplaced_tag_came_from_where_it_came_from() -> None:
    """PAIR had it before; A was told wrongly to have got it."""
    play = taught()
    play.feed(10.0, *(Coverage(device, 0, resumed=True) for device in "pq"))
    both(play, 14.0, TagReport("p", (read("p:1"),)))
    weak, usual = read("r:1", dbm=-62.0), read("r:3", dbm=-50.0)
    both(play, 45.0, TagReport("r", (weak,)))
    assert [fact.zone for fact in play.kinds(Arrival)] == ["PAIR", "A"]
    both(play, 60.0, TagReport("r", (weak, usual)))
    arrival = play.kinds(Arrival)[2]
    assert (arrival.zone, arrival.from_zone, arrival.refutes) == ("B", "PAIR", True)


def both(play: Play, until_s: float, reads: TagReport) -> None:
    """All readers watch, and one of them reads."""
    while play.now_s < until_s:
        now_s = play.now_s + 0.25
        play.feed(now_s, reads, *(Coverage(device, S // 4) for device in "rpq"))


def test_long_standing_tag_that_is_better_read_elsewhere_moves_and_refutes_nothing() -> None:
    """After two minutes others have acted on where it was told to be."""
    play = taught()
    weak = read("r:1", dbm=-62.0)
    play.cover(40.0 + GONE_NS / S, reads={0.125: [weak]})
    play.cover(play.now_s + 60.0, reads={0.125: [weak], 1.0: [read("r:3", dbm=-50.0)]})
    _, arrival = moves(play)
    assert (arrival.zone, arrival.from_zone, arrival.refutes) == ("B", "A", False)
    assert arrival.cause == "misplaced"


@pytest.mark.parametrize("waited_s", [1.0, 60.0, GONE_NS / S - 5.0], ids=str)
def test_tag_that_is_read_again_as_it_stood_had_not_left(waited_s: float) -> None:
    play = gone(taught())
    play.cover(play.now_s + waited_s)
    play.cover(play.now_s + 2.0, reads=OFTEN)
    arrival = play.kinds(Arrival)[1]
    assert (arrival.refutes, arrival.zone, arrival.from_zone) == (True, "A", "A")
    assert play.rows["tag:" + TAG]["zone"] == "A"


def test_tag_that_is_back_after_two_minutes_has_come_anew() -> None:
    play = gone(taught())
    play.cover(play.now_s + GONE_NS / S + 1.0)
    play.cover(play.now_s + 4.0, reads=OFTEN)
    arrival = play.kinds(Arrival)[1]
    assert (arrival.refutes, arrival.from_zone) == (False, "")


def test_one_read_as_it_stood_refutes_nothing() -> None:
    play = gone(taught())
    play.feed(play.now_s + 1.0, report(read()))
    play.cover(play.now_s + 60.0)
    assert len(play.kinds(Arrival)) == 1


@pytest.mark.parametrize(
    "there",
    [read(dbm=-57.0), read(dbm=-43.0), read("r:2"), read("r:3")],
    ids=["weaker", "stronger", "its other antenna", "next zone"],
)
def test_tag_that_fell_silent_and_stands_otherwise_has_come_anew(there: TagRead) -> None:
    play = gone(taught())
    play.cover(play.now_s + 3.0)
    play.cover(play.now_s + 15.0, reads={0.125: [there]})
    arrival = play.kinds(Arrival)[1]
    assert arrival.zone == ("B" if there.read_point == "r:3" else "A")
    assert (arrival.refutes, arrival.from_zone) == (False, "")


@pytest.mark.parametrize("way_s", [12.0, 20.0, WAY_MAX_NS / S - 3.0])
@pytest.mark.parametrize(
    ("there", "zone"),
    [(read("r:3"), "B"), (read(dbm=-44.0), "A"), (read("r:2"), "A")],
    ids=["next zone", "its own", "its other antenna"],
)
def test_tag_that_is_set_down_soon_after_it_was_told_to_leave_was_on_its_way(
    there: TagRead, zone: str, way_s: float
) -> None:
    play = gone(taught(), roamed=True)
    play.cover(13.0 + way_s)
    play.cover(play.now_s + 6.0, reads={0.125: [there]})
    arrival = play.kinds(Arrival)[1]
    assert (arrival.zone, arrival.from_zone, arrival.refutes) == (zone, "A", True)
    assert seconds(arrival.since) >= 13.0


def test_tag_that_is_set_down_later_has_come_anew() -> None:
    play = gone(taught(), roamed=True)
    play.cover(13.0 + WAY_MAX_NS / S + 3.0)
    play.cover(play.now_s + 6.0, reads={0.125: [read("r:3")]})
    arrival = play.kinds(Arrival)[1]
    assert (arrival.zone, arrival.from_zone, arrival.refutes) == ("B", "", False)


def test_level_of_a_zone_that_was_wrong_does_not_call_a_tag_back() -> None:
    """It was booked in A, where it is read weakly, and stands in B: A goes on reading it."""
    play = taught()
    weak = read("r:1", dbm=-70.0)
    play.cover(40.0, reads={0.125: [weak]})
    play.cover(60.0, reads={1.0: [read("r:3", dbm=-50.0)]})
    told = len(moves(play))
    play.cover(110.0, reads={1.0: [read("r:3", dbm=-50.0)], 3.0: [weak]})
    assert play.rows["tag:" + TAG]["zone"] == "B"
    assert len(moves(play)) == told


def test_tag_that_is_read_again_as_it_stood_before_it_moved_had_not_moved() -> None:
    play = present(taught())
    play.cover(18.0, reads={0.125: [read("r:3")]})
    assert [fact.zone for fact in play.kinds(Arrival)] == ["A", "B"]
    play.cover(24.0, reads=OFTEN)
    departure, arrival = moves(play)[-2:]
    assert (departure.zone, departure.to_zone) == ("B", "A")
    assert (arrival.zone, arrival.refutes) == ("A", True)
    play.cover(60.0, reads=OFTEN)
    assert len(play.kinds(Arrival)) == 3


def test_departure_is_refuted_once() -> None:
    play = gone(taught())
    play.cover(play.now_s + 60.0, reads=OFTEN)
    assert [fact.refutes for fact in play.kinds(Arrival)] == [False, True]


def test_runs_of_strays_are_bounded_and_the_first_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(astray, "RUNS_MAX", 10)
    play = with_stray(40.0)
    for index in range(40):
        play.feed(40.0, report(read(epc=f"{index:024x}")))
    assert len(presence(play)._astray) == 10
    assert TAG not in presence(play)._astray._runs
    play.cover(100.0, reads={0.125: [AT_HOME], 1.0: [STRAY]})
    assert moves(play) == []


def test_departures_that_may_be_none_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(astray, "GONE_MAX", 10)
    play = taught()
    tags = [read(epc=f"3034{index:02x}") for index in range(30)]
    play.cover(13.0, reads={0.125: tags})
    play.cover(13.0 + GONE_S)
    assert len(play.kinds(Departure)) == 30
    assert len(presence(play)._astray._gone) == 10


def test_departure_is_final_after_two_minutes() -> None:
    play = gone(taught())
    play.feed(play.now_s + GONE_NS / S + 1.0, report(read()))
    assert TAG not in presence(play)._astray._gone
