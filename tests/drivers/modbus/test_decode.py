import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.decode import ORDERS, CellNames, Decoder, Order
from drivers.modbus.profile import Profile
from drivers.modbus.settings import UnitSettings
from gateway.model import CellFlag
from gateway.ports import ConfigError
from tests.drivers.modbus.test_profile import MINIMAL

BIG = Order("big", "big")


def decoder(
    order: Order = BIG,
    *,
    names: int = 1,
    capacity_g: float = 1_000_000,
    told: dict[str, object] | None = None,
    **changes: object,
) -> Decoder:
    profile = Profile.model_validate({**MINIMAL, **changes})
    settings = UnitSettings.model_validate(
        {
            "unit_id": 1,
            "profile": "mine",
            "capacity_g": capacity_g,
            **({"decimals": 0, "weight_unit": "g"} if told is None else told),
        }
    )
    cell_names = CellNames(tuple(range(names)), tuple(f"shelf:{n}" for n in range(names)))
    return Decoder(profile, settings, cell_names, order)


def laid_out(big_endian: bytes, order: Order) -> list[int]:
    """The registers of one 32-bit value, for a device of that order."""
    words = [big_endian[:2], big_endian[2:]]
    if order.word == "little":
        words.reverse()
    if order.byte == "little":
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [100_000, -1, 65_536, 65_535, -65_537, 0])
def test_s32_is_read_right_in_every_order(order: Order, number: int) -> None:
    registers = [*laid_out(struct.pack(">i", number), order), 0, 0]

    (sample,) = decoder(order).samples(registers)

    assert sample == ("shelf:0", float(number), 0)


@given(number=st.floats(width=32, min_value=-1e5, max_value=1e5), order=st.sampled_from(ORDERS))
def test_f32_is_read_right_in_every_order(number: float, order: Order) -> None:
    registers = [*laid_out(struct.pack(">f", number), order), 0, 0]
    floats = decoder(
        order,
        value={"type": "f32"},
        decimals={"source": "none"},
        told={"weight_unit": "g"},
    )

    (sample,) = floats.samples(registers)

    assert sample.gross_g == number
    assert sample.flags == 0


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 3e38, -2.5e6])
def test_float_that_is_no_weight_is_a_fault_and_no_number(number: float) -> None:
    registers = [*laid_out(struct.pack(">f", number), BIG), 0, 0]
    floats = decoder(value={"type": "f32"}, decimals={"source": "none"}, told={"weight_unit": "g"})

    (sample,) = floats.samples(registers)

    assert sample.gross_g == 0.0
    assert sample.flags == CellFlag.FAULT


@pytest.mark.parametrize(
    ("gross", "flags"),
    [(1_100, 0), (1_101, CellFlag.OVERLOAD), (-1_101, CellFlag.UNDERLOAD)],
)
def test_weight_beyond_capacity_is_flagged_without_any_status_bit(gross: int, flags: int) -> None:
    registers = [*laid_out(struct.pack(">i", gross), BIG), 0, 0]

    (sample,) = decoder(capacity_g=1_000).samples(registers)

    assert (sample.gross_g, sample.flags) == (gross, flags)


def test_magnitude_takes_its_sign_from_the_status() -> None:
    signed = decoder(value={"type": "u32", "gross_negative_bit": 7})

    positive = signed.samples([1, 0x86A0, 0x0100, 0])
    negative = signed.samples([1, 0x86A0, 0x0080, 0])

    assert (positive[0].gross_g, negative[0].gross_g) == (100_000, -100_000)


@pytest.mark.parametrize(
    ("kind", "words", "number"), [("u16", [65_535], 65_535), ("s16", [65_535], -1)]
)
def test_sixteen_bits_are_read(kind: str, words: list[int], number: int) -> None:
    (sample,) = decoder(value={"type": kind}).samples([*words, 0, 0, 0])

    assert sample.gross_g == number


CODED: dict[str, Any] = {
    "block": {"function": 3, "start": 10, "count": 5},
    "decimals": {
        "source": "code",
        "code": {"register": 14, "bits": [0, 7]},
        "table": {"0-6": 0, "7-9": 1, "10": 2},
    },
    "unit": {
        "source": "code",
        "code": {"register": 14, "bits": [8, 15]},
        "table": {"0": "kg", "1": "g", "2": "t", "3": "lb", "4": "N"},
    },
    "told": {},
    "capacity_g": 1e9,
}


@pytest.mark.parametrize(
    ("code", "grams"),
    [
        (0x0000, 2_000.0),
        (0x0006, 2_000.0),
        (0x0007, 200.0),
        (0x000A, 20.0),
        (0x0100, 2.0),
        (0x0200, 2_000_000.0),
        (0x0300, 907.18474),
        (0x0400, 203.94324),
    ],
)
def test_division_and_unit_code_scale_the_weight(code: int, grams: float) -> None:
    (sample,) = decoder(**CODED).samples([0, 2, 0, 0, code])

    assert sample.gross_g == pytest.approx(grams)
    assert sample.flags == 0


@pytest.mark.parametrize("code", [0x000B, 0x0500, 0xFFFF])
def test_unknown_code_is_a_fault_and_no_number(code: int) -> None:
    (sample,) = decoder(**CODED).samples([0, 2, 0, 0, code])

    assert (sample.gross_g, sample.flags) == (0.0, CellFlag.FAULT)


def test_gross_is_net_plus_tare_where_there_is_no_gross_register() -> None:
    summed = decoder(
        names=2,
        block={"function": 3, "start": 10, "count": 8},
        cells=[{"net": 10, "tare": 12}, {"net": 14, "tare": 16}],
        value={"type": "f32"},
        decimals={"source": "none"},
        told={"weight_unit": "kg"},
    )
    kilograms = (1.5, 0.25, -0.5, 2.0)
    words = [word for number in kilograms for word in laid_out(struct.pack(">f", number), BIG)]

    samples = summed.samples(words)

    assert [sample.gross_g for sample in samples] == [1_750.0, 1_500.0]


def test_code_without_table_is_the_number_of_decimals() -> None:
    bits = decoder(
        block={"function": 3, "start": 10, "count": 5},
        decimals={"source": "code", "code": {"register": 14, "bits": [4, 6]}},
        told={"weight_unit": "kg"},
    )

    (sample,) = bits.samples([1, 0x86A0, 0, 0, 0x0030])

    assert sample.gross_g == pytest.approx(100_000.0)


@pytest.mark.parametrize(
    ("told", "key"),
    [({"weight_unit": "g"}, "decimals"), ({"decimals": 0}, "weight_unit")],
)
def test_setting_that_the_profile_needs_is_asked_for(told: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=f"unit 1: {key}: .* does not transmit it"):
        decoder(told=told)


def test_setting_that_the_transmitter_tells_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"decimals: .* leave it out"):
        decoder(**{**CODED, "told": {"decimals": 2}})


def test_flag_rule_yields_to_one_that_told_the_reason() -> None:
    flags = [
        {"bits": [13, 15], "values": [2], "flag": "OVERLOAD"},
        {"bits": [1, 1], "values": [0], "unless_told": True, "flag": "FAULT"},
    ]
    judged = decoder(flags=flags)

    assert judged.samples([0, 1, 0x4000, 0])[0].flags == CellFlag.OVERLOAD
    assert judged.samples([0, 1, 0x0000, 0])[0].flags == CellFlag.FAULT
    assert judged.samples([0, 1, 0x0002, 0])[0].flags == 0


def test_table_of_status_words_stays_bounded() -> None:
    judged = decoder(flags=[{"bits": [0, 0], "values": [1], "flag": "MOTION"}])

    for status in range(3_000):
        (sample,) = judged.samples([0, 1, status, 0])
        assert sample.flags == status % 2
    assert len(judged._judge._known) <= 1_024
