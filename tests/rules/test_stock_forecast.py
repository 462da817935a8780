"""Demand and its outlook in the stock rule: over bucket ends, restarts and boots."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import UNKNOWN_LOCATION, BookLine, BookStock, DeviceStatus, Movement
from gateway.stock_figures import figures_of
from rules.demand import MILLI, PPB, Demand
from rules.stock import Stock
from rules.stock_lines import CLOSED_AT_ONCE
from tests.rules.play import Play

DAY_S = 86_400.0
START = DeviceStatus("r", up=True)


def move(
    source: str, target: str, quantity: int = 1, kind: Any = "transfer", reverses: str | None = None
) -> Movement:
    told = ("id", kind, "observed", "BOLT", quantity, "pcs", source, target, 0, 0, 990)
    return Movement(*told, reverses=reverses)


def come(quantity: int, **rest: Any) -> Movement:
    return move(UNKNOWN_LOCATION, "A", quantity, **rest)


def go(quantity: int, **rest: Any) -> Movement:
    return move("A", UNKNOWN_LOCATION, quantity, **rest)


def demand(play: Play) -> Demand:
    return Demand(*play.rows["A\tBOLT"]["demand"])


def figures(play: Play) -> dict[str, int]:
    return figures_of(play.rows["A\tBOLT"])


def used(play: Play, days: int, quantity: int = 2) -> None:
    """One issue at noon of each of these days, and wait for the last of them to end."""
    start = play.now_s
    for day in range(days):
        play.feed(start + (day + 0.5) * DAY_S, go(quantity))
    play.wake(start + days * DAY_S)


def stocked(quantity: int = 40, **rest: Any) -> Play:
    play = Play([Stock], **rest)
    play.feed(0.0, START, come(quantity))
    return play


def test_steady_use_foresees_the_day_on_which_nothing_is_left() -> None:
    play = stocked()
    used(play, 10)
    assert demand(play) == Demand(10, 0, 7, PPB, 2 * MILLI, 4 * MILLI)
    told = figures(play)
    assert told["quantity"] == 20
    assert told["stockout_p50_h"] == pytest.approx(10 * 24, rel=0.05)
    assert told["stockout_p10_h"] <= told["stockout_p50_h"] <= told["stockout_p90_h"]
    assert "purchase_quantity" in told


def test_purchase_covers_the_lead_time_and_the_safety_stock() -> None:
    play = stocked(20, settings={"lead_time_h": 120})
    play.feed(0.0, BookStock("A", (BookLine("BOLT", None, "pcs", 3),)))
    used(play, 9)
    assert figures(play)["purchase_quantity"] == 5 * 2 + 3 - 2


def test_what_comes_back_and_what_is_adjusted_is_no_demand() -> None:
    play = stocked()
    play.feed(
        1.0,
        go(5),
        come(2, kind="return"),
        come(1, kind="receipt", reverses="id"),
        go(7, kind="adjustment"),
        go(3, kind="issue", reverses="id"),
        move("A", "B", 4),
        come(9),
    )
    assert demand(play).issued == 5 - 2 - 1 + 4


def test_place_without_use_fades_and_is_told_anew_more_and_more_seldom() -> None:
    play = stocked()
    used(play, 10)
    hours, puts = figures(play)["stockout_p50_h"], play.puts
    play.wake(20 * DAY_S)
    assert figures(play)["stockout_p50_h"] > 2 * hours
    assert play.puts - puts <= 2 * 10  # the bucket of each day, and a row at most
    play.wake(400 * DAY_S)
    assert "stockout_p50_h" not in figures(play)
    puts = play.puts
    play.wake(500 * DAY_S)
    assert play.puts == puts


def test_forecast_is_the_same_with_a_restart_at_any_day() -> None:
    steady = stocked()
    used(steady, 12)
    for day in range(1, 12):
        play = stocked()
        used(play, day)
        again = Play([Stock], rows=play.rows, now_s=play.now_s)
        again.feed(again.now_s, START)
        used(again, 12 - day)
        assert again.rows["A\tBOLT"] == steady.rows["A\tBOLT"]


def test_days_go_on_over_a_boot_from_when_the_gateway_was_last_alive() -> None:
    play = stocked()
    used(play, 10)
    play.feed(10.25 * DAY_S, go(2))
    assert demand(play).issued == 2
    again = Play([Stock], rows=play.rows, boot="boot-2", last_alive_s=-3 * DAY_S)
    again.feed(5.0, START)
    assert demand(again).bucket == 13
    assert demand(again).probability_ppb == PPB * 9 // 10 * 9 // 10
    assert demand(again).issued == 0


def test_demand_in_buckets_of_another_length_is_forgotten() -> None:
    play = stocked()
    used(play, 10)
    again = Play([Stock], {"bucket_h": 1}, rows=play.rows, now_s=play.now_s)
    again.feed(again.now_s, START, come(1))
    assert "demand" not in again.rows["A\tBOLT"]
    assert set(figures(again)) == {"quantity"}


def test_end_of_a_bucket_is_told_of_many_items_in_several_turns() -> None:
    play = Play([Stock])
    many = CLOSED_AT_ONCE + 10
    play.feed(0.0, START)
    play.feed(1.0, *(replace(come(9), item=f"I{number}") for number in range(many)))
    play.feed(2.0, *(replace(go(1), item=f"I{number}") for number in range(many)))
    puts = play.puts
    play.wake(0.1 + DAY_S)
    assert play.puts - puts == CLOSED_AT_ONCE + 1
    play.wake(1.0 + DAY_S)
    assert play.puts - puts == many + 1
    assert all(row["demand"][0] == 1 for key, row in play.rows.items() if "\t" in key)


def test_movement_writes_no_more_rows_for_its_demand() -> None:
    play = stocked()
    play.feed(1.0, go(1))
    puts = play.puts
    play.feed(2.0, go(1))
    assert play.puts == puts + 1
