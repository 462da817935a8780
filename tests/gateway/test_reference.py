from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.model import Badge, BookLine, BookLot, BookStock, ExpectedSet, Item, Location
from gateway.ports import ConfigError
from gateway.reference import check_units, read_references

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_items_in_milligrams_with_lower_case_prefixes(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "items.csv",
        "code,name,unit_g,unit_sd_g,uom,epc_prefixes\n"
        'B,"Bolt, M8",18.9,0.15,pcs,3034 E280\n'
        "C,,,,kg,\n",
    )
    assert read_references("item", path) == [
        Item("B", "Bolt, M8", 18900, 150, "pcs", ("3034", "e280")),
        Item("C", uom="kg"),
    ]


def test_items_by_trade_item_and_company(tmp_path: Path) -> None:
    row = "code,gtins,company_prefixes\nB,9506000134352 96385074,0614141 950600\n"
    item = Item("B", gtins=("09506000134352", "00000096385074"))
    item = replace(item, company_prefixes=("0614141", "950600"))
    assert read_references("item", written(tmp_path, "items.csv", row)) == [item]
    table = '[[item]]\ncode = "B"\ngtins = ["9506000134352", "96385074"]\n'
    table += 'company_prefixes = ["0614141", "950600"]\n'
    assert read_references("item", written(tmp_path, "items.toml", table)) == [item]


def test_csv_with_a_byte_order_mark_as_spreadsheets_write_it(tmp_path: Path) -> None:
    path = tmp_path / "locations.csv"
    path.write_bytes("\ufeffcode,name\r\nA-1,Regal 1\r\n".encode())
    assert read_references("location", path) == [Location("A-1", "Regal 1")]


def test_toml_expected_sets(tmp_path: Path) -> None:
    text = '[[expected]]\ncode = "S1"\nportal = "gate"\ndirection = "in"\nepcs = ["AB", "cd"]\n'
    path = written(tmp_path, "expected.toml", text)
    expected = ExpectedSet("S1", "gate", "in", frozenset({"ab", "cd"}))
    assert read_references("expected", path) == [expected]


def test_csv_book_is_gathered_by_location(tmp_path: Path) -> None:
    text = "code,item,quantity,uom,safety,reorder\nA,B,5,,2,4\nC,B,0,CASE,,\nA,D,,pcs,,9\n"
    assert read_references("book", written(tmp_path, "book.csv", text)) == [
        BookStock("A", (BookLine("B", 5, "pcs", 2, 4), BookLine("D", reorder=9))),
        BookStock("C", (BookLine("B", 0, "CASE"),)),
    ]


def test_toml_and_csv_books_are_the_same(tmp_path: Path) -> None:
    table = '[[book]]\ncode = "A"\nitem = "B"\nsafety = 3\n'
    in_toml = read_references("book", written(tmp_path, "book.toml", table))
    row = written(tmp_path, "book.csv", "code,item,safety\nA,B,3\n")
    assert in_toml == read_references("book", row) == [BookStock("A", (BookLine("B", safety=3),))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code,item,quantity\nA,B,-1\n", "book.csv:2: quantity: "),
        ("code,item,safety\nA,B,1.5\n", "book.csv:2: safety: "),
        ("code,item\nA,B\nC,B\nA,B\n", "book.csv:4: item: 'B' stands twice"),
        ("code,quantity\nA,1\n", "book.csv:2: item: expected a value"),
    ],
)
def test_wrong_book_rows_are_named(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_references("book", written(tmp_path, "book.csv", text))
    assert expected in str(caught.value)


def test_badges_name_their_code_where_nobody_is_named(tmp_path: Path) -> None:
    text = "code,actor,scan,epc\nB-17,a.muster,(8018)950600013435200005,3034AA\nB-18,,,\n"
    assert read_references("badge", written(tmp_path, "badges.csv", text)) == [
        Badge("B-17", "a.muster", "(8018)950600013435200005", "3034aa"),
        Badge("B-18", "B-18"),
    ]


def test_wrong_badges_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_references("badge", written(tmp_path, "badges.csv", "code,epc\nB,17x\n"))
    assert "badges.csv:2: epc: " in str(caught.value)


def test_toml_and_csv_items_are_the_same(tmp_path: Path) -> None:
    table = '[[item]]\ncode = "B"\nunit_g = 1.5\nepc_prefixes = ["30"]\n'
    row = "code,unit_g,epc_prefixes\nB,1.5,30\n"
    in_toml = read_references("item", written(tmp_path, "items.toml", table))
    assert in_toml == read_references("item", written(tmp_path, "items.csv", row))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("items.csv", "code,unit_g\nB,heavy\n", "items.csv:2: unit_g: "),
        ("items.csv", "code,unit_g\nB,-1\n", "items.csv:2: unit_g: "),
        ("items.csv", "code,unit_g\nB,1\nB,2\n", "items.csv:3: code: 'B' stands twice"),
        ("items.csv", "code,colour\nB,red\n", "items.csv:1: colour: unknown column"),
        ("items.csv", "code,name\nB\n", "items.csv:2: expected 2 columns"),
        ("items.csv", "code,epc_prefixes\nB,30zz\n", "items.csv:2: epc_prefixes.0: "),
        (
            "items.csv",
            "code,gtins\nB,9506000134352 9506000134353\n",
            "items.csv:2: gtins.1: the check digit of GTIN 09506000134353 is wrong",
        ),
        (
            "items.csv",
            "code,gtins\nB,96385074\nC,96385074\n",
            "items.csv: gtins: 00000096385074 is of 'B' and of 'C'",
        ),
        ("items.csv", "code,gtins\nB,12\n", "items.csv:2: gtins.0: a GTIN has 8, 12,"),
        ("items.csv", "code,company_prefixes\nB,12345\n", "items.csv:2: company_prefixes.0: "),
        ("items.toml", "[[item]]\nname = 'x'\n", "items.toml:item[0]: code: expected a value"),
        ("items.toml", "[[items]]\n", "items.toml: items: unknown key; expected [[item]]"),
        ("items.toml", "[[item]\n", "items.toml: not TOML"),
        ("items.json", "[]", "items.json: expected a file ending in .csv or .toml"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, name: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_references("item", written(tmp_path, name, text))
    assert expected in str(caught.value)


def test_all_wrong_rows_are_named_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "items.csv", "code,unit_g\nA,x\nB,1\nC,y\n")
    with pytest.raises(ConfigError) as caught:
        read_references("item", path)
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["2", "4"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.csv: cannot be read"):
        read_references("item", tmp_path / "none.csv")


def test_shipped_reference_files_load() -> None:
    items = read_references("item", ROOT / "config" / "items.csv")
    locations = read_references("location", ROOT / "config" / "locations.csv")
    nut = Item("NUT-M8", "Hex nut M8", 5200, 50, names=(("zh", "六角螺母 M8"),))
    assert replace(nut, uoms=(("BOX", "200"), ("CASE", "2400"))) in items
    badges = read_references("badge", ROOT / "config" / "badges.csv")
    assert Badge("B-18", "b.beispiel", "BADGE-18") in badges
    names = (("zh", "门内大厅"),)
    assert Location("HALL", "Hall behind the gate", 0, "area", "PLANT-NORTH", names) in locations
    books = read_references("book", ROOT / "config" / "book.csv")
    assert BookStock("B-1", (BookLine("BEARING-6204", None, "pcs", 4, 10),)) in books


BULK = (
    "code,name,name_zh,name_de,uom,uoms,density_kg_l,lot_rule\n"
    "OIL,Oil,液压油,Öl,l,DRUM=200 CAN=0.5,0.8725,fefo\n"
)


def test_items_in_several_languages_and_units(tmp_path: Path) -> None:
    oil = Item("OIL", "Oil", uom="l", lot_rule="fefo", density_mg_l=872_500)
    oil = replace(
        oil, names=(("de", "Öl"), ("zh", "液压油")), uoms=(("CAN", "0.5"), ("DRUM", "200"))
    )
    assert read_references("item", written(tmp_path, "items.csv", BULK)) == [oil]
    table = (
        '[[item]]\ncode = "OIL"\nname = "Oil"\nuom = "l"\nlot_rule = "fefo"\n'
        "density_kg_l = 0.8725\n"
        '[item.names]\nzh = "液压油"\nde = "Öl"\n[item.uoms]\nDRUM = "200"\nCAN = "0.5"\n'
    )
    assert read_references("item", written(tmp_path, "items.toml", table)) == [oil]


def test_locations_lie_in_one_another(tmp_path: Path) -> None:
    rows = "code,name,name_zh,kind,parent\nA-1,Bin,一号,bin,A\nA,Shelf,,shelf,\nB,,,,\n"
    assert read_references("location", written(tmp_path, "locations.csv", rows)) == [
        Location("A-1", "Bin", 0, "bin", "A", (("zh", "一号"),)),
        Location("A", "Shelf", 0, "shelf"),
        Location("B"),
    ]


def test_book_by_lot_and_in_measures(tmp_path: Path) -> None:
    rows = (
        "code,item,uom,quantity,safety,lot,expires,received\n"
        "A,OIL,kg,1.5,0.25,L1,2027-03-31,2026-11-01\nA,OIL,g,20,,L2,,\nA,NUT,,7,,,,\n"
    )
    first, second = BookLot("L1", 1500, "2027-03-31", "2026-11-01"), BookLot("L2", 20)
    assert read_references("book", written(tmp_path, "book.csv", rows)) == [
        BookStock("A", (BookLine("OIL", 1520, "g", 250, None, (first, second)), BookLine("NUT", 7)))
    ]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("item", "code,lot_rul\nB,fifo\n", ":1: lot_rul: unknown column; did you mean 'lot_rule'?"),
        ("item", "code,lot_rule\nB,fif\n", "expected none, fefo, fifo; did you mean 'fifo'?"),
        ("item", "code,uoms\nB,BOX\n", ":2: uoms: BOX: expected a decimal above 0, as in BOX=12"),
        ("item", "code,uoms\nB,BOX=1e3\n", ":2: uoms: BOX: expected a decimal above 0"),
        ("item", "code,uoms\nB,BOX=1 BOX=2\n", ":2: uoms: a unit stands twice"),
        ("item", "code,uoms\nB,kg=2\n", ":2: uoms: what 'kg' is, is known without it"),
        ("item", "code,density_kg_l\nB,0.1234567\n", ":2: density_kg_l: "),
        ("item", "code,name_Chinese\nB,x\n", ":2: names.Chinese"),
        ("location", "code,parent\nA,B\n", ":2: parent: no location 'B' is known"),
        (
            "location",
            "code,parent\nSHELF-A,\nA-1,SHELF-Q\n",
            ":3: parent: no location 'SHELF-Q' is known; did you mean 'SHELF-A'?",
        ),
        ("location", "code,parent\nA,A\n", ":2: parent: 'A' cannot lie in itself"),
        ("location", "code,parent\nA,C\nB,A\nC,B\n", "'A' cannot lie in itself (A in C in B in A)"),
        (
            "location",
            "code,kind\nA,shelve\n",
            "expected site, area, shelf, cell, bin; did you mean",
        ),
        (
            "location",
            "code,kind,parent\nA,bin,\nB,shelf,A\n",
            ":3: parent: a shelf cannot lie in a",
        ),
        (
            "book",
            "code,item,uom,quantity\nA,B,kg,0.0005\n",
            ":2: quantity: 0.0005 kg is no",
        ),
        ("book", "code,item,lot,expires\nA,B,L,soon\n", ":2: expires: expected a day"),
        ("book", "code,item,expires\nA,B,2027-03-31\n", ":2: expires: is of a lot"),
        ("book", "code,item,lot\nA,B,L\nA,B,L\n", ":3: lot: 'L' stands twice"),
        ("book", "code,item,uom,lot\nA,B,kg,L\nA,B,pcs,M\n", "'B' at 'A': uom: 'pcs', and 'g' in"),
    ],
)
def test_wrong_master_data_is_named(tmp_path: Path, kind: Any, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_references(kind, written(tmp_path, f"{kind}.csv", text))
    assert expected in str(caught.value)


def test_book_in_a_unit_that_the_item_has_not_is_named(tmp_path: Path) -> None:
    facts = [Item("B", uoms=(("BOX", "12"),)), BookStock("A", (BookLine("B", 1, "BOX"),))]
    check_units(facts, tmp_path)
    with pytest.raises(ConfigError, match=r"'B' at 'A': uom: 'PALLET' is no unit of 'B'; pcs, BOX"):
        check_units([*facts, BookStock("A", (BookLine("B", 1, "PALLET"),))], tmp_path)
