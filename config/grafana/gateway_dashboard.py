"""The dashboard `Gateway`: health, delivery and resources of one gateway."""

from __future__ import annotations

from grafana_model import ORANGE, RED, UP_DOWN, Dashboard, Panel, Query, Row, Variable
from influxql import MOVEMENT, course, gauge, summed, whole

HEALTH = Row(
    "Health: is it well?",
    (
        Panel(
            "Devices down",
            "Readers and scales whose link is lost at the end of the time shown.",
            "stat",
            "none",
            (summed('1 - last("up")', "device", "device"),),
            width=4,
            height=4,
            thresholds=((1, RED),),
        ),
        Panel(
            "Alerts active",
            "Alerts raised and not yet cleared, of every severity.",
            "stat",
            "none",
            (summed('last("active")', "alert", "code severity"),),
            width=4,
            height=4,
            thresholds=((1, ORANGE), (5, RED)),
            nothing="none",
        ),
        Panel(
            "Core link",
            "Whether the gateway is connected to the broker.",
            "stat",
            "none",
            (gauge("uplink_up", "uplink"),),
            width=4,
            height=4,
            states=UP_DOWN,
        ),
        Panel(
            "Oldest unsettled",
            "Age of the oldest event that the core has not confirmed. Minutes mean that the core "
            "or the link is down; nothing is lost while the disk lasts.",
            "stat",
            "s",
            (gauge("outbox_oldest_s", "age"),),
            width=4,
            height=4,
            thresholds=((120, ORANGE), (600, RED)),
        ),
        Panel(
            "In quarantine",
            "Records that the core rejected; `shelfgate store requeue` sends one again.",
            "stat",
            "none",
            (gauge("quarantine_depth", "records"),),
            width=4,
            height=4,
            thresholds=((1, RED),),
        ),
        Panel(
            "Temperature",
            "The warmest sensor of the board. A Raspberry Pi slows down from 80 °C.",
            "stat",
            "celsius",
            (gauge("temperature_c", "board"),),
            width=4,
            height=4,
            thresholds=((70, ORANGE), (80, RED)),
            nothing="no sensor",
        ),
        Panel(
            "Links to devices",
            "When which reader or scale was connected.",
            "state-timeline",
            "none",
            (Query(course('last("up") AS "up"', "device", "device"), "$tag_device"),),
            width=16,
            states=UP_DOWN,
        ),
        Panel(
            "Alerts by code",
            "How many of each are active at the end of the time shown.",
            "table",
            "none",
            (Query(whole('last("active") AS "active"', "alert", "code severity")),),
            width=8,
            thresholds=((1, ORANGE),),
            nothing="no alert in this time",
        ),
    ),
)

DELIVERY = Row(
    "Delivery: do movements reach the core?",
    (
        Panel(
            "Movements recorded",
            "Movements that came to disk, by kind.",
            "timeseries",
            "none",
            (
                Query(
                    course('sum("recorded") AS "recorded"', "events", "kind", MOVEMENT),
                    "$tag_kind",
                ),
            ),
            draw="bars",
            minimum=0,
        ),
        Panel(
            "Other events recorded",
            "Unresolved and dismissed cases, alerts, snapshots. Many unresolved cases mean that "
            "tags and weight disagree.",
            "timeseries",
            "none",
            (Query(course('sum("recorded") AS "recorded"', "events", "event"), "$tag_event"),),
            draw="bars",
            minimum=0,
        ),
        Panel(
            "Confidence of movements",
            "Mean confidence by kind, in thousandths; it falls when evidence gets thin.",
            "timeseries",
            "none",
            (
                Query(
                    course(
                        'mean("confidence_permille") AS "confidence"', "events", "kind", MOVEMENT
                    ),
                    "$tag_kind",
                ),
            ),
        ),
        Panel(
            "Latency, 99th percentile",
            "From the act to the decision (physics and rules), to the disk, to the core's "
            "confirmation. `commit` is the store's transaction alone.",
            "timeseries",
            "ms",
            (Query(course('max("p99_ms") AS "p99"', "latency", "stage"), "$tag_stage"),),
            minimum=0,
        ),
        Panel(
            "Latency, median",
            "The same stages on an ordinary occasion.",
            "timeseries",
            "ms",
            (Query(course('mean("p50_ms") AS "p50"', "latency", "stage"), "$tag_stage"),),
            minimum=0,
        ),
        Panel(
            "Queues",
            "Facts waiting for the rules, events waiting for the core, publishes under way.",
            "timeseries",
            "none",
            (
                gauge("inbox_depth", "inbox"),
                gauge("outbox_depth", "outbox"),
                gauge("in_flight", "in flight"),
            ),
            minimum=0,
        ),
    ),
)

RESOURCES = Row(
    "Resources: does the box have enough?",
    (
        Panel(
            "Processor",
            "Share of one core that the gateway uses.",
            "timeseries",
            "percent",
            (gauge("cpu_percent", "gateway"),),
            thresholds=((80, ORANGE),),
            minimum=0,
        ),
        Panel(
            "Memory",
            "Resident memory of the gateway; it is made to stay below 160 MiB.",
            "timeseries",
            "bytes",
            (gauge("memory_bytes", "gateway"),),
            thresholds=((160 * 1024 * 1024, RED),),
            minimum=0,
        ),
        Panel(
            "Loop lag",
            "How late the event loop runs. Beyond 250 ms the gateway does not trust its own "
            "silence: absence of a tag is not counted in that time.",
            "timeseries",
            "ms",
            (gauge("loop_lag_ms", "lag"),),
            thresholds=((250, RED),),
            minimum=0,
        ),
        Panel(
            "Disk used",
            "Of the disk that holds the store.",
            "timeseries",
            "percent",
            (gauge("disk_used_percent", "used"),),
            thresholds=((85, ORANGE), (95, RED)),
            minimum=0,
        ),
        Panel(
            "Disk free",
            "On the disk that holds the store. With no space left movements are refused loudly.",
            "timeseries",
            "bytes",
            (gauge("disk_free_bytes", "free"),),
            minimum=0,
        ),
        Panel(
            "Bytes written",
            "What the gateway sends to the disk: the wear of an SD card.",
            "timeseries",
            "Bps",
            (
                Query(
                    course(
                        'non_negative_derivative(last("written_bytes"), 1s) AS "written"',
                        "gateway",
                    ),
                    "written",
                ),
            ),
            minimum=0,
        ),
        Panel(
            "Temperature over time",
            "The warmest sensor of the board.",
            "timeseries",
            "celsius",
            (gauge("temperature_c", "board"),),
            thresholds=((80, RED),),
            nothing="no sensor",
        ),
        Panel(
            "Telemetry points",
            "Sent to this server; refused by it for good; dropped because the spool was full.",
            "timeseries",
            "none",
            (
                Query(
                    course(
                        'sum("added") AS "points"',
                        "counter",
                        "counter",
                        '"counter" =~ /^telemetry_points_/',
                    ),
                    "$tag_counter",
                ),
            ),
            minimum=0,
        ),
        Panel(
            "Telemetry spool",
            "Points that wait because this server was away.",
            "timeseries",
            "none",
            (gauge("telemetry_spool_points", "points"),),
            minimum=0,
        ),
        Panel(
            "Counters",
            "Everything counted in the time shown: drops, time-outs, malformed frames, reconnects.",
            "table",
            "none",
            (Query(whole('sum("added") AS "count"', "counter", "counter device")),),
            width=24,
        ),
    ),
)

DASHBOARD = Dashboard(
    "shelfgate-gateway",
    "Gateway",
    "Health, delivery and resources of one gateway.",
    (Variable("gateway", "Gateway", "gateway"),),
    (HEALTH, DELIVERY, RESOURCES),
)
