import asyncio
from collections import Counter

import pytest

from drivers.llrp import outbox as outbox_module
from drivers.llrp.outbox import BATCH_READS_MAX, GATHER_NS, Outbox
from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    DeviceFault,
    Heartbeat,
    InputChange,
    TagRead,
    TagReport,
)
from tests.drivers.llrp.desk import Emitted
from tests.virtual_time import VirtualClock, run


class Box:
    """An outbox that is drained into a list."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.counts: Counter[str] = Counter()
        self.outbox = Outbox("dock", self.clock, NS_PER_S, self.count)
        self.emitted = Emitted(self.clock)
        self.task = asyncio.create_task(self.outbox.drain(self.emitted))

    def count(self, name: str, amount: int) -> None:
        self.counts[name] += amount

    def read(self, amount: int = 1) -> None:
        now = self.clock.now()
        age = self.outbox.report_at(now) - now
        self.outbox.put_reads([TagRead("dock:1", "e2", age_ns=age)] * amount)

    async def end(self) -> None:
        self.outbox.finish()
        await self.task
        self.outbox.close()


def test_reads_of_a_few_milliseconds_are_one_report() -> None:
    async def main() -> None:
        box = Box()
        start = box.clock.now()
        for _ in range(3):
            box.read()
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.01)
        [(at, report)] = box.emitted.observations
        assert isinstance(report, TagReport)
        assert at == start + GATHER_NS
        assert [at - read.age_ns for read in report.reads] == [
            start + number * 2 * NS_PER_MS for number in range(3)
        ]
        await box.end()

    run(main())


def test_input_is_not_held_up_by_reads() -> None:
    async def main() -> None:
        box = Box()
        box.read()
        box.outbox.put(InputChange("dock", 1, True))
        await asyncio.sleep(0.01)
        assert [type(seen) for _, seen in box.emitted.observations] == [InputChange, TagReport]
        assert [at for at, _ in box.emitted.observations] == sorted(
            at for at, _ in box.emitted.observations
        )
        await box.end()

    run(main())


def test_busy_gateway_gets_reads_late_with_their_true_age() -> None:
    async def main() -> None:
        box = Box()
        box.emitted.free.clear()
        start = box.clock.now()
        for _ in range(100):
            box.read()
            await asyncio.sleep(0.1)
        box.emitted.free.set()
        await asyncio.sleep(0.1)
        assert box.emitted.seen_at() == [start + n * 100 * NS_PER_MS for n in range(100)]
        assert box.emitted.blinds == []
        assert max(box.emitted.ages) <= NS_PER_S  # no emission is later than the driver declares
        await box.end()

    run(main())


def test_beyond_the_bound_the_oldest_reads_go_and_time_is_blind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_module, "HELD_READS_MAX", 50)

    async def main() -> None:
        box = Box()
        start = box.clock.now()
        box.emitted.free.clear()
        box.outbox.put(Heartbeat("dock"))
        for _ in range(100):
            box.read()
            await asyncio.sleep(1)
        assert box.outbox._held <= 50
        box.emitted.free.set()
        await asyncio.sleep(1)
        assert box.emitted.seen_at() == [start + n * NS_PER_S for n in range(50, 100)]
        assert box.emitted.blinds == [(50, "gateway_busy")]
        assert box.counts["reads_dropped"] == 50
        await box.end()

    run(main())


def test_read_that_comes_before_a_late_timer_has_no_negative_age() -> None:
    async def main() -> None:
        box = Box()
        now = box.clock.now()
        assert box.outbox.report_at(now) == now + GATHER_NS
        box.outbox.put_reads([TagRead("dock:1", "e2", age_ns=GATHER_NS)])
        later = now + 50 * NS_PER_MS  # the loop has not come to its timer in the meantime
        assert box.outbox.report_at(later) == later + GATHER_NS
        await box.end()

    run(main())


def test_other_observations_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "HELD_OBSERVATIONS_MAX", 10)

    async def main() -> None:
        box = Box()
        for number in range(25):
            box.outbox.put(InputChange("dock", number, True))
        assert box.counts == {"observations_dropped": 15}
        await box.end()
        assert len(box.emitted.observations) == 10

    run(main())


def test_heartbeats_that_wait_are_one() -> None:
    async def main() -> None:
        box = Box()
        box.emitted.free.clear()
        box.outbox.put(InputChange("dock", 1, True))
        await asyncio.sleep(0.1)
        for _ in range(25):
            box.outbox.put(Heartbeat("dock"))
        box.emitted.free.set()
        await asyncio.sleep(0.1)
        assert len(box.emitted.of(Heartbeat)) == 1
        box.outbox.put(Heartbeat("dock"))
        await box.end()
        assert len(box.emitted.of(Heartbeat)) == 2

    run(main())


def test_blind_antenna_outlives_all_else_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "HELD_OBSERVATIONS_MAX", 4)

    async def main() -> None:
        box = Box()
        faults = [
            DeviceFault("dock", "antenna_disconnected", active, antenna=antenna, blinds=True)
            for antenna, active in ((1, True), (2, True), (2, False), (3, True), (3, False))
        ]
        box.outbox.put(faults[0])
        box.outbox.put(Heartbeat("dock"))
        for number in range(9):
            box.outbox.put(InputChange("dock", number, True))
        for fault in faults[1:]:
            box.outbox.put(fault)
        await box.end()
        assert box.emitted.of(DeviceFault) == [faults[0], *faults[2:]]

    run(main())


def test_large_report_is_split() -> None:
    async def main() -> None:
        box = Box()
        box.read(2 * BATCH_READS_MAX + 1)
        await box.end()
        sizes = [len(report.reads) for report in box.emitted.of(TagReport)]
        assert sizes == [BATCH_READS_MAX, BATCH_READS_MAX, 1]
        assert box.outbox._held == 0

    run(main())


def test_finish_hands_over_what_is_open() -> None:
    async def main() -> None:
        box = Box()
        box.read()
        await box.end()
        assert len(box.emitted.reads()) == 1

    run(main())
