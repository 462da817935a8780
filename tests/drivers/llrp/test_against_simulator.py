"""The driver against the project's own simulated reader, which shares no codec with it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

from drivers.llrp import LlrpDriver
from drivers.llrp.settings import LlrpSettings
from drivers.llrp.transport import Connection
from gateway.model import (
    NS_PER_S,
    DeviceFault,
    Heartbeat,
    InputChange,
    ReadDeeply,
    ShowLight,
)
from gateway.ports import DriverContext, LinkError
from simulators.llrp import IMPINJ_R420, PLAIN, LlrpReader, Options, StillField, numbered_epcs
from simulators.llrp.playback import PlaybackReader, Recording
from tests.drivers.llrp.desk import Emitted
from tests.drivers.llrp.pipe import PipeEnd, join
from tests.virtual_time import VirtualClock, run

TAGS = 20


class Site:
    """A reader, the driver in front of it, and a supervisor that begins anew after a while."""

    def __init__(self, reader: LlrpReader, **settings: object) -> None:
        self.reader = reader
        self.clock = VirtualClock()
        self.counts: Counter[str] = Counter()
        self.emitted = Emitted(self.clock)
        self.errors: list[str] = []
        self.reachable = True
        self.wire: PipeEnd | None = None
        chosen = LlrpSettings(host="reader", **{"session": 0, **settings})  # type: ignore[arg-type]
        context = DriverContext("dock", self.clock, Random(1), self.count)
        self.driver = LlrpDriver(chosen, context, self.connect)
        self.task = asyncio.create_task(self.supervise())

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount

    async def connect(self, _: LlrpSettings, make: Callable[[], Connection]) -> Connection:
        if not self.reachable:
            raise LinkError("no route")
        connection = make()
        self.wire, _ = join(connection, self.reader.session())
        return connection

    async def supervise(self) -> None:
        while True:
            try:
                await self.driver.run(self.emitted)
            except LinkError as error:
                self.errors.append(str(error))
            await asyncio.sleep(1)

    def epcs(self) -> set[str]:
        return {read.epc for read in self.emitted.reads()}

    async def fresh_reads(self) -> bool:
        """Whether reads still come."""
        before = len(self.emitted.reads())
        await asyncio.sleep(2)
        return len(self.emitted.reads()) > before


def session_of(reader: LlrpReader) -> int:
    """The Gen2 session of the ROSpec that runs."""
    active = reader.requests.rospecs.active
    assert active is not None
    (spec,) = active.ai_specs
    return spec.settings[1].session


@contextlib.asynccontextmanager
async def site(seed: int = 1, *, plain: bool = False, **settings: object) -> AsyncIterator[Site]:
    random = Random(seed)
    options = Options(device=PLAIN if plain else IMPINJ_R420)
    tags = StillField(numbered_epcs(TAGS), random, (1, 2))
    async with LlrpReader(tags, random, options) as reader:
        at = Site(reader, **settings)
        try:
            await asyncio.sleep(3)
            yield at
        finally:
            at.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await at.task


def test_every_tag_is_read_at_its_antenna() -> None:
    async def main() -> None:
        async with site() as at:
            await asyncio.sleep(10)
            assert at.epcs() == {epc.hex() for epc in numbered_epcs(TAGS)}
            assert {read.read_point for read in at.emitted.reads()} == {"dock:1", "dock:2"}
            assert all(read.phase is not None for read in at.emitted.reads())
            assert all(0 <= read.age_ns < NS_PER_S for read in at.emitted.reads())
            assert at.errors == []
            assert at.counts["bad_frames"] == 0
            assert at.emitted.blinds == []
            assert len(at.emitted.of(Heartbeat)) >= 10

    run(main())


def test_plain_reader_with_uptime_alone_is_read_too() -> None:
    async def main() -> None:
        async with site(plain=True) as at:
            await asyncio.sleep(5)
            assert len(at.epcs()) == TAGS
            assert at.errors == []
            assert at.counts["bad_frames"] == 0

    run(main())


def test_inputs_outputs_antennas_and_exceptions_come_through() -> None:
    async def main() -> None:
        async with site(gpi_ports=(1,), lights=[{"light": "lamp-1", "port": 1}]) as at:
            at.reader.set_input(1, True)
            at.reader.set_antenna(2, False)
            at.reader.raise_exception("too hot")
            await at.driver.act(ShowLight("dock:lamp-1", "red"))
            await asyncio.sleep(0.1)
            assert at.reader.outputs[1]
            assert at.emitted.of(InputChange)[-1] == InputChange("dock", 1, True)
            faults = [(f.code, f.antenna) for f in at.emitted.of(DeviceFault) if f.active]
            assert ("antenna_disconnected", 2) in faults
            assert ("reader_exception", 0) in faults

    run(main())


def test_silent_reader_is_left_and_taken_up_again() -> None:
    async def main() -> None:
        async with site() as at:
            at.reader.fall_silent()
            await asyncio.sleep(2)
            at.reader.cut_cable()
            await asyncio.sleep(6)
            assert len(at.errors) == 1
            assert await at.fresh_reads()

    run(main())


def test_dead_link_is_noticed_within_three_keepalives() -> None:
    async def main() -> None:
        async with site() as at:
            at.reader.fall_silent()
            await asyncio.sleep(3)
            assert at.errors == ["nothing heard for 2.5 s: the link is dead"]

    run(main())


def test_power_cycle_is_survived() -> None:
    async def main() -> None:
        async with site(plain=True) as at:
            at.reader.power_cycle()
            await asyncio.sleep(5)
            assert len(at.errors) == 1
            assert await at.fresh_reads()
            assert all(0 <= read.age_ns < 600 * NS_PER_S for read in at.emitted.reads())

    run(main())


def test_reads_held_over_an_outage_come_with_their_true_age() -> None:
    async def main() -> None:
        async with site() as at:
            at.reachable = False
            at.reader.cut_cable()
            cut_at = at.clock.now()
            await asyncio.sleep(60)
            assert not await at.fresh_reads()
            at.reachable = True
            await asyncio.sleep(5)
            missed = [seen for seen in at.emitted.seen_at() if seen < cut_at + 50 * NS_PER_S]
            between = [seen for seen in missed if seen > cut_at]
            assert len(between) > 100
            assert at.counts["reads_late"] >= len(between)
            assert at.emitted.seen_at()[-1] > cut_at + 60 * NS_PER_S

    run(main())


def test_damaged_frames_never_stop_the_reading() -> None:
    async def main() -> None:
        for seed in range(3):
            async with site(seed) as at:
                faults = at.reader.faults
                faults.corrupt = faults.truncate = faults.unknown = 0.01
                faults.cut = 0.001
                await asyncio.sleep(60)
                faults.corrupt = faults.truncate = faults.unknown = faults.cut = 0.0
                await asyncio.sleep(10)
                assert at.counts["bad_frames"] > 0
                assert at.counts["unknown_messages"] > 0
                assert not at.task.done()
                assert await at.fresh_reads()
                true_epcs = {epc.hex() for epc in numbered_epcs(TAGS)}
                assert len(at.epcs() - true_epcs) < at.reader.faults.struck["corrupt"]

    run(main())


def test_recorded_session_is_played_to_its_end(data_folder: Path) -> None:
    recording = Recording.of_session((data_folder / "llrp" / "ltk_dx101_a.bin").read_bytes())

    async def main() -> tuple[Emitted, Counter[str]]:
        emitted, counts = Emitted(VirtualClock()), Counter[str]()

        def count(name: str, amount: int = 1) -> None:
            counts[name] += amount

        async with PlaybackReader(recording) as reader:
            settings = LlrpSettings(host="127.0.0.1", port=reader.port)
            driver = LlrpDriver(settings, DriverContext("dock", emitted.clock, Random(1), count))
            task = asyncio.create_task(driver.run(emitted))
            async with asyncio.timeout(10):
                while len(emitted.reads()) < 130:
                    assert not task.done(), task.exception()
                    await asyncio.sleep(0.01)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return emitted, counts

    emitted, counts = asyncio.run(main())
    assert len({read.epc for read in emitted.reads()}) == 65
    assert len(emitted.reads()) == 130
    assert counts["bad_frames"] == 0


def test_deep_inventory_is_of_another_session_for_a_while_and_proves_no_absence() -> None:
    async def main() -> None:
        async with site() as at:
            at.emitted.blinds.clear()
            await at.driver.act(ReadDeeply("dock", 5))
            await asyncio.sleep(4)
            assert session_of(at.reader) == 2
            reads = len(at.emitted.reads())
            await asyncio.sleep(0.5)
            assert len(at.emitted.reads()) - reads <= TAGS  # who was read keeps silent
            assert {reason for _, reason in at.emitted.blinds} >= {"deep_inventory"}
            assert len(at.emitted.blinds) > 30
            await asyncio.sleep(3)
            assert session_of(at.reader) == 0
            assert await at.fresh_reads()
            told = len(at.emitted.blinds)
            await asyncio.sleep(10)
            assert len(at.emitted.blinds) == told
            assert at.errors == []
            assert (at.counts["deep_inventories"], at.counts["deep_inventories_refused"]) == (1, 0)

    run(main())


def test_connection_that_is_cut_while_it_reads_deeply_begins_as_always() -> None:
    async def main() -> None:
        async with site() as at:
            await at.driver.act(ReadDeeply("dock", 20))
            await asyncio.sleep(2)
            assert session_of(at.reader) == 2
            assert at.wire is not None
            at.wire.abort()
            await asyncio.sleep(5)
            assert session_of(at.reader) == 0
            assert await at.fresh_reads()

    run(main())
