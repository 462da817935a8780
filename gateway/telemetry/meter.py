"""Add up what the gateway sees, cheaply, and turn it into lines now and then.

    pipeline --observe, outcome, latency, gauge, count--> Meter --drain--> lines

`drain` writes what changed (weight, count, tags, device status, faults, alerts), and once per
interval everything. No measurement has a tag and a field of the same name, since InfluxDB 3
forbids it, and a field keeps its type, since every InfluxDB demands it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.model import (
    NS_PER_S,
    Arrival,
    CellId,
    CountChange,
    Departure,
    DeviceFault,
    DeviceStatus,
    Event,
    Fact,
    Ns,
    Site,
    TagReport,
    UnitLearned,
    WeightReport,
    WeightStep,
    ZoneLearned,
)
from gateway.ports import Counter
from gateway.telemetry.balances import BalanceMeter
from gateway.telemetry.decisions import DecisionMeter
from gateway.telemetry.field import FieldMeter
from gateway.telemetry.learned import LearnedMeter
from gateway.telemetry.names import ROUND_TRIP_US, SERIES_REFUSED, Stage
from gateway.telemetry.page import SERIES_MAX, Labels, Page, Table
from gateway.telemetry.settings import TelemetrySettings

NS_PER_US = 1000

UnixNs: TypeAlias = Callable[[Ns], int]
"""Wall time of a moment of boot time, in Unix nanoseconds."""


@dataclass(slots=True)
class _Count:
    series: str
    added: int = 0
    total: int = 0


class Meter:
    """The one telemetry object that the rest of the gateway knows. Not for use across threads."""

    def __init__(
        self, settings: TelemetrySettings, tags: Mapping[str, str], site: Site, unix_ns: UnixNs
    ) -> None:
        """`tags` name this gateway on every point, for example gateway and site."""
        labels = Labels(tags)
        self._labels = labels
        self._unix_ns = unix_ns
        self._interval_ns: Ns = round(settings.interval_s * NS_PER_S)
        self._interval_from: Ns | None = None
        self._field = FieldMeter(labels, site, settings.weight_change_g)
        self._decisions = DecisionMeter(labels, site)
        self._learned = LearnedMeter(labels, site)
        self._balances = BalanceMeter(labels)
        self._gauges: dict[str, float] = {}
        self._counts: Table[tuple[str, str], _Count] = Table(
            lambda key: _Count(labels.series("counter", device=key[0], counter=key[1]))
        )
        self._takers: dict[type[Fact], Callable[[Any], None]] = {
            TagReport: self._field.tag_report,
            WeightReport: self._field.weight_report,
            DeviceStatus: self._field.device_status,
            DeviceFault: self._field.device_fault,
            Arrival: self._decisions.arrival,
            Departure: self._decisions.departure,
            CountChange: self._decisions.count_change,
            WeightStep: self._learned.step,
            UnitLearned: self._learned.unit,
            ZoneLearned: self._learned.zone,
        }

    def observe(self, fact: Fact) -> None:
        """Take one fact, observed or inferred; facts that mean nothing here cost a look-up."""
        take = self._takers.get(type(fact))
        if take is not None:
            take(fact)

    def outcome(self, events: Iterable[Event], recorded_at: Ns) -> None:
        """Take the events of turns that came to disk at `recorded_at`."""
        self._decisions.outcome(events, recorded_at)

    def latency(self, stage: Stage, span_ns: Ns) -> None:
        """Take one latency of a stage; `outcome` takes those of deciding and recording itself."""
        self._decisions.latency(stage, span_ns)

    def stock(self, cell: CellId, item: str, on_hand: int) -> None:
        """Set the count on a cell, as restored rows tell it."""
        self._decisions.stock(cell, item, on_hand)

    def balance(self, location: str, item: str, figures: Mapping[str, int]) -> None:
        """Set what a location holds of an item, as it is on disk, and what is said about it."""
        self._balances.balance(location, item, figures)

    def tags(self, zone: str, tags: int) -> None:
        """Set the number of tags in a zone, as restored rows tell it."""
        self._decisions.tags(zone, tags)

    def round_trip(self, device: str, span_ns: Ns) -> None:
        """Set the time that a device's last answer took."""
        self._field.round_trip(device, span_ns)

    def gauge(self, name: str, value: float) -> None:
        """Set a figure of the whole gateway, see `names`."""
        if name in self._gauges or len(self._gauges) < SERIES_MAX:
            self._gauges[name] = float(value)

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter of the whole gateway, see `names`."""
        self._counts["", name].added += amount

    def device_counter(self, device: str) -> Counter:
        """Return the counter of one device, for its driver's context."""

        def count(name: str, amount: int = 1) -> None:
            if name == ROUND_TRIP_US:
                self._field.round_trip(device, amount * NS_PER_US)
            else:
                self._counts[device, name].added += amount

        return count

    def drain(self, now: Ns, *, whole: bool = False) -> list[bytes]:
        """Return lines stamped `now`: what changed, or everything if the interval is over.

        `whole` ends the interval early, as when the gateway stops.
        """
        page = Page(self._unix_ns(now))
        if self._interval_from is None:
            self._interval_from = now
        elapsed_ns = now - self._interval_from
        if elapsed_ns >= self._interval_ns or (whole and elapsed_ns > 0):
            self._interval_from = now
            self._field.interval(page, elapsed_ns)
            self._decisions.interval(page)
            self._learned.write(page, unchanged=True)
            self._balances.write(page, unchanged=True)
            self._own(page)
        else:
            self._field.changes(page)
            self._decisions.changes(page)
            self._learned.write(page, unchanged=False)
            self._balances.write(page, unchanged=False)
        return page.lines

    def _own(self, page: Page) -> None:
        meters = (self._field, self._decisions, self._learned, self._balances, self._counts)
        refused = sum(meter.refused for meter in meters)
        own = self._counts["", SERIES_REFUSED]
        own.added = refused - own.total
        for count in self._counts.values():
            count.total += count.added
            page.add(count.series, {"added": count.added, "total": count.total})
            count.added = 0
        page.add(self._labels.series("gateway"), self._gauges)
