"""What is said about stock: below nothing, other than the book, below a threshold."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    BookLine,
    BookStock,
    DeviceStatus,
    Fact,
    Movement,
    ReferenceDeleted,
    Snapshot,
    SnapshotLine,
    StepHeld,
    Unresolved,
)
from gateway.stock_figures import figures_of
from rules.stock import Stock
from rules.stock_alerts import STANDING_MAX
from tests.rules.play import Play

HOLD_S = 900.0
START = DeviceStatus("r", up=True)


def move(source: str, target: str, quantity: int = 1, item: str = "BOLT") -> Movement:
    return Movement("id", "transfer", "observed", item, quantity, "pcs", source, target, 0, 0, 990)


def come(quantity: int, place: str = "A", item: str = "BOLT") -> Movement:
    return move(UNKNOWN_LOCATION, place, quantity, item)


def go(quantity: int, place: str = "A", item: str = "BOLT") -> Movement:
    return move(place, UNKNOWN_LOCATION, quantity, item)


def book(
    quantity: int | None = None,
    safety: int | None = None,
    reorder: int | None = None,
    place: str = "A",
) -> BookStock:
    return BookStock(place, (BookLine("BOLT", quantity, "pcs", safety, reorder),))


def alerts(play: Play) -> list[tuple[float, str, bool]]:
    return [(when, fact.code, fact.raised) for when, fact in play.told if type(fact) is Alert]


def figures(play: Play, place: str = "A", item: str = "BOLT") -> dict[str, int]:
    return figures_of(play.rows[f"{place}\t{item}"])


# Below nothing


def held(quantity: int, name: str = "id") -> StepHeld:
    """So many pieces were weighed at A, and their movement is not told yet."""
    return StepHeld(name, "BOLT", quantity, "pcs", "A", 0)


def test_what_is_weighed_to_make_stock_negative_is_told_before_it_is_booked() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(3))
    play.feed(1.0, held(-2, "one"), held(-3, "two"), held(4, "back"))
    assert alerts(play) == [(1.0, "negative_stock", True)]
    assert "A: 2 pcs of BOLT more went out" in play.kinds(Alert)[0].text
    assert figures(play)["quantity"] == 3
    play.feed(4.0, replace(go(2), movement_id="one"), replace(go(3), movement_id="two"))
    assert alerts(play) == [(1.0, "negative_stock", True)]
    assert figures(play) == {"quantity": 0, "quantity_open": 2}


@pytest.mark.parametrize(
    "otherwise",
    [Unresolved("one", "item_uncertain", "A", ("BOLT",), 0, 0), held(0, "one")],
)
def test_what_was_weighed_and_is_told_otherwise_makes_nothing_negative(otherwise: Fact) -> None:
    play = Play([Stock])
    play.feed(0.0, START)
    play.feed(1.0, held(-1, "one"))
    play.feed(4.0, otherwise, otherwise)
    assert alerts(play) == [(1.0, "negative_stock", True), (4.0, "negative_stock", False)]
    play.feed(5.0, come(1))
    assert figures(play)["quantity"] == 1


def test_movement_that_would_make_stock_negative_is_told_in_its_turn_and_what_to_do() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(3))
    play.feed(1.0, go(5))
    (alert,) = play.kinds(Alert)
    assert (alert.code, alert.key, alert.severity) == (
        "negative_stock",
        "negative_stock:A:BOLT",
        "warning",
    )
    assert alert.text == (
        "A: 2 pcs of BOLT more went out than were known to be there; count BOLT there: a receipt "
        "was missed, or something was taken for BOLT"
    )
    assert figures(play) == {"quantity": 0, "quantity_open": 2}
    play.feed(2.0, go(1), come(2))
    assert len(alerts(play)) == 1
    assert figures(play) == {"quantity": 0, "quantity_open": 1}
    play.feed(3.0, come(1))
    assert alerts(play)[1:] == [(3.0, "negative_stock", False)]
    assert figures(play) == {"quantity": 0}


def test_place_that_nobody_watches_is_short_of_nothing() -> None:
    play = Play([Stock])
    play.feed(0.0, START, go(1, "yard"))
    assert alerts(play) == []
    assert figures(play, "yard") == {"quantity": 0, "quantity_open": 1}


def test_statement_of_stock_ends_what_was_open() -> None:
    play = Play([Stock])
    play.feed(0.0, START, go(2))
    play.feed(1.0, Snapshot("id", "counted", "A", (SnapshotLine("BOLT", 7, "pcs"),), 0))
    assert alerts(play) == [(0.0, "negative_stock", True), (1.0, "negative_stock", False)]
    assert figures(play) == {"quantity": 7}


def test_statement_that_leaves_out_what_was_open_ends_it_too() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(2, item="NUT"), go(1, item="NUT"), come(1, "B"), go(3, "B"))
    play.feed(1.0, Snapshot("id", "counted", "B", (), 0))
    assert alerts(play)[-1] == (1.0, "negative_stock", False)
    assert figures(play, "B") == {"quantity": 0}


# The core's book


def test_record_on_its_way_to_the_core_is_no_difference() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(5))
    play.feed(10.0, go(2))
    assert figures(play) == {"quantity": 3, "book": 5, "variance": -2}
    play.feed(10.0 + HOLD_S - 1, book(3))
    play.wake(10 * HOLD_S)
    assert alerts(play) == []


def test_difference_that_stays_is_told_and_cleared_when_there_is_none() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(4))
    play.wake(HOLD_S - 0.001)
    assert alerts(play) == []
    play.wake(HOLD_S)
    assert alerts(play) == [(HOLD_S, "stock_differs", True)]
    assert "5 pcs of BOLT there, 4 in the core's book; count BOLT" in play.kinds(Alert)[0].text
    play.feed(HOLD_S + 1, book(6), book(7))
    assert len(alerts(play)) == 1
    play.feed(HOLD_S + 2, book(5))
    assert alerts(play)[1:] == [(HOLD_S + 2, "stock_differs", False)]


def test_difference_is_as_large_as_is_set_before_it_is_told() -> None:
    play = Play([Stock], {"variance": 2})
    play.feed(0.0, START, come(5), book(3))
    play.wake(2 * HOLD_S)
    assert alerts(play) == []
    play.feed(2 * HOLD_S, book(2))
    play.wake(3 * HOLD_S)
    play.feed(3 * HOLD_S + 1, book(4))
    assert [each[1:] for each in alerts(play)] == [("stock_differs", True)]


def test_what_should_be_at_a_watched_place_and_was_never_seen_is_compared() -> None:
    play = Play([Stock])
    play.feed(0.0, START, book(4), book(4, place="elsewhere"))
    assert figures(play) == {"quantity": 0, "book": 4, "variance": -4}
    assert set(play.rows) == {"A\tBOLT"}
    play.wake(HOLD_S)
    assert [each[1:] for each in alerts(play)] == [("stock_differs", True)]


def test_book_that_is_taken_back_compares_no_more() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(1), book(4, 2, 3))
    play.wake(HOLD_S)
    play.feed(HOLD_S + 1, ReferenceDeleted("item", "A"))
    assert {code for _, code, _ in alerts(play)} == {"stock_differs", "below_safety", "reorder"}
    play.feed(HOLD_S + 2, ReferenceDeleted("book", "A"))
    assert [each[2] for each in alerts(play)] == [True] * 3 + [False] * 3
    assert figures(play) == {"quantity": 1}


def test_book_in_another_unit_is_not_compared() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(1), BookStock("A", (BookLine("BOLT", 9, "kg", 5, 7),)))
    play.wake(HOLD_S)
    assert alerts(play) == []
    assert figures(play) == {"quantity": 1}


def test_unchanged_lines_of_a_new_book_write_nothing() -> None:
    play = Play([Stock])
    nuts = BookLine("NUT", 2)
    play.feed(0.0, START, BookStock("A", (BookLine("BOLT", 1), nuts)))
    before = play.puts
    play.feed(1.0, BookStock("A", (BookLine("BOLT", 2), nuts), 2))
    assert play.puts == before + 1


# Thresholds


@pytest.mark.parametrize(("code", "told"), [("below_safety", (5, None)), ("reorder", (None, 5))])
def test_threshold_is_told_below_it_and_cleared_above_it(code: str, told: Any) -> None:
    play = Play([Stock], {"hysteresis": 2})
    play.feed(0.0, START, come(6), book(None, *told))
    play.feed(1.0, go(1))
    assert alerts(play) == []
    play.feed(2.0, go(1))
    assert alerts(play) == [(2.0, code, True)]
    play.feed(3.0, come(1), go(1), come(2))
    assert len(alerts(play)) == 1
    play.feed(4.0, come(1))
    assert alerts(play)[1:] == [(4.0, code, False)]


def test_texts_say_what_to_do() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(1), book(1, 3, 5))
    assert [alert.text for alert in play.kinds(Alert)] == [
        "A: 1 pcs of BOLT, below the safety stock of 3; bring some there now",
        "A: 1 pcs of BOLT, below the reorder point of 5; order 4",
    ]
    assert figures(play)["purchase_quantity"] == 4


# While they stand


def test_alert_that_stands_is_told_once_by_the_rule() -> None:
    play = Play([Stock])
    play.feed(0.0, START, go(1))
    play.feed(100.0, go(1))
    play.wake(100_000.0)
    assert alerts(play) == [(0.0, "negative_stock", True)]


def test_alerts_that_stand_outlive_a_restart_and_are_not_told_anew_by_it() -> None:
    before = Play([Stock])
    before.feed(0.0, START, come(1), book(1, 3), go(4, "B"))
    before.wake(10.0)
    play = Play([Stock], rows=before.rows, items=(book(1, 3),), now_s=20.0)
    play.feed(20.0, START)
    assert alerts(play) == []
    play.feed(30_000.0, come(4, "B"), come(3))
    assert [each[1:] for each in alerts(play)] == [
        ("negative_stock", False),
        ("below_safety", False),
    ]


def test_book_known_before_the_first_fact_is_judged_with_it() -> None:
    play = Play([Stock], items=(book(1, 3),))
    assert alerts(play) == []
    play.feed(5.0, START)
    assert alerts(play) == [(5.0, "below_safety", True)]
    assert play.rows["A\tBOLT"]["book"] == 1


def test_book_that_a_file_tells_no_more_is_taken_back_before_the_first_fact() -> None:
    before = Play([Stock])
    before.feed(0.0, START, come(1), book(1, 3))
    play = Play([Stock], rows=before.rows, items=(book(1, 3),), now_s=1.0)
    play.feed(1.0, ReferenceDeleted("book", "A"))
    assert alerts(play) == []
    play.feed(2.0, START)
    assert alerts(play) == [(2.0, "below_safety", False)]
    assert figures(play) == {"quantity": 1}


def test_alerts_that_stand_have_a_bound() -> None:
    play = Play([Stock])
    play.feed(0.0, START)
    for number in range(STANDING_MAX + 1):
        play.feed(1.0, go(1, item=f"I{number}"))
    assert len(alerts(play)) == STANDING_MAX
    play.feed(2.0, come(1, item="I0"), go(1, item=f"I{STANDING_MAX}"))
    assert alerts(play)[STANDING_MAX:] == [
        (2.0, "negative_stock", False),
        (2.0, "negative_stock", True),
    ]


# Whatever happens

PLACES = st.sampled_from(["A", "B", "yard"])
ITEMS = st.sampled_from(["BOLT", "NUT"])
MOVES = st.builds(move, st.sampled_from(["A", "unknown"]), PLACES, st.integers(1, 9), ITEMS)
OUT = st.builds(go, st.integers(1, 9), PLACES, ITEMS)
BOOKS = st.builds(book, *[st.none() | st.integers(0, 9)] * 3, PLACES)
STATED = st.builds(
    lambda place, held: Snapshot("id", "counted", place, (SnapshotLine("BOLT", held, "pcs"),), 0),
    PLACES,
    st.integers(0, 9),
)
TALE = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 500.0, 90_000.0]), MOVES | OUT | BOOKS | STATED),
    max_size=30,
)


def sums(facts: list[Fact]) -> dict[tuple[str, str], int]:
    held: dict[tuple[str, str], int] = {}
    for fact in facts:
        if isinstance(fact, Movement):
            for place, sign in ((fact.from_location, -1), (fact.to_location, 1)):
                key = (place, fact.item)
                held[key] = held.get(key, 0) + sign * fact.quantity
        elif isinstance(fact, Snapshot):
            held = {key: value for key, value in held.items() if key[0] != fact.location}
            held |= {(fact.location, line.item): line.quantity for line in fact.lines}
    return {key: value for key, value in held.items() if value and key[0] != UNKNOWN_LOCATION}


@settings(max_examples=150, deadline=None)
@given(TALE, st.integers(0, 30))
def test_stock_is_the_sum_of_movements_and_never_told_negative_whenever_it_restarts(
    tale: list[tuple[float, Fact]], crash_at: int
) -> None:
    play = Play([Stock])
    play.feed(0.0, START)
    told: list[Fact] = []
    books: dict[str, BookStock] = {}
    for index, (pause_s, fact) in enumerate(tale):
        if index == crash_at:
            told += play.kinds()
            known = tuple(books.values())
            play = Play([Stock], rows=play.rows, items=known, now_s=play.now_s)
            play.feed(play.now_s, START)
        play.feed(play.now_s + pause_s, fact)
        if isinstance(fact, BookStock):
            books[fact.code] = fact
    rows = {key: row for key, row in play.rows.items() if key.count("\t") == 1}
    held = {tuple(key.split("\t")): row["quantity"] for key, row in rows.items()}
    assert {key: value for key, value in held.items() if value} == sums([f for _, f in tale])
    assert all(figures_of(row)["quantity"] >= 0 for row in rows.values())
    standing: set[str] = set()
    for fact in told + play.kinds():
        if isinstance(fact, Alert):
            assert fact.raised or fact.key in standing
            (standing.add if fact.raised else standing.discard)(fact.key)
    kept = {
        f"{code}:{key.replace(chr(9), ':')}"
        for key, row in rows.items()
        for code in row.get("raised", ())
    }
    assert standing == kept
    short = {f"negative_stock:{':'.join(key)}" for key, value in held.items() if value < 0}
    assert {key for key in short if ":yard:" not in key} <= standing
