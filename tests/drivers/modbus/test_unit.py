from random import Random

import pytest

from drivers.modbus.answers import DesyncError, UnitError
from drivers.modbus.profiles_folder import find_folder
from drivers.modbus.settings import UnitSettings
from drivers.modbus.unit import FAILURES_MAX, STALE_MAX_NS, Unit, make_units
from gateway.model import NS_PER_S
from tests.drivers.modbus.peer import DGT4X, dgt4x

TIMEOUT = UnitError("timeout", "unit 1: no answer")


def unit(**settings: object) -> Unit:
    told = UnitSettings.model_validate({**DGT4X, "unit_id": 1, **settings})
    return make_units([told], find_folder(), "shelf")[0]


def wp351(counter: int) -> list[int]:
    return [0x0040, *[0] * 35, counter]


def counting_unit() -> Unit:
    told = {"unit_id": 1, "profile": "siwarex-wp351", "capacity_g": 1e4, "weight_unit": "kg"}
    return make_units([UnitSettings.model_validate(told)], find_folder(), "shelf")[0]


def test_unit_is_silent_after_three_failures_in_a_row_and_not_before() -> None:
    polled = unit()

    for _ in range(5):
        assert [polled.failed(TIMEOUT) for _ in range(FAILURES_MAX - 1)] == [{}, {}]
        polled.answered(dgt4x(1), 0)
        assert not polled.silent
    assert [polled.failed(TIMEOUT) for _ in range(4)] == [
        {},
        {},
        {"unit_silent": "timeout: unit 1: no answer"},
        {},
    ]
    assert polled.silent
    assert polled.answered(dgt4x(1), 0).faults == {"unit_silent": ""}


def test_probe_of_a_dead_unit_takes_two_percent_of_the_line_at_most() -> None:
    polled, random = unit(), Random(1)
    poll_ns, failure_ns = NS_PER_S // 10, NS_PER_S // 2
    assert polled.period_ns(poll_ns, failure_ns, random) == poll_ns
    for _ in range(FAILURES_MAX):
        polled.failed(TIMEOUT)

    periods = {polled.period_ns(poll_ns, failure_ns, random) for _ in range(50)}

    assert min(periods) >= 25 * NS_PER_S
    assert max(periods) <= 30 * NS_PER_S
    assert len(periods) > 40
    assert polled.period_ns(poll_ns, 1, random) >= 5 * NS_PER_S


def test_desync_silences_a_unit_at_once() -> None:
    polled = unit()

    assert polled.distrust(DesyncError("garbage", "noise")) == {"unit_silent": "garbage: noise"}
    assert polled.silent
    assert polled.probed


def test_counter_that_stands_still_gives_no_sample_and_after_a_while_a_fault() -> None:
    polled = counting_unit()

    assert not polled.answered(wp351(6), 0).samples
    assert polled.answered(wp351(7), 0).samples
    assert polled.answered(wp351(7), 1) == ((), {})
    assert polled.answered(wp351(7), STALE_MAX_NS) == ((), {})
    stale = polled.answered(wp351(7), STALE_MAX_NS + 1)
    assert not stale.samples
    assert "stands still" in stale.faults["values_stale"]
    assert polled.answered(wp351(7), STALE_MAX_NS + 2) == ((), {})
    renewed = polled.answered(wp351(8), STALE_MAX_NS + 3)
    assert renewed.samples
    assert renewed.faults == {"values_stale": ""}


def test_counter_that_never_runs_is_a_fault_too() -> None:
    polled = counting_unit()

    assert not polled.answered(wp351(7), 0).samples
    assert "stands still" in polled.answered(wp351(7), STALE_MAX_NS + 1).faults["values_stale"]


def test_value_that_was_not_renewed_over_an_outage_is_not_fresh() -> None:
    polled = counting_unit()
    polled.answered(wp351(6), 0)
    polled.answered(wp351(7), 0)

    for _ in range(4):
        polled.failed(TIMEOUT)
    assert not polled.answered(wp351(7), 1).samples
    polled.restart()
    assert not polled.answered(wp351(7), 2).samples
    assert polled.answered(wp351(8), 3).samples


@pytest.mark.parametrize(("base", "address"), [(None, 2999), (0, 3000), (1, 2999)])
def test_address_on_the_wire_follows_the_numbering(base: int | None, address: int) -> None:
    told = UnitSettings.model_validate(
        {
            "unit_id": 1,
            "profile": "siwarex-wp351",
            "capacity_g": 1e4,
            "weight_unit": "kg",
            "address_base": base,
        }
    )

    (polled,) = make_units([told], find_folder(), "shelf")

    assert polled.request.pdu.address == address
