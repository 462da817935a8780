import asyncio
import time

import pytest

from tests.virtual_time import START_S, VirtualClock, run


def test_hour_of_sleep_takes_no_time() -> None:
    async def main() -> int:
        clock = VirtualClock()
        before = clock.now()
        await asyncio.sleep(3600)
        return clock.now() - before

    started = time.perf_counter()
    assert run(main()) == 3600 * 10**9
    assert time.perf_counter() - started < 10


def test_timers_fire_in_order_at_their_time() -> None:
    async def main() -> list[float]:
        fired: list[float] = []
        loop = asyncio.get_running_loop()
        for delay_s in (5, 1, 3):
            loop.call_later(delay_s, lambda: fired.append(loop.time() - START_S))
        await asyncio.sleep(6)
        return fired

    assert run(main()) == pytest.approx([1, 3, 5])


def test_waiting_for_nothing_is_a_deadlock() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="deadlock"):
        run(main())
