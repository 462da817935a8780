from gateway.autonomy import MARK_EVERY_NS, MARKS_MAX, Autonomy
from gateway.store import Epoch, StoreStatus

HOUR_S = 3600


def status(free_bytes: int) -> StoreStatus:
    epoch = Epoch(1, "a", "created")
    return StoreStatus(epoch, 101, 1100, 1100, 0, None, 0, 900_000, 100_000, free_bytes)


def test_disk_lasts_as_long_as_records_of_that_size_find_room() -> None:
    autonomy = Autonomy(0)
    assert autonomy.lasts_s(MARK_EVERY_NS - 1, 500, status(1_000_000)) is None
    assert autonomy.lasts_s(MARK_EVERY_NS, 500, status(1_000_000)) == 2 * HOUR_S
    assert autonomy.lasts_s(2 * MARK_EVERY_NS, 500, status(1_000_000)) == 4 * HOUR_S


def test_disk_lasts_for_an_unknown_time_while_nothing_is_booked() -> None:
    assert Autonomy(0).lasts_s(MARK_EVERY_NS, 0, status(1_000_000)) is None


def test_rate_is_that_of_the_last_day() -> None:
    autonomy = Autonomy(0)
    for hour in range(1, 100):
        autonomy.note(hour * MARK_EVERY_NS, 1000 * min(hour, 50) + max(0, hour - 50))
    assert len(autonomy._marks) == MARKS_MAX
    now = 99 * MARK_EVERY_NS
    assert autonomy.lasts_s(now, 50_049, status(24_000)) == 24 * HOUR_S
