import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from gateway.actions import ACT_TIMEOUT_S, OUT_S, PULSES_MAX, Dispatcher
from gateway.model import (
    Action,
    ActionDone,
    DeviceFault,
    Heartbeat,
    Light,
    Pulse,
    ReadDeeply,
    ShowLight,
)
from gateway.ports import Emit, LightAbility, LinkError, ProtocolError
from gateway.store import PulseRow, StoreFull
from tests.gateway.rigs import Play, Rig
from tests.virtual_time import run


class MemoryStore:
    """What the dispatcher sees of the store."""

    def __init__(self, kept: list[ShowLight]) -> None:
        self.kept = kept
        self.marks: list[tuple[int, str]] = []
        self.full = False
        self.tell: Callable[[Any], None] = lambda _committed: None

    def observe(self, observer: Callable[[Any], None]) -> None:
        self.tell = observer

    async def read(self, question: Callable[[Any], Any]) -> Any:
        await asyncio.sleep(0)
        return question(self)

    def shown(self) -> list[ShowLight]:
        return self.kept

    async def mark_pulse(self, pulse_id: int, status: str) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise StoreFull("no space left")
        self.marks.append((pulse_id, status))


class Committed:
    def __init__(self, *actions: Any) -> None:
        self.actions = actions


class Bench(Rig):
    """Devices with a dispatcher; `sent` is what reached the field."""

    def __init__(self, kept: list[ShowLight] | None = None, **devices: list[Play]) -> None:
        super().__init__(1, **devices)
        self.store = MemoryStore(kept or [])
        store: Any = self.store
        wired = [Light(f"{device}:{number}", "buzzer") for device in "de" for number in (1, 2)]
        self.dispatcher = Dispatcher(store, self.supervisor, self.inbox, self.clock, wired)

    async def play(self, script: Callable[[], Awaitable[None]]) -> None:
        tasks = [
            asyncio.create_task(self.supervisor.run()),
            asyncio.create_task(self.dispatcher.run()),
        ]
        await asyncio.sleep(1)
        await script()
        for task in tasks:
            assert not task.done()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def decide(self, *actions: Any, wait_s: float = 1.0) -> None:
        self.store.tell(Committed(*actions))
        await asyncio.sleep(wait_s)

    def sent(self, device: str = "d") -> list[Action]:
        """What reached the field after all lights had been told that they are dark."""
        first = [lamp(False, 1, device), lamp(False, 2, device)]
        acted = self.drivers[device].acted
        return acted[2:] if acted[:2] == first else acted


async def steady(emit: Emit) -> None:
    while True:
        await emit(Heartbeat("d"))
        await asyncio.sleep(0.5)


async def refused(_emit: Emit) -> None:
    raise LinkError("cut")


async def short(emit: Emit) -> None:
    await emit(Heartbeat("d"))
    await asyncio.sleep(10)
    raise LinkError("cut")


def lamp(lit: bool, number: int = 1, device: str = "d") -> ShowLight:
    return ShowLight(f"{device}:{number}", "red" if lit else None)


def pulse(pulse_id: int, device: str = "d") -> PulseRow:
    return PulseRow(pulse_id, device, "zero", f"{device}:1", "pending")


def bench(script: Callable[[Bench], Awaitable[None]], **known: Any) -> Bench:
    async def main() -> Bench:
        known.setdefault("d", [steady])
        found = Bench(**known)
        await found.play(lambda: script(found))
        return found

    return run(main())


def test_decided_level_is_sent() -> None:
    assert bench(lambda b: b.decide(lamp(True), lamp(False, 2))).sent() == [
        lamp(True),
        lamp(False, 2),
    ]


def test_levels_are_asserted_again_on_every_connection() -> None:
    async def script(found: Bench) -> None:
        await found.decide(lamp(True), wait_s=8)
        await found.decide(lamp(False, 2), wait_s=30)

    found = bench(script, d=[short, steady], kept=[lamp(True, 2), lamp(True, 7)])
    now = [lamp(True), lamp(False, 2)]
    assert found.sent() == [lamp(False), lamp(True, 2), *now, *now]


def test_level_decided_while_the_device_is_away_comes_with_the_connection() -> None:
    async def script(found: Bench) -> None:
        await found.decide(lamp(False), lamp(True), wait_s=30)

    found = bench(script, d=[refused, refused, refused, steady])
    assert found.sent() == [lamp(True)]


def test_kept_level_does_not_overrule_a_new_one() -> None:
    async def main() -> list[Action]:
        found = Bench([lamp(True)], d=[steady])
        found.store.tell(Committed(lamp(False)))
        await found.play(lambda: asyncio.sleep(3))
        return found.drivers["d"].acted

    assert run(main()) == [lamp(False), lamp(False, 2)]


def test_old_level_never_overtakes_a_new_one() -> None:
    """While all levels are asserted, slowly, one of them is decided anew."""

    async def slow(_action: Action) -> None:
        await asyncio.sleep(1)

    async def script(found: Bench) -> None:
        found.drivers["d"].acts = slow
        found.supervisor.devices["d"].came_up.set()
        await found.decide(wait_s=0.5)
        await found.decide(lamp(True, 2), wait_s=20)

    found = bench(script, kept=[lamp(False, 1), lamp(False, 2)])
    assert [action for action in found.sent() if action.light == "d:2"][-1] == lamp(True, 2)  # type: ignore[union-attr]


def test_device_that_hangs_delays_no_other() -> None:
    async def hang(_action: Action) -> None:
        await asyncio.sleep(3600)

    async def script(found: Bench) -> None:
        found.drivers["d"].acts = hang
        await found.decide(lamp(True), lamp(True, device="e"), wait_s=0.5)
        assert found.sent("e") == [lamp(True, device="e")]
        await asyncio.sleep(ACT_TIMEOUT_S)
        await found.decide(lamp(False))
        assert found.sent()[-1] == lamp(False)

    bench(script, e=[steady])


def test_pulse_is_marked_before_and_after_and_told_to_the_rules() -> None:
    found = bench(lambda b: b.decide(pulse(7)))
    assert found.store.marks == [(7, "sent"), (7, "done")]
    assert [type(action).__name__ for action in found.sent()] == ["Pulse"]
    assert found.facts(ActionDone) == [ActionDone("d", "zero", "d:1", ok=True)]


def test_rules_are_told_before_the_pulse_counts_as_done() -> None:
    async def script(found: Bench) -> None:
        seen: list[int] = []

        async def mark(_pulse_id: int, status: str) -> None:
            await asyncio.sleep(0)
            if status == "done":
                seen.append(len(found.facts(ActionDone)))

        found.store.mark_pulse = mark  # type: ignore[method-assign]
        await found.decide(pulse(7))
        assert seen == [1]

    bench(script)


@pytest.mark.parametrize("error", [LinkError("no answer"), OSError(32, "pipe"), KeyError("bug")])
def test_pulse_that_failed_is_unknown_and_told(error: Exception) -> None:
    async def fail(_action: Action) -> None:
        await asyncio.sleep(0)
        raise error

    async def script(found: Bench) -> None:
        found.drivers["d"].acts = fail
        await found.decide(pulse(7))

    found = bench(script)
    assert found.store.marks == [(7, "sent"), (7, "unknown")]
    assert found.facts(ActionDone) == [ActionDone("d", "zero", "d:1", ok=False)]


def test_pulse_is_never_sent_twice() -> None:
    async def hang(_action: Action) -> None:
        await asyncio.sleep(3600)

    async def script(found: Bench) -> None:
        found.drivers["d"].acts = hang
        await found.decide(pulse(7), wait_s=300)

    found = bench(script, d=[short, steady])
    assert len([action for action in found.sent() if isinstance(action, Pulse)]) <= 1
    assert found.store.marks == [(7, "sent"), (7, "unknown")]


def test_pulse_for_a_device_that_is_away_is_not_sent_later_and_not_told() -> None:
    found = bench(lambda b: b.decide(pulse(7), wait_s=60), d=[refused] * 5 + [steady])
    assert found.sent() == []
    assert found.store.marks == [(7, "unknown")]
    assert found.facts(ActionDone) == []


def test_pulses_that_wait_are_bounded() -> None:
    async def script(found: Bench) -> None:
        await found.decide(*[pulse(number) for number in range(PULSES_MAX + 20)], wait_s=60)

    found = bench(script)
    unknown = [number for number, status in found.store.marks if status == "unknown"]
    assert unknown == list(range(20))
    assert len(found.sent()) == PULSES_MAX


def test_action_for_an_unknown_device_ends_nothing() -> None:
    found = bench(lambda b: b.decide(lamp(True, device="gone"), lamp(True)))
    assert found.sent() == [lamp(True)]


def test_pulse_without_space_to_note_it_is_not_sent_and_ends_nothing() -> None:
    async def main() -> None:
        bench = Bench(d=[steady])

        async def script() -> None:
            bench.store.full = True
            await bench.decide(PulseRow(1, "d", "tare", "d:1", "pending"))
            assert bench.sent() == []
            bench.store.full = False
            await bench.decide(PulseRow(2, "d", "tare", "d:1", "pending"))
            assert len(bench.sent()) == 1
            assert bench.store.marks == [(2, "sent"), (2, "done")]

        await bench.play(script)

    run(main())


def test_wish_is_sent_once_and_lost_if_its_device_is_away() -> None:
    async def main() -> None:
        bench = Bench(d=[steady], away=[refused])

        async def script() -> None:
            await bench.decide(ReadDeeply("d", 10), ReadDeeply("away", 10), ReadDeeply("none", 10))
            assert bench.sent() == [ReadDeeply("d", 10)]
            assert bench.drivers["away"].acted == []
            await bench.decide(lamp(True))
            assert bench.sent() == [ReadDeeply("d", 10), lamp(True)]

        await bench.play(script)

    run(main())


def shown(kind: str, number: int | None = None, light: str = "d:1", **rest: Any) -> ShowLight:
    return ShowLight(light, "red", kind, number, **rest)  # type: ignore[arg-type] # a pattern


def test_lamp_that_cannot_blink_is_switched_at_each_edge() -> None:
    found = bench(lambda b: b.decide(shown("fast", 3), wait_s=2.1))
    lit = [action for action in found.sent() if isinstance(action, ShowLight)]
    assert {action.pattern for action in lit} == {"steady"}
    assert [action.number for action in lit] == [3] * len(lit)
    colours = [action.colour for action in lit]
    assert 7 <= len(colours) <= 10
    assert all(one != other for one, other in pairwise(colours))


def test_light_that_blinks_by_itself_is_told_the_pattern_once() -> None:
    async def script(found: Bench) -> None:
        found.drivers["d"].abilities = {"d:1": LightAbility(blinks=True)}
        await found.decide(shown("double"), wait_s=5)

    assert bench(script).sent() == [shown("double")]


def test_light_that_does_not_obey_is_told_again_and_a_person_once() -> None:
    async def refuse(_action: Action) -> None:
        raise ProtocolError("unit 9: no answer")

    async def script(found: Bench) -> None:
        assert [fault.active for fault in found.facts(DeviceFault)] == [False, False]
        found.drivers["d"].acts = refuse
        await found.decide(lamp(True), wait_s=12)
        assert len(found.sent()) == 3
        found.drivers["d"].acts = None
        await asyncio.sleep(6)
        assert len(found.sent()) == 4

    found = bench(script)
    told = [fault for fault in found.facts(DeviceFault) if fault.code == "light_dead"]
    assert [fault.active for fault in told] == [True, False]
    assert told[0].detail == "d:1: unit 9: no answer"


def test_what_does_not_last_is_dark_when_the_device_is_there_again() -> None:
    async def script(found: Bench) -> None:
        await found.decide(shown("steady", lasting=False), wait_s=30)

    found = bench(script, d=[short, steady])
    assert found.sent()[0] == shown("steady", lasting=False)
    assert found.sent()[1:] == [lamp(False), lamp(False, 2)]


def test_lights_go_out_on_a_stop_and_stay_out() -> None:
    async def script(found: Bench) -> None:
        await found.decide(lamp(True), shown("fast", light="d:2"))
        await found.dispatcher.lights_out()
        out = len(found.sent())
        assert sorted(found.sent()[-2:], key=str) == [lamp(False), lamp(False, 2)]
        await found.decide(lamp(True), wait_s=3)
        assert len(found.sent()) == out

    bench(script)


def test_lights_of_a_device_that_hangs_hold_no_stop_up() -> None:
    async def hang(_action: Action) -> None:
        await asyncio.sleep(3600)

    async def script(found: Bench) -> None:
        await found.decide(lamp(True))
        found.drivers["d"].acts = hang
        before = asyncio.get_running_loop().time()
        await found.dispatcher.lights_out()
        assert asyncio.get_running_loop().time() - before <= OUT_S

    bench(script)
