"""How people and pallets move: paths through a shelf's aisle and through a gate."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.world.radio_events import Path

PEOPLE = ("Ana", "Ben", "Chen", "Dora")

REACH_S = 0.7
"""From the shelf to the aisle, or back."""

AISLE_Y_M = 1.0


def away(at_s: float, x_m: float, velocity_m_s: float) -> Path:
    """Out of the shelf at `at_s`, then along the aisle."""

    def path(now_s: float) -> tuple[float, float]:
        since = now_s - at_s
        y = 0.2 + (AISLE_Y_M - 0.2) * min(1.0, since / REACH_S)
        return x_m + velocity_m_s * max(0.0, since - REACH_S), y

    return path


def towards(at_s: float, x_m: float, velocity_m_s: float) -> Path:
    """Along the aisle, and into the shelf at `at_s`."""
    leaving = away(-at_s, x_m, -velocity_m_s)
    return lambda now_s: leaving(-now_s)


def across(begin_s: float, end_s: float, from_x_m: float, to_x_m: float) -> Path:
    """Out of the shelf, along the aisle and into it again elsewhere."""

    def path(now_s: float) -> tuple[float, float]:
        done = (now_s - begin_s - REACH_S) / max(0.1, end_s - begin_s - 2 * REACH_S)
        reach = min(1.0, (now_s - begin_s) / REACH_S, (end_s - now_s) / REACH_S)
        x = from_x_m + (to_x_m - from_x_m) * max(0.0, min(1.0, done))
        return x, 0.2 + (AISLE_Y_M - 0.2) * max(0.0, reach)

    return path


def along(stations: Sequence[tuple[float, float]], y_m: float) -> Path:
    """Through (time, x) stations in a straight line, at `y_m` beside its middle."""

    def path(now_s: float) -> tuple[float, float]:
        before = stations[0]
        for station in stations:
            if now_s < station[0]:
                share = (now_s - before[0]) / max(1e-6, station[0] - before[0])
                return before[1] + (station[1] - before[1]) * max(0.0, share), y_m
            before = station
        return before[1], y_m

    return path
