"""Virtual time: an event loop whose clock jumps to the next timer when nothing is ready.

A test that sleeps for an hour takes no time, and one that would wait for ever fails with
"deadlock". `run(main)` runs a coroutine so; `VirtualClock` is the gateway's clock in that loop.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START_S = 1000.0


class _JumpingSelector(selectors.SelectSelector):
    """Looks at real files without waiting for them, and moves the clock instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = START_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        assert timeout is not None, "deadlock: nothing is ready and no timer is set"
        self.now_s += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


class VirtualClock:
    """CLOCK_BOOTTIME of a virtual loop, in nanoseconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    def now(self) -> int:
        return round(self._loop.time() * 1_000_000_000)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
