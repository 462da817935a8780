"""Demand against statsforecast's TSB (data/tsb.json, made by data/make_tsb.py), and its outlook."""

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.demand import CLOSED_MIN, MILLI, PPB, Demand, Smoothing
from rules.outlook import NORMAL_90, STOCKOUT_MAX_H, UNKNOWN, Buying, outlook, quantile

ORACLE: dict[str, Any] = json.loads(
    Path(__file__).with_name("data").joinpath("tsb.json").read_text(encoding="utf-8")
)
SERIES = ORACLE["series"]
DAY = Buying(bucket_h=24, lead_h=72)
SMOOTHING = Smoothing()
WORSE_MAX = 1.02


def followed(values: Iterable[int]) -> Iterable[Demand]:
    """The demand as it is known before each bucket from the second on."""
    demand = Demand(0)
    for bucket, issued in enumerate(values):
        demand.issued += issued
        demand.advance(bucket + 1, SMOOTHING)
        yield demand


def forecast(demand: Demand) -> float:
    return demand.probability_ppb / PPB * demand.size_milli / MILLI


def pinball(actual: float, forecast: float, share: float) -> float:
    off = actual - forecast
    return share * off if off >= 0 else (share - 1) * off


def spread(demand: Demand, normal: float) -> float:
    """A quantile of the next bucket's demand."""
    p, z = demand.probability_ppb / PPB, demand.size_milli / MILLI
    square = demand.square_milli / MILLI
    return quantile(p * z, p * (square - p * z * z), normal)


@pytest.mark.parametrize("name", SERIES)
def test_forecasts_are_those_of_statsforecast(name: str) -> None:
    ours = [forecast(demand) for demand in followed(SERIES[name]["values"][:-1])]
    assert ours == pytest.approx(SERIES[name]["forecast"], abs=0.002, rel=0.001)


@pytest.mark.parametrize("name", SERIES)
def test_pinball_loss_is_no_worse_than_that_of_statsforecast(name: str) -> None:
    values, theirs = SERIES[name]["values"], SERIES[name]["forecast"]
    ours = [forecast(demand) for demand in followed(values[:-1])]
    for share in (0.1, 0.5, 0.9):
        loss, loss_theirs = (
            sum(pinball(actual, told, share) for actual, told in zip(values[1:], each, strict=True))
            for each in (ours, theirs)
        )
        assert loss <= WORSE_MAX * loss_theirs


def test_pinball_loss_of_10_50_and_90_percent_is_no_worse_than_that_of_its_intervals() -> None:
    loss = loss_theirs = 0.0
    for series in SERIES.values():
        last = len(series["low"])
        ours = [
            [spread(demand, normal) for normal in (-NORMAL_90, 0.0, NORMAL_90)]
            for demand in followed(series["values"][:-1])
        ][-last:]
        middle = series["forecast"][-last:]
        theirs = zip(series["low"], middle, series["high"], strict=True)
        scale = sum(series["values"]) / len(series["values"])
        for actual, mine, other in zip(series["values"][-last:], ours, theirs, strict=True):
            for share, told, told_theirs in zip((0.1, 0.5, 0.9), mine, other, strict=True):
                loss += pinball(actual, told, share) / scale
                loss_theirs += pinball(actual, told_theirs, share) / scale
    assert loss <= WORSE_MAX * loss_theirs


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(0, 500))
def test_idle_buckets_count_the_same_one_by_one_and_all_at_once(
    values: list[int], idle: int
) -> None:
    one, many = Demand(0), Demand(0)
    for bucket, issued in enumerate(values):
        one.issued = many.issued = issued
        one.advance(bucket + 1, SMOOTHING)
        many.advance(bucket + 1, SMOOTHING)
    for step in range(idle):
        one.advance(len(values) + 1 + step, SMOOTHING)
    many.advance(len(values) + idle, SMOOTHING)
    assert one == many
    assert 0 <= many.probability_ppb <= PPB
    assert Demand(*many.plain()) == many


def test_what_comes_back_is_no_demand_and_more_than_that_is_none_either() -> None:
    demand = Demand(0, issued=5 - 5)
    demand.advance(1, SMOOTHING)
    demand.issued = -3
    demand.advance(2, SMOOTHING)
    assert (demand.probability_ppb, demand.size_milli) == (0, 0)


def test_nothing_is_foreseen_from_less_than_a_week_or_without_demand() -> None:
    demand = Demand(0, issued=4)
    for bucket in range(1, CLOSED_MIN):
        demand.advance(bucket, SMOOTHING)
        assert outlook(10, 0, demand, DAY) is UNKNOWN
        demand.issued = 4
    demand.advance(CLOSED_MIN, SMOOTHING)
    assert outlook(10, 0, demand, DAY).p50_h is not None
    idle = Demand(0)
    idle.advance(30, SMOOTHING)
    assert outlook(10, 0, idle, DAY) is UNKNOWN


def test_even_demand_runs_out_when_it_is_used_up() -> None:
    demand = Demand(9, 0, CLOSED_MIN, PPB, 1 * MILLI, 1 * MILLI)
    told = outlook(10, 2, demand, DAY)
    assert (told.p10_h, told.p50_h, told.p90_h) == (240, 240, 240)
    assert outlook(4, 2, demand, DAY).purchase == 3 + 2 - 4
    assert told.purchase == 0


def test_empty_place_is_out_now_and_what_lasts_a_year_is_not_foreseen() -> None:
    demand = Demand(9, 0, CLOSED_MIN, PPB, 1 * MILLI, 1 * MILLI)
    for held in (0, -3):
        told = outlook(held, 2, demand, DAY)
        assert (told.p10_h, told.p50_h, told.p90_h, told.purchase) == (0, 0, 0, 5)
    assert outlook(STOCKOUT_MAX_H // 24, 0, demand, DAY).p50_h == STOCKOUT_MAX_H
    assert outlook(STOCKOUT_MAX_H // 24 + 1, 0, demand, DAY).p50_h is None


@pytest.mark.parametrize(
    ("probability", "least", "most", "held"),
    [(0.05, 1, 1, 1), (0.15, 1, 5, 20), (0.4, 1, 6, 60), (0.6, 2, 30, 150), (1.0, 8, 12, 90)],
)
def test_of_simulated_demand_the_place_is_out_as_often_as_is_said(
    probability: float, least: int, most: int, held: int
) -> None:
    sizes = range(least, most + 1)
    size = sum(sizes) / len(sizes)
    square = sum(each * each for each in sizes) / len(sizes)
    known = [round(probability * PPB), round(size * MILLI), round(square * MILLI)]
    told = outlook(held, 0, Demand(9, 0, CLOSED_MIN, *known), Buying(24, 72))
    random = Random(7)
    days = []
    for _ in range(4000):
        left, day = held, 0
        while left > 0:
            day += 1
            left -= random.randint(least, most) if random.random() < probability else 0
        days.append(day)
    for share, hours in ((0.1, told.p10_h), (0.5, told.p50_h), (0.9, told.p90_h)):
        assert hours is not None
        before = sum(day < hours / 24 for day in days) / len(days)
        after = sum(day < hours / 24 + 1 for day in days) / len(days)
        assert before - 0.06 <= share <= after + 0.06  # days are whole, hours are not
