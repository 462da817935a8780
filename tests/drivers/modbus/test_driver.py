"""The driver over real sockets against raw scripted units."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.modbus import ModbusDriver
from drivers.modbus.answers import DesyncError
from gateway.model import NS_PER_S, CellFlag, Pulse, ShowLight, WeightReport
from gateway.ports import Actuator, LinkError, ProtocolError
from tests.drivers.modbus.peer import (
    DGT4X,
    Counts,
    Observed,
    RawServer,
    Request,
    Script,
    dgt4x,
    make_driver,
    raw_server,
    running,
)
from tests.polling import until


@asynccontextmanager
async def polled(
    script: Script,
    *,
    units: int = 1,
    rtu: bool = False,
    poll_hz: float = 50,
    told: list[dict[str, Any]] | None = None,
) -> AsyncIterator[tuple[ModbusDriver, RawServer, Counts]]:
    counts = Counts()
    async with raw_server(script, rtu=rtu) as (raw, port):
        driver = make_driver(
            counts,
            link="rtu_over_tcp" if rtu else "tcp",
            host="127.0.0.1",
            port=port,
            poll_hz=poll_hz,
            timeout_s=0.05,
            quiet_gap_s=0.02,
            units=told or [{**DGT4X, "unit_id": unit} for unit in range(1, units + 1)],
        )
        yield driver, raw, counts


async def hundred_kilograms(request: Request) -> bytes:
    return request.tcp(request.registers(*dgt4x(40_000 + request.unit)))


def dead(*units: int) -> Script:
    async def script(request: Request) -> bytes | None:
        return None if request.unit in units else await hundred_kilograms(request)

    return script


async def test_each_poll_is_one_report_of_mid_transaction_age() -> None:
    async def slow(request: Request) -> bytes:
        await asyncio.sleep(0.02)
        return await hundred_kilograms(request)

    async with polled(slow) as (driver, raw, _):
        seen = Observed()
        async with running(driver, seen):
            await until(lambda: len(seen.samples) >= 5)
    reports = [(o, age) for o, age in seen.observations if isinstance(o, WeightReport)]
    assert len(reports) in (len(raw.requests), len(raw.requests) - 1)
    for report, age_ns in reports:
        assert report.samples == (("shelf:1", 40_001.0, 0),)
        assert 0.01 * NS_PER_S <= age_ns <= driver.lateness_max_ns


async def test_weight_and_status_come_in_one_request() -> None:
    async with (
        polled(hundred_kilograms) as (driver, raw, _),
        running(driver, seen := Observed()),
    ):
        await until(lambda: len(seen.samples) >= 3)
    assert {(r.function, r.address, r.count) for r in raw.requests} == {(4, 0, 5)}


@pytest.mark.parametrize("rtu", [False, True])
async def test_dead_unit_among_eight_neither_stalls_nor_drops_the_others(*, rtu: bool) -> None:
    async def script(request: Request) -> bytes | None:
        if request.unit == 3:
            return None
        pdu = request.registers(*dgt4x(request.unit))
        return request.rtu(pdu) if rtu else request.tcp(pdu)

    async with polled(script, units=8, rtu=rtu, poll_hz=10) as (driver, raw, counts):
        seen = Observed()
        async with running(driver, seen):
            await until(lambda: bool(seen.faults()))
            at_fault = len(seen.of("shelf:1"))
            await until(lambda: len(seen.of("shelf:1")) >= at_fault + 10)
    assert not seen.of("shelf:3")
    assert counts["modbus_timeout"] == 3
    assert counts["modbus_unit_silent"] == 1
    assert raw.connections == 1
    (fault,) = seen.faults()
    assert (fault.code, fault.active) == ("unit_silent", True)
    assert "unit 3" in fault.detail
    for unit in (1, 2, 4, 5, 6, 7, 8):
        assert {sample.gross_g for sample in seen.of(f"shelf:{unit}")} == {float(unit)}


async def test_unit_that_comes_back_is_said_once_and_polled_again() -> None:
    state = {"dead": True}

    async def script(request: Request) -> bytes | None:
        return None if request.unit == 1 and state["dead"] else await hundred_kilograms(request)

    async with polled(script, units=2) as (driver, _, _):
        seen = Observed()
        shorten_probes(driver)
        async with running(driver, seen):
            await until(lambda: bool(seen.faults()))
            state["dead"] = False
            await until(lambda: len(seen.of("shelf:1")) >= 5)
    silent = [f for f in seen.faults() + seen.faults(active=False) if f.code == "unit_silent"]
    assert [fault.active for fault in silent] == [True, False]


def shorten_probes(driver: ModbusDriver) -> None:
    """Probe after 50 ms, so that a test need not wait for seconds."""
    for unit in driver.units:
        unit.period_ns = lambda poll_ns, _failure_ns, _random, unit=unit: (
            NS_PER_S // 20 if unit.probed else poll_ns
        )


async def test_healthy_start_says_that_no_fault_stands() -> None:
    async with (
        polled(hundred_kilograms, units=2) as (driver, _, _),
        running(driver, seen := Observed()),
    ):
        await until(lambda: len(seen.samples) >= 4)
    cleared = [fault.code for fault in seen.faults(active=False)]
    assert sorted(cleared) == ["self_test_failed", "unit_silent", "values_stale"]
    assert not seen.faults()


async def test_link_on_which_nobody_answers_is_lost_and_found_again() -> None:
    state = {"dead": True}

    async def script(request: Request) -> bytes | None:
        if state["dead"] or request.unit == 1:
            return None
        return await hundred_kilograms(request)

    async with polled(script, units=3) as (driver, raw, _):
        seen = Observed()
        for _ in range(2):
            async with running(driver, seen) as task:
                await until(task.done)
                with pytest.raises(LinkError, match="no unit answers"):
                    task.result()
        assert not seen.observations
        state["dead"] = False
        async with running(driver, seen):
            await until(lambda: bool(seen.of("shelf:2")) and bool(seen.of("shelf:3")))
    assert raw.connections == 3


async def test_unit_that_breaks_the_connection_is_only_probed_afterwards() -> None:
    async def script(request: Request) -> bytes:
        answer = await hundred_kilograms(request)
        if request.unit == 2:
            return request.tcp(answer[7:], transaction=request.transaction ^ 0x4000)
        return answer

    async with polled(script, units=2) as (driver, raw, counts):
        seen = Observed()
        async with running(driver, seen) as task:
            await until(task.done)
            with pytest.raises(DesyncError):
                task.result()
        async with running(driver, seen):
            await until(lambda: len(seen.of("shelf:1")) >= 20)
    assert raw.connections == 2
    assert counts["modbus_wrong_transaction"] == 1
    assert "unit 2" in seen.faults()[0].detail
    assert not seen.of("shelf:2")


async def test_first_connect_that_fails_is_a_link_error_and_run_may_be_called_again(
    free_port: int,
) -> None:
    counts, seen = Counts(), Observed()
    driver = make_driver(
        counts, link="tcp", host="127.0.0.1", port=free_port, units=[{**DGT4X, "unit_id": 1}]
    )
    with pytest.raises(LinkError):
        await driver.run(seen)

    raw = RawServer(hundred_kilograms)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", free_port)
    async with running(driver, seen):
        await until(lambda: bool(seen.samples))
    server.close()
    await raw.stop()
    await server.wait_closed()
    assert seen.samples[0].gross_g == 40_001.0


async def test_cancelled_driver_closes_its_connection() -> None:
    async with polled(hundred_kilograms) as (driver, raw, _):
        async with running(driver, seen := Observed()):
            await until(lambda: bool(seen.samples))
            assert raw.writers
        await until(lambda: not raw.writers)
    assert len(raw.requests) >= 1


@pytest.mark.parametrize(
    ("registers", "gross_g", "flags"),
    [
        (dgt4x(1_000, status=0x0000), 1_000.0, CellFlag.MOTION),
        (dgt4x(1_000, status=0x0006), -1_000.0, 0),
        (dgt4x(51_000, status=0x0014), 51_000.0, CellFlag.OVERLOAD),
        (dgt4x(600, status=0x000E), -600.0, CellFlag.UNDERLOAD),
    ],
)
async def test_status_bits_become_flags(
    registers: tuple[int, ...], gross_g: float, flags: int
) -> None:
    async def script(request: Request) -> bytes:
        return request.tcp(request.registers(*registers))

    async with polled(script) as (driver, _, _), running(driver, seen := Observed()):
        await until(lambda: bool(seen.samples))
    assert seen.samples[0] == ("shelf:1", gross_g, flags)


WP351 = {"profile": "siwarex-wp351", "capacity_g": 50_000, "weight_unit": "kg"}


async def test_value_that_is_not_renewed_is_never_sent_again() -> None:
    counter = {"value": 7}

    async def script(request: Request) -> bytes:
        words = [0] * request.count
        words[0] = 0x0040
        words[36] = counter["value"]
        return request.tcp(request.registers(*words))

    async with polled(script, told=[{**WP351, "unit_id": 1}]) as (driver, raw, counts):
        seen = Observed()
        async with running(driver, seen):
            await until(lambda: len(raw.requests) >= 10)
            assert not seen.samples
            counter["value"] = 8
            await until(lambda: len(seen.samples) == 1)
            before = len(raw.requests)
            await until(lambda: len(raw.requests) >= before + 10)
    assert len(seen.samples) == 1
    assert counts["modbus_no_sample"] >= 8


async def test_unit_that_fails_its_self_test_books_nothing_and_says_what_to_do() -> None:
    async def script(request: Request) -> bytes:
        return request.tcp(request.registers(*dgt4x(400_000)))

    async with polled(script) as (driver, _, counts), running(driver, seen := Observed()):
        await until(lambda: bool(seen.faults()))
    (fault,) = seen.faults()
    assert fault.code == "self_test_failed"
    assert "capacity_g" in fault.detail
    assert not seen.samples
    assert counts["modbus_self_test_failed"] == 1


async def test_unit_passes_its_self_test_once_it_reads_a_weight() -> None:
    state = {"counts": 400_000}

    async def script(request: Request) -> bytes:
        return request.tcp(request.registers(*dgt4x(state["counts"])))

    async with polled(script) as (driver, _, _):
        shorten_probes(driver)
        async with running(driver, seen := Observed()):
            await until(lambda: bool(seen.faults()))
            state["counts"] = 4_000
            await until(lambda: len(seen.samples) >= 3)
    assert [f.code for f in seen.faults(active=False)][-1] == "self_test_failed"


async def test_missed_polls_are_not_made_up_for() -> None:
    async def slow(request: Request) -> bytes:
        await asyncio.sleep(0.03)
        return await hundred_kilograms(request)

    async with (
        polled(slow, units=4, poll_hz=50) as (driver, raw, _),
        running(driver, seen := Observed()),
    ):
        await until(lambda: len(seen.samples) >= 12)
    order = [request.unit for request in raw.requests[:12]]
    assert order == [1, 2, 3, 4] * 3


async def test_act_without_a_connection_sends_nothing() -> None:
    async with polled(hundred_kilograms) as (driver, raw, _):
        with pytest.raises(LinkError, match="nothing was sent"):
            await driver.act(Pulse("shelf", "zero", "shelf:1"))
    assert not raw.requests


async def test_act_on_an_unknown_cell_or_light_is_refused() -> None:
    async with polled(hundred_kilograms) as (driver, _, _):
        assert isinstance(driver, Actuator)
        with pytest.raises(ProtocolError, match="no cell shelf:9"):
            await driver.act(Pulse("shelf", "zero", "shelf:9"))
        with pytest.raises(ProtocolError, match="no light shelf:lamp"):
            await driver.act(ShowLight("shelf:lamp", "red"))
