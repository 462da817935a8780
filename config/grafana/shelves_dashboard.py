"""The dashboard `Shelves and readers`: weight, count, reads, RSSI and devices."""

from __future__ import annotations

from grafana_model import GREEN, ORANGE, RED, UP_DOWN, Dashboard, Panel, Query, Row, Variable
from influxql import DEVICE, course, whole

CLEAR_ACTIVE = {0: ("Clear", GREEN), 1: ("Active", RED)}
CELL_FLAGS = {
    0: ("Stable", GREEN),
    1: ("Motion", "blue"),
    2: ("Underload", ORANGE),
    4: ("Overload", RED),
    8: ("Fault", RED),
}

WEIGHT = Row(
    "Weight",
    (
        Panel(
            "Gross weight",
            "What lies on each cell. It is written when it changes, and every interval.",
            "timeseries",
            "massg",
            (Query(course('last("gross_g") AS "gross"', "weight", "cell", DEVICE), "$tag_cell"),),
            width=16,
            height=10,
            draw="steps",
        ),
        Panel(
            "Noise",
            "Standard deviation of successive samples. A cell that gets noisier than its fellows "
            "stands loose, or something leans on it.",
            "timeseries",
            "massg",
            (Query(course('mean("noise_g") AS "noise"', "weight", "cell", DEVICE), "$tag_cell"),),
            height=10,
            minimum=0,
        ),
        Panel(
            "Verdict of the transmitter",
            "Underload, overload and fault book nothing. Other figures are sums: 1 motion, "
            "2 underload, 4 overload, 8 fault.",
            "state-timeline",
            "none",
            (Query(course('max("flags") AS "flags"', "weight", "cell", DEVICE), "$tag_cell"),),
            width=16,
            states=CELL_FLAGS,
        ),
        Panel(
            "Samples",
            "Samples per cell and interval; zero means that the scale is not being read.",
            "timeseries",
            "none",
            (Query(course('sum("samples") AS "samples"', "weight", "cell", DEVICE), "$tag_cell"),),
            minimum=0,
        ),
    ),
)

COUNT = Row(
    "Count",
    (
        Panel(
            "On hand now",
            "Pieces on each cell, as the gateway counts them.",
            "bargauge",
            "none",
            (
                Query(
                    whole('last("on_hand") AS "on hand"', "stock", "cell item", DEVICE),
                    "$tag_cell $tag_item",
                ),
            ),
        ),
        Panel(
            "On hand",
            "The same over time; each step is a movement.",
            "timeseries",
            "none",
            (
                Query(
                    course('last("on_hand") AS "on hand"', "stock", "cell item", DEVICE),
                    "$tag_cell $tag_item",
                ),
            ),
            width=16,
            draw="steps",
            minimum=0,
        ),
        Panel(
            "Unit weight, learned",
            "What a piece is taken to weigh, how pieces differ, and how many pieces taught it. It "
            "stays near the catalogue; a weight at the edge of that wants a new catalogue weight.",
            "table",
            "none",
            (
                Query(
                    whole(
                        'last("unit_g") AS "unit g", last("sd_g") AS "sd g", '
                        'last("pieces") AS "pieces"',
                        "unit",
                        "item",
                    )
                ),
            ),
        ),
        Panel(
            "Silence that means gone, learned",
            "How long a tag must be silent to have left its zone: out of the blue, and after it "
            "was read on its way. It grows with people, metal and slow antennas.",
            "timeseries",
            "s",
            (
                Query(course('last("window_s") AS "silent"', "presence", "zone"), "$tag_zone"),
                Query(
                    course('last("roamed_window_s") AS "taken up"', "presence", "zone"),
                    "$tag_zone taken up",
                ),
            ),
        ),
        Panel(
            "Noise and drift, learned",
            "How restless a cell at rest usually is, and how far it crept between two steps.",
            "timeseries",
            "massg",
            (
                Query(course('last("noise_g") AS "noise"', "cell", "cell", DEVICE), "$tag_cell"),
                Query(
                    course('last("drift_g") AS "drift"', "cell", "cell", DEVICE), "$tag_cell drift"
                ),
            ),
            width=8,
        ),
    ),
)

BALANCE = Row(
    "Balance",
    (
        Panel(
            "Differs from the core's book",
            "Pieces more (or fewer) than the core's book says. What stays is an alert, and wants a "
            "count.",
            "timeseries",
            "none",
            (
                Query(
                    course('last("variance") AS "variance"', "balance", "location item"),
                    "$tag_location $tag_item",
                ),
            ),
            width=16,
            draw="steps",
        ),
        Panel(
            "Out of stock in",
            "When nothing is left of an item at a location, by its demand of the past: as likely "
            "before as after. It is told after a week of demand, for a year ahead.",
            "bargauge",
            "h",
            (
                Query(
                    whole('last("stockout_p50_h") AS "hours"', "balance", "location item"),
                    "$tag_location $tag_item",
                ),
            ),
        ),
    ),
)

READS = Row(
    "Reads",
    (
        Panel(
            "Reads per second",
            "Per antenna. An antenna that falls to zero while its reader is up is blind: look at "
            "its cable.",
            "timeseries",
            "cps",
            (
                Query(
                    course('mean("reads_per_s") AS "reads"', "antenna", "read_point", DEVICE),
                    "$tag_read_point",
                ),
            ),
            minimum=0,
        ),
        Panel(
            "RSSI, mean",
            "Per antenna, weighted by reads. A slow fall is a moved antenna or a bad connector.",
            "timeseries",
            "dBm",
            (
                Query(
                    course('mean("rssi_mean_dbm") AS "rssi"', "antenna", "read_point", DEVICE),
                    "$tag_read_point",
                ),
            ),
        ),
        Panel(
            "RSSI, strongest",
            "The strongest read per antenna.",
            "timeseries",
            "dBm",
            (
                Query(
                    course('max("rssi_max_dbm") AS "rssi"', "antenna", "read_point", DEVICE),
                    "$tag_read_point",
                ),
            ),
        ),
        Panel(
            "Reads per second now",
            "The last interval, antenna by antenna.",
            "bargauge",
            "cps",
            (
                Query(
                    whole('last("reads_per_s") AS "reads"', "antenna", "read_point", DEVICE),
                    "$tag_read_point",
                ),
            ),
            minimum=0,
        ),
        Panel(
            "Tags in zones",
            "How many tags the gateway holds to be in each zone.",
            "timeseries",
            "none",
            (Query(course('last("tags") AS "tags"', "zone", "zone"), "$tag_zone"),),
            draw="steps",
            minimum=0,
        ),
        Panel(
            "Arrivals and departures",
            "Per zone and interval. Many of both at once are a flapping tag at the edge of a zone.",
            "timeseries",
            "none",
            (
                Query(course('sum("arrivals") AS "in"', "zone", "zone"), "$tag_zone in"),
                Query(course('sum("departures") AS "out"', "zone", "zone"), "$tag_zone out"),
            ),
            draw="bars",
            minimum=0,
        ),
    ),
)

DEVICES = Row(
    "Devices",
    (
        Panel(
            "Links",
            "When which reader or scale was connected.",
            "state-timeline",
            "none",
            (Query(course('last("up") AS "up"', "device", "device", DEVICE), "$tag_device"),),
            width=16,
            states=UP_DOWN,
        ),
        Panel(
            "Outages",
            "Times that a link was lost, since the gateway started.",
            "bargauge",
            "none",
            (
                Query(
                    whole('last("outages") AS "outages"', "device", "device", DEVICE), "$tag_device"
                ),
            ),
            thresholds=((1, ORANGE), (10, RED)),
        ),
        Panel(
            "Round-trip",
            "How long a device took for its last answer.",
            "timeseries",
            "ms",
            (
                Query(
                    course('max("round_trip_ms") AS "round trip"', "device", "device", DEVICE),
                    "$tag_device",
                ),
            ),
            minimum=0,
        ),
        Panel(
            "Faults",
            "What devices report of themselves, by code.",
            "state-timeline",
            "none",
            (
                Query(
                    course('last("active") AS "active"', "fault", "device code", DEVICE),
                    "$tag_device $tag_code",
                ),
            ),
            states=CLEAR_ACTIVE,
            nothing="no fault in this time",
        ),
        Panel(
            "Counters of devices",
            "Counted in the time shown: time-outs, malformed frames, reconnects.",
            "table",
            "none",
            (Query(whole('sum("added") AS "count"', "counter", "device counter", DEVICE)),),
        ),
    ),
)

DASHBOARD = Dashboard(
    "shelfgate-shelves-and-readers",
    "Shelves and readers",
    "Weight, count, reads, RSSI and devices of one gateway.",
    (
        Variable("gateway", "Gateway", "gateway"),
        Variable("device", "Device", "device", many=True),
    ),
    (WEIGHT, COUNT, BALANCE, READS, DEVICES),
)
