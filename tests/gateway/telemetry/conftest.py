"""A small gateway's telemetry, and the servers that take it."""

from random import Random

import pytest

from gateway.model import (
    NS_PER_S,
    Alert,
    Arrival,
    Cell,
    CountChange,
    Departure,
    DeviceFault,
    DeviceStatus,
    Movement,
    Portal,
    Site,
    TagRead,
    TagReport,
    UnitLearned,
    Unresolved,
    WeightReport,
    WeightSample,
    WeightStep,
    Zone,
    ZoneLearned,
)
from gateway.telemetry import names
from gateway.telemetry.meter import Meter
from gateway.telemetry.settings import TelemetrySettings
from tests.influx_shim import influxd, serve, v2_url, victoria_metrics

__all__ = ["influxd", "serve", "v2_url", "victoria_metrics"]

BUSY_FROM_S = 1_700_000_000
BUSY_S = 300


@pytest.fixture(scope="session")
def busy_span() -> tuple[int, int]:
    """First and last moment of `busy_lines`, in Unix milliseconds."""
    return BUSY_FROM_S * 1000, (BUSY_FROM_S + BUSY_S) * 1000


@pytest.fixture(scope="session")
def busy_lines() -> list[bytes]:
    """What a small gateway writes in five busy minutes, from BUSY_FROM_S on."""
    site = Site(
        zones=(Zone("A-1", ("shelf-reader:1", "shelf-reader:2")),),
        cells=tuple(Cell(f"scale-1:{n}", f"A-1-{n}", zone="A-1") for n in range(1, 5)),
        portals=(Portal("dock", ("dock-reader:1",), ("dock-reader:2",), "yard", "hall"),),
    )
    settings = TelemetrySettings(url="http://127.0.0.1", interval_s=10)
    tags = {"gateway": "gw-1", "site": "plant-1"}
    meter = Meter(settings, tags, site, lambda at: BUSY_FROM_S * NS_PER_S + at)
    random, lines = Random(7), list[bytes]()
    for second in range(BUSY_S):
        busy_second(meter, random, second)
        lines += meter.drain(second * NS_PER_S)
    return lines


def busy_second(meter: Meter, random: Random, second: int) -> None:
    """Everything that a gateway can tell happens now and then."""
    for reader in ("dock-reader", "shelf-reader"):
        reads = (
            TagRead(f"{reader}:{random.randint(1, 2)}", f"e{n}", random.randint(-7000, -4000))
            for n in range(20)
        )
        meter.observe(TagReport(reader, tuple(reads)))
    samples = (
        WeightSample(f"scale-1:{n}", 5000 - second // 20 * 50 + random.gauss(0, 1))
        for n in range(1, 5)
    )
    meter.observe(WeightReport("scale-1", tuple(samples)))
    if second % 60 == 0:
        for device in ("dock-reader", "shelf-reader", "scale-1"):
            meter.observe(DeviceStatus(device, up=True))
        meter.observe(DeviceStatus("shelf-reader", up=second % 120 == 0, reason="no_answer"))
        meter.observe(DeviceFault("dock-reader", "antenna_lost", second % 120 == 0, antenna=2))
    count = meter.device_counter("scale-1")
    count("round_trip_us", random.randint(2000, 9000))
    count("time_outs", second % 7 == 0)
    if second % 20 == 10:
        busy_decision(meter, second)
    for gauge in vars(names).values():
        if isinstance(gauge, str) and gauge.islower() and not gauge.startswith("telemetry_points"):
            meter.gauge(gauge, random.uniform(1, 50))
    for counter in (names.POINTS_SENT, names.POINTS_DROPPED, names.POINTS_REFUSED):
        meter.count(counter)


def busy_decision(meter: Meter, second: int) -> None:
    """Three pieces are taken from a cell, a tag goes with them."""
    at = second * NS_PER_S
    step = WeightStep("scale-1:1", 5000.0, 4950.0, 0.5, at, noise_g=0.4, drift_g=-1.5)
    meter.observe(Arrival("A-1", f"e{second}", at, 3, -5000, 990))
    meter.observe(Departure("A-1", f"e{second - 20}", at, 3, -5000, 990))
    meter.observe(step)
    meter.observe(CountChange("scale-1:1", "M6x20", -3, 100 - second // 20, 990, step))
    meter.balance("A-1", "M6x20", {"quantity": 7, "variance": -3, "stockout_p50_h": 90})
    meter.observe(ZoneLearned("A-1", NS_PER_S, 12.5, 15 * NS_PER_S, 5 * NS_PER_S))
    meter.observe(UnitLearned("M6x20", 16.7, 0.2, 10 + second))
    taken = Movement(
        movement_id=f"m{second}",
        kind="issue",
        reason="taken",
        item="M6x20",
        quantity=3,
        uom="pcs",
        from_location="A-1-1",
        to_location="unknown",
        at_event=at,
        at_decided=at + NS_PER_S,
        confidence_permille=980,
    )
    doubt = Unresolved(f"u{second}", "no tag", "A-1-1", ("M6x20",), at, at)
    alert = Alert("reader_down", "shelf-reader", second % 40 == 10, "critical", "", at)
    meter.outcome((taken, doubt, alert), at + NS_PER_S + 5_000_000)
    meter.latency("recorded_to_settled", 30_000_000 + second)
    meter.latency("commit", 3_000_000 + second)
