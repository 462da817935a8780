"""Parts for tests of the pipeline in virtual time: a ledger in memory, drivers that do as told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, ClassVar

from gateway.coverage import LoopPulse
from gateway.inbox import Inbox
from gateway.model import Action, DeviceStatus, Fact, LightId, Ns
from gateway.outcome import Outcome
from gateway.ports import DriverContext, Emit, LightAbility, PluginSettings
from gateway.settings import DeviceConfiguration
from gateway.store import Committed
from gateway.supervisor import Supervisor
from tests.virtual_time import VirtualClock, VirtualLoop

S = 1_000_000_000
Play = Callable[[Emit], Awaitable[None]]


class MemoryLedger:
    """Books in memory; while `stuck` is set, nothing gets to disk."""

    def __init__(self) -> None:
        self.booked: list[Outcome] = []
        self.free = asyncio.Event()
        self.free.set()

    async def submit(self, outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        await self.free.wait()
        self.booked.extend(outcomes)
        done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        done.set_result(None)  # type: ignore[arg-type] # nobody looks at it here
        return done


class Played:
    """A driver that runs what the test gives it, one part a connection; the last is repeated."""

    Settings: ClassVar[type[PluginSettings]] = PluginSettings
    lateness_max_ns: Ns = 2 * S
    silence_max_ns: Ns = 3 * S

    def __init__(self, parts: Sequence[Play], context: DriverContext) -> None:
        self.parts = list(parts)
        self.context = context
        self.acted: list[Action] = []
        self.acts: Callable[[Action], Awaitable[None]] | None = None
        self.abilities: dict[LightId, LightAbility] = {}

    async def run(self, emit: Emit) -> None:
        part = self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]
        await part(emit)

    def lights(self) -> dict[LightId, LightAbility]:
        return self.abilities

    async def act(self, action: Action) -> None:
        self.acted.append(action)
        if self.acts is not None:
            await self.acts(action)


class Rig:
    """A supervisor of played devices, and what it put into the inbox."""

    def __init__(self, seed: int = 1, **devices: Sequence[Play]) -> None:
        self.clock = VirtualClock()
        self.inbox = Inbox()
        self.pulse = LoopPulse(self.clock)
        self.drivers: dict[str, Played] = {}
        configurations = tuple(
            DeviceConfiguration(name, "played", self._factory(parts), PluginSettings())
            for name, parts in devices.items()
        )
        self.supervisor = Supervisor(
            configurations, self.inbox, self.clock, self.pulse, Random(seed)
        )

    def _factory(self, parts: Sequence[Play]) -> Any:
        shared = list(parts)

        def build(_settings: PluginSettings, context: DriverContext) -> Played:
            driver = Played(shared, context)
            driver.parts = shared
            self.drivers[context.device] = driver
            return driver

        return build

    async def run(self, for_s: float) -> None:
        """Run the devices for so long, with the loop's pulse beating."""
        tasks = [asyncio.create_task(self.supervisor.run()), asyncio.create_task(self._beat())]
        await asyncio.sleep(for_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.pulse.beat()

    def facts(self, *kinds: type) -> list[Any]:
        """What is in the inbox, taken out."""
        return [fact for _, fact in self.moments(*kinds)]

    def moments(self, *kinds: type) -> list[tuple[Ns, Fact]]:
        found = self.inbox.take(1_000_000)
        return [pair for pair in found if not kinds or type(pair[1]) in kinds]

    def statuses(self) -> list[tuple[bool, str]]:
        return [(fact.up, fact.reason) for fact in self.facts(DeviceStatus)]


def stand_still(for_s: float) -> None:
    """The process stands still for so long, as SIGSTOP makes it: only the clock goes on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._jumping.now_s += for_s
