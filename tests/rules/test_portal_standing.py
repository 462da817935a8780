"""Tags that stand beside a gate: they book nothing, until they really pass."""

from random import Random

import pytest

from gateway.model import TagRead
from tests.rules.gate import INNER, OUTER, directions, go, hill, watched
from tests.rules.play import read, report, seconds

Reads = list[tuple[float, TagRead]]


def stand(
    point: str, since_s: float, until_s: float, dbm: float | None = -58.0, period_s: float = 0.25
) -> Reads:
    """Reads of a tag that does not move, and of what moves around it."""
    random = Random(f"{point}{since_s}")
    reads = []
    for index in range(int((until_s - since_s) / period_s)):
        level = None if dbm is None else dbm + random.gauss(0, 0.5)
        reads.append((since_s + index * period_s, read(point, dbm=level)))
    return reads


@pytest.mark.parametrize("stood_s", [19.0, 21.0, 28.0, 33.0, 38.7, 600.0])
@pytest.mark.parametrize(
    ("home", "far", "direction"), [(OUTER, INNER, "in"), (INNER, OUTER, "out")]
)
def test_tag_that_stood_long_and_then_passes_is_a_passage(
    home: str, far: str, direction: str, stood_s: float
) -> None:
    play = watched()
    end_s = 2.0 + stood_s
    reads = stand(home, 2.0, end_s) + hill(home, end_s + 1.0) + hill(far, end_s + 2.0)
    go(play, reads, end_s + 6.0)
    [passage] = play.kinds()
    assert passage.direction == direction
    assert seconds(passage.since) == pytest.approx(end_s, abs=1.5)
    assert seconds(passage.until) == pytest.approx(end_s + 3.0, abs=0.01)
    assert passage.confidence_permille <= 920


def beside_the_antenna() -> Reads:
    """It only falls at its own side."""
    leaving = [(42.0 + index / 10, read(OUTER, dbm=-45.0 - 3 * index)) for index in range(8)]
    return stand(OUTER, 2.0, 42.0, -45.0) + leaving + hill(INNER, 43.0)


def seen_by_both() -> Reads:
    reads = stand(OUTER, 2.0, 42.0) + stand(INNER, 2.0, 42.0, -66.0)
    return reads + hill(OUTER, 43.0) + hill(INNER, 44.0)


def shadowed_on_its_way() -> Reads:
    """Only the far side sees it go; its own side saw it stand."""
    return stand(OUTER, 2.0, 42.0) + hill(INNER, 43.5)


def slow() -> Reads:
    """A pallet truck at walking pace."""
    paced = [(42.0 + 5 * (at_s - 2.0), tag) for at_s, tag in hill(OUTER, 3.0)]
    paced += [(45.0 + 5 * (at_s - 2.0), tag) for at_s, tag in hill(INNER, 3.0)]
    return stand(OUTER, 2.0, 42.0) + paced


def without_rssi() -> Reads:
    return stand(OUTER, 2.0, 42.0, None) + stand(INNER, 42.2, 44.0, None)


def came_near_before_it_was_parked() -> Reads:
    return hill(OUTER, 3.0) + stand(OUTER, 4.0, 44.0) + hill(OUTER, 45.0) + hill(INNER, 46.0)


@pytest.mark.parametrize(
    "reads",
    [
        beside_the_antenna,
        seen_by_both,
        shadowed_on_its_way,
        slow,
        without_rssi,
        came_near_before_it_was_parked,
    ],
)
def test_way_of_passing_after_standing(reads: object) -> None:
    play = watched()
    assert callable(reads)
    go(play, reads(), 60.0)
    assert directions(play) == ["in"]


def test_tag_that_passes_after_standing_and_is_seen_by_both_sides_at_once_is_uncertain() -> None:
    play = watched()
    both = hill(OUTER, 43.0) + [
        (at_s + 0.02, tag._replace(read_point=INNER)) for at_s, tag in hill(OUTER, 43.0)
    ]
    go(play, stand(OUTER, 2.0, 42.0, -64.0) + both, 60.0)
    assert directions(play) == ["uncertain"]


def left_on_its_own_side() -> Reads:
    return stand(OUTER, 2.0, 42.0) + hill(OUTER, 43.0)


def half_way_and_back() -> Reads:
    halves = hill(OUTER, 43.0) + hill(INNER, 44.0, peak=-55.0) + hill(OUTER, 45.0)
    return stand(OUTER, 2.0, 42.0) + halves


def shadows() -> Reads:
    """Somebody stands before it, again and again, 12 dB of it; then for good."""
    reads = []
    for start in range(2, 100, 8):
        reads += stand(OUTER, start, start + 5) + stand(OUTER, start + 5.0, start + 8.0, -70.0)
    return reads


def strays_on_the_other_side() -> Reads:
    """The far side sees it now and then, with the last read before a shadow too."""
    strays = [(float(at_s), read(INNER, dbm=-66.0)) for at_s in range(30, 99, 7)]
    return [*stand(OUTER, 2.0, 99.0), *strays, (98.9, read(INNER, dbm=-60.0))]


def both_sides_wildly() -> Reads:
    random = Random(4)
    reads = []
    for point in (OUTER, INNER):
        reads += [(2.0 + n / 8, read(point, dbm=-55 - random.random() * 9)) for n in range(800)]
    return reads


@pytest.mark.parametrize(
    "reads",
    [left_on_its_own_side, half_way_and_back, shadows, strays_on_the_other_side, both_sides_wildly],
)
def test_tag_that_stands_and_does_not_pass_books_nothing(reads: object) -> None:
    play = watched()
    assert callable(reads)
    go(play, reads(), 120.0)
    assert play.told == []


def test_static_tags_of_many_levels_book_nothing_in_ten_minutes() -> None:
    play = watched()
    random = Random(8)
    reads: Reads = []
    for index in range(12):
        epc = f"3034{index:020x}"
        for point in (OUTER, INNER):
            level, spread = random.uniform(-72, -45), random.uniform(0.2, 1.5)
            at_s = 2.0
            while at_s < 600.0:
                reads.append((at_s, read(point, epc, random.gauss(level, spread))))
                at_s += random.uniform(0.1, 1.2)
    go(play, reads, 620.0)
    assert play.told == []
    play.feed(621.0, report(read(OUTER), device="g"))
    assert play.told == []
