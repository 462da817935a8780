"""Trails: when was a tag set down, by all antennas' reads together."""

from typing import TypeAlias

import pytest

from rules.antenna import ZoneAntenna
from rules.trail import CARRIED_MAX_NS, SET_DOWN_MAX_NS, SET_DOWN_NS, TURNS_MAX, Trail
from tests.rules.play import S
from tests.rules.test_run import START, STILL_CDB, antenna, run, steady

HERE, NEXT = antenna("A"), antenna("B")
DOWN_S, STEADY_S = 4.0, 12.0
"""When it is laid down, and read at -50 dBm for the first time: it is behind somebody until then.
"""

FOUND = run(steady(STEADY_S + 2.0, since_s=STEADY_S), HERE)
assert FOUND.stands()

CARRIED = [(NEXT, 1.0, -62.0), (HERE, 3.0, -66.0), (HERE, 3.2, -58.0), (HERE, 3.4, -63.0)]
"""A person walks up with it: within one turn it is read at several levels."""


Reads: TypeAlias = list[tuple[ZoneAntenna, float, float | None]]


def heard(reads: Reads) -> Trail:
    trail = Trail()
    for at, second, dbm in reads:
        when = START + round(second * S)
        trail.add(when, when, at, -7000 if dbm is None else round(100 * dbm))
    return trail


def moment(reads: Reads, still_s: float | None = None) -> float:
    """When it was set down, in seconds, after these reads; it last stood elsewhere at `still_s`."""
    still_at = 0 if still_s is None else START + round(still_s * S)
    return (heard(reads).set_down_at(FOUND, still_at, STILL_CDB) - START) / S


def test_what_is_shaded_was_set_down_soon_after_its_last_read_on_the_way() -> None:
    assert 3.4 <= moment(CARRIED) <= 3.4 + SET_DOWN_NS / S


@pytest.mark.parametrize(
    "after",
    [
        [(HERE, 6.0, -60.0), (HERE, 9.0, -58.0)],
        [(NEXT, 6.0, -71.0), (NEXT, 8.5, -71.0)],
        [(NEXT, 6.0, -83.0)],
        [(NEXT, 6.0 + 0.1 * index, -71.0) for index in range(9)],
        [(HERE, 6.0, -60.0), (NEXT, 7.0, -76.0), (HERE, 9.0, -58.0)],
    ],
    ids=["shaded", "one level next door", "from afar", "a steady turn", "all together"],
)
def test_reads_that_a_standing_tag_gives_are_not_of_its_way(
    after: Reads,
) -> None:
    assert 3.4 <= moment([*CARRIED, *after]) <= 3.4 + SET_DOWN_NS / S


@pytest.mark.parametrize(
    "after",
    [
        [(HERE, 9.0, -60.0), (HERE, 9.1, -66.0)],
        [(NEXT, 9.0, -60.0)],
        [(HERE, 9.0, -75.0)],
        [(NEXT, 6.0, -78.0), (NEXT, 9.0, -58.0)],
    ],
    ids=["changing", "as near as what stands next door", "too weak for a shadow", "nearer"],
)
def test_reads_on_the_way_put_the_moment_off(
    after: Reads,
) -> None:
    assert 9.0 <= moment([*CARRIED, *after]) <= STEADY_S


def test_one_turn_that_changes_outweighs_weak_ones_that_may_be_shaded() -> None:
    reads = [(HERE, 5.0, -60.0), (HERE, 8.0, -60.0), (HERE, 8.1, -55.0), (HERE, 10.0, -60.0)]
    assert 8.1 <= moment([*CARRIED, *reads]) <= 8.1 + SET_DOWN_NS / S


def test_tag_that_nobody_saw_come_came_shortly_before_its_first_read() -> None:
    gap_s = HERE.zone.silences.gap_ns / S
    assert STEADY_S - gap_s <= moment([]) <= STEADY_S
    assert STEADY_S - gap_s <= moment([], STEADY_S - CARRIED_MAX_NS / S - 1.0) <= STEADY_S
    long_ago = STEADY_S - SET_DOWN_MAX_NS / S - 1.0
    assert STEADY_S - gap_s <= moment([(HERE, long_ago, -60.0)]) <= STEADY_S


@pytest.mark.parametrize("still_s", [0.0, 6.0, 11.5])
def test_tag_that_nobody_heard_on_its_way_was_rather_set_down_late_than_early(
    still_s: float,
) -> None:
    middle = (still_s + STEADY_S) / 2
    assert middle < moment([], still_s) <= STEADY_S


def test_reads_before_it_last_stood_elsewhere_tell_nothing() -> None:
    assert moment(CARRIED, 10.0) == moment([], 10.0)


def test_reads_that_tell_no_level_show_where_it_was() -> None:
    assert 3.0 <= moment([(NEXT, 3.0, None)]) <= 3.0 + SET_DOWN_NS / S
    assert 3.0 <= moment([(NEXT, 3.0, None), (HERE, 5.0, None)]) <= 5.0 + SET_DOWN_NS / S


@pytest.mark.parametrize(
    ("reads", "still_s", "zone"),
    [
        (CARRIED, None, "A"),
        ([*CARRIED, (NEXT, 3.6, -55.0)], None, "B"),
        ([*CARRIED, *((NEXT, 6.0 + 2.5 * turn, -55.0) for turn in range(4))], None, "A"),
        ([(HERE, 0.0, -52.0), (NEXT, 3.6, -60.0)], None, "B"),
        ([(HERE, 3.0, -70.0), (HERE, 3.2, -66.0)], None, None),
        (CARRIED, 10.0, None),
        ([], None, None),
    ],
    ids=[
        "here",
        "next door",
        "next door since",
        "on to next door",
        "in the aisle",
        "once",
        "unseen",
    ],
)
def test_it_was_set_down_where_it_was_read_best_on_its_last_steps(
    reads: Reads, still_s: float | None, zone: str | None
) -> None:
    still_at = 0 if still_s is None else START + round(still_s * S)
    found = heard(reads).set_down_in(FOUND, still_at, STILL_CDB)
    assert (found and found.location) == zone


def test_a_trail_is_bounded() -> None:
    trail = Trail()
    for second in range(10 * TURNS_MAX):
        trail.add(second * S, second * S, HERE, -5000)
        trail.add(second * S + 1, second * S + 1, HERE, -5600)
    assert len(trail.turns) == TURNS_MAX
    assert {(turn.low, turn.high) for turn in trail.turns} == {(-5600, -5000)}
