"""How long a silence must last is learned from those that ended, and stays within bounds."""

from collections.abc import Callable

import pytest

from rules.silence import GAP_NS, LONG_MIN_NS, ROAMED_NS, WINDOW_MAX_NS, Silences
from tests.rules.play import S

HOUR = 3600 * S


def zone(sure: float = 0.5) -> Silences:
    return Silences.of(sure)


def learned(*, per_h: float, silence_s: float, hours: int = 40) -> Silences:
    """So many silences of that length per tag hour, of tags that are read five times a second."""
    found, due = zone(), 0.0
    for _ in range(hours):
        found.watched(HOUR, S // 5)
        due += per_h
        while due >= 1:
            found.ended(int(silence_s * S), 0, stirred=False)
            due -= 1
    return found


def test_zone_that_knows_nothing_waits_longer_than_one_that_is_quiet() -> None:
    assert learned(per_h=0, silence_s=0).window_ns() < zone().window_ns() < WINDOW_MAX_NS


def test_window_grows_with_the_number_and_the_length_of_silences() -> None:
    none = learned(per_h=0, silence_s=0)
    few, many = learned(per_h=1, silence_s=5), learned(per_h=30, silence_s=5)
    longer = learned(per_h=30, silence_s=8)
    windows = [found.window_ns() for found in (none, few, many, longer)]
    assert windows == sorted(set(windows))


def test_window_holds_the_silences_that_are_usual() -> None:
    """Shadows of 8 s, ten times an hour: a tag must not leave in each."""
    assert learned(per_h=10, silence_s=8).window_ns() > 12 * S


def mixed(*, chance_per_h: int, shadows: list[float], hours: int = 40) -> Silences:
    """Silences that are chance, just long, and in each hour one shadow of the next length."""
    found = zone()
    for hour in range(hours):
        found.watched(HOUR, S // 5)
        for _ in range(chance_per_h):
            found.ended(LONG_MIN_NS + S // 2, 0, stirred=False)
        found.ended(int(shadows[hour % len(shadows)] * S), 0, stirred=False)
    return found


def test_few_long_shadows_count_among_many_silences_that_are_chance() -> None:
    """One shadow in an hour is of some seconds, whether or not chance is silent for half of one."""
    shadows = [4.5, 6.0, 8.0, 11.0]
    alone = mixed(chance_per_h=0, shadows=shadows).window_ns()
    among = mixed(chance_per_h=60, shadows=shadows).window_ns()
    only_chance = mixed(chance_per_h=60, shadows=[3.5]).window_ns()
    assert only_chance < 20 * S < 30 * S < among < alone


def test_two_long_shadows_are_no_tail() -> None:
    found, other = (mixed(chance_per_h=60, shadows=[3.5]) for _ in range(2))
    for _ in range(2):
        found.ended(12 * S, 0, stirred=False)
    assert found.window_ns() - other.window_ns() < S // 2


def test_window_shrinks_when_silences_are_a_thing_of_the_past() -> None:
    found = learned(per_h=30, silence_s=8)
    busy = found.window_ns()
    for _ in range(100):
        found.watched(HOUR, S // 5)
    assert found.window_ns() < busy * 9 // 10


def test_seldom_read_zone_waits_for_more_than_its_gaps() -> None:
    found = zone()
    for _ in range(200):
        found.watched(60 * S, 3 * S)
    assert found.gap_ns == pytest.approx(3 * S, rel=0.1)
    assert found.window_ns() > 2 * found.gap_ns


def test_short_silence_and_one_that_a_slow_tag_is_granted_teach_nothing() -> None:
    found = zone()
    before = found.window_ns()
    for _ in range(1000):
        found.ended(found.long_ns, 0, stirred=True)
        found.ended(30 * S, 30 * S, stirred=True)
        found.ended(-5 * S, 0, stirred=True)
    assert found.window_ns() == before


def flood_of_silences(found: Silences) -> None:
    for _ in range(10_000):
        found.ended(10**9 * S, 0, stirred=False)
        found.came_back(10**9 * S)


def flood_of_departures(found: Silences) -> None:
    for _ in range(10_000):
        found.left(roamed=True)


def flood_of_quiet(found: Silences) -> None:
    for _ in range(10_000):
        found.watched(HOUR, 0)


def flood_of_gaps(found: Silences) -> None:
    for _ in range(10_000):
        found.watched(S, 10**9 * S)


FLOODS = [flood_of_silences, flood_of_departures, flood_of_quiet, flood_of_gaps]


@pytest.mark.parametrize("sure", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_no_flood_makes_tags_leave_at_once_or_stay_for_ever(
    flood: Callable[[Silences], None], sure: float
) -> None:
    found = zone(sure)
    flood(found)
    low, high = GAP_NS
    assert low <= found.gap_ns <= high
    assert LONG_MIN_NS <= found.long_ns < found.window_ns() <= WINDOW_MAX_NS
    assert found.roamed_ns() >= ROAMED_NS + low


def test_one_tag_that_is_hardly_read_does_not_slow_its_zone_down() -> None:
    found = learned(per_h=0, silence_s=0)
    usual, before = found.gap_ns, found.window_ns()
    found.watched(60 * S, 9 * S)
    assert found.gap_ns < usual * 11 // 10
    assert found.window_ns() - before < S // 2


@pytest.mark.parametrize("flood", [flood_of_silences, flood_of_gaps], ids=lambda f: f.__name__)
def test_zone_recovers_from_a_flood(flood: Callable[[Silences], None]) -> None:
    found = zone()
    flood(found)
    for _ in range(400):
        found.watched(HOUR, S // 5)
    assert found.window_ns() < zone().window_ns()


def test_surer_zone_waits_longer() -> None:
    windows = [zone(sure).window_ns() for sure in (0.0, 0.5, 1.0)]
    roamed = [zone(sure).roamed_ns() for sure in (0.0, 0.5, 1.0)]
    assert windows == sorted(set(windows))
    assert roamed == sorted(roamed)


def test_tag_that_was_taken_up_is_waited_for_longer_where_such_come_back() -> None:
    back, away = zone(), zone()
    for _ in range(20):
        for found in (back, away):
            found.left(roamed=True)
        back.came_back(8 * S)
    assert away.roamed_ns() < back.roamed_ns()
    assert away.roamed_ns() <= zone().roamed_ns() < away.window_ns()


def test_what_was_taken_up_before_is_forgotten() -> None:
    found, away = zone(), zone()
    for _ in range(20):
        found.left(roamed=True)
        found.came_back(8 * S)
    assert found.roamed_ns() > away.roamed_ns()
    for _ in range(2000):
        found.left(roamed=True)
        away.left(roamed=True)
    assert found.roamed_ns() == away.roamed_ns()
