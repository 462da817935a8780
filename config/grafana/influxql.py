"""The questions that panels ask, in InfluxQL: the common subset of InfluxDB 1, 2 and 3."""

from __future__ import annotations

from grafana_model import GATEWAY, Query

DEVICE = '"device" =~ /^$device$/'
MOVEMENT = "\"event\" = 'movement'"


def course(what: str, measurement: str, by: str = "", where: str = "") -> str:
    """Ask for a course of time: one value per interval and per value of the tags in `by`."""
    groups = "".join(f', "{tag}"' for tag in by.split())
    return f"{select(what, measurement, where)} GROUP BY time($__interval){groups} fill(none)"


def whole(what: str, measurement: str, by: str = "", where: str = "") -> str:
    """Ask for one value over the time shown, per value of the tags in `by`."""
    groups = ", ".join(f'"{tag}"' for tag in by.split())
    query = select(what, measurement, where)
    return f"{query} GROUP BY {groups}" if groups else query


def select(what: str, measurement: str, where: str) -> str:
    """Ask for the chosen gateway and time."""
    condition = f" AND {where}" if where else ""
    source = f'FROM "shelfgate_{measurement}" WHERE $timeFilter AND {GATEWAY}{condition}'
    return f"SELECT {what} {source}"


def gauge(name: str, alias: str = "") -> Query:
    """Ask for the course of one gauge of the gateway."""
    return Query(course(f'last("{name}") AS "{name}"', "gateway"), alias or name)


def summed(what: str, measurement: str, by: str) -> Query:
    """Ask for the sum of the last values of many series."""
    inner = whole(f'{what} AS "value"', measurement, by)
    return Query(f'SELECT sum("value") FROM ({inner})', "total")
