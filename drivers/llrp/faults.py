"""Faults that a reader tells of but never takes back: they clear by themselves after a while."""

import asyncio
from collections.abc import Callable, Iterable

from gateway.model import DeviceFault

PASSES_AFTER_S = 60.0
"""A fault that does not come again for this long is over. Longer than any burst of one cause, so
that the alert does not flap."""


class PassingFaults:
    """Raises each fault once, and clears it when it has not come again."""

    def __init__(self, device: str, put: Callable[[DeviceFault], None]) -> None:
        self._device = device
        self._put = put
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def happened(self, code: str, detail: str) -> None:
        """Note that the fault came (again). The codes are few and fixed."""
        timer = self._timers.get(code)
        if timer is None:
            self._put(DeviceFault(self._device, code, True, detail))
        else:
            timer.cancel()
        self._timers[code] = asyncio.get_running_loop().call_later(
            PASSES_AFTER_S, self._clear, code
        )

    def forget(self, codes: Iterable[str]) -> None:
        """Clear what an earlier connection may have left raised."""
        for code in codes:
            if code not in self._timers:
                self._put(DeviceFault(self._device, code, False))

    def close(self) -> None:
        """Stop the timers and clear what is raised: a new connection starts with none."""
        for code, timer in list(self._timers.items()):
            timer.cancel()
            self._clear(code)

    def _clear(self, code: str) -> None:
        self._timers.pop(code, None)
        self._put(DeviceFault(self._device, code, False))
