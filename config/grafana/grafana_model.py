"""How Grafana wants a dashboard written: panels, rows and variables to its JSON model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE = {"type": "influxdb", "uid": "shelfgate-influxdb"}
SCHEMA_VERSION = 39
COLUMNS = 24
SHORTEST_INTERVAL = "10s"
"""Gateways write everything this often, see telemetry.interval_s."""

GREEN, ORANGE, RED = "green", "orange", "red"
UP_DOWN = {0: ("Down", RED), 1: ("Up", GREEN)}
GATEWAY = '"gateway" =~ /^$gateway$/'


@dataclass(frozen=True)
class Query:
    """One InfluxQL query; `alias` names its series, `$tag_x` in it is the value of tag x."""

    influxql: str
    alias: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel. `thresholds` colour from that value upwards, `states` name single values,
    `nothing` stands there where no point was found.
    """

    title: str
    description: str
    kind: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 8
    thresholds: tuple[tuple[float, str], ...] = ()
    states: dict[int, tuple[str, str]] | None = None
    draw: str = "line"
    minimum: float | None = None
    nothing: str = "no data"


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of the dashboard, filled from the values of a tag."""

    name: str
    label: str
    measurement: str
    many: bool = False


@dataclass(frozen=True)
class Dashboard:
    """One dashboard; `uid` is part of its address and never changes."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]


LINK: Json = {
    "type": "dashboards",
    "title": "shelfgate",
    "tags": ["shelfgate"],
    "icon": "external link",
    "tooltip": "The other dashboard, same gateway and time",
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
}


def render(dashboard: Dashboard) -> Json:
    """Return the dashboard in Grafana's JSON model."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["shelfgate"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [LINK],
        "templating": {"list": [render_variable(variable) for variable in dashboard.variables]},
        "panels": list(render_rows(dashboard.rows)),
    }


def render_variable(variable: Variable) -> Json:
    """Return a query variable."""
    narrowed = "" if variable.name == "gateway" else f" WHERE {GATEWAY}"
    influxql = (
        f'SHOW TAG VALUES FROM "shelfgate_{variable.measurement}" '
        f'WITH KEY = "{variable.name}"{narrowed}'
    )
    rendered: Json = {
        "type": "query",
        "name": variable.name,
        "label": variable.label,
        "datasource": DATASOURCE,
        "query": influxql,
        "refresh": 2,
        "sort": 1,
        "multi": variable.many,
        "includeAll": variable.many,
    }
    if variable.many:
        rendered |= {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return rendered


def render_rows(rows: tuple[Row, ...]) -> Iterator[Json]:
    """Yield headings and panels with their places on the grid."""
    number, top = 1, 0
    for row in rows:
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
            "panels": [],
        }
        number, top, left, tallest = number + 1, top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": place, **render_panel(panel)}
            number, left, tallest = number + 1, left + panel.width, max(tallest, panel.height)
        top += tallest


def render_panel(panel: Panel) -> Json:
    """Return a panel without number and place."""
    steps: list[Json] = [{"color": GREEN if panel.thresholds else "text", "value": None}]
    steps += [{"color": color, "value": value} for value, color in panel.thresholds]
    defaults: Json = {
        "unit": panel.unit,
        "noValue": panel.nothing,
        "color": {"mode": "thresholds" if panel.kind != "timeseries" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": render_states(panel.states),
        "custom": render_drawing(panel),
    }
    if panel.minimum is not None:
        defaults["min"] = panel.minimum
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "interval": SHORTEST_INTERVAL,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": OPTIONS[panel.kind],
        "transformations": [WITHOUT_TIME] if panel.kind == "table" else [],
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "rawQuery": True,
                "query": query.influxql,
                "alias": query.alias,
                "resultFormat": "table" if panel.kind == "table" else "time_series",
            }
            for number, query in enumerate(panel.queries)
        ],
    }


def render_states(states: dict[int, tuple[str, str]] | None) -> list[Json]:
    """Return value mappings."""
    if not states:
        return []
    options = {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(states.items())
    }
    return [{"type": "value", "options": options}]


def render_drawing(panel: Panel) -> Json:
    """Return what `custom` says for this kind of panel."""
    if panel.kind == "state-timeline":
        return {"fillOpacity": 80, "lineWidth": 0}
    if panel.kind != "timeseries":
        return {}
    return {
        "drawStyle": "bars" if panel.draw == "bars" else "line",
        "lineInterpolation": "stepAfter" if panel.draw == "steps" else "linear",
        "lineWidth": 1,
        "fillOpacity": 60 if panel.draw == "bars" else 8,
        "showPoints": "never",
        "spanNulls": 60_000,
        "stacking": {"mode": "normal" if panel.draw == "bars" else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.thresholds else "off"},
    }


LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
LAST = {"values": False, "calcs": ["lastNotNull"], "fields": ""}
WITHOUT_TIME = {"id": "organize", "options": {"excludeByName": {"Time": True}}}
OPTIONS: dict[str, Json] = {
    "timeseries": {"legend": LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {
        "reduceOptions": LAST,
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
    },
    "bargauge": {
        "reduceOptions": LAST,
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
    },
    "state-timeline": {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.9,
        "legend": LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
}
