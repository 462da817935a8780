from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model import Badge, BookLine, BookStock, ExpectedSet, Item, Location
from gateway.ports import ConfigError
from gateway.reference import read_references

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
    text = "code,item,quantity,uom,safety,reorder\nA,B,5,,2,4\nC,B,0,kg,,\nA,D,,pcs,,9\n"
    assert read_references("book", written(tmp_path, "book.csv", text)) == [
        BookStock("A", (BookLine("B", 5, "pcs", 2, 4), BookLine("D", reorder=9))),
        BookStock("C", (BookLine("B", 0, "kg"),)),
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
        ("code,quantity\nA,1\n", "book.csv:2: item: Field required"),
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
        ("items.csv", "code,colour\nB,red\n", "items.csv:2: colour: Extra inputs"),
        ("items.csv", "code,name\nB\n", "items.csv:2: expected 2 columns"),
        ("items.csv", "code,epc_prefixes\nB,30zz\n", "items.csv:2: epc_prefixes.0: "),
        (
            "items.csv",
            "code,gtins\nB,9506000134352 9506000134353\n",
            "items.csv:2: gtins.1: Value error, the check digit of GTIN 09506000134353 is wrong",
        ),
        (
            "items.csv",
            "code,gtins\nB,96385074\nC,96385074\n",
            "items.csv: gtins: 00000096385074 is of 'B' and of 'C'",
        ),
        ("items.csv", "code,gtins\nB,12\n", "items.csv:2: gtins.0: Value error, a GTIN has 8, 12,"),
        ("items.csv", "code,company_prefixes\nB,12345\n", "items.csv:2: company_prefixes.0: "),
        ("items.toml", "[[item]]\nname = 'x'\n", "items.toml:item[0]: code: Field required"),
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
    assert Item("NUT-M8", "Hex nut M8", 5200, 50) in items
    badges = read_references("badge", ROOT / "config" / "badges.csv")
    assert Badge("B-18", "b.beispiel", "BADGE-18") in badges
    assert Location("HALL", "Hall behind the gate") in locations
    books = read_references("book", ROOT / "config" / "book.csv")
    assert BookStock("B-1", (BookLine("BEARING-6204", None, "pcs", 4, 10),)) in books
