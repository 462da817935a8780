import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.coverage import COVERAGE_SPAN_NS, DeviceEmit, LoopPulse
from gateway.inbox import Inbox
from gateway.model import Coverage, DeviceFault, Fact, Heartbeat, Scan
from tests.gateway.rigs import S, stand_still
from tests.virtual_time import START_S, VirtualClock, run

BEAT, SCAN = Heartbeat("d"), Scan("d", "x")


class Watch:
    """One device's emit in virtual time, with the loop's pulse beating."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.inbox = Inbox()
        self.pulse = LoopPulse(self.clock)
        self.emit = DeviceEmit("d", self.inbox, self.pulse, self.clock)
        self.counted: dict[str, int] = {}
        self.firsts = 0
        self.start()

    def start(self) -> None:
        async def first() -> None:
            self.firsts += 1

        self.emit.start(2 * S, S, self.count, first)

    def count(self, name: str, amount: int = 1) -> None:
        self.counted[name] = self.counted.get(name, 0) + amount

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.pulse.beat()

    async def say(self, *pauses_s: float, fact: Fact = BEAT) -> None:
        for pause_s in pauses_s:
            await asyncio.sleep(pause_s)
            await self.emit(fact)  # type: ignore[arg-type] # these tests emit observations

    def spans(self) -> list[tuple[float, bool]]:
        """Length in seconds of each coverage so far, and whether it follows blind time."""
        found = [fact for _, fact in self.inbox.take(9999) if isinstance(fact, Coverage)]
        return [(round(fact.span_ns / S, 6), fact.resumed) for fact in found]


def watch(script: Callable[[Watch], Awaitable[None]]) -> Watch:
    async def main() -> Watch:
        watched = Watch()
        task = asyncio.create_task(watched.beat())
        await script(watched)
        task.cancel()
        return watched

    return run(main())


def test_first_emission_resumes_and_steady_ones_cover_all_time() -> None:
    watched = watch(lambda w: w.say(*[0.1] * 31))
    spans = watched.spans()
    assert spans[0] == (0.0, True)
    assert spans[1:] == [(0.3, False)] * 10
    assert watched.firsts == 1


def test_slow_rhythm_within_the_silence_covers_all_time() -> None:
    assert watch(lambda w: w.say(*[0.9] * 5)).spans() == [(0.0, True)] + [(0.9, False)] * 4


def test_longer_silence_than_the_device_may_keep_is_blind() -> None:
    spans = watch(lambda w: w.say(0.5, 0.5, 1.1, 0.5)).spans()
    assert spans == [(0.0, True), (0.5, False), (0.0, True), (0.5, False)]


def test_time_until_lost_readings_is_blind() -> None:
    async def script(w: Watch) -> None:
        await w.say(0.2, 0.2, 0.2)
        w.emit.blind(7, "inbox_full")
        await w.say(0.2, 0.3)

    watched = watch(script)
    assert watched.spans() == [(0.0, True), (0.4, False), (0.0, True), (0.3, False)]
    assert watched.counted == {"lost_inbox_full": 7}


@pytest.mark.parametrize("stall_s", [0.31, 0.9, 4.0])
def test_stall_of_the_loop_is_blind(stall_s: float) -> None:
    async def script(w: Watch) -> None:
        await w.say(0.2, 0.2, 0.2)
        stand_still(stall_s)
        await w.emit(BEAT)
        await w.say(0.2, 0.2)

    assert watch(script).spans() == [(0.0, True), (0.4, False), (0.0, True), (0.4, False)]


def test_stall_that_the_pulse_saw_first_is_blind_too() -> None:
    async def script(w: Watch) -> None:
        await w.say(0.2, 0.2)
        stand_still(0.6)
        assert w.pulse.beat() > 0.5 * S
        await w.emit(BEAT)
        await w.say(0.3)

    assert watch(script).spans() == [(0.0, True), (0.0, True), (0.3, False)]


def test_short_hitch_of_the_loop_is_covered() -> None:
    async def script(w: Watch) -> None:
        await w.say(0.2, 0.2)
        stand_still(0.2)
        await w.say(0.1)

    assert watch(script).spans() == [(0.0, True), (0.5, False)]


def test_new_connection_proves_nothing_of_the_time_before() -> None:
    async def script(w: Watch) -> None:
        await w.say(0.5, 0.5)
        w.start()
        await w.say(0.1, 0.4)

    watched = watch(script)
    assert watched.spans() == [(0.0, True), (0.5, False), (0.0, True), (0.4, False)]
    assert watched.firsts == 2


def test_span_is_told_in_parts_and_none_is_lost() -> None:
    spans = watch(lambda w: w.say(*[0.01] * 1001)).spans()
    assert len(spans) == 41
    assert sum(span for span, _ in spans) == pytest.approx(10.0, abs=COVERAGE_SPAN_NS / S)


def test_blind_antennas_stand_in_every_span_until_all_their_faults_are_gone() -> None:
    def fault(code: str, active: bool, antenna: int = 2, blinds: bool = True) -> Fact:
        return DeviceFault("d", code, active, antenna=antenna, blinds=blinds)

    async def script(w: Watch) -> None:
        seen = []
        for step in (
            BEAT,
            fault("lost", True),
            fault("power", True),
            fault("lost", False),
            fault("warm", True, 3, blinds=False),
            fault("power", False),
            fault("all", True, 0),
            fault("all", False, 0),
        ):
            await w.say(0.3, fact=step)
            facts = [fact for _, fact in w.inbox.take(99) if isinstance(fact, Coverage)]
            seen.append(facts[-1].blind_antennas)
        assert seen == [(), (2,), (2,), (2,), (2,), (), (0,), ()]

    assert watch(script).emit.blind_antennas == ()


def test_fault_that_blinds_reaches_the_rules_before_its_coverage() -> None:
    watched = watch(
        lambda w: w.say(0.1, 0.3, fact=DeviceFault("d", "lost", antenna=1, blinds=True))
    )
    kinds = [type(fact) for _, fact in watched.inbox.take(99)]
    assert kinds == [DeviceFault, Coverage, DeviceFault, Coverage]


def test_age_is_taken_off_and_bounded() -> None:
    async def script(w: Watch) -> None:
        await w.emit(SCAN, age_ns=S)
        await w.emit(SCAN, age_ns=30 * S)
        await w.emit(SCAN, age_ns=-S)

    watched = watch(script)
    moments = [round(at / S - START_S, 6) for at, fact in watched.inbox.take(9) if fact is SCAN]
    assert moments == [-1.0, -2.0, 0.0], "nothing is observed in the future"
    assert watched.counted == {"late_observations": 1}


def test_heartbeat_is_no_fact_of_its_own() -> None:
    watched = watch(lambda w: w.say(0.1, 0.1))
    assert [type(fact) for _, fact in watched.inbox.take(9)] == [Coverage]
    assert watched.emit.emitted == 2


def test_emit_waits_while_the_inbox_is_full() -> None:
    async def main() -> int:
        clock = VirtualClock()
        inbox = Inbox(facts_max=3)
        emit = DeviceEmit("d", inbox, LoopPulse(clock), clock)

        async def hurry() -> None:
            for _ in range(100):
                await emit(SCAN)

        task = asyncio.create_task(hurry())
        await asyncio.sleep(5)
        assert not task.done()
        task.cancel()
        return len(inbox)

    assert run(main()) == 3
