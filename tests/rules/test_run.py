"""Runs: what stands, what is carried past, and what only casts a shadow."""

from collections.abc import Iterable
from random import Random

import pytest

from gateway.model import TagRead
from rules.antenna import ZoneAntenna
from rules.run import (
    BLIND_CONFIRM_NS,
    BLIND_GAP_NS,
    BLIND_READS,
    GAP_NS,
    LATER_NS,
    LINGER_NS,
    LINGER_READS,
    PATIENCE_NS,
    SAMPLE_NS,
    WEAK_NS,
    Run,
    outdone,
    sure_nats_of,
)
from rules.silence import Silences
from rules.watched_zone import WatchedZone
from tests.rules.play import S, read

STILL_CDB = 150
START = 1000 * S
EARLIER = -100.0


def zone(location: str, sure: float = 0.5) -> WatchedZone:
    return WatchedZone(location, Silences.of(sure), sure_nats_of(sure))


ZONES = {location: zone(location) for location in "AB"}


def antenna(
    location: str = "A", usual_dbm: int | None = -50, sure: float | None = None
) -> ZoneAntenna:
    found = ZoneAntenna("r:1", ZONES[location] if sure is None else zone(location, sure))
    for _ in range(0 if usual_dbm is None else 10):
        found.learn(100 * (usual_dbm or 0))
    return found


def run(
    reads: Iterable[tuple[float, float | None] | tuple[float, TagRead]],
    at: ZoneAntenna | None = None,
) -> Run:
    """A run of reads at these seconds and levels."""
    found = None
    for second, what in reads:
        one = what if isinstance(what, TagRead) else read(dbm=what)
        moment = START + round(second * S)
        found = found or Run.begin(moment, one, at or antenna())
        found.add(moment, one, STILL_CDB)
    assert found is not None
    return found


def steady(
    until_s: float, dbm: float | None = -50.0, *, since_s: float = 0.0, every_s: float = 0.2
) -> list[tuple[float, float | None]]:
    count = round((until_s - since_s) / every_s) + 1
    return [(since_s + index * every_s, dbm) for index in range(count)]


@pytest.mark.parametrize(
    ("reads", "stands"),
    [
        (steady(2.0), True),
        ([(0.0, -50.0)], False),
        ([(0.01 * index, -50.0) for index in range(14)], False),
        (steady(20.0, -64.0), True),
        (steady(WEAK_NS / S - 0.5, -64.0), False),
        (steady(2.0, -60.0 + 0.7), False),
        ([(0.2 * index, -70.0 + 2.0 * index) for index in range(15)], False),
        ([(0.2 * index, -50.0 - 2.0 * index) for index in range(15)], False),
        ([(0.2 * index, -50.0 + 0.1 * (index % 5)) for index in range(15)], True),
        ([(0.0, -50.0), (0.2, -60.0), (0.4, -53.0), (0.6, -63.0)], False),
    ],
    ids=[
        "standing",
        "one read",
        "one turn of the antenna",
        "weak, for long",
        "weak, not for long",
        "somewhat weak, not for long",
        "approaching",
        "going away",
        "wavering a little",
        "carried",
    ],
)
def test_what_stands(reads: list[tuple[float, float]], stands: bool) -> None:
    assert run(reads).stands() is stands


@pytest.mark.parametrize("sure", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dbm", [-80.0, -50.0, -20.0, None])
@pytest.mark.parametrize("usual_dbm", [-50, None])
def test_one_read_is_never_enough(sure: float, dbm: float | None, usual_dbm: int | None) -> None:
    assert not run([(0.0, dbm)], antenna("A", usual_dbm, sure)).stands()


def test_level_is_that_of_the_run_and_follows_slowly() -> None:
    assert run(steady(4.0, -57.3)).level == -5730
    drifting = run([(0.2 * index, -57.0 - 0.02 * index) for index in range(100)])
    assert drifting.level == pytest.approx(-5900, abs=40)
    assert drifting.samples == 100


def test_shadow_is_neutral() -> None:
    """A body takes 10 dB for one read: the run goes on as if that had not been."""
    alone, shaded = run(steady(1.0)), run([*steady(1.0), (1.1, -60.0)])
    assert (shaded.level, shaded.nats, shaded.samples) == (alone.level, alone.nats, alone.samples)
    assert shaded.seen == alone.seen + 1
    after = run([*steady(1.0), (1.1, -60.0), *steady(2.0, since_s=1.3)])
    assert after.first_at == START
    assert after.nats > alone.nats


def test_weaker_level_that_is_repeated_begins_anew_where_it_was_read_first() -> None:
    found = run([*steady(1.0), (1.2, -60.0), (1.6, -60.5)])
    assert (found.level, found.first_at) == (-6050, START + round(1.2 * S))
    assert found.nats < run(steady(1.0)).nats
    assert found.reads == 2


def test_two_weaker_levels_are_two_shadows() -> None:
    found = run([*steady(1.0), (1.2, -60.0), (1.4, -64.0)])
    assert (found.level, found.first_at) == (-5000, START)


def test_stronger_level_begins_anew_at_once() -> None:
    found = run([*steady(1.0), (1.2, -44.0)])
    assert (found.level, found.first_at, found.samples) == (-4400, START + round(1.2 * S), 1)
    assert not found.stands()
    assert found.since == START


def test_reads_of_one_turn_are_one_sample() -> None:
    apart = SAMPLE_NS / S
    crowd = run([(0.001 * index, -50.0) for index in range(100)])
    assert (crowd.samples, crowd.nats, crowd.reads) == (1, 0.0, 100)
    assert run([(0.0, -50.0), (apart, -50.0)]).samples == 2


def test_late_sample_weighs_more() -> None:
    soon, late = SAMPLE_NS / S, LATER_NS / S
    assert run([(0.0, -50.0), (soon, -50.0)]).nats < run([(0.0, -50.0), (late, -50.0)]).nats


def test_accumulated_report_is_worth_its_reads_over_their_span() -> None:
    """Fifteen reads within two seconds, told at the end of these."""
    at, told = antenna(), read(seen_count=15, span_ns=2 * S)
    found = Run.begin(START + 2 * S, told, at)
    found.add(START + 2 * S, told, STILL_CDB)
    single = run(steady(2.0, every_s=2.0 / 14))
    assert (found.reads, found.seen, found.first_at) == (15, 15, START)
    assert found.last_at == single.last_at
    assert 1 < found.samples <= 2 * S // SAMPLE_NS + 1
    assert found.stands()


@pytest.mark.parametrize(
    ("count", "span_ns"), [(1, 0), (100, S // 20), (3, 3 * GAP_NS), (2, 30 * S), (0, 10 * S)]
)
def test_accumulated_report_that_shows_no_steadiness_does_not_stand(
    count: int, span_ns: int
) -> None:
    found = run([(60.0, read(seen_count=count, span_ns=span_ns))])
    assert not found.stands()
    assert found.samples <= 1


def test_tag_that_is_never_steady_stands_where_it_lingers() -> None:
    every_s = LINGER_NS / S / LINGER_READS
    rising = [(every_s * index, -80.0 + 2.0 * index) for index in range(LINGER_READS + 2)]
    assert not run(rising[:-2]).stands()
    found = run(rising)
    assert found.stands()
    assert found.began == START


def test_few_reads_over_a_long_time_do_not_linger() -> None:
    spread = [(9.0 * index, -80.0 + 2.0 * index) for index in range(LINGER_READS - 2)]
    assert not run(spread).stands()


def test_began_is_when_its_level_was_first_read() -> None:
    found = run([(0.0, -60.0), (1.0, -55.0), *steady(4.0, since_s=2.0)])
    assert found.stands()
    assert found.began == START + 2 * S


def test_read_that_comes_late_turns_no_time_back() -> None:
    found = run([(10.0, -50.0), (4.0, -50.0), (10.1, -50.0)])
    assert (found.last_at, found.samples) == (START + round(10.1 * S), 1)
    assert not found.stands()


@pytest.mark.parametrize(
    ("count", "span_s", "stands"),
    [
        (BLIND_READS - 1, BLIND_CONFIRM_NS / S, False),
        (BLIND_READS, BLIND_CONFIRM_NS / S, True),
        (30, BLIND_CONFIRM_NS / S - 0.2, False),
    ],
    ids=["few", "enough", "burst"],
)
def test_reads_that_tell_no_level_must_be_many_and_last(
    count: int, span_s: float, stands: bool
) -> None:
    reads = [(span_s * index / (count - 1), None) for index in range(count)]
    assert run(reads).stands() is stands


@pytest.mark.parametrize(("dbm", "gap_ns"), [(-50.0, GAP_NS), (None, BLIND_GAP_NS)])
def test_run_is_over_after_a_gap(dbm: float | None, gap_ns: int) -> None:
    found = run([(0.0, dbm)])
    assert not found.over(START + gap_ns, read(dbm=dbm))
    assert found.over(START + gap_ns + 1, read(dbm=dbm))


def test_level_of_a_stray_is_known_and_weaker_ones_too() -> None:
    found = run(steady(2.0, -60.0))
    still_at = START + S
    assert found.of_stray(still_at, STILL_CDB)
    assert not found.of_stray(START - 1, STILL_CDB)
    found.known(START + 2 * S)
    for dbm, of_stray in [(-61.0, True), (-70.0, True), (-55.0, False)]:
        later = run(steady(5.0, dbm, since_s=4.0))
        later.stray = found.stray
        assert later.of_stray(still_at, STILL_CDB) is of_stray


def rival(dbm: float, location: str = "B", **reads: float) -> Run:
    return run(steady(reads.pop("until_s", 6.0), dbm, **reads), antenna(location))


def standing(until_s: float = 6.0, dbm: float = -54.0) -> Run:
    """It has stood for so long that it need not be patient any more, or is still to be."""
    found = run(steady(1.0, dbm))
    found.stands()
    for second, level in steady(until_s, dbm, since_s=1.2):
        found.add(START + round(second * S), read(dbm=level), STILL_CDB)
        found.stands()
    return found


@pytest.mark.parametrize(
    ("other", "loses"),
    [
        (rival(-48.0), True),
        (rival(-58.0), False),
        (rival(-48.0, "A"), False),
        (rival(-48.0, every_s=3.0), False),
        (rival(-48.0, since_s=EARLIER, until_s=EARLIER + 6.0), False),
    ],
    ids=["stronger", "weaker", "own zone", "stronger but rare", "long ago"],
)
def test_which_zone_wins(other: Run, loses: bool) -> None:
    assert outdone(standing(), [other]) is loses


def test_run_waits_for_a_stronger_zone_but_not_for_ever() -> None:
    rare = rival(-48.0, until_s=0.0)
    ready_s = (standing(1.2).ready_at - START) / S
    assert outdone(standing(ready_s + PATIENCE_NS / S - 0.4), [rare])
    assert not outdone(standing(ready_s + PATIENCE_NS / S + 0.4), [rare])


def test_level_is_compared_with_what_is_usual_at_each_antenna() -> None:
    """The other zone reads everything 10 dB stronger."""
    loud = run(steady(6.0, -48.0), antenna("B", -40))
    assert not outdone(standing(), [loud])
    assert outdone(loud, [standing()])


@pytest.mark.parametrize(
    ("brought_to", "next_dbm", "loses"),
    [(None, -50.5, False), ("B", -50.5, True), ("B", -62.0, False), ("A", -49.5, False)],
    ids=["nowhere", "there", "there, but read far worse", "here, though read better there"],
)
def test_zone_to_which_it_was_brought_wins_where_both_read_it_alike(
    brought_to: str | None, next_dbm: float, loses: bool
) -> None:
    here, there = run(steady(8.0), antenna("A")), run(steady(8.0, next_dbm), antenna("B"))
    assert here.stands()
    assert outdone(here, [there], ZONES[brought_to] if brought_to else None) is loses


def test_at_most_one_of_two_zones_wins() -> None:
    random = Random(2)
    for _ in range(200):
        levels = random.sample(range(-70, -45), 2)
        one = run(steady(20.0, levels[0]), antenna("A"))
        other = run(steady(20.0, levels[1]), antenna("B"))
        ready = [each for each in (one, other) if each.stands()]
        assert len(ready) == 2
        assert [outdone(one, [other]), outdone(other, [one])].count(False) <= 1


def test_steady_level_of_a_stray_teaches_its_antenna_once() -> None:
    at = antenna("B")
    in_passing, steadily = run([(0.0, -70.0)], at), run(steady(4.0, -64.0), at)
    for each in (in_passing, steadily, steadily):
        each.known(START + 5 * S)
    assert (at.strays, at.stray_cdbm) == (1, -6400)
