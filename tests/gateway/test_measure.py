from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.measure import MeasureError, in_unit, readable, whole
from gateway.model import Item

OIL = Item("OIL", uom="l", uoms=(("DRUM", "200"),), density_mg_l=872_500)
NUT = Item("NUT", uoms=(("BOX", "12"), ("PAIR", "2")))
SALT = Item("SALT", uom="kg", uoms=(("BAG", "0.25"),))


@pytest.mark.parametrize(
    ("item", "amount", "uom", "base"),
    [
        (NUT, "7", "", (7, "pcs")),
        (NUT, "2.5", "BOX", (30, "pcs")),
        (NUT, "-3", "PAIR", (-6, "pcs")),
        (SALT, "2", "", (2000, "g")),
        (SALT, "0.001", "kg", (1, "g")),
        (SALT, "3", "BAG", (750, "g")),
        (SALT, "0.5", "t", (500_000, "g")),
        (SALT, "12", "GRM", (12, "g")),
        (OIL, "1", "DRUM", (200_000, "ml")),
        (OIL, "0.75", "LTR", (750, "ml")),
        (None, "1.5", "kg", (1500, "g")),
        (None, "4", "", (4, "pcs")),
    ],
)
def test_quantity_is_converted_exactly(
    item: Item | None, amount: str, uom: str, base: tuple[int, str]
) -> None:
    assert whole(amount, uom, item) == base


@pytest.mark.parametrize(
    ("item", "amount", "uom", "why"),
    [
        (NUT, "1.3", "BOX", r"quantity: 1\.3 BOX is no whole number of pcs"),
        (NUT, "1.5", "", r"quantity: 1\.5 pcs is no whole number of pcs"),
        (NUT, "1", "kg", r"uom: 'kg' is no unit of 'NUT'; pcs, BOX, PAIR are"),
        (OIL, "1", "kg", "uom: 'kg' is no unit of 'OIL'; l, DRUM are"),
        (SALT, "0.0005", "kg", "is no whole number of g"),
        (SALT, "999999999999999", "t", "is more than 9007199254740991 g"),
        (SALT, "1e3", "kg", "'1e3' is not a decimal"),
        (None, "1", "BOX", "uom: 'BOX' cannot be converted before its item is told"),
    ],
)
def test_what_does_not_come_out_whole_is_refused_by_name(
    item: Item | None, amount: str, uom: str, why: str
) -> None:
    with pytest.raises(MeasureError, match=why):
        whole(amount, uom, item)


@given(st.integers(-(10**15), 10**15), st.sampled_from(["g", "ml", "pcs"]))
def test_what_people_read_is_the_same_quantity(quantity: int, base: str) -> None:
    text, uom = readable(quantity, base)
    assert whole(text, uom, Item("X", uom=base)) == (quantity, base)
    assert "E" not in text


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6).map(lambda n: str(Decimal(n) / 1000)))
def test_quantity_in_another_unit_comes_back_whole_or_is_not_told(
    quantity: int, factor: str
) -> None:
    item = Item("X", uom="kg", uoms=(("U", factor),))
    told = in_unit(quantity, "U", item)
    assert told is None or whole(told, "U", item) == (quantity, "g")


def test_what_is_no_exact_decimal_of_a_unit_is_not_told() -> None:
    assert in_unit(7, "BOX", NUT) is None
    assert in_unit(18, "BOX", NUT) == "1.5"
    assert in_unit(250, "kg", SALT) == "0.25"
