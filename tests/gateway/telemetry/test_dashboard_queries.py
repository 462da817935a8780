"""Every question of every dashboard, asked of a real influxd that a meter filled."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.telemetry.influx import InfluxSink
from gateway.telemetry.settings import TelemetrySettings

DASHBOARDS = Path(__file__).resolve().parents[3] / "config" / "grafana" / "dashboards"
FILES = sorted(DASHBOARDS.glob("*.json"))
INTERVAL = "10s"


def questions(dashboard: Any) -> Iterator[tuple[str, str]]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["query"]


def asked(query: str, busy_span: tuple[int, int]) -> str:
    """Fill in what Grafana fills in; All devices stands as the expression Grafana makes of it."""
    first, last = busy_span
    return (
        query.replace("$timeFilter", f"time >= {first}ms and time <= {last}ms")
        .replace("$__interval", INTERVAL)
        .replace("$gateway", "gw-1")
        .replace("$device", ".*")
    )


def found(series: list[dict[str, Any]]) -> bool:
    return any(value is not None for one in series for row in one["values"] for value in row[1:])


@pytest.mark.server
async def test_dashboards_every_panel_finds_data(
    influxd: Any, v2_url: str, busy_lines: list[bytes], busy_span: tuple[int, int]
) -> None:
    refused: list[tuple[str, int]] = []
    sink = InfluxSink(
        TelemetrySettings(url=v2_url), "", lambda name, amount=1: refused.append((name, amount))
    )
    for first in range(0, len(busy_lines), 1000):
        await sink.send(busy_lines[first : first + 1000])
    await sink.close()
    assert sum(n for name, n in refused if name == "telemetry_points_sent") == len(busy_lines)
    empty: list[str] = []
    for file in FILES:
        dashboard = json.loads(file.read_text())
        for title, query in questions(dashboard):
            assert "$" not in asked(query, busy_span).replace("$/", ""), query
            if not found(await influxd.query(asked(query, busy_span))):
                empty.append(f"{dashboard['title']} / {title}: {query}")
        for variable in dashboard["templating"]["list"]:
            [series] = await influxd.query(asked(variable["query"], busy_span))
            names = {row[1] for row in series["values"]}
            expected = {
                "gateway": {"gw-1"},
                "device": {"dock-reader", "scale-1", "shelf-reader"},
            }
            assert names == expected[variable["name"]]
    assert empty == []


@pytest.mark.server
async def test_dashboards_devices_down_counts_those_down(
    influxd: Any, v2_url: str, busy_lines: list[bytes], busy_span: tuple[int, int]
) -> None:
    sink = InfluxSink(TelemetrySettings(url=v2_url), "", lambda _name, _amount=1: None)
    down = b'shelfgate_device,device=scale-9,gateway=gw-1 up=0i,reason="gone" %d'
    await sink.send([*busy_lines, down % (busy_span[1] * 1_000_000)])
    await sink.close()
    [query] = [
        query
        for title, query in questions(
            json.loads((DASHBOARDS / "shelfgate-gateway.json").read_text())
        )
        if title == "Devices down"
    ]
    [series] = await influxd.query(asked(query, busy_span))
    assert series["values"][0][1] == 1
