"""Each family's registers against words typed by hand."""

import struct

import pytest

from simulators.modbus.expectation import Known
from simulators.modbus.families import FAMILIES
from simulators.modbus.known import known_states, known_states_of
from simulators.modbus.scale import Display, ScaleState
from simulators.modbus.tuna import TunaId551


def _name(known: Known) -> str:
    return f"{known.family}: {known.title}"


@pytest.mark.parametrize("known", known_states(), ids=_name)
def test_registers_equal_the_words_typed_by_hand(known: Known) -> None:
    image = FAMILIES[known.family](known.display).image(known.scales)

    assert image.holding == dict(image.holding) | dict(known.image.holding)
    assert image.input == dict(image.input) | dict(known.image.input)


@pytest.mark.parametrize("known", known_states(), ids=_name)
def test_registers_not_listed_read_as_zero(known: Known) -> None:
    image = FAMILIES[known.family](known.display).image(known.scales)

    rest = {
        address: word
        for address, word in (*image.holding.items(), *image.input.items())
        if address not in known.image.holding and address not in known.image.input
    }
    # A transmitter with fewer scales fitted than it has room for shows them idle, not absent.
    assert set(rest.values()) <= {0}


@pytest.mark.parametrize("family", FAMILIES)
def test_known_states_cover_every_family_with_motion_or_fault(family: str) -> None:
    states = known_states_of(family)

    assert any(expected.flags for known in states for expected in known.expected)
    assert any(not expected.flags for known in states for expected in known.expected)


@pytest.mark.parametrize("known", known_states(), ids=_name)
def test_known_state_expects_one_reading_per_scale(known: Known) -> None:
    assert len(known.expected) == len(known.scales)
    for scale, expected in zip(known.scales, known.expected, strict=True):
        if expected.gross_g is not None:
            assert abs(expected.gross_g - scale.gross_g) <= known.display.division_g / 2


def test_tuna_mode_2_packs_its_scales_into_six_registers_each() -> None:
    device = TunaId551(Display(), spacing=6)

    image = device.image([ScaleState(), ScaleState(), ScaleState(1_500)])

    assert [image.holding[address] for address in range(12, 18)] == [
        0x3FC0, 0, 0x3FC0, 0, 0xA000, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("weight_g", "display", "counts"),
    [
        (0.4, Display("g", 0), 0),
        (0.5, Display("g", 0), 1),
        (-0.5, Display("g", 0), -1),
        (2.5, Display("g", 0), 3),
        (1.005, Display("g", 2), 101),
        (1_007.5, Display("kg", 3, 5), 1_010),
        (-1_007.5, Display("kg", 3, 5), -1_010),
        (149, Display("kg", 1), 1),
    ],
)
def test_display_rounds_halves_away_from_zero(
    weight_g: float, display: Display, counts: int
) -> None:
    assert display.counts(weight_g) == counts


def test_float_words_typed_in_the_table_are_what_ieee_754_says() -> None:
    typed = {-0.75: 0xBF400000, 1.234: 0x3F9DF3B6, 1.2344: 0x3F9E00D2, 60: 0x42700000}

    for value, word in typed.items():
        assert struct.unpack(">I", struct.pack(">f", value)) == (word,)
