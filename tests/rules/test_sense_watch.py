"""Which sense of a place is missing: told at once to the rules, and to people if it lasts."""

from typing import Any

from gateway.model import Alert, CellFlag, Coverage, SenseChange, Stall
from rules.health import Health
from tests.rules.play import Play, S, at, weigh

ALL = ("r", "p", "q", "g", "h", "k", "s")
CELLS = ("s:1", "s:2", "s:3")
TAGS, WEIGHT = "sense_missing:tags:A", "sense_missing:weight:A"


def watch(
    found: Play,
    until_s: float,
    without: str = "",
    *,
    blind: tuple[int, ...] = (),
    cells: tuple[str, ...] = CELLS,
) -> None:
    """All devices are heard each second, but that one; `blind` are antennas of `r`."""
    while found.now_s < until_s:
        second = found.now_s + 1
        for device in ALL:
            if device != without:
                found.feed(second, Coverage(device, S, blind if device == "r" else ()))
        if without != "s":
            found.feed(second, *(weigh(100.0, cell) for cell in cells))


def watched(**known: Any) -> Play:
    found = Play([Health], **known)
    watch(found, found.now_s + 10.0)
    return found


def alerts(found: Play) -> list[tuple[float, str, bool]]:
    return [(when, a.key, a.raised) for when, a in found.told if isinstance(a, Alert)]


def changes(found: Play) -> list[tuple[str, str, bool]]:
    return [(each.sense, each.point, each.missing) for each in found.kinds(SenseChange)]


def test_nothing_is_missing_where_all_is_watched() -> None:
    found = watched()
    watch(found, 100.0)
    assert (found.told, found.rows) == ([], {})


def test_reader_that_falls_silent_takes_the_tags_of_its_zones() -> None:
    found = watched()
    watch(found, 30.0, "r")
    assert changes(found) == [("tags", "A", True), ("tags", "B", True)]
    assert {each.since for each in found.kinds(SenseChange)} == {at(10.0)}
    [alert, other] = found.kinds(Alert)
    assert (alert.key, alert.severity, alert.at_event) == (TAGS, "warning", at(10.0))
    assert "by weight and scan" in alert.text
    assert "(r:1" in alert.text
    assert (other.key, other.severity) == ("sense_missing:tags:B", "critical")
    assert all(10.0 + 4.0 + 5.0 <= when <= 10.0 + 2 * 4.0 + 5.0 for when, _, _ in alerts(found))
    found.told.clear()
    watch(found, 40.0)
    assert changes(found) == [("tags", "A", False), ("tags", "B", False)]
    assert alerts(found) == [(36.0, TAGS, False), (36.0, "sense_missing:tags:B", False)]
    assert found.rows == {}


def test_scale_that_falls_silent_is_one_alert_for_its_zone() -> None:
    found = watched()
    watch(found, 30.0, "s")
    assert changes(found) == [("weight", cell, True) for cell in CELLS]
    told = {alert.key: alert for alert in found.kinds(Alert)}
    assert told[WEIGHT].severity == "warning"
    assert "by tags and scan" in told[WEIGHT].text
    assert told["sense_missing:weight:A2"].severity == "critical"


def test_blind_antenna_takes_the_tags_of_its_zone_only() -> None:
    found = watched()
    watch(found, 30.0, blind=(2,))
    assert changes(found) == [("tags", "A", True)]
    assert [key for _, key, _ in alerts(found)] == [TAGS]


def test_cell_that_weighs_nothing_though_its_scale_answers_is_missing() -> None:
    found = watched()
    watch(found, 30.0, cells=("s:2", "s:3"))
    assert changes(found) == [("weight", "s:1", True)]
    watch(found, 31.0)
    assert changes(found)[1:] == [("weight", "s:1", False)]


def test_cell_with_a_fault_weighs_nothing() -> None:
    found = watched()
    for _ in range(20):
        watch(found, found.now_s + 1, cells=("s:2", "s:3"))
        found.feed(found.now_s, weigh(0.0, "s:1", CellFlag.FAULT))
    assert changes(found) == [("weight", "s:1", True)]


def test_short_silence_calls_nobody() -> None:
    found = watched()
    watch(found, 17.0, "r")
    watch(found, 60.0)
    assert alerts(found) == []


def test_gateway_that_stood_still_takes_nothing_for_missing() -> None:
    found = watched()
    found.feed(10.0, Stall(50 * S))
    found.now_s = 60.0
    watch(found, 90.0)
    assert found.told == []


def test_alert_of_an_earlier_run_is_cleared_once_the_sense_is_there_again() -> None:
    found = watched()
    watch(found, 30.0, "r")
    later = watched(rows=found.rows, now_s=31.0)
    watch(later, 60.0)
    assert [(key, up) for _, key, up in alerts(later)] == [
        (TAGS, False),
        ("sense_missing:tags:B", False),
    ]
    assert later.rows == {}


def test_alert_that_stands_over_a_restart_is_not_raised_anew() -> None:
    found = watched()
    watch(found, 30.0, "r")
    later = Play([Health], rows=found.rows, now_s=31.0)
    watch(later, 60.0, "r")
    assert alerts(later) == []
