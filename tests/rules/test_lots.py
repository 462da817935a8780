"""Which lot goes first, and which has expired."""

from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Amendment,
    BookLine,
    BookLot,
    BookStock,
    Item,
    LotRule,
    Movement,
    Scan,
    Today,
)
from rules.lots import Lots
from tests.rules.play import Play

OLD = BookLot("L1", 5, "2027-01-31", "2026-03-01")
NEW = BookLot("L2", 5, "2027-06-30", "2026-02-01")


def shelf(rule: LotRule, *lots: BookLot, **known: Any) -> Play:
    play = Play([Lots], items=[Item("NUT", lot_rule=rule)], **known)
    if lots:
        play.feed(1.0, BookStock("A", (BookLine("NUT", 10, lots=lots),), 1))
    return play


def moved(name: str, lot: str | None, quantity: int = 1, *, back: bool = False) -> Movement:
    ends = (UNKNOWN_LOCATION, "A") if back else ("A", UNKNOWN_LOCATION)
    kind: Any = "receipt" if back else "issue"
    return Movement(name, kind, "observed", "NUT", quantity, "pcs", *ends, 0, 0, 990, lot=lot)


def alerts(play: Play) -> list[tuple[str, bool]]:
    return [(each.key, each.raised) for each in play.kinds(Alert)]


@pytest.mark.parametrize(
    ("rule", "right", "wrong"), [("fefo", "L1", "L2"), ("fifo", "L2", "L1"), ("none", "L2", "")]
)
def test_lot_that_is_taken_before_its_turn_is_told(rule: Any, right: str, wrong: str) -> None:
    play = shelf(rule, OLD, NEW)
    play.feed(2.0, moved("m1", right))
    assert alerts(play) == []
    if wrong:
        play.feed(3.0, moved("m2", wrong))
        play.feed(4.0, moved("m3", wrong))
        assert alerts(play) == [("lot_order:A:NUT", True)]


def test_alert_says_what_to_do_and_is_over_once_the_lot_is_back() -> None:
    play = shelf("fefo", OLD, NEW)
    play.feed(2.0, moved("m1", "L2"))
    [alert] = play.kinds(Alert)
    assert alert.text == (
        "A: lot L2 of NUT was taken, but L1 (expires 2027-01-31) lies there and goes first; "
        "put it back and take that"
    )
    play.feed(3.0, moved("m2", "L2", back=True))
    assert alerts(play) == [("lot_order:A:NUT", True), ("lot_order:A:NUT", False)]
    assert not [key for key in play.rows if key.startswith("alert:")]


def test_alert_is_over_once_the_earlier_lot_is_gone() -> None:
    play = shelf("fefo", OLD, NEW)
    play.feed(2.0, moved("m1", "L2"))
    play.feed(3.0, moved("m2", "L1", 5))
    play.feed(4.0, moved("m3", "L2"))
    assert alerts(play) == [("lot_order:A:NUT", True), ("lot_order:A:NUT", False)]


def test_alert_stands_over_a_restart_and_for_a_day_at_most() -> None:
    play = shelf("fefo", OLD, NEW)
    play.feed(2.0, moved("m1", "L2"))
    again = shelf("fefo", rows=play.rows, now_s=10.0)
    again.feed(11.0, moved("m2", "L2"))
    assert alerts(again) == []
    again.wake(2.0 + 24 * 3600 + 1)
    assert alerts(again) == [("lot_order:A:NUT", False)]


def test_lot_that_nobody_names_is_taken_for_the_one_whose_turn_it_is() -> None:
    play = shelf("fefo", OLD, NEW)
    play.feed(2.0, moved("m1", None, 5))
    play.feed(3.0, moved("m2", "L2"))
    assert alerts(play) == []


def test_lot_that_is_named_later_counts_instead() -> None:
    play = shelf("fefo", OLD, NEW)
    play.feed(2.0, moved("m1", None, 5))
    play.feed(3.0, Amendment("lot_scanned", amends_movement="m1", lot="L2"))
    assert alerts(play) == [("lot_order:A:NUT", True)]
    play.feed(4.0, moved("m2", None, 5))
    assert alerts(play)[-1] == ("lot_order:A:NUT", False)


def test_lot_of_which_no_day_is_known_is_no_claim() -> None:
    play = shelf("fefo", BookLot("L1", 5), NEW)
    play.feed(2.0, moved("m1", "L2"))
    assert alerts(play) == []


def test_scan_at_receipt_tells_the_lot_and_its_day() -> None:
    play = shelf("fefo")
    for number, (lot, day) in enumerate((("L1", "270131"), ("L2", "270600"))):
        play.feed(1.0 + number, Scan("s", "", (("01", "09506000134352"), ("10", lot), ("17", day))))
        play.feed(1.5 + number, moved(f"in-{lot}", lot, 3, back=True))
    play.feed(4.0, moved("m1", "L2"))
    assert alerts(play) == [("lot_order:A:NUT", True)]
    play.feed(5.0, Today("2027-07-01"))
    assert alerts(play)[1:] == [("lot_expired:A:NUT:L1", True), ("lot_expired:A:NUT:L2", True)]


def test_lot_expires_after_its_day_until_nothing_of_it_is_there() -> None:
    play = shelf("none", OLD, NEW)
    play.feed(2.0, Today("2027-01-31"))
    assert alerts(play) == []
    play.feed(3.0, Today("2027-02-01"))
    play.feed(4.0, Today("2027-02-02"))
    assert alerts(play) == [("lot_expired:A:NUT:L1", True)]
    again = shelf("none", rows=play.rows, now_s=10.0)
    again.feed(11.0, Today("2027-02-03"))
    assert alerts(again) == []
    again.feed(12.0, moved("m1", "L1", 5))
    assert alerts(again) == [("lot_expired:A:NUT:L1", False)]


def test_book_that_names_another_day_ends_it() -> None:
    play = shelf("none", OLD)
    play.feed(2.0, Today("2027-02-01"))
    mended = BookLot("L1", 5, "2028-01-31")
    play.feed(3.0, BookStock("A", (BookLine("NUT", 5, lots=(mended,)),), 2))
    assert alerts(play) == [("lot_expired:A:NUT:L1", True), ("lot_expired:A:NUT:L1", False)]


def test_correction_and_adjustment_break_no_order() -> None:
    play = shelf("fefo", OLD, NEW)
    ends = ("A", UNKNOWN_LOCATION, 0, 0, 990)
    adjusted = Movement("m1", "adjustment", "counted", "NUT", 1, "pcs", *ends, lot="L2")
    play.feed(2.0, adjusted)
    assert alerts(play) == []
