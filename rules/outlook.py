"""When a place runs out of an item, and how much of it to buy: what its demand comes to.

Each bucket of time has an issue with the probability p, of a size with mean z and variance v
(rules/demand.py). It takes M issues to take q pieces, and T buckets until M issues have been:

    E[M] = q/z + (v + z^2) / 2z^2 - 1/2z      Var[M] = q v / z^3         (renewal theory)
    E[T] = E[M] / p                           Var[T] = (E[M] (1-p) + Var[M]) / p^2

Both T and the demand of a span are taken for gamma distributed, which the first is for one issue
(a geometric time) and both are for many; quantiles by Wilson and Hilferty's cube root. Part of the
stock rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

from rules.demand import CLOSED_MIN, MILLI, PPB, Demand

NORMAL_90 = 1.2815515655446004
"""The 90 % quantile of the standard normal distribution."""

STOCKOUT_MAX_H = 8_760
"""A year. What lasts longer is told as not running out: nobody plans on it."""


@dataclass(frozen=True, slots=True)
class Buying:
    """`bucket_h` is the length of a bucket; what is ordered comes after `lead_h`."""

    bucket_h: int
    lead_h: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Hours until the place is out of the item, with a probability of 10, 50 and 90 %; None where
    that is not known, or more than a year away. `purchase` is the quantity to buy.
    """

    p10_h: int | None = None
    p50_h: int | None = None
    p90_h: int | None = None
    purchase: int = 0


UNKNOWN = Outlook()


def outlook(on_hand: int, safety: int, demand: Demand, buying: Buying) -> Outlook:
    """What comes of this demand. The purchase lets nine in ten lead times end with the safety stock
    still there.
    """
    if demand.closed < CLOSED_MIN or not demand.probability_ppb or not demand.size_milli:
        return UNKNOWN
    p, z = demand.probability_ppb / PPB, demand.size_milli / MILLI
    square = max(demand.square_milli / MILLI, z * z)
    buckets = buying.lead_h / buying.bucket_h
    needed = quantile(buckets * p * z, buckets * p * (square - p * z * z), NORMAL_90)
    purchase = max(0, ceil(needed) + safety - max(0, on_hand))
    if on_hand <= 0:
        return Outlook(0, 0, 0, purchase)
    issues = on_hand / z + square / (2 * z * z) - 1 / (2 * z)
    mean = issues / p
    variance = (issues * (1 - p) + on_hand * (square - z * z) / z**3) / p**2
    hours = [quantile(mean, variance, c) * buying.bucket_h for c in (-NORMAL_90, 0.0, NORMAL_90)]
    p10_h, p50_h, p90_h = (_told(each) for each in hours)
    return Outlook(p10_h, p50_h, p90_h, purchase)


def quantile(mean: float, variance: float, normal: float) -> float:
    """Of a gamma distribution: the quantile that is `normal` of the standard normal one."""
    if mean <= 0 or variance <= 0:
        return max(0.0, mean)
    shape = mean * mean / variance
    root = 1 - 1 / (9 * shape) + normal / (3 * sqrt(shape))
    return mean * max(0.0, root) ** 3


def _told(hours: float) -> int | None:
    return round(hours) if hours <= STOCKOUT_MAX_H else None
