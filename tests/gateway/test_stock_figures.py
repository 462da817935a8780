from gateway.model import Location
from gateway.ports import Row
from gateway.stock_figures import figures_of, stock_lines, stock_sums


def test_what_is_not_known_is_absent() -> None:
    assert figures_of({"quantity": 3, "uom": "pcs"}) == {"quantity": 3}


def test_difference_that_is_open_is_told_beside_a_quantity_of_nothing() -> None:
    row = {"quantity": -2, "uom": "pcs", "book": 1, "safety": 0, "reorder": 4}
    assert figures_of(row) == {
        "quantity": 0,
        "quantity_open": 2,
        "book": 1,
        "variance": -3,
        "safety": 0,
        "reorder": 4,
    }


def test_forecast_that_reaches_beyond_a_year_is_told_as_far_as_it_is_known() -> None:
    row = {"quantity": 2, "uom": "pcs", "forecast": [30, 400, None, 0]}
    assert figures_of(row) == {
        "quantity": 2,
        "stockout_p10_h": 30,
        "stockout_p50_h": 400,
        "purchase_quantity": 0,
    }


def test_bulk_goods_are_told_as_people_read_them() -> None:
    rows = [
        Row("A\tSALT", {"quantity": 2500, "uom": "g"}),
        Row("A\tNUT", {"quantity": 7, "uom": "pcs"}),
    ]
    nut, salt = stock_lines(rows)
    assert salt["readable"] == {"quantity": "2.5", "uom": "kg"}
    assert "readable" not in nut


def test_sums_are_of_all_that_lies_in_a_place_of_that_kind() -> None:
    held = {"quantity": 2, "uom": "pcs"}
    rows = [Row(f"{code}\tX", held) for code in ("A-1", "A-2", "B-1", "LOOSE")]
    rows.append(Row("A-1\tSALT", {"quantity": 1250, "uom": "g"}))
    tree = [
        Location("HALL", kind="area"),
        *(Location(code, kind="shelf", parent="HALL") for code in ("A", "B")),
        *(Location(code, kind="bin", parent=code[0]) for code in ("A-1", "A-2", "B-1")),
    ]

    def sums(kind: str) -> list[tuple[object, ...]]:
        told = stock_sums(stock_lines(rows), kind, tree)
        return [(each["location"], each["item"], each["quantity"]) for each in told]

    assert sums("area") == [("", "X", 2), ("HALL", "SALT", 1250), ("HALL", "X", 6)]
    assert sums("shelf") == [("", "X", 2), ("A", "SALT", 1250), ("A", "X", 4), ("B", "X", 2)]


def test_lines_are_of_balances_in_order_and_of_what_is_named() -> None:
    held = {"quantity": 1, "uom": "box"}
    keys = ("B\tX", "A\tY", "A\tX", "A\tX\t3034")
    rows = [Row("buckets", {}), *(Row(key, held) for key in keys)]

    def places(*named: str) -> list[tuple[object, object]]:
        return [(line["location"], line["item"]) for line in stock_lines(rows, *named)]

    assert places() == [("A", "X"), ("A", "Y"), ("B", "X")]
    assert places("A") == [("A", "X"), ("A", "Y")]
    assert places("A", "Y") == [("A", "Y")]
    assert places("", "X") == [("A", "X"), ("B", "X")]
    assert next(stock_lines(rows, "B")) == {
        "location": "B",
        "item": "X",
        "uom": "box",
        "quantity": 1,
    }
