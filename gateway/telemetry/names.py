"""The names that the gateway's own gauges, counters and stages have in the time series.

Dashboards ask for these; whoever feeds the meter uses the constants, so that both agree.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

# Gauges: fields of `shelfgate_gateway`, one value for the whole gateway.
INBOX_DEPTH = "inbox_depth"
OUTBOX_DEPTH = "outbox_depth"
OUTBOX_OLDEST_S = "outbox_oldest_s"
IN_FLIGHT = "in_flight"
QUARANTINE_DEPTH = "quarantine_depth"
LOOP_LAG_MS = "loop_lag_ms"
UPLINK_UP = "uplink_up"
SPOOL_POINTS = "telemetry_spool_points"
SPOOL_BYTES = "telemetry_spool_bytes"
CPU_PERCENT = "cpu_percent"
MEMORY_BYTES = "memory_bytes"
WRITTEN_BYTES = "written_bytes"
TEMPERATURE_C = "temperature_c"
DISK_FREE_BYTES = "disk_free_bytes"
DISK_USED_PERCENT = "disk_used_percent"

# Counters: rows of `shelfgate_counter`, named by its tag `counter`.
POINTS_SENT = "telemetry_points_sent"
POINTS_DROPPED = "telemetry_points_dropped"
POINTS_REFUSED = "telemetry_points_refused"
SERIES_REFUSED = "telemetry_series_refused"

ROUND_TRIP_US = "round_trip_us"
"""Not a counter: a driver that counts it tells its last round-trip, in microseconds."""

Stage: TypeAlias = Literal[
    "event_to_decided", "decided_to_recorded", "recorded_to_settled", "commit"
]
"""Where time goes: physics and rules, the store, the uplink and the core; and the fsync alone."""
