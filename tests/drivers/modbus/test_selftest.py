import math
import struct

import pytest

from drivers.modbus.decode import ORDERS, CellNames, Order
from drivers.modbus.profile import Profile
from drivers.modbus.selftest import SelfTest
from drivers.modbus.settings import UnitSettings
from gateway.model import CellFlag
from tests.drivers.modbus.test_decode import BIG, laid_out
from tests.drivers.modbus.test_profile import MINIMAL

FLOATS = {
    "block": {"function": 3, "start": 10, "count": 7},
    "value": {"type": "f32"},
    "decimals": {"source": "none"},
    "cells": [{"gross": 10, "net": 12, "tare": 14, "status": 16}],
    "flags": [{"bits": [0, 0], "values": [1], "flag": "FAULT"}],
    "order_assumed": True,
}
NO_TARE = {"cells": [{"gross": 10, "status": 16}]}


def make_test(told: dict[str, object] | None = None, **changes: object) -> SelfTest:
    profile = Profile.model_validate({**MINIMAL, **FLOATS, **changes})
    settings = UnitSettings.model_validate(
        {
            "unit_id": 1,
            "profile": "mine",
            "capacity_g": 50_000,
            "weight_unit": "kg",
            **(told or {}),
        }
    )
    return SelfTest(profile, settings, CellNames((0,), ("shelf:1",)))


def words(gross: float, net: float, tare: float, order: Order = BIG, status: int = 0) -> list[int]:
    numbers = [laid_out(struct.pack(">f", kg), order) for kg in (gross, net, tare)]
    return [word for pair in numbers for word in pair] + [status]


@pytest.mark.parametrize("order", ORDERS)
def test_order_is_proved_by_the_equation_with_a_tare(order: Order) -> None:
    outcome = make_test().examine(words(1.7003, 1.2001, 0.5002, order))

    assert outcome.verdict == "proved"
    assert outcome.decoder.order == order
    assert outcome.decoder.samples(words(1.7003, 1.2001, 0.5002, order))[
        0
    ].gross_g == pytest.approx(1_700.3)


def test_equation_that_is_off_by_more_than_a_division_is_refused() -> None:
    test = make_test({"division_g": 5})

    assert test.examine(words(1.7, 1.2, 0.505)).verdict == "proved"
    outcome = make_test({"division_g": 5}).examine(words(1.7, 1.2, 0.506))
    assert outcome.verdict == "refused"
    assert "gross - tare = net" in outcome.detail


@pytest.mark.parametrize("order", [order for order in ORDERS if order != BIG])
def test_other_order_without_a_tare_is_refused_with_what_to_set(order: Order) -> None:
    outcome = make_test(**NO_TARE).examine(words(5.0, 5.0, 0, order))

    assert outcome.verdict == "refused"
    assert f'word_order = "{order.word}", byte_order = "{order.byte}"' in outcome.detail


def test_order_that_the_installer_told_is_the_only_one() -> None:
    told: dict[str, object] = {"word_order": "little", "byte_order": "big"}
    little = Order("little", "big")

    outcome = make_test(told, **NO_TARE).examine(words(1.5, 1.5, 0, little))

    assert (outcome.verdict, outcome.decoder.order) == ("proved", little)


def test_number_that_reads_backwards_as_a_weight_does_not_change_the_order() -> None:
    # NaN is 0x7FC00000; with its bytes swapped it is -3.98 kg.
    test = make_test(**NO_TARE)

    outcome = test.examine(words(math.nan, 0, 0))

    assert outcome.verdict == "open"
    assert outcome.decoder.order == BIG
    assert outcome.decoder.samples(words(math.nan, 0, 0))[0].flags == CellFlag.FAULT
    assert test.examine(words(5.0, 5.0, 0)).verdict == "proved"


def test_swap_of_bytes_that_fits_too_keeps_the_test_open() -> None:
    # 1.5 kg is 0x3FC00000; with its bytes swapped it is -2.98 kg.
    test = make_test(**NO_TARE)

    outcome = test.examine(words(1.5, 1.5, 0))

    assert (outcome.verdict, outcome.decoder.order) == ("open", BIG)
    assert test.examine(words(5.0, 5.0, 0)).verdict == "proved"


def test_zero_weight_decides_nothing() -> None:
    test = make_test()

    assert test.examine(words(0, 0, 0)).verdict == "open"
    assert test.examine(words(5.0, 5.0, 0)).verdict == "proved"


def test_weight_that_fits_both_word_orders_books_nothing_until_it_changes() -> None:
    # 2.0 kg with a low word that is a weight too: both halves are 0x4000.
    both = [0x4000, 0x4100, 0x4000, 0x4100, 0, 0, 0]
    test = make_test()

    outcome = test.examine(both)
    assert outcome.verdict == "waiting"
    assert "word_order" in outcome.detail
    assert test.examine(words(5.0, 5.0, 0)).verdict == "proved"
    assert test.examine(both).verdict == "proved"


def test_cell_that_reports_a_fault_is_not_judged() -> None:
    assert make_test().examine(words(1.7, 9.0, 0.5, status=1)).verdict == "open"


def test_net_shown_in_net_mode_is_checked_against_gross_and_tare() -> None:
    cells = [{"display": 10, "gross": 12, "tare": 14, "status": 16}]
    tests = [make_test(cells=cells, net_mode_bit=3) for _ in range(4)]

    assert tests[0].examine(words(1.2, 1.7, 0.5, status=8)).verdict == "proved"
    assert tests[1].examine(words(1.7, 1.7, 0.5, status=0)).verdict == "proved"
    assert tests[2].examine(words(1.7, 1.7, 0.5, status=8)).verdict == "refused"
    assert tests[3].examine(words(1.2, 1.7, 0.5, status=0)).verdict == "refused"


def test_registers_that_start_one_off_are_refused() -> None:
    # What a unit shows whose document counts from the other end.
    registers = [*words(1.7003, 1.2001, 0.5002)[1:], 0]

    outcome = make_test(assumed=["register numbers count from 1"]).examine(registers)

    assert outcome.verdict == "refused"
    assert "register numbers count from 1" in outcome.detail
