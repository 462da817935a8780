"""The flow in virtual time: real engine, pipeline, coverage and presence."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import pytest

from gateway.coverage import DeviceEmit, LoopPulse
from gateway.engine import Engine
from gateway.inbox import Inbox
from gateway.model import (
    Alert,
    Arrival,
    Departure,
    DeviceStatus,
    Fact,
    Heartbeat,
    Item,
    Ns,
    SenseChange,
    Site,
    Stall,
    TagRead,
    TagReport,
    Zone,
)
from gateway.outcome import Outcome
from gateway.pipeline import LOT_FACTS_MAX, Pipeline
from gateway.ports import Rule, RuleContext
from gateway.store import Committed
from rules.health import Health, HealthSettings
from rules.presence import Presence, PresenceSettings
from tests.gateway.rigs import MemoryLedger, S, stand_still
from tests.virtual_time import START_S, VirtualClock, run

SITE = Site(zones=(Zone("A", ("r:1",)),))
HELD_S, GONE_S = 8.0, 25.0
"""Presence holds a tag that falls silent for longer than this, and no longer than that."""

REPORT = TagReport("r", (TagRead("r:1", "3034", -5000),))


class House:
    """A pipeline with presence and health; `told` is (second, fact) of what they emit."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.inbox = Inbox()
        self.pulse = LoopPulse(self.clock)
        self.ledger = MemoryLedger()
        self.told: list[tuple[float, Fact]] = []
        context = RuleContext(SITE, lambda *parts: "/".join(map(str, parts)), Random(1), "boot", 0)
        rules: list[tuple[str, Rule]] = [
            ("presence", Presence(PresenceSettings(), context)),
            ("health", Health(HealthSettings(), context)),
        ]
        self.engine = Engine(rules, self.note)
        self.engine.restore({}, [])
        self.pipeline = Pipeline(self.engine, self.inbox, self.ledger, self.clock, self.pulse)
        self.emit = DeviceEmit("r", self.inbox, self.pulse, self.clock)
        self.emit.start(2 * S, S, lambda _name, _amount=1: None, self.first)
        self.task = asyncio.create_task(self.pipeline.run())

    async def first(self) -> None:
        await asyncio.sleep(0)

    def note(self, fact: Fact) -> None:
        self.told.append((round(self.engine.now / S - START_S, 3), fact))

    def kinds(self, *kinds: type) -> list[Fact]:
        return [fact for _, fact in self.told if type(fact) in kinds]

    async def read(self, for_s: float, period_s: float = 0.125) -> None:
        """The reader reports the tag so often."""
        for _ in range(round(for_s / period_s)):
            await asyncio.sleep(period_s)
            await self.emit(REPORT)

    async def idle(self, for_s: float) -> None:
        """The reader lives and sees nothing."""
        for _ in range(round(for_s / 0.5)):
            await asyncio.sleep(0.5)
            await self.emit(Heartbeat("r"))


def play(script: Callable[[House], Awaitable[None]]) -> House:
    async def main() -> House:
        house = House()
        await script(house)
        house.task.cancel()
        await asyncio.gather(house.task, return_exceptions=True)
        return house

    return run(main())


def test_tag_comes_and_goes_through_the_whole_flow() -> None:
    async def script(house: House) -> None:
        await house.idle(10)
        await house.read(3)
        await house.idle(GONE_S)

    house = play(script)
    assert [type(fact) for fact in house.kinds(Arrival, Departure)] == [Arrival, Departure]
    keys = [row.key for outcome in house.ledger.booked for _, _, row in outcome.puts]
    assert list(dict.fromkeys(keys)) == ["zone:A", "tag:3034", "gone:0"]
    assert len(keys) <= 4
    assert [key for outcome in house.ledger.booked for _, key in outcome.deletes] == ["tag:3034"]


@pytest.mark.parametrize("stall_s", [0.4, 4.0, 10.0, 60.0])
def test_stopped_process_with_bytes_waiting_is_no_departure(stall_s: float) -> None:
    """SIGSTOP while a tag is read: its reads wait in the socket, and come all at once."""

    async def script(house: House) -> None:
        await house.idle(10)
        await house.read(3)
        for _ in range(5):
            stand_still(stall_s)
            for _ in range(int(min(stall_s, 8) * 8)):
                await house.emit(REPORT)
            await house.read(2)
        await house.idle(HELD_S)
        assert house.kinds(Departure) == []
        await house.idle(GONE_S - HELD_S)

    house = play(script)
    assert len(house.kinds(Arrival)) == 1
    assert len(house.kinds(Departure)) == 1


def test_stopped_process_with_an_empty_socket_is_no_departure() -> None:
    async def script(house: House) -> None:
        await house.idle(10)
        await house.read(3)
        for _ in range(6):
            await house.idle(3)
            stand_still(9)
        await house.idle(HELD_S)

    assert play(script).kinds(Departure) == []


def test_stuck_disk_is_no_departure_of_a_tag_that_is_read() -> None:
    async def script(house: House) -> None:
        await house.idle(10)
        await house.read(3)
        house.ledger.free.clear()
        await house.emit(TagReport("r", (TagRead("r:1", "3035", -5000),) * 3))
        await house.inbox.put(house.clock.now(), Item("BOLT"))
        await house.read(GONE_S, 1.0)
        house.ledger.free.set()
        await house.read(5, 1.0)

    assert play(script).kinds(Departure) == []


def test_stall_reaches_the_rules_before_the_wakeups_that_fell_due() -> None:
    async def script(house: House) -> None:
        await house.idle(1)
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=False))
        await asyncio.sleep(1)
        stand_still(60)
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=True))
        await house.idle(30)

    assert play(script).kinds(Alert, SenseChange) == []


@pytest.mark.parametrize("first", ["pulse", "pump"])
def test_stall_comes_first_whichever_task_runs_first(first: str) -> None:
    async def script(house: House) -> None:
        seen: list[Fact] = []
        house.pipeline.taps.append(lambda _at, fact: seen.append(fact))
        await house.idle(1)
        house.task.cancel()
        await asyncio.gather(house.task, return_exceptions=True)
        seen.clear()
        house.inbox.take(99)
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=False))
        stand_still(7)
        await house.emit(REPORT)
        if first == "pulse":
            house.pipeline._look_for_stall()
        house.pipeline._lot()
        assert isinstance(seen[0], Stall)
        assert seen[0].span_ns >= 7 * S
        assert sum(isinstance(fact, Stall) for fact in seen) == 1

    play(script)


def test_feed_after_a_stall_runs_no_wakeup_that_fell_due_unwatched() -> None:
    async def script(house: House) -> None:
        await house.idle(1)
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=False))
        await asyncio.sleep(1)
        stand_still(60)
        await house.pipeline.feed([Item("BOLT")])
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=True))
        await house.idle(30)

    assert play(script).kinds(Alert, SenseChange) == []


@pytest.mark.parametrize("overtakes", ["feed", "put_first"])
def test_what_overtakes_runs_no_wakeup_that_what_waits_is_to_stop(overtakes: str) -> None:
    async def script(house: House) -> None:
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=False))
        await asyncio.sleep(1)
        house.ledger.free.clear()
        await house.inbox.put(house.clock.now(), Item("BOLT"))
        await asyncio.sleep(1)
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=True))
        await asyncio.sleep(10)
        if overtakes == "feed":
            task = asyncio.create_task(house.pipeline.feed([Item("NUT")]))
        else:
            house.inbox.put_first(house.clock.now(), Item("NUT"))
        await asyncio.sleep(1)
        house.ledger.free.set()
        await asyncio.sleep(30)
        assert overtakes == "put_first" or task.done()

    assert play(script).kinds(Alert, SenseChange) == []


def test_waiting_facts_run_before_wakeups_that_the_clock_says_are_due() -> None:
    """The disk was stuck for a minute: what happened meanwhile happened before the wake-up."""

    async def script(house: House) -> None:
        start = house.clock.now()
        house.ledger.free.clear()
        await house.inbox.put(start, Item("BOLT"))
        await asyncio.sleep(1)
        await house.inbox.put(start + S, DeviceStatus("r", up=False))
        for _ in range(3 * LOT_FACTS_MAX):
            await house.inbox.put(start + S, REPORT)
        await house.inbox.put(start + 2 * S, DeviceStatus("r", up=True))
        await asyncio.sleep(60)
        house.ledger.free.set()
        await asyncio.sleep(1)
        assert len(house.inbox) == 0

    assert play(script).kinds(Alert) == []


def test_wakeup_runs_when_due_though_nothing_comes() -> None:
    async def script(house: House) -> None:
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=False))
        await asyncio.sleep(8)

    assert [when for when, _ in play(script).told] == [pytest.approx(5.0, abs=0.01)]


def test_earlier_wakeup_replaces_the_alarm() -> None:
    async def script(house: House) -> None:
        await house.inbox.put(house.clock.now() + 3 * S, DeviceStatus("late", up=False))
        await asyncio.sleep(1)
        await house.inbox.put(house.clock.now(), DeviceStatus("r", up=False))
        await asyncio.sleep(20)

    assert len(play(script).told) == 2


def test_backlog_is_taken_in_lots_so_that_others_get_their_turn() -> None:
    async def script(house: House) -> None:
        await asyncio.sleep(0.01)
        beats = house.pipeline.beats
        for _ in range(10 * LOT_FACTS_MAX):
            await house.inbox.put(house.clock.now(), REPORT)
        await house.inbox.drained()
        assert house.pipeline.beats - beats == pytest.approx(10, abs=1)

    play(script)


def test_pump_waits_for_the_disk_and_the_inbox_fills() -> None:
    async def script(house: House) -> None:
        house.ledger.free.clear()
        await house.inbox.put(house.clock.now(), Item("BOLT"))
        await asyncio.sleep(1)
        beats = house.pipeline.beats
        for _ in range(100):
            await house.inbox.put(house.clock.now(), REPORT)
        await asyncio.sleep(1)
        assert (len(house.inbox), house.pipeline.beats) == (100, beats)
        house.ledger.free.set()
        await house.inbox.drained()

    play(script)


def test_feed_returns_when_it_is_on_disk() -> None:
    async def script(house: House) -> None:
        house.ledger.free.clear()
        task = asyncio.create_task(house.pipeline.feed([Item("BOLT"), Item("NUT")]))
        await asyncio.sleep(1)
        assert not task.done()
        house.ledger.free.set()
        await task
        assert len(house.ledger.booked) == 2

    play(script)


def test_what_is_booked_besides_a_fact_is_in_its_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lots: list[Sequence[Outcome]] = []
    submit = MemoryLedger.submit

    async def noted(ledger: MemoryLedger, lot: Sequence[Outcome]) -> asyncio.Future[Committed]:
        lots.append(lot)
        return await submit(ledger, lot)

    monkeypatch.setattr(MemoryLedger, "submit", noted)
    besides = Outcome(7)

    async def script(house: House) -> None:
        await house.pipeline.feed([Item("BOLT")], [besides])

    play(script)
    ((learned, last),) = lots
    assert (learned.references, last) == ((Item("BOLT"),), besides)


def test_taps_see_every_fact_with_its_time_and_every_wakeup() -> None:
    facts: list[tuple[Ns, Fact]] = []
    wakes: list[Ns] = []
    ran: list[Ns] = []

    async def script(house: House) -> None:
        house.pipeline.taps.append(lambda at, fact: facts.append((at, fact)))
        house.pipeline.wake_taps.append(wakes.append)
        wake = house.engine.wake
        house.engine.wake = lambda now: (ran.append(now), wake(now))[1]  # type: ignore[method-assign]
        down = DeviceStatus("r", up=False)
        await house.inbox.put(17, down)
        await house.pipeline.feed([Item("BOLT")])
        await asyncio.sleep(6)
        assert {type(fact) for _, fact in facts} == {DeviceStatus, Item}
        assert (17, down) in facts

    play(script)
    assert wakes == ran != []


def test_bug_of_a_rule_ends_the_pipeline() -> None:
    async def main() -> BaseException | None:
        house = House()
        house.engine._steps[0] = lambda _now, _fact: 1 / 0  # type: ignore[assignment,return-value]
        await house.inbox.put(1, REPORT)
        [result] = await asyncio.gather(house.task, return_exceptions=True)
        return result

    result = run(main())
    assert isinstance(result, ExceptionGroup)
    assert "rule presence failed" in str(result.exceptions[0])
