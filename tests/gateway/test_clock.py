from pathlib import Path

import pytest

from gateway import clock
from gateway.clock import Anchor, BootClock, WallClock, boot_id, synchronised

S = 1_000_000_000


def test_boot_clock_never_goes_back() -> None:
    boot = BootClock()
    moments = [boot.now() for _ in range(1000)]
    assert moments == sorted(moments)


def test_boot_clock_is_uptime() -> None:
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    assert BootClock().now() / S == pytest.approx(uptime_s, abs=5)


def test_boot_id_is_the_same_all_the_time() -> None:
    assert boot_id() == boot_id()
    assert len(boot_id()) == 36


def test_anchor_tells_wall_time_of_any_moment_of_its_boot() -> None:
    anchor = Anchor("boot", 100 * S, 5_000 * S, "synced")
    assert anchor.wall(130 * S) == 5_030 * S
    assert anchor.wall(-10 * S) == 4_890 * S


def test_kernel_is_asked_whether_the_clock_is_synchronised() -> None:
    assert synchronised() in {True, False}


class Hands:
    """Wall and boot time, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boot, self.wall, self.synced = 100 * S, 5_000 * S, False
        monkeypatch.setattr(clock.time, "clock_gettime_ns", lambda _which: self.boot)
        monkeypatch.setattr(clock.time, "time_ns", lambda: self.wall)
        monkeypatch.setattr(clock, "synchronised", lambda: self.synced)

    def later(self, seconds: float, wall_seconds: float) -> None:
        self.boot += int(seconds * S)
        self.wall += int(wall_seconds * S)


@pytest.mark.parametrize(
    ("passed", "shown", "step"),
    [(10, 10, 0), (10, 10.4, 0), (10, 9.6, 0), (10, 3610, 3600), (10, -50, -60)],
)
def test_wall_clock_tells_a_step_from_a_slew(
    monkeypatch: pytest.MonkeyPatch, passed: float, shown: float, step: int
) -> None:
    hands = Hands(monkeypatch)
    wall = WallClock()
    assert wall.wall(hands.boot) == (5_000 * S, "unsynced")
    hands.later(passed, shown)
    assert wall.watch() == step * S
    assert wall.wall(hands.boot) == (hands.wall, "stepped" if step else "unsynced")


def test_step_of_a_synchronised_clock_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(monkeypatch)
    wall = WallClock()
    hands.later(10, 3610)
    hands.synced = True
    assert wall.watch() == 3600 * S
    assert wall.wall(hands.boot)[1] == "synced"


def test_clock_that_was_set_stays_so_until_it_is_synchronised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hands = Hands(monkeypatch)
    wall = WallClock()
    qualities = []
    for shown in (3610, 1, 1):
        hands.later(1, shown)
        wall.watch()
        qualities.append(wall.anchor.quality)
    hands.synced = True
    wall.watch()
    assert [*qualities, wall.anchor.quality] == ["stepped"] * 3 + ["synced"]
