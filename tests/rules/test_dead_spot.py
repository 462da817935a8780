"""A tag in a dead spot is heard now and then: where nobody is, that is not believed."""

from gateway.model import Arrival, Departure
from tests.rules.play import Play, read
from tests.rules.tags import presence, taught

DARK = read("r:1", dbm=-72.0)
"""22 dB weaker than what is usual there."""

CALM_S = 15 * 3600.0
"""So many tag seconds have passed without a movement."""


def calm() -> Play:
    play = taught()
    silences = presence(play)._zones["A"].silences
    silences.watched_s, silences.moves = CALM_S, 0.2
    return play


def by_itself(play: Play, times: int) -> None:
    """The path to the dead spot opens for some seconds, and closes for longer than any window."""
    for _ in range(times):
        play.cover(play.now_s + 15.0, reads={0.5: [DARK]})
        play.cover(play.now_s + 400.0)


def test_what_comes_and_goes_by_itself_is_not_sure_and_teaches_nothing() -> None:
    play = calm()
    antenna = presence(play)._points["r:1"]
    usual_cdbm, silences = antenna.mean_cdbm, antenna.zone.silences
    by_itself(play, 5)
    told = play.kinds(Arrival, Departure)
    assert [type(fact) for fact in told] == [Arrival, Departure] * 5
    assert all(fact.confidence_permille < 500 for fact in told)
    assert antenna.mean_cdbm == usual_cdbm
    assert silences.moves == 0.2


def test_where_people_work_the_same_is_rather_believed() -> None:
    play = taught()
    by_itself(play, 1)
    told = play.kinds(Arrival, Departure)
    assert [type(fact) for fact in told] == [Arrival, Departure]
    assert all(fact.confidence_permille >= 500 for fact in told)


def test_what_is_heard_well_is_believed_in_the_calmest_zone() -> None:
    play = calm()
    play.cover(play.now_s + 60.0, reads={0.5: [read("r:1", dbm=-51.0)]})
    play.cover(play.now_s + 60.0)
    told = play.kinds(Arrival, Departure)
    assert [type(fact) for fact in told] == [Arrival, Departure]
    assert all(fact.confidence_permille > 900 for fact in told)
    assert presence(play)._zones["A"].silences.moves > 2


def test_what_never_left_does_not_teach_twice() -> None:
    play = calm()
    well = read("r:1", dbm=-51.0)
    play.cover(play.now_s + 60.0, reads={0.5: [well]})
    antenna = presence(play)._points["r:1"]
    antenna.known, known = 8, 8
    play.cover(play.now_s + 40.0)
    play.cover(play.now_s + 5.0, reads={0.5: [well]})
    assert [fact.refutes for fact in play.kinds(Arrival)] == [False, True]
    assert antenna.known == known
