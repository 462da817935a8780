import pytest

from gateway.assembly import last_alive
from gateway.clock import Anchor

S = 1_000_000_000
NOON = 1_700_000_000 * S


def test_earlier_run_of_the_same_boot_was_alive_at_its_anchor() -> None:
    before = Anchor("boot-1", 70 * S, NOON, "synced")
    assert last_alive(before, Anchor("boot-1", 90 * S, NOON - 500 * S, "synced")) == 70 * S


def test_earlier_boot_was_alive_before_this_one_began() -> None:
    before = Anchor("boot-1", 7000 * S, NOON, "synced")
    assert last_alive(before, Anchor("boot-2", 20 * S, NOON + 320 * S, "synced")) == -300 * S


@pytest.mark.parametrize("behind_s", [3600, 50 * 365 * 86_400])
def test_clock_that_lost_its_time_puts_no_earlier_run_into_the_future(behind_s: int) -> None:
    before = Anchor("boot-1", 7000 * S, NOON, "synced")
    assert last_alive(before, Anchor("boot-2", 20 * S, NOON - behind_s * S, "unsynced")) == 0


def test_first_run_has_nobody_before_it() -> None:
    assert last_alive(None, Anchor("boot-1", 5 * S, NOON, "synced")) == 0
