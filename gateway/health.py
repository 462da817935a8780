"""How the gateway is: figures for the `health` topic, the status socket and telemetry."""

from __future__ import annotations

from collections import Counter as Tally
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.autonomy import Autonomy
from gateway.clock import WallClock
from gateway.inbox import Inbox
from gateway.model import NS_PER_MS, Ns
from gateway.ports import Clock, JsonValue
from gateway.store import Committed, Store, StoreStatus
from gateway.store.booking import utc
from gateway.supervisor import Supervisor
from gateway.telemetry import names
from gateway.telemetry.meter import Meter
from gateway.uplink.uplink import Uplink

LATENCIES_MAX = 1024
"""Latencies kept for the percentiles: the last quarter of an hour of a busy site."""

IN_FLIGHT_MAX = 100_000
"""Commit times of unsettled records kept for latency figures; older ones are not measured."""


@dataclass
class Figures:
    """Counters and latencies of one run."""

    counters: Tally[str] = field(default_factory=Tally)
    commit_to_settled_ns: deque[Ns] = field(default_factory=lambda: deque(maxlen=LATENCIES_MAX))


class Health:
    """Looks at everything, changes nothing."""

    def __init__(
        self,
        store: Store,
        supervisor: Supervisor,
        inbox: Inbox,
        clocks: tuple[Clock, WallClock],
        meter: Meter,
    ) -> None:
        self.figures = Figures()
        self.uplink: Uplink | None = None
        self._store = store
        self._supervisor = supervisor
        self._inbox = inbox
        self._clock, self._wall = clocks
        self._meter = meter
        self._epoch = store.epoch
        self._booked = 0
        self._status: StoreStatus | None = None
        self._alerts: Mapping[str, int] = {}
        self._autonomy = Autonomy(self._clock.now())
        self._committed_at: deque[tuple[int, Ns]] = deque()
        store.observe(self._notice)

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter of the whole gateway, for the health topic and for telemetry."""
        self.figures.counters[name] += amount
        self._meter.count(name, amount)

    def settled(self, high_water: int) -> None:
        """The core has everything up to there."""
        now = self._clock.now()
        while self._committed_at and self._committed_at[0][0] <= high_water:
            _, committed_at = self._committed_at.popleft()
            span = now - committed_at
            self.figures.commit_to_settled_ns.append(span)
            self._meter.latency("recorded_to_settled", span)

    def _notice(self, committed: Committed) -> None:
        now = self._clock.now()
        self._meter.latency("commit", committed.took_ns)
        if committed.epoch != self._epoch:
            self._epoch = committed.epoch
            self._committed_at.clear()  # its numbers mean nothing beside those that begin anew
        self._booked += len(committed.records)
        for record in committed.records:
            if len(self._committed_at) < IN_FLIGHT_MAX:
                self._committed_at.append((record.seq, now))

    async def look(self) -> None:
        """Ask the store what only its file knows: how old a backlog is, how long the disk lasts."""
        self._status, self._alerts = await self._store.read(
            lambda reader: (reader.status(), reader.alert_figures())
        )
        self._autonomy.note(self._clock.now(), self._booked)

    def gauges(self) -> None:
        """Tell telemetry the depths of the queues."""
        meter, store = self._meter, self._store
        meter.gauge(names.INBOX_DEPTH, len(self._inbox))
        meter.gauge(names.OUTBOX_DEPTH, store.last_seq - store.high_water)
        meter.gauge(names.OUTBOX_OLDEST_S, self.oldest_unsettled_ms() / 1000)
        meter.gauge(names.QUARANTINE_DEPTH, store.quarantined)
        if self.uplink is not None:
            meter.gauge(names.UPLINK_UP, float(self.uplink.state.connected))
            meter.gauge(names.IN_FLIGHT, self.uplink.in_flight)

    def report(self) -> Mapping[str, JsonValue]:
        """The payload of the `health` topic (docs/asyncapi.yaml, Health)."""
        now = self._clock.now()
        unix_ns, quality = self._wall.wall(now)
        store = self._store
        told: dict[str, JsonValue] = {
            "at": utc(unix_ns),
            "clock": quality,
            "last": store.last_seq,
            "settled": store.high_water,
            "oldest_unsettled_ms": self.oldest_unsettled_ms(),
            "devices": [self._device(name) for name in self._supervisor.devices],
            "queues": {
                "inbox": len(self._inbox),
                "outbox": store.last_seq - store.high_water,
            },
            "latency_us": self._latencies(),
            "counters": dict(sorted(self.figures.counters.items())[:256]),
        }
        if self._alerts:
            told["alerts"] = dict(self._alerts)
        if self._status is not None:
            lasts_s = self._autonomy.lasts_s(now, self._booked, self._status)
            if lasts_s is not None:
                told["autonomy_s"] = lasts_s
        return told

    def oldest_unsettled_ms(self) -> int:
        """How old the oldest record is that the core has not settled, 0 if it has all: of this
        run's by boot time, of a backlog that it found by wall time.
        """
        now, oldest_ns = self._clock.now(), 0
        if self._committed_at:
            oldest_ns = now - self._committed_at[0][1]
        since = None if self._status is None else self._status.oldest_unsettled_unix_ns
        if since is not None and self._waits():
            oldest_ns = max(oldest_ns, self._wall.wall(now)[0] - since)
        return oldest_ns // NS_PER_MS

    def _device(self, name: str) -> dict[str, JsonValue]:
        device = self._supervisor.devices[name]
        state = device.state if device.state in {"up", "failed"} else "down"
        told: dict[str, JsonValue] = {"device": name, "state": state}
        if device.reason:
            told["reason"] = device.reason[:250]
        blind = device.emit.blind_antennas
        if blind:
            told["blind_antennas"] = list(blind)
        return told

    def _waits(self) -> bool:
        store = self._store
        return store.last_seq > store.high_water or store.next_epoch() != store.epoch

    def _latencies(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        spans = sorted(self.figures.commit_to_settled_ns)
        if spans:
            told["commit_to_settled_p50"] = spans[len(spans) // 2] // 1000
            told["commit_to_settled_p99"] = spans[len(spans) * 99 // 100] // 1000
        return told
