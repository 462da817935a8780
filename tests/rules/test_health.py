import pytest

from gateway.model import Alert, DeviceFault, DeviceStatus, Fact, Stall
from rules.health import Health
from tests.rules.play import Play, S

DOWN = DeviceStatus("r", up=False, reason="cut")
UP = DeviceStatus("r", up=True)
KEY = "device_down:r"


def states(play: Play) -> list[tuple[float, bool]]:
    return [(when, fact.raised) for when, fact in play.told if isinstance(fact, Alert)]


def test_device_down_for_the_hold_time_is_one_alert() -> None:
    play = Play([Health])
    play.feed(1.0, DOWN)
    play.wake(5.9)
    assert play.told == []
    play.wake(6.0)
    play.wake(600.0)
    assert states(play) == [(6.0, True)]
    [alert] = play.kinds()
    assert (alert.code, alert.key, alert.severity) == ("device_down", KEY, "critical")
    assert "cut" in alert.text
    assert play.rows == {KEY: {"raised": 1}}


def test_device_back_for_the_hold_time_clears_it() -> None:
    play = Play([Health])
    play.feed(1.0, DOWN)
    play.feed(10.0, UP)
    play.wake(60.0)
    assert states(play) == [(6.0, True), (15.0, False)]
    assert play.rows == {}


@pytest.mark.parametrize("down_s", [0.5, 4.9])
def test_short_outage_is_no_alert(down_s: float) -> None:
    play = Play([Health])
    play.feed(1.0, DOWN)
    play.feed(1.0 + down_s, UP)
    play.wake(60.0)
    assert play.told == []


def test_flapping_device_is_one_alert() -> None:
    play = Play([Health])
    play.feed(1.0, DOWN)
    for second in range(10, 100, 4):
        play.feed(second, UP)
        play.feed(second + 2.0, DOWN)
    play.wake(200.0)
    assert states(play) == [(6.0, True)]


def test_two_devices_have_two_alerts() -> None:
    play = Play([Health])
    play.feed(1.0, DOWN)
    play.feed(3.0, DeviceStatus("s", up=False))
    play.wake(60.0)
    assert states(play) == [(6.0, True), (8.0, True)]


def test_stall_pushes_the_hold_time_on() -> None:
    play = Play([Health])
    play.feed(1.0, DOWN)
    play.feed(2.0, Stall(30 * S))
    play.feed(33.0, UP)
    play.wake(60.0)
    assert play.told == []


def test_standing_alert_outlives_a_restart() -> None:
    play = Play([Health], rows={KEY: {"raised": 1}})
    play.feed(1.0, DOWN)
    play.wake(60.0)
    assert play.told == []
    play.feed(61.0, UP)
    play.wake(120.0)
    assert states(play) == [(66.0, False)]


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (DeviceFault("r", "antenna_lost", antenna=3), "antenna_lost:r:3"),
        (DeviceFault("r", "buffer_full"), "buffer_full:r"),
    ],
)
def test_fault_is_an_alert_while_it_lasts(fault: DeviceFault, key: str) -> None:
    play = Play([Health])
    gone: Fact = DeviceFault("r", fault.code, active=False, antenna=fault.antenna)
    play.feed(1.0, fault, fault)
    play.feed(2.0, gone, gone)
    assert states(play) == [(1.0, True), (2.0, False)]
    assert {alert.key for alert in play.kinds()} == {key}
    assert play.rows == {}
