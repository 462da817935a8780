"""What is said of stock while the core cannot know what moved, and after it."""

from gateway.model import Alert, CoreBehind
from rules.stock import Stock
from tests.rules.play import Play
from tests.rules.test_stock_alerts import HOLD_S, START, alerts, book, come, figures, go


def test_what_the_core_cannot_know_yet_is_no_difference() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(5))
    play.feed(30.0, CoreBehind(behind=True))
    play.feed(100.0, go(2))
    play.wake(10 * HOLD_S)
    play.feed(10 * HOLD_S, CoreBehind(behind=False))
    play.wake(11 * HOLD_S - 1)
    assert alerts(play) == []
    assert figures(play) == {"quantity": 3, "book": 5, "variance": -2}
    play.feed(11 * HOLD_S - 1, book(3))
    play.wake(20 * HOLD_S)
    assert alerts(play) == []


def test_difference_that_lasts_once_the_core_has_caught_up_is_told() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(4), come(1, "B"), book(1, place="B"))
    play.feed(500.0, CoreBehind(behind=True))
    play.feed(600.0, go(1, "B"))
    play.feed(2000.0, CoreBehind(behind=False))
    play.wake(10 * HOLD_S)
    places = [alert.key.split(":")[1] for alert in play.kinds(Alert)]
    assert alerts(play) == [
        (2000.0 + HOLD_S - 500.0, "stock_differs", True),
        (2000.0 + HOLD_S, "stock_differs", True),
    ]
    assert places == ["A", "B"]


def test_difference_that_stands_is_not_cleared_by_a_book_of_old() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(4))
    play.wake(HOLD_S)
    play.feed(HOLD_S + 1, CoreBehind(behind=True))
    play.feed(HOLD_S + 2, go(1))
    assert len(alerts(play)) == 1
    play.feed(HOLD_S + 3, CoreBehind(behind=False), book(3))
    assert len(alerts(play)) == 1
    play.feed(HOLD_S + 4, book(4))
    assert alerts(play)[1:] == [(HOLD_S + 4, "stock_differs", False)]


def test_difference_that_ended_while_the_core_was_behind_is_cleared_after_it() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(4))
    play.wake(HOLD_S)
    play.feed(HOLD_S + 1, CoreBehind(behind=True), go(1))
    play.feed(HOLD_S + 2, CoreBehind(behind=False))
    play.wake(9 * HOLD_S)
    assert alerts(play)[1:] == [(2 * HOLD_S + 2, "stock_differs", False)]


def test_nothing_is_written_because_the_core_falls_behind() -> None:
    play = Play([Stock])
    play.feed(0.0, START, come(5), book(4))
    before = play.puts
    play.feed(1.0, CoreBehind(behind=True))
    play.feed(2.0, CoreBehind(behind=False))
    assert play.puts == before
