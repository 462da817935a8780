"""When a cell rests, and what it learns of its own noise."""

from random import Random

import pytest

from rules.plateau import NOISE_LEAST_G, Rest, Window
from tests.rules.play import S

TENTH = S // 10


class Cell:
    """A cell read ten times a second."""

    def __init__(self, band_g: float = 2.0) -> None:
        self.window = Window(band_g, S, 6)
        self.random = Random(1)
        self.now = 0

    def hold(self, noise_g: float, for_s: float, level_g: float = 0.0) -> list[Rest]:
        """The windows at rest in that time."""
        rests = []
        for _ in range(round(for_s * 10)):
            self.now += TENTH
            rest = self.window.add(self.now, level_g + self.random.gauss(0, noise_g))
            if rest is not None:
                rests.append(rest)
        return rests


@pytest.mark.parametrize("noise_g", [0.5, 1.0, 2.0, 2.8])
def test_noise_is_learned_and_the_cell_rests_in_it(noise_g: float) -> None:
    cell = Cell()
    cell.hold(noise_g, 90.0)
    assert cell.window.noise_g == pytest.approx(noise_g, rel=0.25)
    assert len(cell.hold(noise_g, 100.0)) > 900


@pytest.mark.parametrize(
    ("noise_g", "learned_g"), [(0.01, NOISE_LEAST_G), (50.0, 3.0)], ids=["still", "shaken"]
)
def test_what_is_learned_is_bounded(noise_g: float, learned_g: float) -> None:
    cell = Cell()
    cell.hold(noise_g, 600.0)
    assert cell.window.noise_g == pytest.approx(learned_g)
    cell.window.restore(1000.0)
    assert cell.window.noise_g == 3.0


def test_frozen_cell_teaches_nothing() -> None:
    cell = Cell()
    cell.hold(1.5, 90.0)
    learned_g = cell.window.noise_g
    cell.hold(0.0, 600.0)
    assert cell.window.noise_g == pytest.approx(learned_g, rel=0.05)
    assert len(cell.hold(1.5, 10.0)) > 70


def test_hand_that_keeps_nearly_still_is_no_rest_on_a_good_cell() -> None:
    cell = Cell()
    cell.hold(0.4, 60.0)
    assert cell.hold(2.0, 20.0, level_g=300.0) == []
    assert len(cell.hold(0.4, 20.0)) > 180


def test_people_who_work_there_teach_no_noise() -> None:
    cell = Cell()
    for act in range(60):
        cell.hold(0.4, 3.0, level_g=act * 50.0)
        cell.hold(80.0, 2.0)
    assert cell.window.noise_g < 0.65


@pytest.mark.parametrize("piece_g", [2.5, 4.0])
def test_window_in_which_a_light_piece_goes_is_no_rest_halfway(piece_g: float) -> None:
    for tenth in range(10):
        cell = Cell()
        cell.window.halves_max_g = 0.4 * piece_g
        cell.hold(0.3, 60.0 + tenth / 10)
        levels = [rest.level_g for rest in cell.hold(0.3, 2.0, level_g=-piece_g)]
        assert all(min(-level, piece_g + level) < 0.25 * piece_g for level in levels)


def test_level_is_surer_than_a_sample() -> None:
    cell = Cell()
    cell.hold(1.0, 60.0)
    [*_, rest] = cell.hold(1.0, 10.0)
    assert rest.level_sd_g == pytest.approx(1.0 / 11**0.5, rel=0.4)


def test_display_that_flickers_between_two_steps_rests() -> None:
    cell = Cell()
    cell.hold(0.0, 60.0)
    cell.random = Random(3)
    rests = 0
    for _ in range(100):
        cell.now += TENTH
        rests += cell.window.add(cell.now, float(cell.random.random() < 0.5)) is not None
    assert rests > 60
