import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from gateway.backoff import BACKOFF_FIRST_S, BACKOFF_MAX_S
from gateway.model import Coverage, DeviceFault, DeviceStatus, Heartbeat, Scan, ShowLight
from gateway.ports import (
    ConfigError,
    Driver,
    DriverContext,
    Emit,
    LinkError,
    PluginSettings,
    ProtocolError,
)
from gateway.supervisor import NotConnected
from tests.gateway.rigs import Play, Rig
from tests.virtual_time import run

LAMP = ShowLight("d:1", "red")


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    structlog.reset_defaults()
    with capture_logs() as found:
        yield found  # type: ignore[misc] # structlog's own mapping type


async def refused(_emit: Emit) -> None:
    raise ConnectionRefusedError(111, "refused")


async def steady(emit: Emit) -> None:
    while True:
        await emit(Heartbeat("d"))
        await asyncio.sleep(0.5)


def lasting(for_s: float, error: Exception | None = None) -> Play:
    async def part(emit: Emit) -> None:
        for _ in range(max(1, round(for_s / 0.5))):
            await emit(Heartbeat("d"))
            await asyncio.sleep(0.5)
        if error is not None:
            raise error

    return part


def play(for_s: float, *parts: Play, seed: int = 1, **others: list[Play]) -> Rig:
    async def main() -> Rig:
        rig = Rig(seed, d=list(parts), **others)
        await rig.run(for_s)
        return rig

    return run(main())


def messages(logs: list[Any], event: str) -> list[Any]:
    return [entry for entry in logs if entry["event"] == event]


def attempts(for_s: float, seed: int) -> list[float]:
    """The pauses between the tries to reach a device that is not there."""
    starts: list[float] = []

    async def dead(_emit: Emit) -> None:
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        raise LinkError("cut")

    play(for_s, dead, seed=seed)
    return [later - sooner for sooner, later in pairwise(starts)]


def test_backoff_grows_is_jittered_and_is_capped() -> None:
    pauses = attempts(1200, 1)
    assert pauses != attempts(1200, 2)
    assert pauses == attempts(1200, 1)
    assert max(pauses) <= BACKOFF_MAX_S
    assert max(pauses[:2]) <= 2 * BACKOFF_FIRST_S
    assert min(pauses) >= BACKOFF_FIRST_S / 10
    late = pauses[20:]
    assert min(late) < BACKOFF_MAX_S / 3 < 2 * BACKOFF_MAX_S / 3 < max(late)


def test_backoff_starts_small_again_after_a_good_run() -> None:
    ends: list[float] = []
    pauses: list[float] = []

    async def good(emit: Emit) -> None:
        if ends:
            pauses.append(asyncio.get_running_loop().time() - ends[-1])
        await lasting(40.0)(emit)
        ends.append(asyncio.get_running_loop().time())
        raise LinkError("cut")

    play(1200, *[refused] * 12, good)
    assert len(pauses) > 10
    assert max(pauses) <= BACKOFF_FIRST_S


def test_backoff_goes_on_growing_after_runs_that_were_short() -> None:
    rig = play(900, lasting(1.0, LinkError("cut")))
    assert rig.supervisor.devices["d"].losses < 160


def test_loss_and_return_are_logged_once_each(logs: list[Any]) -> None:
    play(300, lasting(40.0, LinkError("cut")), *[refused] * 8, steady)
    lost = messages(logs, "device lost")
    assert [entry["reason"] for entry in lost] == ["cut", "[Errno 111] refused"]
    assert len(messages(logs, "device back")) == 1


def test_device_that_never_was_there_is_told_down_once(logs: list[Any]) -> None:
    rig = play(600, refused)
    assert rig.statuses() == [(False, "[Errno 111] refused")]
    assert len(messages(logs, "device lost")) == 1


def test_device_is_up_with_its_first_observation_and_not_before() -> None:
    async def slow(emit: Emit) -> None:
        await asyncio.sleep(5)
        await emit(Scan("d", "x"))
        await asyncio.sleep(1000)

    async def main() -> None:
        rig = Rig(d=[slow])
        await rig.run(4)
        assert rig.facts() == []
        rig = Rig(d=[slow])
        await rig.run(6)
        kinds = [type(fact) for fact in rig.facts()]
        assert kinds == [DeviceStatus, DeviceFault, Scan, Coverage]
        assert rig.supervisor.devices["d"].state == "up"
        assert rig.supervisor.devices["d"].came_up.is_set()

    run(main())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LinkError("cut"), "cut"),
        (ProtocolError("nonsense"), "nonsense"),
        (OSError(113, "No route to host"), "[Errno 113] No route to host"),
        (EOFError(), "EOFError"),
        (TimeoutError(), "TimeoutError"),
        (None, "the driver ended"),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [LinkError("cut")])]), "cut"),
        (
            ExceptionGroup("tasks", [OSError(32, "Broken pipe"), EOFError()]),
            "[Errno 32] Broken pipe",
        ),
    ],
)
def test_lost_link_is_tried_again(error: Exception | None, reason: str) -> None:
    rig = play(60, lasting(1.0, error), steady)
    assert rig.statuses() == [(True, ""), (False, reason), (True, "")]


def test_nonsense_of_the_peer_is_counted() -> None:
    async def main() -> dict[str, int]:
        counted: dict[str, int] = {}
        rig = Rig(d=[lasting(1.0, ProtocolError("nonsense")), steady])

        def count(name: str, amount: int = 1) -> None:
            counted[name] = counted.get(name, 0) + amount

        rig.supervisor.devices["d"].count = count
        await rig.run(30)
        return counted

    assert run(main()) == {"protocol_errors": 1}


def test_bug_of_a_driver_marks_that_device_alone(logs: list[Any]) -> None:
    async def broken(emit: Emit) -> None:
        await emit(Heartbeat("d"))
        raise KeyError("oops")

    rig = play(600, broken, other=[steady])
    facts = rig.facts(DeviceStatus, DeviceFault)
    own = [fact for fact in facts if fact.device == "d"]
    assert [type(fact) for fact in own] == [DeviceStatus, DeviceFault, DeviceStatus, DeviceFault]
    assert (own[2].up, own[3].code, own[3].active) == (False, "driver_failed", True)
    assert "KeyError: 'oops'" in own[3].detail
    assert rig.supervisor.devices["d"].state == "failed"
    assert rig.supervisor.devices["other"].state == "up"
    assert len(messages(logs, "driver failed, device stays off")) == 1


def test_bug_beside_a_lost_link_is_a_bug() -> None:
    both = ExceptionGroup("tasks", [LinkError("cut"), KeyError("oops")])
    rig = play(60, lasting(1.0, both))
    assert rig.supervisor.devices["d"].state == "failed"


def test_driver_that_cannot_be_built_marks_that_device_alone() -> None:
    def broken(_settings: PluginSettings, _context: DriverContext) -> Driver:
        raise ValueError("no such profile")

    async def main() -> Rig:
        rig = Rig(d=[steady], other=[steady])
        device = rig.supervisor.devices["d"]
        device.configuration = replace(device.configuration, factory=broken)
        assert rig.supervisor.lateness_max_ns == 2_000_000_000
        await rig.run(10)
        return rig

    rig = run(main())
    assert rig.supervisor.devices["d"].state == "failed"
    assert rig.supervisor.devices["other"].state == "up"
    [fault] = [each for each in rig.facts(DeviceFault) if each.device == "d"]
    assert (fault.code, fault.active) == ("driver_failed", True)
    assert "no such profile" in fault.detail


def test_driver_that_is_configured_wrong_is_no_bug() -> None:
    def wrong(_settings: PluginSettings, _context: DriverContext) -> Driver:
        raise ConfigError("no such profile")

    async def main() -> None:
        rig = Rig(d=[steady])
        device = rig.supervisor.devices["d"]
        device.configuration = replace(device.configuration, factory=wrong)
        with pytest.raises(ConfigError):
            assert rig.supervisor.lateness_max_ns

    run(main())


def test_driver_that_works_clears_the_fault_that_an_earlier_run_left() -> None:
    faults = play(10, steady).facts(DeviceFault)
    assert [(fault.code, fault.active) for fault in faults] == [("driver_failed", False)]


def test_stop_that_meets_the_loss_of_a_device_is_kept() -> None:
    """As a driver's task group does when its cancellation meets the error of one of its tasks."""
    runs: list[str] = []

    async def swallowing(emit: Emit) -> None:
        runs.append("begun")
        try:
            await steady(emit)
        except asyncio.CancelledError:
            raise LinkError("cut") from None

    async def main() -> None:
        rig = Rig(d=[swallowing])
        async with asyncio.timeout(60):
            await rig.run(5)

    run(main())
    assert runs == ["begun"]


def test_coverage_starts_anew_with_each_connection() -> None:
    rig = play(60, lasting(2.0, LinkError("cut")), steady)
    assert [fact.resumed for fact in rig.facts(Coverage)].count(True) == 2


def test_stopping_cancels_the_drivers() -> None:
    ended: list[str] = []

    async def careful(emit: Emit) -> None:
        try:
            await steady(emit)
        finally:
            ended.append("closed")

    play(5, careful)
    assert ended == ["closed"]


def test_action_goes_to_the_device() -> None:
    async def main() -> None:
        rig = Rig(d=[steady])
        await rig.run(1)
        await rig.supervisor.act(LAMP)
        assert rig.drivers["d"].acted == [LAMP]

    run(main())


@pytest.mark.parametrize("device", ["d", "nobody"])
def test_action_for_a_device_that_is_not_there_is_surely_not_sent(device: str) -> None:
    async def main() -> None:
        rig = Rig(d=[refused])
        await rig.run(5)
        with pytest.raises(NotConnected):
            await rig.supervisor.act(ShowLight(f"{device}:1", "red"))

    run(main())


def test_driver_that_cannot_act_says_so() -> None:
    async def main() -> None:
        rig = Rig(d=[steady])
        await rig.run(1)
        rig.supervisor.devices["d"].driver = object()  # type: ignore[assignment]
        with pytest.raises(NotConnected, match="cannot act"):
            await rig.supervisor.act(LAMP)

    run(main())


@pytest.mark.parametrize("error", [OSError(32, "Broken pipe"), EOFError(), KeyError("bug")])
def test_action_that_fails_is_not_certain(error: Exception) -> None:
    async def main() -> None:
        rig = Rig(d=[steady])
        await rig.run(1)

        async def fail(_action: object) -> None:
            await asyncio.sleep(0)
            raise error

        rig.drivers["d"].acts = fail
        with pytest.raises(LinkError, match="d: ") as told:
            await rig.supervisor.act(LAMP)
        assert not isinstance(told.value, NotConnected)

    run(main())


def test_lateness_is_the_largest_of_all_drivers() -> None:
    async def main() -> int:
        return Rig(d=[steady], e=[steady]).supervisor.lateness_max_ns

    assert run(main()) == 2_000_000_000
