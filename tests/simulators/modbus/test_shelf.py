"""The shelf: sampling, standstill, range, zero, tare and its troubles, in handed-in time."""

from random import Random

import pytest

from simulators.modbus.scale import Display
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter

GRAM = Display("g", 0)


def _shelf(loads: FixedLoads, settings: Transmitter | None = None, seed: int = 1) -> Shelf:
    return Shelf(["left", "right"], loads, GRAM, settings or Transmitter(), Random(seed))


def test_first_look_finds_a_load_that_has_been_lying_there() -> None:
    shelf = _shelf(FixedLoads({"left": 1_000.0, "right": 250.0}))

    left, right = shelf.states(at_s=100.0)

    assert (left.gross_g, right.gross_g) == (1_000.0, 250.0)
    assert not left.moving
    assert not right.moving


def test_stable_flag_lags_a_step_by_filter_and_stable_time() -> None:
    loads = FixedLoads({"left": 1_000.0})
    shelf = _shelf(loads)
    shelf.states(10.0)
    loads.loads_g["left"] = 2_000.0

    moving = {tenth: shelf.states(10.0 + tenth / 10)[0].moving for tenth in range(1, 10)}

    # Three samples of filter, then 0.5 s within the band: still from the seventh sample on.
    assert [tenth for tenth, flag in moving.items() if flag] == [1, 2, 3, 4, 5, 6]
    assert shelf.states(10.9)[0].gross_g == 2_000.0


def test_neighbour_of_a_moving_cell_stays_stable() -> None:
    loads = FixedLoads({"left": 1_000.0, "right": 500.0})
    shelf = _shelf(loads)
    shelf.states(0.0)
    loads.loads_g["left"] = 3_000.0

    left, right = shelf.states(0.1)

    assert left.moving
    assert not right.moving


def test_filter_passes_a_step_in_three_samples() -> None:
    loads = FixedLoads()
    shelf = _shelf(loads)
    shelf.states(0.0)
    loads.loads_g["left"] = 900.0

    assert [shelf.states(tenth / 10)[0].gross_g for tenth in (1, 2, 3)] == [300.0, 600.0, 900.0]


def test_long_pause_between_looks_is_caught_up_without_sampling_all_of_it() -> None:
    loads = FixedLoads()
    shelf = _shelf(loads)
    shelf.states(0.0)
    loads.loads_g["left"] = 900.0

    state = shelf.states(1_000_000.0)[0]

    assert state.gross_g == 900.0
    assert not state.moving


def test_earlier_moment_changes_nothing() -> None:
    loads = FixedLoads({"left": 100.0})
    shelf = _shelf(loads)
    before = shelf.states(5.0)
    loads.loads_g["left"] = 900.0

    assert shelf.states(4.0) == before
    assert shelf.states(5.05) == before


def test_noise_comes_from_the_handed_in_seed() -> None:
    def weights(seed: int) -> list[float]:
        shelf = _shelf(FixedLoads({"left": 1_000.0}), Transmitter(noise_sd_g=0.3), seed)
        return [shelf.states(tenth / 10)[0].gross_g for tenth in range(50)]

    assert weights(7) == weights(7)
    assert weights(7) != weights(8)
    assert all(abs(weight - 1_000.0) < 1.5 for weight in weights(7))
    assert len(set(weights(7))) > 40


def test_noise_beyond_the_band_keeps_the_scale_moving() -> None:
    shelf = _shelf(FixedLoads({"left": 1_000.0}), Transmitter(noise_sd_g=20.0))

    assert all(shelf.states(second)[0].moving for second in range(20))


@pytest.mark.parametrize(
    ("weight_g", "overload", "underload"),
    [
        (50_009.0, False, False),
        (50_010.0, True, False),
        (-500.0, False, False),
        (-501.0, False, True),
    ],
)
def test_range_ends_nine_divisions_above_capacity(
    weight_g: float, overload: bool, underload: bool
) -> None:
    state = _shelf(FixedLoads({"left": weight_g})).states(0.0)[0]

    assert (state.overload, state.underload) == (overload, underload)


def test_zero_within_four_percent_of_capacity_is_taken() -> None:
    shelf = _shelf(FixedLoads({"left": 1_999.0, "right": 2_001.0}))
    shelf.states(0.0)

    assert shelf.zero(0)
    assert not shelf.zero(1)
    left, right = shelf.states(0.1)
    assert (left.gross_g, right.gross_g) == (0.0, 2_001.0)


def test_zero_counts_its_range_from_the_first_zero() -> None:
    loads = FixedLoads({"left": 1_500.0})
    shelf = _shelf(loads)
    shelf.states(0.0)
    assert shelf.zero(0)
    loads.loads_g["left"] = 3_000.0
    shelf.states(10.0)

    assert not shelf.zero(0)


def test_zero_and_tare_wait_for_standstill_unless_told_otherwise() -> None:
    loads = FixedLoads({"left": 100.0})
    shelf = _shelf(loads)
    shelf.states(0.0)
    loads.loads_g["left"] = 700.0
    shelf.states(0.1)

    assert not shelf.zero(0)
    assert not shelf.tare(0)
    assert shelf.tare(0, moving=True)
    assert shelf.states(0.1)[0].tare_g == 300.0


def test_tare_of_an_empty_scale_is_refused() -> None:
    shelf = _shelf(FixedLoads())
    shelf.states(0.0)

    assert not shelf.tare(0)
    assert shelf.states(0.0)[0].tare_g == 0.0


def test_preset_tare_is_marked_and_cleared() -> None:
    shelf = _shelf(FixedLoads({"left": 1_000.0}))

    assert shelf.preset_tare(0, 400.0)
    state = shelf.states(0.0)[0]
    assert (state.tare_g, state.preset_tare) == (400.0, True)
    assert not shelf.preset_tare(0, 50_001.0)
    assert shelf.clear_tare(0)
    state = shelf.states(0.0)[0]
    assert (state.tare_g, state.preset_tare) == (0.0, False)


def test_frozen_cell_keeps_its_weight_and_says_stable() -> None:
    loads = FixedLoads({"left": 1_000.0, "right": 1_000.0})
    shelf = _shelf(loads)
    shelf.states(0.0)
    shelf.troubles["left"].frozen = True
    loads.loads_g.update(left=200.0, right=200.0)

    left, right = shelf.states(10.0)

    assert (left.gross_g, left.moving) == (1_000.0, False)
    assert right.gross_g == 200.0
    shelf.troubles["left"].frozen = False
    assert shelf.states(20.0)[0].gross_g == 200.0


@pytest.mark.parametrize("trouble", ["overload", "broken", "not_a_number"])
def test_trouble_marks_its_cell_alone(trouble: str) -> None:
    shelf = _shelf(FixedLoads({"left": 1_000.0, "right": 1_000.0}))
    setattr(shelf.troubles["right"], trouble, True)

    left, right = shelf.states(0.0)

    flag = "fault" if trouble == "broken" else trouble
    assert getattr(right, flag)
    assert not getattr(left, flag)


@pytest.mark.parametrize("count", [0, 9])
def test_transmitter_has_one_to_eight_cells(count: int) -> None:
    cells = [str(number) for number in range(count)]

    with pytest.raises(AssertionError, match="1 to 8 cells"):
        Shelf(cells, FixedLoads(), GRAM, Transmitter(), Random(1))
