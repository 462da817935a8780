"""Every question of every dashboard, asked of a real influxd that a meter filled."""

from typing import Any

import pytest

from gateway.telemetry.influx import InfluxSink
from gateway.telemetry.settings import TelemetrySettings
from tests.panels import Asking, found, questions, variables


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
    asking = Asking(*busy_span, "gw-1")
    empty: list[str] = []
    for dashboard, panel, query in questions():
        asked = asking.fill(query)
        assert "$" not in asked.replace("$/", ""), query
        if not found(await influxd.query(asked)):
            empty.append(f"{dashboard} / {panel}: {query}")
    for name, query in variables():
        [series] = await influxd.query(asking.fill(query))
        names = {row[1] for row in series["values"]}
        expected = {"gateway": {"gw-1"}, "device": {"dock-reader", "scale-1", "shelf-reader"}}
        assert names == expected[name]
    assert empty == []


@pytest.mark.server
async def test_dashboards_devices_down_counts_those_down(
    influxd: Any, v2_url: str, busy_lines: list[bytes], busy_span: tuple[int, int]
) -> None:
    sink = InfluxSink(TelemetrySettings(url=v2_url), "", lambda _name, _amount=1: None)
    down = b'shelfgate_device,device=scale-9,gateway=gw-1 up=0i,reason="gone" %d'
    await sink.send([*busy_lines, down % (busy_span[1] * 1_000_000)])
    await sink.close()
    [query] = {query for _, panel, query in questions() if panel == "Devices down"}
    [series] = await influxd.query(Asking(*busy_span, "gw-1").fill(query))
    assert series["values"][0][1] == 1
