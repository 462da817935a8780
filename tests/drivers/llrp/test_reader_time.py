import pytest

from drivers.llrp.reader_time import ReaderTime
from gateway.model import NS_PER_MS, NS_PER_S

US = 1_000_000
WRONG_BY_YEARS_US = 5_000 * US


def gateway_time(offset_ns: int, stamp_us: int) -> int:
    return stamp_us * 1000 + offset_ns


def test_smallest_delay_is_the_anchor() -> None:
    time = ReaderTime()
    time.see_event(100 * NS_PER_S + 30 * NS_PER_MS, WRONG_BY_YEARS_US)
    offset = time.see_reads(101 * NS_PER_S + 2 * NS_PER_MS, WRONG_BY_YEARS_US + US)
    assert gateway_time(offset, WRONG_BY_YEARS_US) == 100 * NS_PER_S + 2 * NS_PER_MS


def test_reads_held_back_stay_old() -> None:
    time = ReaderTime()
    time.see_event(1000 * NS_PER_S, 900 * US)
    offset = time.see_reads(1001 * NS_PER_S, 600 * US)
    assert abs(gateway_time(offset, 600 * US) - 700 * NS_PER_S) < NS_PER_MS
    assert time.steps == 0


def test_backlog_does_not_look_live_after_minutes() -> None:
    time = ReaderTime()
    time.see_event(0, 0)
    offset = 0
    for second in range(1, 300):  # 60 s behind, all the while
        offset = time.see_reads((second + 60) * NS_PER_S, second * US)
    assert 59 * NS_PER_S < 359 * NS_PER_S - gateway_time(offset, 299 * US) <= 60 * NS_PER_S


def test_slow_reader_clock_is_followed() -> None:
    time = ReaderTime()
    offset = 0
    for second in range(3600):  # 100 ppm slow: 360 ms in an hour
        offset = time.see_reads(second * NS_PER_S, round(second * US * (1 - 100e-6)))
    newest = round(3599 * US * (1 - 100e-6))
    assert abs(3599 * NS_PER_S - gateway_time(offset, newest)) < NS_PER_MS


def test_step_back_of_the_reader_clock_is_counted_and_followed() -> None:
    time = ReaderTime()
    time.see_reads(100 * NS_PER_S, 5000 * US)
    offset = 0
    for second in range(8):
        offset = time.see_reads((101 + second) * NS_PER_S, (1000 + second) * US)
    assert gateway_time(offset, 1007 * US) == 108 * NS_PER_S
    assert time.steps == 1


def test_stamps_that_went_back_and_run_with_the_clock_are_a_step_within_a_second() -> None:
    time = ReaderTime()
    time.see_reads(100 * NS_PER_S, 5000 * US)
    for tenth in range(1, 13):
        since_us = tenth * US // 10
        offset = time.see_reads(100 * NS_PER_S + since_us * 1000, 4960 * US + since_us)
    assert time.steps == 1
    assert gateway_time(offset, 4960 * US + since_us) == 100 * NS_PER_S + since_us * 1000


@pytest.mark.parametrize("times_faster", [1.5, 10.0, 1000.0])
def test_held_reads_that_are_caught_up_on_are_no_step(times_faster: float) -> None:
    """The reader sends forty seconds of them as fast as the link takes them, then fresh ones."""
    time = ReaderTime()
    time.see_reads(100 * NS_PER_S, 5000 * US)
    for tenth in range(1, 40):
        now = 100 * NS_PER_S + tenth * NS_PER_S // 10
        fresh_us = 5000 * US + tenth * US // 10
        time.see_reads(now, min(fresh_us, 4960 * US + round(tenth * US / 10 * times_faster)))
    assert time.steps == 0


def test_held_reads_among_fresh_ones_are_no_step() -> None:
    time = ReaderTime()
    time.see_event(100 * NS_PER_S, 5000 * US)
    for second in range(1, 60):
        now = (100 + second) * NS_PER_S
        time.see_reads(now, (5000 + second) * US)
        offset = time.see_reads(now, (4000 + second) * US)
        assert abs(now - gateway_time(offset, (4000 + second) * US) - 1000 * NS_PER_S) < NS_PER_S
    assert time.steps == 0


def test_utc_of_events_says_nothing_of_uptime_in_reads() -> None:
    time = ReaderTime()
    time.see_event(100 * NS_PER_S, 1_700_000_000 * US)
    offset = time.see_reads(101 * NS_PER_S, 7 * US, uptime=True)
    assert gateway_time(offset, 7 * US) == 101 * NS_PER_S
    assert time.steps == 0


def test_step_forward_of_the_reader_clock_is_counted_and_followed() -> None:
    time = ReaderTime()
    time.see_reads(100 * NS_PER_S, 1000 * US)
    offset = time.see_reads(101 * NS_PER_S, 5000 * US)
    assert gateway_time(offset, 5000 * US) == 101 * NS_PER_S
    assert time.steps == 1
