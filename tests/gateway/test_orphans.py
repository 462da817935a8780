"""An alert whose device or antenna has gone from the configuration is cleared, and says why."""

from gateway.model import Alert, DeviceFault, Portal, Site, Zone
from gateway.orphans import orphans, wired_points
from gateway.store import RaisedAlert

SITE = Site(
    zones=(Zone("BAY", ("dock:1",)),),
    portals=(Portal("gate", ("dock:2",), ("dock:3",), "OUT", "IN"),),
)


def found(code: str, key: str) -> list[DeviceFault]:
    alert = Alert(code, key, True, "critical", "text", 0)
    return list(orphans([RaisedAlert(alert, "e", 1)], {"dock", "edge-1"}, wired_points(SITE)))


def test_alert_of_a_removed_device_is_cleared() -> None:
    [fault] = found("device_down", "device_down:old")
    assert (fault.device, fault.code, fault.active) == ("old", "device_down", False)
    assert (fault.detail, fault.severity) == ("old is not configured any more", "critical")


def test_alert_of_a_removed_antenna_is_cleared() -> None:
    [fault] = found("antenna_disconnected", "antenna_disconnected:dock:4")
    assert (fault.device, fault.antenna, fault.active) == ("dock", 4, False)
    assert "antenna 4 of dock" in fault.detail


def test_alert_of_what_is_there_stands() -> None:
    assert found("device_down", "device_down:dock") == []
    assert found("rule_left_out", "rule_left_out:edge-1") == []
    for antenna in (1, 2, 3):
        assert found("antenna_disconnected", f"antenna_disconnected:dock:{antenna}") == []


def test_alert_of_another_kind_is_left_alone() -> None:
    assert found("store_full", "store") == []
    assert found("record_rejected", "edge-1-0a1b2c3d-7") == []
    assert found("epoch_began", "0a1b2c3d-0000-0000-0000-000000000000") == []
