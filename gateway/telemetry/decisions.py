"""The deciding side of telemetry: stock, tags in zones, events, alerts and latencies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import (
    Alert,
    Arrival,
    CellId,
    CountChange,
    CountReport,
    Departure,
    Event,
    Movement,
    Ns,
    Proposal,
    Severity,
    Site,
    TaskConfirmation,
)
from gateway.store.booking import kind_of
from gateway.telemetry.names import Stage
from gateway.telemetry.page import SERIES_MAX, Labels, Page, Table
from gateway.telemetry.tallies import LatencyTally


@dataclass(slots=True)
class _Stock:
    on_hand: int = 0
    changed: bool = False


@dataclass(slots=True)
class _Zone:
    series: str
    tags: int = 0
    arrivals: int = 0
    departures: int = 0
    changed: bool = False


@dataclass(slots=True)
class _Events:
    series: str
    recorded: int = 0
    confidence_permille: int = 0


@dataclass(slots=True)
class _Alerts:
    series: str
    active: int = 0
    changed: bool = False


class DecisionMeter:
    """Follows what the rules decided."""

    def __init__(self, labels: Labels, site: Site) -> None:
        """Zones of the site are known from the start, with no tags."""
        self._labels = labels
        self._locations = {cell.cell: cell.location for cell in site.cells}
        self._stock: Table[tuple[CellId, str], _Stock] = Table(lambda _: _Stock())
        self._zones: Table[str, _Zone] = Table(lambda zone: _Zone(labels.series("zone", zone=zone)))
        self._events: Table[tuple[str, str], _Events] = Table(
            lambda key: _Events(labels.series("events", event=key[0], kind=key[1]))
        )
        self._alerts: Table[tuple[str, Severity], _Alerts] = Table(
            lambda key: _Alerts(labels.series("alert", code=key[0], severity=key[1]))
        )
        self._raised: dict[str, tuple[str, Severity]] = {}
        self._latencies: Table[Stage, LatencyTally] = Table(
            lambda stage: LatencyTally(labels.series("latency", stage=stage))
        )
        for zone in site.zones:
            self._zones[zone.location].changed = True

    @property
    def refused(self) -> int:
        """Tallies not kept because a table was full."""
        tables = (self._stock, self._zones, self._events, self._alerts)
        return sum(table.refused for table in tables)

    def arrival(self, fact: Arrival) -> None:
        """One more tag in a zone."""
        zone = self._zones[fact.zone]
        zone.arrivals += 1
        zone.tags += 1
        zone.changed = True

    def departure(self, fact: Departure) -> None:
        """One tag fewer in a zone."""
        zone = self._zones[fact.zone]
        zone.departures += 1
        zone.tags = max(0, zone.tags - 1)
        zone.changed = True

    def count_change(self, fact: CountChange) -> None:
        """Take the count on a cell."""
        if fact.on_hand is not None:
            self.stock(fact.cell, fact.item, fact.on_hand)

    def stock(self, cell: CellId, item: str, on_hand: int) -> None:
        """Set the count on a cell, as restored rows tell it."""
        stock = self._stock[cell, item]
        stock.on_hand, stock.changed = on_hand, True

    def tags(self, zone: str, tags: int) -> None:
        """Set the number of tags in a zone, as restored rows tell it."""
        known = self._zones[zone]
        known.tags, known.changed = tags, True

    def latency(self, stage: Stage, span_ns: Ns) -> None:
        """Take one latency."""
        self._latencies[stage].add(span_ns)

    def outcome(self, events: Iterable[Event], recorded_at: Ns) -> None:
        """Take the events of turns that came to disk at `recorded_at`."""
        for event in events:
            name = kind_of(event)
            if isinstance(event, Movement):
                tally = self._events[name, event.kind]
                tally.confidence_permille += event.confidence_permille
                if event.at_since is None and event.reverses is None:
                    # What happened unwatched, or was taken back, has no moment to count from.
                    self.latency("event_to_decided", event.at_decided - event.at_event)
                self.latency("decided_to_recorded", recorded_at - event.at_decided)
            elif isinstance(event, Alert):
                tally = self._events[name, "raised" if event.raised else "cleared"]
                self._alert(event)
            elif isinstance(event, TaskConfirmation):
                tally = self._events[name, event.state]
            elif isinstance(event, Proposal):
                tally = self._events[name, event.kind]
            elif isinstance(event, CountReport):
                tally = self._events[name, event.scope]
            else:
                tally = self._events[name, getattr(event, "reason", "")]
            tally.recorded += 1

    def changes(self, page: Page) -> None:
        """Write what is no longer as it was sent."""
        self._write_states(page, unchanged=False)
        for zone in self._zones.values():
            if zone.changed:
                zone.changed = False
                page.add(zone.series, {"tags": zone.tags})

    def interval(self, page: Page) -> None:
        """Write everything, and begin a new interval."""
        self._write_states(page, unchanged=True)
        for zone in self._zones.values():
            arrivals, departures = zone.arrivals, zone.departures
            page.add(
                zone.series, {"tags": zone.tags, "arrivals": arrivals, "departures": departures}
            )
            zone.arrivals = zone.departures = 0
            zone.changed = False
        for events in self._events.values():
            fields = {"recorded": events.recorded}
            if events.recorded and events.confidence_permille:
                fields["confidence_permille"] = events.confidence_permille // events.recorded
            page.add(events.series, fields)
            events.recorded = events.confidence_permille = 0
        for latency in self._latencies.values():
            page.add(latency.series, latency.fields())
            latency.clear()

    def _write_states(self, page: Page, *, unchanged: bool) -> None:
        for (cell, item), stock in self._stock.items():
            if stock.changed or unchanged:
                stock.changed = False
                page.add(self._stock_series(cell, item), {"on_hand": stock.on_hand})
        for alerts in self._alerts.values():
            if alerts.changed or unchanged:
                alerts.changed = False
                page.add(alerts.series, {"active": alerts.active})

    def _stock_series(self, cell: CellId, item: str) -> str:
        return self._labels.series(
            "stock",
            device=cell.rpartition(":")[0],
            cell=cell,
            location=self._locations.get(cell, ""),
            item=item,
        )

    def _alert(self, alert: Alert) -> None:
        was = self._raised.pop(alert.key, None)
        if was is not None:
            self._alerts[was].active -= 1
            self._alerts[was].changed = True
        if alert.raised and len(self._raised) < SERIES_MAX:
            now = self._raised[alert.key] = (alert.code, alert.severity)
            self._alerts[now].active += 1
            self._alerts[now].changed = True
