"""Which story fits how the sides lean: a string per quarter second, o outer, i inner, . neither."""

import pytest

from rules.gate_company import SURE_MARGIN
from rules.gate_levels import Levels
from rules.gate_story import lean, tell
from tests.rules.play import S

LEANS = {"o": -1.0, "i": 1.0, ".": 0.0}


@pytest.mark.parametrize(
    ("sides", "direction", "last"),
    [
        ("ooooiiii", "in", 1),
        ("iiiioooo", "out", 0),
        ("oooooooo", "turned_back", 0),
        ("iiiiiiii", "turned_back", 1),
        ("oooiiioooo", "turned_back", 0),
        ("iiioooiiii", "turned_back", 1),
        ("ooo.oi.oi.iiii", "in", 1),
    ],
)
def test_story(sides: str, direction: str, last: int) -> None:
    story = tell([(number, LEANS[side]) for number, side in enumerate(sides)])
    assert (story.direction, story.side) == (direction, last)


@pytest.mark.parametrize("sides", ["ooooi", "ooooiiiio"], ids=["not yet through", "perhaps back"])
def test_one_last_quarter_second_decides_nothing(sides: str) -> None:
    story = tell([(number, LEANS[side]) for number, side in enumerate(sides)])
    assert story.margin < SURE_MARGIN


def test_what_does_not_fit_makes_a_story_impure_and_close_to_another() -> None:
    clear = tell([(number, LEANS[side]) for number, side in enumerate("ooooiiii")])
    mixed = tell([(number, LEANS[side]) for number, side in enumerate("oioioioi")])
    assert (clear.purity, clear.turn, clear.other) == (1.0, 3, 4.0)
    assert mixed.purity < 0.6
    assert mixed.margin < clear.margin


def test_nothing_heard_is_no_story() -> None:
    story = tell([])
    assert (story.weight, story.purity) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("outer", "inner", "leans"),
    [
        (-5000, -20_000, -1.0),
        (-20_000, -5000, 1.0),
        (-6000, -6000, 0.0),
        (-5600, -6000, -0.4),
        (-7000, -20_000, -0.3),
        (-9000, -20_000, 0.0),
    ],
    ids=["outer", "inner", "alike", "4 dB", "20 dB below its peak", "far below"],
)
def test_lean_is_the_ratio_of_both_sides_and_less_where_little_is_heard(
    outer: int, inner: int, leans: float
) -> None:
    assert lean(outer, inner, -5000) == pytest.approx(leans, abs=0.05)


def compared(*levels: tuple[float, int]) -> Levels:
    """Reads of one antenna: (second, level)."""
    known = Levels()
    for at_s, level in levels:
        known.compare(round(at_s * S), 1, level)
    return known


def test_tag_that_comes_back_at_its_level_stands() -> None:
    known = compared(*((n / 2, -6000 + 50 * (n % 3)) for n in range(6)))
    assert (known.standing, known.stood, known.moved) == (True, True, False)


def test_tag_whose_level_changes_is_carried() -> None:
    known = compared(*((n / 2, -6000 + 700 * (n % 3)) for n in range(6)))
    assert (known.standing, known.stood, known.moved) == (False, False, True)


def test_reads_of_one_dwell_are_one() -> None:
    known = compared(*((n / 100, -6000) for n in range(30)))
    assert (known.standing, known.repeats) == (False, 0)


def test_shadow_is_outlasted_and_the_level_behind_it_still_known() -> None:
    stands = [(n / 2, -6000) for n in range(12)]
    shadow = [(6.0 + n / 2, -6900 - 200 * n) for n in range(3)]
    known = compared(*stands, *shadow)
    assert known.standing
    assert known.known[1].level == -6000


def test_tag_that_is_carried_off_is_soon_seen_to_move() -> None:
    stands = [(n / 2, -6000) for n in range(30)]
    known = compared(*stands, *((15.0 + n / 2, -6500 - 400 * (n % 2)) for n in range(5)))
    assert not known.standing
