"""A driver at work on a loop, with all that it emits and counts."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

from drivers.scanner import ScannerDriver
from drivers.scanner.settings import ScannerSettings
from gateway.clock import BootClock
from gateway.model import DeviceFault, Observation, Scan
from gateway.ports import DriverContext, LinkError


class Desk:
    """Runs one driver until it loses its link, or until `stop`."""

    def __init__(self, **settings: Any) -> None:
        self.seen: list[Observation] = []
        self.counts: Counter[str] = Counter()
        self.driver = ScannerDriver(
            ScannerSettings(**settings),
            DriverContext("gun", BootClock(), Random(1), self._count),
        )
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, observation: Observation, age_ns: int = 0) -> None:
        assert age_ns == 0
        async with self._news:
            self.seen.append(observation)
            self._news.notify_all()

    def blind(self, lost: int, reason: str) -> None:
        raise AssertionError(f"{lost} lost: {reason}")

    def start(self) -> None:
        self._task = asyncio.create_task(self.driver.run(self))

    async def until(self, many: int) -> None:
        """Wait until so many scans and faults were told."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: len(self.told()) >= many)

    async def connected(self) -> None:
        """Wait until it shows that it is there: what waited in a serial port before is dropped."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: bool(self.seen))

    async def lost(self) -> str:
        """Why the link was lost."""
        assert self._task is not None
        try:
            async with asyncio.timeout(10):
                await self._task
        except LinkError as error:
            return str(error)
        raise AssertionError("it has to end with LinkError")

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        assert self._task.cancelled()

    def told(self) -> list[str]:
        """Texts of scans, details of faults, and "well" for a fault that is over."""
        told = []
        for each in self.seen:
            if isinstance(each, Scan):
                told.append(each.text)
            elif isinstance(each, DeviceFault):
                assert each.code == "scan_garbled"
                told.append(each.detail if each.active else "well")
        return told

    def scans(self) -> list[str]:
        return [each.text for each in self.seen if isinstance(each, Scan)]

    def _count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount
