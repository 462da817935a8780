"""The questions that the shipped dashboards ask, filled in as Grafana fills them in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DASHBOARDS = Path(__file__).resolve().parents[1] / "config" / "grafana" / "dashboards"


class Question(NamedTuple):
    """One query of one panel."""

    dashboard: str
    panel: str
    query: str


class Asking(NamedTuple):
    """What Grafana puts in; All devices stands as the expression Grafana makes of it."""

    first_ms: int
    last_ms: int
    gateway: str
    interval: str = "10s"

    def fill(self, query: str) -> str:
        return (
            query.replace("$timeFilter", f"time >= {self.first_ms}ms and time <= {self.last_ms}ms")
            .replace("$__interval", self.interval)
            .replace("$gateway", self.gateway)
            .replace("$device", ".*")
        )


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(DASHBOARDS.glob("*.json"))]


def questions() -> Iterator[Question]:
    for dashboard in dashboards():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                yield Question(dashboard["title"], panel["title"], target["query"])


def variables() -> Iterator[tuple[str, str]]:
    for dashboard in dashboards():
        for variable in dashboard["templating"]["list"]:
            yield variable["name"], variable["query"]


def found(series: list[dict[str, Any]]) -> bool:
    return any(value is not None for one in series for row in one["values"] for value in row[1:])
