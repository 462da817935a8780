"""Telemetry of the real daemon in real time-series servers, while people work in the warehouse."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from gateway.assembly import STORE_FILE
from gateway.clock import BootClock, WallClock
from gateway.model import NS_PER_MS
from gateway.store import StoreReader
from gateway.telemetry import names
from gateway.telemetry.resources import THERMAL
from simulators.core.record import Rules
from simulators.demo.chain import Chain
from simulators.demo.result import decided_movements
from simulators.demo.site_files import GATEWAY
from simulators.modbus.faults import Fault
from simulators.world.layout import GATE_READER, MASTS, SHELF_READER, SPOTS
from simulators.world.people import Crew, Habits
from tests.influx_shim import Influxd, VictoriaMetrics, until
from tests.panels import Asking, found, questions, variables

BUSY = Habits(pause_s=(0.4, 1.2), gate_share=0.3)
DEVICES = {"gate-reader", "shelf-reader", "shelf-a", "shelf-b"}
CELLS = {spot.name for spot in SPOTS}
STAGES = {"event_to_decided", "decided_to_recorded", "recorded_to_settled", "commit"}

EMPTY = {"Out of stock in": "a forecast wants a week of demand"} | (
    {}
    if any(THERMAL.glob("thermal_zone*/temp"))
    else {
        "Temperature": "a virtual machine has no thermal sensor",
        "Temperature over time": "likewise",
    }
)
"""Panels that a healthy gateway leaves empty on this machine, and why."""

SPOOLED = 200
"""Points that wait are more than one interval's, of which this site has above a hundred."""


class Screen:
    """The dashboards of a person who watches since the beginning, on an InfluxDB."""

    def __init__(self, server: Influxd) -> None:
        self._server = server
        self._first_ms = now_ms() - 1000

    async def see(self, query: str) -> list[dict[str, Any]]:
        asking = Asking(self._first_ms, now_ms() + 1000, GATEWAY, "1s")
        return await self._server.query(asking.fill(query))

    async def panel(self, title: str) -> dict[str, float]:
        """The last value of a panel's first query, by the values of its tags."""
        query = next(query for _, panel, query in questions() if panel == title)
        series = await self.see(query)
        return {
            " ".join(one.get("tags", {}).values()): one["values"][-1][1]
            for one in series
            if one["values"][-1][1] is not None
        }

    async def shows(self, title: str, expected: Mapping[str, float]) -> bool:
        return (await self.panel(title)).items() >= expected.items()


def now_ms() -> int:
    return WallClock().wall(BootClock().now())[0] // NS_PER_MS


def send_telemetry(chain: Chain, url: str) -> None:
    """What an integrator adds to the configuration."""
    with chain.config.open("a", encoding="utf-8") as config:
        config.write(f'\n[telemetry]\nurl = "{url}"\nbucket = "shelfgate"\ninterval_s = 1\n')


async def work(chain: Chain, seconds: float) -> None:
    crew = Crew(chain.world, Random("people"), chain.watch_act, BUSY)
    await crew.work(chain.world.now() + seconds)


def reject_first_movement(chain: Chain) -> None:
    """Let the core refuse one movement, as it does with an item that is blocked."""
    refused: list[int] = []

    def reject(data: Mapping[str, Any]) -> str | None:
        if data["event"] == "movement" and (not refused or data["seq"] in refused):
            refused.append(data["seq"])
            return "blocked for the test"
        return None

    chain.core.desk.book.rules = Rules(reject=reject)


def counted(chain: Chain) -> dict[str, float]:
    """What the gateway itself holds to lie on each cell, by cell and item."""
    reader = StoreReader(chain.folder / "state" / STORE_FILE)
    try:
        rows = {row.key: row.value.get("on_hand") for _, row in reader.state_rows("count")}
    finally:
        reader.close()
    return {f"{spot.name} {spot.ware.code}": rows[spot.name] for spot in SPOTS}


async def provoke_faults(chain: Chain, screen: Screen) -> None:
    """An antenna comes off, and all transmitters of one shelf fall silent."""
    chain.plant.readers[SHELF_READER].set_antenna(4, False)
    chain.plant.buses["shelf-b"].faults.probability[Fault.SILENT] = 1.0
    await until(lambda: screen.shows("Devices down", {"": 1}), 30)
    chain.plant.buses["shelf-b"].faults.probability.clear()
    await until(lambda: screen.shows("Devices down", {"": 0}), 30)


@pytest.mark.server
async def test_every_panel_finds_what_the_daemon_wrote(
    chain: Chain, influxd: Influxd, v2_url: str
) -> None:
    screen = Screen(influxd)
    send_telemetry(chain, v2_url)
    reject_first_movement(chain)
    await chain.start_daemon()
    await chain.ready()
    await work(chain, 15)
    await until(lambda: screen.shows("On hand now", counted(chain)), 20)
    await provoke_faults(chain, screen)
    empty = {panel: query for _, panel, query in questions() if not found(await screen.see(query))}
    assert empty.keys() == EMPTY.keys()
    await assert_complete(screen)
    for name, query in variables():
        [series] = await screen.see(query)
        expected = {"gateway": {GATEWAY}, "device": DEVICES}[name]
        assert expected <= {row[1] for row in series["values"]}


async def assert_complete(screen: Screen) -> None:
    """Every device, cell, antenna and stage has a course of its own, and the figures fit."""
    masts = [mast for mast in MASTS if mast.reader in DEVICES]
    read_points = {f"{mast.reader}:{mast.antenna}" for mast in masts}
    assert set(await screen.panel("Latency, median")) == STAGES
    assert all((await screen.panel("Latency, 99th percentile")).values())
    round_trips = await screen.panel("Round-trip")
    assert round_trips.keys() == DEVICES
    assert all(0 < span_ms < 1000 for span_ms in round_trips.values())
    assert set(await screen.panel("Links")) == DEVICES
    assert (await screen.panel("Outages"))["shelf-b"] == 1
    for title in ("Gross weight", "Noise", "Verdict of the transmitter", "Samples"):
        assert set(await screen.panel(title)) == CELLS
    assert set(await screen.panel("Reads per second")) == read_points
    assert {point for point in read_points if SHELF_READER in point} <= set(
        await screen.panel("RSSI, mean")
    )
    assert any(GATE_READER in point for point in await screen.panel("RSSI, strongest"))
    assert set(await screen.panel("Tags in zones")) == {"SHELF-A", "SHELF-B"}
    assert all((await screen.panel("Tags in zones")).values())
    assert await screen.panel("In quarantine") == {"": 1}
    assert await screen.panel("Core link") == {"": 1}
    assert {"movement", "snapshot", "alert"} <= set(await screen.panel("Other events recorded"))
    assert (await screen.panel("Alerts active"))[""] >= 1
    assert any("shelf-reader" in fault for fault in await screen.panel("Faults"))
    assert {"telemetry_points_sent"} <= set(await screen.panel("Telemetry points"))


def metrics_of_panels() -> set[str]:
    """What the panels ask for, by the names of a server that knows metrics alone."""
    metrics = set()
    for _, panel, query in questions():
        if panel not in EMPTY:
            measurement = re.findall(r'"(shelfgate_\w+)"', query)[-1]
            field = re.findall(r'\("(\w+)"\)', query)[-1]
            metrics.add(f"{measurement}_{field}")
    return metrics


@pytest.mark.server
async def test_server_that_was_stopped_gets_every_point(
    chain: Chain, victoria_metrics: VictoriaMetrics
) -> None:
    send_telemetry(chain, victoria_metrics.url)
    await chain.start_daemon()
    await chain.ready()
    chain.plant.readers[SHELF_READER].set_antenna(4, False)  # for the panels of alerts and faults
    await work(chain, 4)
    stopped_ms = now_ms()
    await victoria_metrics.stop()
    await work(chain, 10)
    await victoria_metrics.start()
    back_ms = now_ms()
    spool = f"shelfgate_gateway_{names.SPOOL_POINTS}"

    async def caught_up() -> bool:
        held = await victoria_metrics.points(spool)
        return max(held, default=0) > back_ms and held[max(held)] < SPOOLED

    async def movements_told() -> bool:
        """Each movement that is booked, counted once; people have stopped, so it comes to rest."""
        told = await victoria_metrics.courses("shelfgate_events_recorded", event="movement")
        counted = sum(sum(course.values()) for course in told)
        return bool(counted == len(decided_movements(chain.folder)))

    await until(caught_up, 40)
    await until(movements_told, 40)
    await chain.stop_daemon()
    held = await victoria_metrics.points(spool)
    waited = [points for at_ms, points in held.items() if stopped_ms < at_ms < back_ms]
    assert max(waited, default=0) > SPOOLED
    courses = await victoria_metrics.courses("shelfgate_events_recorded", event="movement")
    recorded = {at_ms: count for course in courses for at_ms, count in course.items() if count}
    assert any(stopped_ms < at_ms < back_ms for at_ms in recorded)
    dropped = {"counter": names.POINTS_DROPPED}
    assert await victoria_metrics.courses("shelfgate_counter_total", **dropped) == []
    assert metrics_of_panels() <= await victoria_metrics.metrics()
