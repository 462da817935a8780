from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import ActionDone, CellFlag, CountChange, Item, ReferenceDeleted, Stall
from rules.count import Count
from rules.weight import Weight, WeightSettings
from tests.rules.play import Play, S, at, seconds, weigh


class Scale:
    """A cell read ten times a second, with noise."""

    def __init__(self, play: Play, noise_g: float = 0.3, hertz: float = 10.0) -> None:
        self.play = play
        self.random = Random(1)
        self.noise_g = noise_g
        self.period_s = 1 / hertz

    def hold(
        self, gross_g: float, for_s: float, flags: int = 0, noise_g: float | None = None
    ) -> None:
        sd = self.noise_g if noise_g is None else noise_g
        end_s = self.play.now_s + for_s - 1e-9
        while self.play.now_s < end_s:
            weight = gross_g + self.random.gauss(0, sd)
            self.play.feed(self.play.now_s + self.period_s, weigh(weight, flags=flags))


def running(level_g: float = 1000.0) -> Scale:
    play = Play([Weight], rows={"s:1": {"baseline_mg": round(level_g * 1000)}}, last_alive_s=-9.0)
    scale = Scale(play)
    scale.hold(level_g, 3.0)
    assert play.told == []
    return scale


def test_pick_is_one_step_between_plateaus() -> None:
    scale = running()
    scale.hold(750.0, 3.0)
    [step] = scale.play.kinds()
    assert (step.cell, step.cause) == ("s:1", "live")
    assert step.before_g == pytest.approx(1000, abs=0.5)
    assert step.after_g == pytest.approx(750, abs=0.5)
    assert 0.1 < step.sd_g < 0.6
    assert seconds(step.since) == pytest.approx(3.0, abs=0.11)
    assert scale.play.told[0][0] == pytest.approx(4.0, abs=0.31)
    assert scale.play.rows["s:1"]["baseline_mg"] == round(step.after_g * 1000)


def test_hand_on_the_shelf_is_nothing() -> None:
    scale = running()
    for _ in range(30):
        scale.hold(1400.0, 0.1, noise_g=150.0)
    scale.hold(1000.0, 3.0)
    assert scale.play.told == []


def test_bounce_is_nothing() -> None:
    scale = running()
    for swing in (60.0, -40.0, 30.0, -20.0, 12.0, -8.0, 4.0):
        scale.hold(1000.0 + swing, 0.2)
    scale.hold(1000.0, 3.0)
    assert scale.play.told == []


def test_take_and_put_back_within_the_window_is_nothing() -> None:
    scale = running()
    scale.hold(750.0, 0.6)
    scale.hold(1000.0, 3.0)
    assert scale.play.told == []


def test_take_and_put_back_slowly_is_two_steps_that_cancel() -> None:
    scale = running()
    scale.hold(750.0, 3.0)
    scale.hold(1000.0, 3.0)
    first, second = scale.play.kinds()
    assert first.after_g == pytest.approx(second.before_g, abs=0.2)
    assert second.after_g - first.before_g == pytest.approx(0, abs=0.5)


def test_two_picks_in_quick_succession_are_their_sum() -> None:
    scale = running()
    scale.hold(900.0, 0.5)
    scale.hold(750.0, 3.0)
    [step] = scale.play.kinds()
    assert step.after_g - step.before_g == pytest.approx(-250, abs=0.6)


def test_drift_is_not_booked_and_is_kept_now_and_then() -> None:
    scale = running()
    for tenth in range(600):
        scale.hold(1000.0 + tenth / 50, 0.5)
    assert scale.play.told == []
    assert scale.play.rows["s:1"]["baseline_mg"] == pytest.approx(1_012_000, abs=1500)
    assert scale.play.puts < 20


def test_drift_before_a_restart_is_no_step_after_it() -> None:
    scale = running()
    for tenth in range(600):
        scale.hold(1000.0 + tenth / 50, 0.5)
    again = Scale(Play([Weight], rows=scale.play.rows, last_alive_s=-9.0))
    again.hold(1012.0, 3.0)
    assert again.play.told == []


def test_creep_slower_than_a_step_is_followed_no_faster_than_the_bound() -> None:
    scale = running()
    scale.hold(996.0, 10.0)
    rule = scale.play.engine._rules[0]
    assert isinstance(rule, Weight)
    baseline_g = rule._plates["s:1"].baseline_g
    assert baseline_g is not None
    assert 999.3 < baseline_g < 999.9


@pytest.mark.parametrize("flag", [CellFlag.UNDERLOAD, CellFlag.OVERLOAD, CellFlag.FAULT])
def test_unusable_samples_book_nothing(flag: int) -> None:
    scale = running()
    scale.hold(30_000.0, 2.9, flags=flag)
    scale.hold(1000.0, 3.0)
    assert scale.play.told == []


def test_motion_flag_alone_is_usable() -> None:
    scale = running()
    scale.hold(750.0, 3.0, flags=CellFlag.MOTION)
    assert len(scale.play.kinds()) == 1


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), float("-inf")])
def test_weight_that_is_no_number_books_nothing(weight: float) -> None:
    scale = running()
    scale.hold(weight, 2.0)
    scale.hold(1000.0, 2.0)
    scale.hold(750.0, 3.0)
    assert len(scale.play.kinds()) == 1
    assert Scale(Play([Weight])).play.told == []


def test_change_while_nobody_watched_is_found_after_the_gap() -> None:
    scale = running()
    scale.play.now_s += 100.0
    scale.hold(750.0, 3.0)
    [step] = scale.play.kinds()
    assert step.cause == "found_after_gap"
    assert seconds(step.since) == pytest.approx(3.0, abs=0.11)
    scale.hold(500.0, 3.0)
    assert scale.play.kinds()[1].cause == "live"


def test_no_change_over_a_gap_is_nothing() -> None:
    scale = running()
    scale.play.now_s += 100.0
    scale.hold(1003.0, 3.0)
    assert scale.play.told == []


def test_stall_drops_what_was_half_a_window() -> None:
    scale = running()
    scale.hold(750.0, 0.5)
    scale.play.feed(scale.play.now_s, Stall(10 * S))
    scale.play.now_s += 10.0
    scale.hold(1000.0, 3.0)
    assert scale.play.told == []
    scale.hold(700.0, 3.0)
    assert [step.cause for step in scale.play.kinds()] == ["live"]


def test_first_plateau_ever_is_a_first_start() -> None:
    scale = Scale(Play([Weight]))
    scale.hold(1000.0, 3.0)
    [step] = scale.play.kinds()
    assert (step.cause, step.before_g) == ("first_start", 0.0)


@pytest.mark.parametrize("ok", [True, False], ids=["done", "not certain"])
def test_commanded_zero_books_no_step(ok: bool) -> None:
    scale = running()
    scale.play.feed(scale.play.now_s, ActionDone("s", "zero", "s:1", ok))
    scale.hold(0.0, 3.0)
    assert scale.play.told == []
    assert scale.play.rows["s:1"]["baseline_mg"] == pytest.approx(0, abs=500)
    scale.hold(-250.0, 3.0)
    [step] = scale.play.kinds()
    assert step.after_g - step.before_g == pytest.approx(-250, abs=0.6)


@pytest.mark.parametrize("level_g", [0.0, 100.0, 750.0])
@pytest.mark.parametrize("ok", [True, False], ids=["done", "not certain"])
def test_tare_leaves_the_gross_weight_and_a_step_is_a_step(ok: bool, level_g: float) -> None:
    scale = running()
    scale.play.feed(scale.play.now_s, ActionDone("s", "tare", "s:1", ok))
    scale.hold(1000.0, 2.0)
    assert scale.play.told == []
    scale.play.feed(scale.play.now_s, ActionDone("s", "tare", "s:1", ok))
    scale.hold(level_g, 3.0)
    [step] = scale.play.kinds()
    assert step.before_g == pytest.approx(1000, abs=0.5)
    assert step.after_g == pytest.approx(level_g, abs=0.5)


def test_crash_after_a_commanded_zero_books_no_step() -> None:
    scale = running()
    scale.play.feed(scale.play.now_s, ActionDone("s", "zero", "s:1"))
    again = Scale(Play([Weight], rows=scale.play.rows, last_alive_s=-9.0))
    again.hold(0.0, 3.0)
    assert again.play.told == []
    assert "commanded" not in again.play.rows["s:1"]


@pytest.mark.parametrize(("level_g", "before_g"), [(900.0, 1000.0), (-100.0, 0.0), (100.0, 0.0)])
def test_step_beside_a_pulse_in_doubt_is_booked_from_the_nearer_level(
    level_g: float, before_g: float
) -> None:
    scale = running()
    scale.hold(1000.0, 3.0)
    rows = scale.play.rows
    again = Scale(Play([Weight], rows=rows, last_alive_s=-9.0))
    again.play.feed(again.play.now_s, ActionDone("s", "zero", "s:1", ok=False))
    again.hold(level_g, 3.0)
    [step] = again.play.kinds()
    assert step.before_g == pytest.approx(before_g, abs=1.0)
    assert step.after_g == pytest.approx(level_g, abs=1.0)


def test_restored_baseline_finds_what_changed_meanwhile() -> None:
    play = Play([Weight], rows={"s:1": {"baseline_mg": 500_000}}, last_alive_s=-77.0)
    Scale(play).hold(1000.0, 3.0)
    [step] = play.kinds()
    assert (step.cause, step.before_g, step.since) == ("found_after_gap", 500.0, at(-77.0))


def test_slow_transmitter_decides_too() -> None:
    scale = running()
    scale.period_s = 0.5
    scale.hold(750.0, 6.0)
    assert len(scale.play.kinds()) == 1


def light(unit_g: float, level_g: float = 60.0, noise_g: float = 0.3, **set_to: float) -> Scale:
    item = Item("BOLT", unit_mg=round(unit_g * 1000))
    rows = {"s:1": {"baseline_mg": round(level_g * 1000)}}
    scale = Scale(Play([Weight], set_to, rows=rows, items=[item], last_alive_s=-9.0), noise_g)
    scale.hold(level_g, 3.0)
    assert scale.play.told == []
    return scale


@pytest.mark.parametrize("unit_g", [2.5, 3.0, 4.0, 4.9, 5.1, 6.0])
@pytest.mark.parametrize("hertz", [10.0, 40.0])
def test_piece_lighter_than_a_usual_step_is_a_step(unit_g: float, hertz: float) -> None:
    scale = light(unit_g)
    scale.period_s = 1 / hertz
    for taken in range(1, 6):
        scale.hold(60.0 - taken * unit_g, 3.0)
    steps = scale.play.kinds()
    assert len(steps) == 5
    for step in steps:
        assert step.after_g - step.before_g == pytest.approx(-unit_g, abs=0.2 * unit_g)


def test_light_piece_is_one_step_whenever_in_the_window_it_goes() -> None:
    for tenth in range(10):
        scale = light(2.5)
        scale.hold(60.0, tenth / 10)
        scale.hold(57.5, 4.0)
        assert len(scale.play.kinds()) == 1


def test_noise_and_drift_of_a_cell_of_light_pieces_are_no_step() -> None:
    scale = light(2.5)
    for tenth in range(1200):
        scale.hold(60.0 + tenth / 60, 0.5)
    assert scale.play.told == []


def test_piece_too_light_leaves_the_usual_step() -> None:
    scale = light(2.0, noise_g=0.8)
    scale.hold(58.0, 3.0)
    assert scale.play.told == []
    scale.hold(40.0, 3.0)
    assert len(scale.play.kinds()) == 1


def test_quiet_scale_with_a_small_band_resolves_lighter_pieces() -> None:
    assert WeightSettings(band_g=0.2, step_min_g=0.8).unit_min_g == pytest.approx(0.5)
    assert WeightSettings().unit_min_g == pytest.approx(2.5)
    scale = light(0.6, noise_g=0.03, band_g=0.2, step_min_g=0.8)
    scale.hold(59.4, 3.0)
    assert len(scale.play.kinds()) == 1


def test_item_that_is_told_later_and_taken_back_sets_the_step() -> None:
    scale = running()
    scale.play.feed(scale.play.now_s, Item("BOLT", unit_mg=3000), Item("NUT", unit_mg=9000))
    scale.hold(997.0, 3.0)
    assert len(scale.play.kinds()) == 1
    scale.play.feed(scale.play.now_s, ReferenceDeleted("item", "BOLT"))
    scale.hold(994.0, 3.0)
    assert len(scale.play.kinds()) == 1


def test_unknown_cell_is_ignored() -> None:
    play = Play([Weight])
    for tick in range(50):
        play.feed(tick / 10, weigh(100.0, "x:9"))
    assert play.told == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-4, 4), st.floats(0.1, 4.0), st.booleans()), min_size=1, max_size=15
    ),
    st.integers(0, 1000),
)
def test_counts_add_up_to_what_lies_there(acts: list[tuple[int, float, bool]], seed: int) -> None:
    play = Play([Weight, Count], rows={}, last_alive_s=-1.0)
    scale = Scale(play)
    scale.random = Random(seed)
    pieces = 20
    scale.hold(pieces * 100.0, 3.0)
    for change, pause_s, hand in acts:
        if hand:
            scale.hold(pieces * 100.0 + 300.0, 0.5, noise_g=120.0)
        pieces += max(change, -pieces)
        scale.hold(pieces * 100.0, pause_s)
    scale.hold(pieces * 100.0, 3.0)
    changes = play.kinds(CountChange)
    assert sum(change.quantity for change in changes) == pieces
    assert changes[-1].on_hand == pieces
    assert play.rows["Count/s:1"]["on_hand"] == pieces
