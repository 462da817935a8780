"""A cell that never settles, or loses weight slowly, says so: raised once and cleared once."""

from typing import Any

import pytest

from gateway.model import Alert, Item
from rules.cell_alerts import LOSS_MAX_G
from rules.weight import Weight
from tests.rules.play import Play
from tests.rules.test_weight import Scale, running


def alerts(scale: Scale) -> list[tuple[str, bool]]:
    return [(fact.key, fact.raised) for fact in scale.play.kinds(Alert)]


def again(scale: Scale, **known: Any) -> Scale:
    """The same cell after a restart."""
    play = Play([Weight], rows=scale.play.rows, last_alive_s=scale.play.now_s, **known)
    play.now_s = scale.play.now_s
    return Scale(play)


def fall(scale: Scale, from_g: float, to_g: float, minutes: int) -> None:
    for minute in range(minutes):
        scale.hold(from_g + (to_g - from_g) * (minute + 1) / minutes, 60.0)


@pytest.mark.parametrize("restart", [False, True])
def test_cell_that_shakes_without_end_says_so_until_it_rests(restart: bool) -> None:
    scale = running()
    scale.hold(1000.0, 100.0, noise_g=40.0)
    assert alerts(scale) == []
    scale.hold(1000.0, 600.0, noise_g=40.0)
    assert alerts(scale) == [("never_settles:s:1", True)]
    later = again(scale) if restart else scale
    later.hold(1000.0, 300.0)
    assert alerts(later)[-1] == ("never_settles:s:1", False)
    assert len(alerts(later)) == (1 if restart else 2)
    assert not any(key.startswith("alert") for key in later.play.rows)


def test_cell_that_shakes_now_and_then_raises_and_clears_once() -> None:
    scale = running()
    for _ in range(40):
        scale.hold(1000.0, 20.0, noise_g=40.0)
        scale.hold(1000.0, 5.0)
    assert alerts(scale) == [("never_settles:s:1", True)]
    scale.hold(1000.0, 200.0)
    assert alerts(scale) == [("never_settles:s:1", True), ("never_settles:s:1", False)]


def test_light_piece_on_a_shaken_cell_says_so_rather_than_nothing() -> None:
    item = Item("BOLT", unit_mg=3_000)
    rows = {"s:1": {"baseline_mg": 60_000}}
    scale = Scale(Play([Weight], rows=rows, items=[item], last_alive_s=-9.0), noise_g=9.0)
    scale.hold(60.0, 400.0)
    assert alerts(scale) == [("never_settles:s:1", True)]


def test_bin_in_which_people_work_all_the_time_settles() -> None:
    scale = running()
    for act in range(200):
        scale.hold(1000.0 + 100.0 * (act % 2), 2.5)
        scale.hold(1300.0, 1.5, noise_g=80.0)
    assert alerts(scale) == []


def test_weight_that_trickles_away_is_told_and_never_booked() -> None:
    scale = running()
    fall(scale, 1000.0, 900.0, 60)
    assert alerts(scale) == [("slow_loss:s:1", True)]
    assert scale.play.kinds() == scale.play.kinds(Alert)


@pytest.mark.parametrize(
    ("to_g", "minutes"),
    [(1000.0 - LOSS_MAX_G + 4.0, 60), (970.0, 12 * 60), (1080.0, 60)],
    ids=["creep", "weather", "dust"],
)
def test_drift_is_no_loss(to_g: float, minutes: int) -> None:
    scale = running()
    scale.period_s = 0.5
    fall(scale, 1000.0, to_g, minutes)
    assert alerts(scale) == []


def test_loss_that_is_made_good_is_cleared() -> None:
    scale = running()
    fall(scale, 1000.0, 960.0, 30)
    later = again(scale)
    fall(later, 960.0, 920.0, 30)
    assert alerts(scale) + alerts(later) == [("slow_loss:s:1", True)]
    fall(later, 920.0, 1000.0, 60)
    assert alerts(later) == [("slow_loss:s:1", False)]


def test_picks_are_no_loss() -> None:
    scale = running()
    for pick in range(1, 10):
        scale.hold(1000.0 - 100.0 * pick, 20.0)
    assert alerts(scale) == []
