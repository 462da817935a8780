"""What is added up between two drains: one small object for an antenna, a cell, a device."""

from __future__ import annotations

from gateway.model import NS_PER_MS, NS_PER_S, Ns
from gateway.telemetry.line_protocol import FieldValue

LATENCIES_MAX = 1000
"""Latencies kept for the percentiles of one interval; later ones count for the maximum only."""

SUCCESSIVE_TO_SD = 0.886
"""Standard deviation of normal noise per mean absolute difference of successive samples,
sqrt(pi) / 2. A step of the weight adds one difference and so hardly disturbs it."""

RSSI_FLOOR_CDBM = -32768
"""Below anything that a reader can report: LLRP sends sixteen signed bits."""


class AntennaTally:
    """Reads and RSSI at one read point. The mean is that of the dBm figures, weighted by reads."""

    __slots__ = ("reads", "rssi_max_cdbm", "rssi_reads", "rssi_sum_cdbm", "series")

    def __init__(self, series: str) -> None:
        self.series = series
        self.clear()

    def clear(self) -> None:
        """Begin a new interval."""
        self.reads = 0
        self.rssi_reads = 0
        self.rssi_sum_cdbm = 0
        self.rssi_max_cdbm = RSSI_FLOOR_CDBM

    def fields(self, elapsed_ns: Ns) -> dict[str, FieldValue]:
        """Return what the interval of this length brought."""
        fields: dict[str, FieldValue] = {
            "reads": self.reads,
            "reads_per_s": self.reads * NS_PER_S / elapsed_ns,
        }
        if self.rssi_reads:
            fields["rssi_mean_dbm"] = self.rssi_sum_cdbm / self.rssi_reads / 100
            fields["rssi_max_dbm"] = self.rssi_max_cdbm / 100
        return fields


class CellTally:
    """The gross weight on one cell, and how restless it is."""

    __slots__ = ("differences", "flags", "gross_g", "samples", "sent_flags", "sent_g", "series")

    def __init__(self, series: str) -> None:
        self.series = series
        self.gross_g = 0.0
        self.flags = 0
        self.sent_g: float | None = None
        self.sent_flags = 0
        self.clear()

    def clear(self) -> None:
        """Begin a new interval."""
        self.samples = 0
        self.differences = 0.0

    def changed(self, change_g: float) -> bool:
        """Tell whether what was sent last is no longer true."""
        return (
            self.sent_g is None
            or abs(self.gross_g - self.sent_g) >= change_g
            or self.flags != self.sent_flags
        )

    def fields(self) -> dict[str, FieldValue]:
        """Return the weight as it stands, and remember it as sent."""
        self.sent_g, self.sent_flags = self.gross_g, self.flags
        return {"gross_g": self.gross_g, "flags": self.flags}

    def noise(self) -> dict[str, FieldValue]:
        """Return what the interval brought."""
        if self.samples < 2:
            return {"samples": self.samples}
        noise_g = self.differences / (self.samples - 1) * SUCCESSIVE_TO_SD
        return {"samples": self.samples, "noise_g": noise_g}


class DeviceTally:
    """Whether the link to a device is up, and its last round-trip."""

    __slots__ = ("changed", "outages", "reason", "round_trip_ms", "series", "up")

    def __init__(self, series: str) -> None:
        self.series = series
        self.up: bool | None = None
        self.reason = ""
        self.outages = 0
        self.round_trip_ms: float | None = None
        self.changed = False

    def turn(self, up: bool, reason: str) -> None:
        """Take a new state of the link; going down counts as one outage."""
        self.outages += self.up is True and not up
        self.up, self.reason, self.changed = up, reason, True

    def fields(self) -> dict[str, FieldValue]:
        """Return the state as it stands; `reason` tells why the link is down."""
        self.changed = False
        fields: dict[str, FieldValue] = {"outages": self.outages}
        if self.up is not None:
            fields["up"] = int(self.up)
        if self.reason:
            fields["reason"] = self.reason
        if self.round_trip_ms is not None:
            fields["round_trip_ms"] = self.round_trip_ms
        return fields


class LatencyTally:
    """Latencies of one stage in one interval."""

    __slots__ = ("kept_ns", "max_ns", "samples", "series")

    def __init__(self, series: str) -> None:
        self.series = series
        self.clear()

    def clear(self) -> None:
        """Begin a new interval."""
        self.samples = 0
        self.max_ns: Ns = 0
        self.kept_ns: list[Ns] = []

    def add(self, span_ns: Ns) -> None:
        """Take one latency."""
        self.samples += 1
        self.max_ns = max(self.max_ns, span_ns)
        if len(self.kept_ns) < LATENCIES_MAX:
            self.kept_ns.append(span_ns)

    def fields(self) -> dict[str, FieldValue]:
        """Return count and percentiles in milliseconds; no percentile of nothing."""
        fields: dict[str, FieldValue] = {"samples": self.samples}
        if self.samples:
            kept = sorted(self.kept_ns)
            fields["p50_ms"] = kept[(len(kept) - 1) // 2] / NS_PER_MS
            fields["p99_ms"] = kept[(len(kept) - 1) * 99 // 100] / NS_PER_MS
            fields["max_ms"] = self.max_ns / NS_PER_MS
        return fields
