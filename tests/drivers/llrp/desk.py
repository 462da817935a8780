"""A driver at work in virtual time, with a reader in memory, and all that it emitted."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import TypeVar

import pytest

from drivers.llrp import LlrpDriver
from drivers.llrp.settings import LlrpSettings
from gateway.model import Ns, Observation, TagRead, TagReport
from gateway.ports import DriverContext, LinkError
from tests.drivers.llrp.scripted_reader import ScriptedReader
from tests.virtual_time import VirtualClock

AnyObservation = TypeVar("AnyObservation")


class Emitted:
    """An Emit that notes everything; `busy` holds it up like a gateway that does not keep up."""

    def __init__(self, clock: VirtualClock) -> None:
        self.observations: list[tuple[Ns, Observation]] = []
        self.ages: list[Ns] = []
        self.blinds: list[tuple[int, str]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.clock = clock

    async def __call__(self, observation: Observation, age_ns: Ns = 0) -> None:
        assert age_ns >= 0
        self.ages.append(age_ns)
        at = self.clock.now() - age_ns
        await self.free.wait()
        self.observations.append((at, observation))

    def blind(self, lost: int, reason: str) -> None:
        assert lost > 0
        self.blinds.append((lost, reason))

    def of(self, kind: type[AnyObservation]) -> list[AnyObservation]:
        return [seen for _, seen in self.observations if isinstance(seen, kind)]

    def reads(self) -> list[TagRead]:
        return [read for report in self.of(TagReport) for read in report.reads]

    def seen_at(self) -> list[Ns]:
        """When each read was seen, in gateway time."""
        return [
            at - read.age_ns
            for at, seen in self.observations
            if isinstance(seen, TagReport)
            for read in seen.reads
        ]


class Desk:
    """One driver, one reader, and a run of the driver that can be ended and begun again."""

    def __init__(self, reader: ScriptedReader, settings: dict[str, object]) -> None:
        self.clock = VirtualClock()
        self.counts: Counter[str] = Counter()
        self.reader = reader
        self.emitted = Emitted(self.clock)
        self.driver = LlrpDriver(
            LlrpSettings(host="reader", **settings),  # type: ignore[arg-type]
            DriverContext("dock", self.clock, Random(1), self.count),
            reader.connect,
        )
        self.task: asyncio.Task[None] = asyncio.create_task(self.driver.run(self.emitted))

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount

    async def armed(self) -> None:
        """Wait until the driver has done all that it does on a connect."""
        async with asyncio.timeout(30):
            while self.driver._session is None:
                assert not self.task.done(), self.task.exception()
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)  # in memory all of it takes no time at all

    def again(self) -> None:
        self.task = asyncio.create_task(self.driver.run(self.emitted))

    async def stop(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@contextlib.asynccontextmanager
async def desk(reader: ScriptedReader | None = None, **settings: object) -> AsyncIterator[Desk]:
    """A driver that has armed its reader; it is stopped in the end."""
    started = Desk(reader or ScriptedReader(), settings)
    try:
        await started.armed()
        yield started
    finally:
        if not started.task.done():
            await started.stop()


async def ends_with(at: Desk, text: str, within_s: float = 60.0) -> LinkError:
    """The error that the run ends with, which says `text`."""
    async with asyncio.timeout(within_s):
        with pytest.raises(LinkError, match=text) as caught:
            await at.task
    return caught.value
