"""Facts in, lines out: each test says which lines a drain must bring."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Alert,
    Arrival,
    Cell,
    CellFlag,
    CountChange,
    Departure,
    DeviceFault,
    DeviceStatus,
    Dismissal,
    Heartbeat,
    Movement,
    OrderReference,
    Portal,
    Site,
    TagRead,
    TagReport,
    TaskConfirmation,
    UnitLearned,
    WeightReport,
    WeightSample,
    WeightStep,
    Zone,
    ZoneLearned,
)
from gateway.telemetry.meter import Meter
from gateway.telemetry.page import SERIES_MAX
from gateway.telemetry.settings import TelemetrySettings

UNIX_NS = 1_700_000_000 * NS_PER_S
SITE = Site(
    zones=(Zone("A-1", ("shelf-reader:1",)),),
    cells=(Cell("scale-1:1", "A-1-1", item="M6x20"),),
    portals=(Portal("dock", ("dock-reader:1",), ("dock-reader:2",), "yard", "hall"),),
)


@pytest.fixture
def meter() -> Meter:
    settings = TelemetrySettings(url="http://127.0.0.1", interval_s=10, weight_change_g=2)
    meter = Meter(settings, {"gateway": "gw-1"}, SITE, lambda at: UNIX_NS + at)
    meter.drain(0)
    return meter


def found(lines: list[bytes], measurement: str) -> list[str]:
    """The lines of one measurement, without the prefix and the gateway's own tag."""
    head = f"shelfgate_{measurement},"
    return [
        text.replace(",gateway=gw-1", "").removeprefix(head)
        for text in (line.decode() for line in lines)
        if text.startswith(head)
    ]


def stamp(seconds: int) -> str:
    return str(UNIX_NS + seconds * NS_PER_S)


def weigh(gross_g: float, flags: int = 0) -> WeightReport:
    return WeightReport("scale-1", (WeightSample("scale-1:1", gross_g, flags),))


def test_antenna_reads_and_rssi_per_interval(meter: Meter) -> None:
    meter.observe(
        TagReport(
            "dock-reader",
            (
                TagRead("dock-reader:1", "e1", -6000),
                TagRead("dock-reader:1", "e2", -5000, seen_count=3),
                TagRead("dock-reader:2", "e1"),
            ),
        )
    )
    assert found(meter.drain(9 * NS_PER_S), "antenna") == []
    mute = "reads=0i,reads_per_s=0.0"
    loud = "reads=4i,reads_per_s=0.4,rssi_mean_dbm=-52.5,rssi_max_dbm=-50.0"
    bare = "reads=1i,reads_per_s=0.1"
    assert found(meter.drain(10 * NS_PER_S), "antenna") == [
        f"antenna=1,device=shelf-reader,read_point=shelf-reader:1 {mute} {stamp(10)}",
        f"antenna=1,device=dock-reader,read_point=dock-reader:1 {loud} {stamp(10)}",
        f"antenna=2,device=dock-reader,read_point=dock-reader:2 {bare} {stamp(10)}",
    ]
    later = found(meter.drain(20 * NS_PER_S), "antenna")
    assert all("reads=0i" in line and "rssi" not in line for line in later)


def test_weight_change_is_sent_within_a_drain_and_noise_with_the_interval(meter: Meter) -> None:
    series = "cell=scale-1:1,device=scale-1,location=A-1-1"
    meter.observe(weigh(5000.0))
    first = found(meter.drain(1 * NS_PER_S), "weight")
    assert first == [f"{series} gross_g=5000.0,flags=0i {stamp(1)}"]
    meter.observe(weigh(5001.5))
    assert found(meter.drain(2 * NS_PER_S), "weight") == []
    meter.observe(weigh(4650.0, CellFlag.MOTION))
    assert found(meter.drain(3 * NS_PER_S), "weight") == [
        f"{series} gross_g=4650.0,flags=1i {stamp(3)}"
    ]
    [line] = found(meter.drain(10 * NS_PER_S), "weight")
    assert line.startswith(f"{series} gross_g=4650.0,flags=1i,samples=3i,noise_g=")


def test_weight_cell_that_is_no_longer_polled_is_not_repeated(meter: Meter) -> None:
    meter.observe(weigh(5000.0))
    assert found(meter.drain(10 * NS_PER_S), "weight")
    assert found(meter.drain(20 * NS_PER_S), "weight") == []


def test_weight_not_a_number_writes_flags_only_and_does_not_stick(meter: Meter) -> None:
    meter.observe(weigh(float("nan"), CellFlag.FAULT))
    [line] = found(meter.drain(1 * NS_PER_S), "weight")
    assert " flags=8i " in line
    assert "gross_g" not in line
    meter.observe(weigh(10.0))
    [line] = found(meter.drain(2 * NS_PER_S), "weight")
    assert "gross_g=10.0,flags=0i" in line


def test_device_status_is_sent_when_it_turns_and_with_every_interval(meter: Meter) -> None:
    meter.observe(DeviceStatus("scale-1", up=True))
    assert found(meter.drain(1 * NS_PER_S), "device") == [
        f"device=scale-1 outages=0i,up=1i {stamp(1)}"
    ]
    meter.round_trip("scale-1", 12 * NS_PER_MS)
    meter.observe(DeviceStatus("scale-1", up=False, reason="no answer"))
    assert found(meter.drain(2 * NS_PER_S), "device") == [
        f'device=scale-1 outages=1i,up=0i,reason="no answer",round_trip_ms=12.0 {stamp(2)}'
    ]
    assert found(meter.drain(3 * NS_PER_S), "device") == []
    assert len(found(meter.drain(10 * NS_PER_S), "device")) == 1


def test_device_fault_is_counted_and_cleared(meter: Meter) -> None:
    fault = DeviceFault("dock-reader", "antenna_lost", antenna=2, blinds=True)
    meter.observe(fault)
    series = "antenna=2,code=antenna_lost,device=dock-reader"
    assert found(meter.drain(1 * NS_PER_S), "fault") == [f"{series} active=1i,raised=1i {stamp(1)}"]
    meter.observe(replace(fault, active=False))
    assert found(meter.drain(2 * NS_PER_S), "fault") == [f"{series} active=0i,raised=1i {stamp(2)}"]


def test_zone_tags_follow_arrivals_and_departures(meter: Meter) -> None:
    meter.tags("A-1", 5)
    assert found(meter.drain(1 * NS_PER_S), "zone") == [f"zone=A-1 tags=5i {stamp(1)}"]
    for epc in ("e1", "e2"):
        meter.observe(Arrival("A-1", epc, 0, 3, -5000, 990))
    meter.observe(Departure("A-1", "e1", 0, 3, -5000, 990))
    assert found(meter.drain(2 * NS_PER_S), "zone") == [f"zone=A-1 tags=6i {stamp(2)}"]
    assert found(meter.drain(10 * NS_PER_S), "zone") == [
        f"zone=A-1 tags=6i,arrivals=2i,departures=1i {stamp(10)}"
    ]


def test_stock_follows_the_item_on_the_cell(meter: Meter) -> None:
    step = WeightStep("scale-1:1", 100.0, 50.0, 0.5, 0)
    meter.observe(CountChange("scale-1:1", "M6x20", -3, 17, 990, step))
    series = "cell=scale-1:1,device=scale-1,item={},location=A-1-1 on_hand={}i {}"
    lines = found(meter.drain(1 * NS_PER_S), "stock")
    assert lines == [series.format("M6x20", 17, stamp(1))]
    meter.stock("scale-1:1", "M8x30", 4)
    lines = found(meter.drain(2 * NS_PER_S), "stock")
    assert lines == [series.format("M8x30", 4, stamp(2))]


MOVEMENT = Movement(
    movement_id="m1",
    kind="issue",
    reason="taken",
    item="M6x20",
    quantity=3,
    uom="pcs",
    from_location="A-1-1",
    to_location="unknown",
    at_event=1 * NS_PER_S,
    at_decided=3 * NS_PER_S,
    confidence_permille=980,
)


def test_outcome_counts_events_and_times_them(meter: Meter) -> None:
    quiet = replace(MOVEMENT, confidence_permille=900)
    meter.outcome((MOVEMENT, quiet, Dismissal("u1", "put back", 0)), 3 * NS_PER_S + 8 * NS_PER_MS)
    meter.latency("recorded_to_settled", 40 * NS_PER_MS)
    lines = meter.drain(10 * NS_PER_S)
    assert found(lines, "events") == [
        f"event=movement,kind=issue recorded=2i,confidence_permille=940i {stamp(10)}",
        rf"event=dismissal,kind=put\ back recorded=1i {stamp(10)}",
    ]
    assert found(lines, "latency") == [
        "stage=event_to_decided samples=2i,p50_ms=2000.0,p99_ms=2000.0,max_ms=2000.0 " + stamp(10),
        "stage=decided_to_recorded samples=2i,p50_ms=8.0,p99_ms=8.0,max_ms=8.0 " + stamp(10),
        "stage=recorded_to_settled samples=1i,p50_ms=40.0,p99_ms=40.0,max_ms=40.0 " + stamp(10),
    ]
    assert all(" recorded=0i " in line for line in found(meter.drain(20 * NS_PER_S), "events"))


def test_confirmations_are_counted_by_how_the_task_ended(meter: Meter) -> None:
    order = OrderReference("erp", "so", "4711", "10")
    done = TaskConfirmation("c1", "T1", order, "done", "M6x20", "pcs", 3, 3, 0, 1, 2, 3)
    short = replace(done, confirmation_id="c2", state="short", exception="SHORT")
    meter.outcome((done, short, replace(done, confirmation_id="c3")), 4 * NS_PER_S)
    assert found(meter.drain(10 * NS_PER_S), "events") == [
        f"event=task_confirmation,kind=done recorded=2i {stamp(10)}",
        f"event=task_confirmation,kind=short recorded=1i {stamp(10)}",
    ]


@pytest.mark.parametrize("without_a_moment", [{"at_since": 0}, {"reverses": "m0"}])
def test_a_movement_with_no_moment_of_its_own_is_not_timed(
    meter: Meter, without_a_moment: dict[str, Any]
) -> None:
    told = replace(MOVEMENT, at_event=MOVEMENT.at_decided, **without_a_moment)
    meter.outcome((told,), told.at_decided + 8 * NS_PER_MS)
    assert found(meter.drain(10 * NS_PER_S), "latency") == [
        "stage=decided_to_recorded samples=1i,p50_ms=8.0,p99_ms=8.0,max_ms=8.0 " + stamp(10),
    ]


def test_alerts_active_are_those_raised_and_not_cleared(meter: Meter) -> None:
    alert = Alert(
        "reader_down", "dock-reader", raised=True, severity="critical", text="", at_event=0
    )
    meter.outcome((alert, alert, replace(alert, key="shelf-reader")), 0)
    series = "code=reader_down,severity=critical"
    assert found(meter.drain(1 * NS_PER_S), "alert") == [f"{series} active=2i {stamp(1)}"]
    meter.outcome((replace(alert, raised=False),), 0)
    assert found(meter.drain(2 * NS_PER_S), "alert") == [f"{series} active=1i {stamp(2)}"]


def test_gauges_and_counters_come_with_the_interval(meter: Meter) -> None:
    meter.gauge("inbox_depth", 3)
    meter.count("frames", 2)
    count = meter.device_counter("scale-1")
    count("time_outs")
    count("time_outs", 4)
    count("round_trip_us", 7500)
    assert found(meter.drain(1 * NS_PER_S), "gateway") == []
    lines = meter.drain(10 * NS_PER_S)
    assert b"shelfgate_gateway,gateway=gw-1 inbox_depth=3.0 " + stamp(10).encode() in lines
    assert found(lines, "counter") == [
        f"counter=frames added=2i,total=2i {stamp(10)}",
        f"counter=time_outs,device=scale-1 added=5i,total=5i {stamp(10)}",
        f"counter=telemetry_series_refused added=0i,total=0i {stamp(10)}",
    ]
    assert found(lines, "device") == [f"device=scale-1 outages=0i,round_trip_ms=7.5 {stamp(10)}"]
    count("time_outs")
    assert f"counter=time_outs,device=scale-1 added=1i,total=6i {stamp(20)}" in found(
        meter.drain(20 * NS_PER_S), "counter"
    )


def test_drain_whole_ends_the_interval_early(meter: Meter) -> None:
    meter.gauge("inbox_depth", 3)
    assert found(meter.drain(1 * NS_PER_S, whole=True), "antenna")
    assert meter.drain(1 * NS_PER_S, whole=True) == [], "twice at one moment says nothing new"


def test_facts_without_meaning_here_are_let_through(meter: Meter) -> None:
    meter.observe(Heartbeat("scale-1"))
    assert meter.drain(1 * NS_PER_S) == []


def test_series_made_up_by_a_driver_are_bounded_and_counted(meter: Meter) -> None:
    reads = tuple(TagRead(f"made-up:{number}", "e1") for number in range(SERIES_MAX + 10))
    meter.observe(TagReport("made-up", reads))
    lines = meter.drain(10 * NS_PER_S)
    assert len(found(lines, "antenna")) == SERIES_MAX
    assert f"counter=telemetry_series_refused added=13i,total=13i {stamp(10)}" in found(
        lines, "counter"
    )


def test_no_measurement_has_a_tag_and_a_field_of_one_name(busy_lines: list[bytes]) -> None:
    tags, fields, kinds = defaultdict(set), defaultdict(set), defaultdict(set)
    for line in busy_lines:
        series, body, _ = line.decode().replace(r"\ ", "_").split(" ", 2)
        measurement, *pairs = series.split(",")
        tags[measurement] |= {pair.partition("=")[0] for pair in pairs}
        for pair in body.split(","):
            key, _, value = pair.partition("=")
            fields[measurement].add(key)
            kinds[measurement, key].add(
                "string" if value[0] == '"' else "integer" if value[-1] == "i" else "float"
            )
    assert len(tags) == 15
    for measurement, names in tags.items():
        assert not names & fields[measurement], measurement
        assert "time" not in names | fields[measurement]
    assert all(len(kind) == 1 for kind in kinds.values()), "a field keeps its type"


def test_what_is_learned_is_sent_when_it_changes_and_with_every_interval(meter: Meter) -> None:
    meter.observe(WeightStep("scale-1:1", 9.0, 5.0, 0.5, 0, noise_g=0.25, drift_g=-1.5))
    meter.observe(UnitLearned("M6x20", 4.125, 0.0625, 12))
    meter.observe(ZoneLearned("A-1", NS_PER_S, 12.5, 15 * NS_PER_S, 5 * NS_PER_S))
    cell = "cell=scale-1:1,device=scale-1,location=A-1-1 noise_g=0.25,drift_g=-1.5 {}"
    unit = "item=M6x20 unit_g=4.125,sd_g=0.0625,pieces=12i {}"
    zone = "zone=A-1 gap_s=1.0,long_silences_per_h=12.5,window_s=15.0,roamed_window_s=5.0 {}"
    for second, sent in ((1, True), (2, False), (10, True)):
        lines = meter.drain(second * NS_PER_S)
        assert found(lines, "presence") == [zone.format(stamp(second))] * sent
        assert found(lines, "cell") == [cell.format(stamp(second))] * sent
        assert found(lines, "unit") == [unit.format(stamp(second))] * sent


def test_balance_is_sent_when_it_changes_and_with_every_interval(meter: Meter) -> None:
    meter.balance("A-1", "M6", {"quantity": 3, "variance": -2, "stockout_p50_h": 40})
    line = "item=M6,location=A-1 quantity=3i,variance=-2i,stockout_p50_h=40i {}"
    for second, sent in ((1, True), (2, False), (10, True)):
        lines = found(meter.drain(second * NS_PER_S), "balance")
        assert lines == [line.format(stamp(second))] * sent


def test_each_item_on_a_plate_has_its_own_stock(meter: Meter) -> None:
    step = WeightStep("scale-1:1", 100.0, 50.0, 0.5, 0)
    meter.observe(CountChange("scale-1:1", "M6x20", -3, 17, 990, step))
    meter.observe(CountChange("scale-1:1", "M8x30", -1, 4, 990, step, part=1))
    meter.observe(CountChange("scale-1:1", "M9", -1, None, 990, step))
    lines = found(meter.drain(1 * NS_PER_S), "stock")
    assert [line.split()[1] for line in lines] == ["on_hand=17i", "on_hand=4i"]
