"""Bulk goods: weighed in grams and millilitres, issued by order, compared with the book."""

from dataclasses import replace
from random import Random

import pytest

from gateway.model import (
    ActionDone,
    Alert,
    BookLine,
    BookStock,
    CellTotal,
    CountChange,
    Item,
    Movement,
    Snapshot,
    SnapshotLine,
    Unresolved,
    Weighed,
    WeightStep,
)
from rules.count import Count
from rules.stock import Stock
from tests.rules.play import Play
from tests.rules.tasks import task
from tests.rules.test_task_chain import Shelf

SALT = Item("NUT", uom="kg")
OIL = Item("NUT", uom="l", density_mg_l=872_500)


def step(before_g: float, after_g: float, sd_g: float = 0.3, cause: str = "live") -> WeightStep:
    return WeightStep("s:2", before_g, after_g, sd_g, 0, cause)  # type: ignore[arg-type]


def told(play: Play) -> list[tuple[int, int | None]]:
    return [(each.quantity, each.on_hand) for each in play.kinds(CountChange)]


def test_step_is_told_in_grams_and_never_as_pieces() -> None:
    play = Play([Count], items=[SALT])
    play.feed(1.0, step(0.0, 25_000.4, cause="first_start"))
    play.feed(2.0, step(25_000.4, 24_387.1))
    play.feed(3.0, step(24_387.1, 24_637.0))
    assert told(play) == [(25_000, 25_000), (-613, 24_387), (250, 24_637)]
    assert all(each.confidence_permille >= 990 for each in play.kinds(CountChange))


def test_step_is_told_in_millilitres_by_density() -> None:
    play = Play([Count], items=[OIL])
    play.feed(1.0, step(0.0, 8725.0, cause="first_start"))
    play.feed(2.0, step(8725.0, 8725.0 - 436.25))
    assert told(play) == [(10_000, 10_000), (-500, 9_500)]


def test_volume_without_a_density_does_not_resolve() -> None:
    play = Play([Count], items=[replace(OIL, density_mg_l=0)])
    play.feed(1.0, step(0.0, 500.0))
    [change] = play.kinds(CountChange)
    assert (change.quantity, change.on_hand, change.confidence_permille) == (0, None, 0)


def test_what_lies_within_the_noise_is_not_told_and_not_lost() -> None:
    play = Play([Count], items=[SALT])
    for number in range(4):
        play.feed(1.0 + number, step(1000.0 - 3 * number, 997.0 - 3 * number, 1.5))
    assert told(play) == [(-9, -9)]
    again = Play([Count], items=[SALT], rows=play.rows, now_s=10.0)
    again.feed(11.0, step(988.0, 970.0, 1.5))
    assert told(again) == [(-21, -30)]


def test_what_is_told_is_the_rounded_sum_of_all_steps() -> None:
    random, play, level = Random(5), Play([Count], items=[OIL]), 10_000.0
    for number in range(300):
        after = level + random.uniform(-400, 400)
        play.feed(1.0 + number, step(level, after))
        level = after
    [*_, last] = play.kinds(CountChange)
    assert last.on_hand == sum(change.quantity for change in play.kinds(CountChange))
    assert last.on_hand == pytest.approx((level - 10_000.0) / 0.8725, abs=3)


def test_total_is_asked_in_grams_and_proves_nothing_after_a_zero() -> None:
    play = Play([Count], items=[SALT])
    play.feed(1.0, step(0.0, 5000.0, cause="first_start"))
    play.feed(2.0, Weighed("s:2", 5004.0, 0.3, (5000,)))
    play.feed(3.0, Weighed("s:2", 4600.0, 0.3, (5000,)))
    play.feed(4.0, ActionDone("s", "zero", "s:2"))
    play.feed(5.0, Weighed("s:2", 0.0, 0.3, (5000,)))
    totals = [(each.pieces, each.fits) for each in play.kinds(CellTotal)]
    assert totals == [((5004,), True), ((4600,), False), ((), False)]


def poured(*grams: float, quantity: int, **rest: object) -> Shelf:
    """25 kg lie there; each of these is taken for an order of so many grams."""
    shelf = Shelf(SALT)
    shelf.lies(25_000.0, 10.0)
    shelf.feed(10.0, task("T1", quantity, "A2", item="NUT", **rest))
    left = 25_000.0
    for number, each in enumerate(grams):
        left -= each
        shelf.lies(left, 16.0 + 6 * number)
    shelf.lies(left, 40.0)
    return shelf


def test_first_stock_is_stated_in_grams() -> None:
    shelf = Shelf(SALT)
    shelf.lies(25_000.0, 30.0)
    [snapshot] = [each for each in shelf.booked if isinstance(each, Snapshot)]
    assert [(line.quantity, line.uom) for line in snapshot.lines] == [(25_000, "g")]


def test_order_is_done_within_half_a_per_cent() -> None:
    shelf = poured(1200.0, 1295.0, quantity=2500)
    assert [quantity for _, quantity, _ in shelf.moves()] == [1200, 1295]
    assert shelf.ended() == [("done", 2495, None)]
    assert shelf.alerts() == []
    assert {each.uom for each in shelf.booked if isinstance(each, Movement)} == {"g"}
    assert not any(isinstance(each, Unresolved) for each in shelf.booked)


def test_more_than_that_is_over_and_what_the_order_tolerates_counts_instead() -> None:
    shelf = poured(2540.0, quantity=2500)
    assert shelf.alerts() == [("over_issue:T1", True)]
    assert poured(2540.0, quantity=2500, tolerance_permille=20).ended() == [("done", 2540, None)]


def test_noise_of_the_scale_is_no_difference() -> None:
    """Half a per cent of 20 g is nothing: a scale cannot tell so little."""
    assert poured(21.0, quantity=20).ended() == [("done", 21, None)]


def test_book_of_bulk_goods_may_be_off_by_what_a_scale_tells() -> None:
    settings = {"variance_hold_s": 10.0}
    for book, differs in ((24_900, False), (24_000, True)):
        play = Play([Stock], settings)
        play.feed(1.0, Snapshot("s-1", "first_start", "A2", (SnapshotLine("NUT", 25_000, "g"),), 0))
        play.feed(2.0, BookStock("A2", (BookLine("NUT", book, "g"),), 1))
        play.wake(30.0)
        assert [each.code for each in play.kinds(Alert)] == ["stock_differs"] * differs
        play.feed(31.0, BookStock("A2", (BookLine("NUT", 24_950, "g"),), 2))
        assert [each.raised for each in play.kinds(Alert)] == [True, False] * differs
