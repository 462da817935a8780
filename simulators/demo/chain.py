"""Runs the chain: world, devices, broker, core, and the daemon as a process of its own."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simulators.core.book import Book
from simulators.core.contract import DEFAULT_PREFIX, load_contract
from simulators.core.desk import Desk, Report
from simulators.core.feed import transfer_text
from simulators.core.service import Connection, Core
from simulators.demo.daemon import check, halt, launch
from simulators.demo.feed import Feed
from simulators.demo.listener import Listener
from simulators.demo.plant import Plant, run_plant
from simulators.demo.site_files import (
    DOCK_GATEWAY,
    GATEWAY,
    SITE,
    Site,
    write_dock,
    write_site,
)
from simulators.demo.truth import Truth
from simulators.demo.work import Told
from simulators.world.layout import SPOTS
from simulators.world.score import Booked, answers
from simulators.world.world import Act, World

READY_WITHIN_S = 60.0
"""From a cold start until the core knows the first stock of every cell."""

UNANSWERED_MAX = 200
"""Acts that the feed still waits to see booked: more than people do in half a minute."""

TOLD_MAX = 10_000
"""Alerts and confirmations that are remembered for the judge: those of a day."""


class Mode(NamedTuple):
    """How the site works. `by_order`: it has scanners, and demands badges and orders. Of two
    gateways the second watches the dock.
    """

    by_order: bool = False
    gateways: int = 1


PLAIN = Mode()


@dataclass
class Chain:
    """Everything that runs, and what was seen of it. `document_no` is that of the last movement
    which the first gateway told.
    """

    world: World
    plant: Plant
    make_core: Callable[[], Core]
    listener: Listener
    feed: Feed
    folder: Path
    config: Path
    version: str
    _unanswered: deque[Act] = field(default_factory=lambda: deque(maxlen=UNANSWERED_MAX))
    booked: list[Booked] = field(default_factory=list)
    document_no: str = ""
    unresolved: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    alerts: set[str] = field(default_factory=set)
    raised: Counter[str] = field(default_factory=Counter)
    told: deque[Told] = field(default_factory=lambda: deque(maxlen=TOLD_MAX))
    confirmed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    truth: Truth = field(default_factory=Truth)
    known_cells: set[str] = field(default_factory=set)
    daemon: asyncio.subprocess.Process | None = None
    dock_config: Path | None = None
    dock_daemon: asyncio.subprocess.Process | None = None
    online: set[str] = field(default_factory=set)
    transfers: int = 0
    core: Core = field(init=False)
    serving: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def watch_act(self, act: Act) -> None:
        """Note an act, to tell when it is booked."""
        self._unanswered.append(act)
        self.feed.act(act)

    def hear(self, report: Report) -> None:
        """Take what the core tells: a record that it booked, or something about the link."""
        self.changed.set()
        what = str(report["what"])
        if what == "hello":
            self.online.add(str(report["gateway"]))
        elif what == "transfer":
            self.transfers += 1
            self.feed.say("core", f"pairs two halves: {transfer_text(report['transfer'])}")
        data = report.get("data")
        if data is None or "seq" not in report:
            return
        self.statuses[what] += 1
        if what != "accepted":
            if what != "duplicate":
                self.feed.say("alert", f"core: {what} #{report['seq']}: {report.get('reason')}")
            return
        self.feed.decided(data)
        if data["event"] == "movement":
            self._note(data, str(report.get("document_no")))
        elif data["event"] == "unresolved":
            self.unresolved += 1
        elif data["event"] == "alert":
            (self.alerts.add if data["raised"] else self.alerts.discard)(data["code"])
            self.raised[data["code"]] += bool(data["raised"])
            self.told.append(Told(self.world.now(), data["code"], data["key"], data["raised"]))
        elif data["event"] == "task_confirmation":
            self.confirmed[data["task"]] = data
        elif data["event"] == "snapshot":
            self.known_cells.add(data["location"])

    def start_core(self) -> None:
        """Let the core serve, on the book that it has."""
        self.core = self.make_core()
        self.serving = asyncio.create_task(self.core.run(), name="core")

    async def stop_core(self) -> None:
        """Stop the core; what comes meanwhile waits in the gateway."""
        if self.serving is not None:
            await _cancel(self.serving)

    async def start_daemon(self, *command: str) -> None:
        """Start `shelfgate run`, or another command, on the written configuration."""
        self.daemon = await launch(self.config, *command)

    async def kill_daemon(self) -> None:
        """Kill it as a power cut would, start it again, and wait until the core hears it."""
        assert self.daemon is not None
        killed, self.daemon = self.daemon, None
        self.online.discard(GATEWAY)
        await halt(killed, signal.SIGKILL)
        await self.start_daemon()
        if not await self.wait_until(lambda: GATEWAY in self.online, READY_WITHIN_S):
            raise RuntimeError(f"{GATEWAY} did not come back; see {self.folder / 'daemon.log'}")

    async def start_dock(self) -> None:
        """Start the daemon of the dock, if there is one."""
        if self.dock_config is not None:
            self.dock_daemon = await launch(self.dock_config)

    async def stop_dock(self) -> None:
        """Stop that daemon."""
        if self.dock_daemon is not None and self.dock_daemon.returncode is None:
            await halt(self.dock_daemon)

    async def stop_daemon(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop the daemon and return its exit code; killed if it does not stop in time."""
        assert self.daemon is not None
        return await halt(self.daemon, how)

    async def wait_until(self, done: Callable[[], bool], within_s: float) -> bool:
        """Wait for a condition; False if it never came about. RuntimeError if the daemon ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not done():
                    self.changed.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.25):
                            await self.changed.wait()
                    check(self.daemon, self.config)
                    if self.dock_config is not None:
                        check(self.dock_daemon, self.dock_config)
        return done()

    async def ready(self) -> None:
        """Wait until the core knows the first stock of every cell; RuntimeError otherwise."""
        cells = {spot.location for spot in SPOTS}
        gateways = {GATEWAY} if self.dock_daemon is None else {GATEWAY, DOCK_GATEWAY}
        if not await self.wait_until(lambda: gateways <= self.online, READY_WITHIN_S):
            missing = ", ".join(sorted(gateways - self.online))
            raise RuntimeError(f"{missing} is not heard; see daemon.log below {self.folder}")
        if not await self.wait_until(lambda: cells <= self.known_cells, READY_WITHIN_S):
            missing = ", ".join(sorted(cells - self.known_cells))
            raise RuntimeError(f"no first stock of {missing}; see {self.folder / 'daemon.log'}")

    def _note(self, data: Mapping[str, Any], document_no: str) -> None:
        now = self.world.now()
        if data["gateway"] == GATEWAY:
            self.document_no = data["document_no"]
        movement = Booked(
            seq=data["seq"],
            item=data["item"],
            quantity=int(data["quantity"]),
            source=data["from"]["location"],
            target=data["to"]["location"],
            booked_at_s=now,
            kind=data["kind"],
            actor=data.get("actor", ""),
            task=_task(data.get("order")),
        )
        self.booked.append(movement)
        act = next((act for act in self._unanswered if answers(movement, act)), None)
        if act is not None:
            self._unanswered.remove(act)
        self.feed.booked(document_no, None if act is None else now - act.at_s)


def _task(order: Mapping[str, Any] | None) -> str:
    """The task of an order line, as the office names them."""
    return "" if order is None else f"{order['number']}-{order['line']}"


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def run_chain(
    folder: Path, seed: int, broker_url: str, *, quiet: bool, mode: Mode = PLAIN
) -> AsyncIterator[Chain]:
    """Start everything but the daemons; end it all, the daemons too, at the exit."""
    loop = asyncio.get_running_loop()
    world = World(Random(f"world {seed}"), loop.time)
    broker = urlsplit(broker_url)
    where = (broker.hostname or "127.0.0.1", broker.port or 1883)
    version = "3.1.1" if broker.scheme == "mqtt311" else "5"
    feed = Feed(loop.time, quiet=quiet)
    chain: Chain | None = None

    def hear(report: Report) -> None:
        assert chain is not None
        chain.hear(report)

    book = Book(folder / "core.db")
    contract = load_contract(DEFAULT_PREFIX)
    gateways = [GATEWAY, DOCK_GATEWAY][: mode.gateways]
    desk = Desk(book, contract, SITE, Random(seed), gateways)
    desk.tells_books = True
    connection = Connection(*where, 4 if version == "3.1.1" else 5, f"shelfgate-core-{SITE}")
    listener = Listener(contract, SITE, *gateways)

    def make_core() -> Core:
        return Core(desk, connection, Random(f"core {seed}"), hear)

    dock = mode.gateways > 1
    async with run_plant(
        world, Random(f"plant {seed}"), by_order=mode.by_order, dock=dock
    ) as plant:
        site = Site(plant.ports, where, version, by_order=mode.by_order)
        config = write_site(folder, site)
        chain = Chain(world, plant, make_core, listener, feed, folder, config, version)
        if dock:
            chain.dock_config = write_dock(folder / "dock", site)
        ears = replace(connection, client_id=f"listener-{SITE}")
        listening = asyncio.create_task(listener.run(ears), name="listener")
        chain.start_core()
        try:
            async with _lit(chain, where) if mode.by_order else nullcontext():
                yield chain
        finally:
            if chain.daemon is not None and chain.daemon.returncode is None:
                await chain.stop_daemon()
            await chain.stop_dock()
            await chain.stop_core()
            await _cancel(listening)
            book.close()


@asynccontextmanager
async def _lit(chain: Chain, broker: tuple[str, int]) -> AsyncIterator[None]:
    """The pick lights have power, and the feed tells what they show."""
    lights, feed = chain.plant.lights, chain.feed
    async with lights.plugged(*broker):
        watching = asyncio.create_task(
            lights.watch(lambda location, shown: feed.say("light", f"{location} {shown}")),
            name="lights",
        )
        try:
            yield
        finally:
            await _cancel(watching)
