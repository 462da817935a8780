"""Elements of the identifiers that warehouses use, by the examples of the GS1 specifications."""

import pytest

from drivers.scanner.gs1 import elements_of, parted
from simulators.scanner import data_matrix, gs1_128, link_in_qr

GTIN, SSCC, GLN, GSRN = (
    "09506000134352",
    "106141412345678908",
    "9506000134369",
    "950600013435200005",
)


@pytest.mark.parametrize(
    "fields",
    [
        (("00", SSCC),),
        (("01", GTIN), ("17", "261231"), ("10", "AB/12"), ("21", "S-7")),
        (("01", GTIN), ("11", "260100"), ("15", "270229")),
        (("10", "LOT"), ("37", "48"), ("01", GTIN)),
        (("01", GTIN), ("3103", "001250"), ("21", "X")),
        (("414", GLN), ("254", "B-2")),
        (("8003", f"{GTIN}SER1"),),
        (("8004", "95060001343AB"),),
        (("8018", GSRN),),
    ],
)
def test_element_strings_as_printed_come_back(fields: tuple[tuple[str, str], ...]) -> None:
    for printed in (gs1_128, data_matrix):
        assert elements_of(*parted(printed(*fields))) == fields


@pytest.mark.parametrize(
    ("scan", "elements"),
    [
        (link_in_qr("id.gs1.org", ("01", GTIN), ("10", "ABC")), (("01", GTIN), ("10", "ABC"))),
        (f"https://example.com/8018/{GSRN}", (("8018", GSRN),)),
        (f"http://example.com/some/way/414/{GLN}/254/B2", (("414", GLN), ("254", "B2"))),
        (f"]Q3https://id.gs1.org/01/{GTIN}?17=261231", (("01", GTIN), ("17", "261231"))),
        (f"\x1d01{GTIN}", (("01", GTIN),)),
        (f"]C101{GTIN}\x1d", (("01", GTIN),)),
    ],
)
def test_links_and_leading_separators(scan: str, elements: tuple[tuple[str, str], ...]) -> None:
    assert elements_of(*parted(scan)) == elements


@pytest.mark.parametrize(
    "scan",
    [
        f"01{GTIN}",
        f"]C001{GTIN}",
        f"]E0{GTIN[1:]}",
        "]C1no elements",
        "]C1",
        f"]C101{GTIN[:-1]}3",
        f"]d200{SSCC[:-1]}0",
        "https://example.com/a/b",
        "https://[broken",
        f"https://id.gs1.org/01/{GTIN[:-1]}3",
        "badge-17",
        "(8018)" + GSRN,
    ],
)
def test_what_does_not_say_that_it_is_gs1_is_not(scan: str) -> None:
    assert elements_of(*parted(scan)) == ()


@pytest.mark.parametrize(
    ("scan", "symbology", "text"),
    [
        ("]C1A", "]C1", "A"),
        ("]Q3", "]Q3", ""),
        ("]", "", "]"),
        ("A]C1", "", "A]C1"),
        ("]]C", "", "]]C"),
    ],
)
def test_symbology_identifier_is_taken_off(scan: str, symbology: str, text: str) -> None:
    assert parted(scan) == (symbology, text)
