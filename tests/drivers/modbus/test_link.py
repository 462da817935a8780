"""The link against raw units that answer as no library would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from pymodbus.pdu import ModbusPDU

from drivers.modbus.answers import DesyncError, UnitError
from drivers.modbus.link import Answer, Link, read_request
from drivers.modbus.settings import ModbusSettings
from gateway.model import Ns
from gateway.ports import Clock, LinkError, ProtocolError
from tests.drivers.modbus.peer import (
    BootClock,
    Counts,
    RawServer,
    Request,
    Script,
    raw_server,
)
from tests.polling import until

UNITS = [
    {
        "unit_id": unit,
        "profile": "dini-dgt4x-input",
        "capacity_g": 1,
        "decimals": 0,
        "weight_unit": "g",
    }
    for unit in (1, 2)
]
TIMEOUT_S = 0.05
GAP_S = 0.06


@asynccontextmanager
async def opened(
    script: Script, *, rtu: bool = False, clock: Clock | None = None
) -> AsyncIterator[tuple[Link, RawServer, Counts]]:
    counts = Counts()
    async with raw_server(script, rtu=rtu) as (raw, port):
        settings = ModbusSettings.model_validate(
            {
                "link": "rtu_over_tcp" if rtu else "tcp",
                "host": "127.0.0.1",
                "port": port,
                "timeout_s": TIMEOUT_S,
                "quiet_gap_s": GAP_S,
                "units": UNITS,
            }
        )
        link = Link(settings, clock or BootClock(), counts)
        await link.open()
        try:
            yield link, raw, counts
        finally:
            await link.close()
            await asyncio.sleep(0)


def own_address(request: Request) -> bytes:
    """Each register holds its own address: an answer to another request shows."""
    return request.registers(*range(request.address, request.address + request.count))


async def prompt(request: Request) -> bytes:
    return request.tcp(own_address(request))


async def prompt_rtu(request: Request) -> bytes:
    return request.rtu(own_address(request))


def late_after_timeout(*, rtu: bool) -> Script:
    """Every second answer comes 30 ms after the client has given up."""

    async def script(request: Request) -> bytes:
        if request.number % 2 == 0:
            await asyncio.sleep(TIMEOUT_S + 0.03)
        pdu = own_address(request)
        return request.rtu(pdu) if rtu else request.tcp(pdu)

    return script


async def test_round_trip_of_the_last_answer_is_told() -> None:
    async def slow(request: Request) -> bytes:
        await asyncio.sleep(TIMEOUT_S / 2)
        return request.tcp(own_address(request))

    async with opened(slow) as (link, _, counts):
        answer = await link.read(read_request(1, 3, 10, 2))
        assert counts["round_trip_us"] == answer.elapsed_ns // 1000
        assert counts["round_trip_us"] >= TIMEOUT_S / 2 * 1_000_000 - 1000


# The address of the second read, how many registers, and of which unit.
SECOND_READS = [(20, 2, 1), (20, 3, 1), (10, 2, 1), (20, 2, 2)]


@pytest.mark.parametrize(("address", "count", "unit"), SECOND_READS)
async def test_late_rtu_answer_is_never_taken_for_the_next_one(
    address: int, count: int, unit: int
) -> None:
    async with opened(late_after_timeout(rtu=True), rtu=True) as (link, _, counts):
        for _ in range(4):
            with pytest.raises(UnitError, match="timeout"):
                await link.read(read_request(1, 3, 10, 2))
            answer = await link.read(read_request(unit, 3, address, count))
            assert list(answer.registers) == list(range(address, address + count))
        assert counts["modbus_late_answer"] == 4


async def test_cancelled_rtu_read_leaves_nothing_for_the_next_one() -> None:
    async def slow(request: Request) -> bytes:
        await asyncio.sleep(0.02)
        return request.rtu(own_address(request))

    async with opened(slow, rtu=True) as (link, raw, _):
        for round_number in range(4):
            first = asyncio.create_task(link.read(read_request(1, 3, 10, 2)))
            await until(partial(raw.has, 2 * round_number + 1))
            first.cancel()
            answer = await link.read(read_request(1, 3, 20, 2))
            assert list(answer.registers) == [20, 21]


async def test_late_tcp_answer_is_dropped_and_the_connection_stays() -> None:
    async with opened(late_after_timeout(rtu=False)) as (link, raw, counts):
        for _ in range(4):
            with pytest.raises(UnitError, match="timeout"):
                await link.read(read_request(1, 3, 10, 2))
            await asyncio.sleep(0.04)
            answer = await link.read(read_request(1, 3, 20, 2))
            assert list(answer.registers) == [20, 21]
        assert counts["modbus_late_answer"] == 4
        assert raw.connections == 1


async def test_cancelled_tcp_read_is_safe() -> None:
    async def slow_first(request: Request) -> bytes:
        if request.number == 0:
            await asyncio.sleep(0.02)
        return request.tcp(own_address(request))

    async with opened(slow_first) as (link, raw, _):
        first = asyncio.create_task(link.read(read_request(1, 3, 10, 2)))
        await until(partial(raw.has, 1))
        first.cancel()
        for address in (20, 30, 40):
            answer = await link.read(read_request(1, 3, address, 2))
            assert list(answer.registers) == [address, address + 1]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("rtu", [False, True])
async def test_cancellation_that_meets_the_answer_is_not_lost(*, rtu: bool) -> None:
    tasks: list[asyncio.Task[Answer]] = []

    def cancel_now(sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if not sending:
            tasks[-1].cancel()
        return pdu

    async with opened(prompt_rtu if rtu else prompt, rtu=rtu) as (link, _, _):
        link._client.ctx.trace_pdu = cancel_now
        tasks.append(asyncio.create_task(link.read(read_request(1, 3, 10, 2))))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        link._client.ctx.trace_pdu = link._client.ctx.dummy_trace_pdu
        assert list((await link.read(read_request(1, 3, 20, 2))).registers) == [20, 21]


@pytest.mark.parametrize("rtu", [False, True])
async def test_silent_unit_costs_one_timeout(*, rtu: bool) -> None:
    async def silent(_: Request) -> None:
        return None

    loop = asyncio.get_running_loop()
    async with opened(silent, rtu=rtu) as (link, raw, _):
        begun = loop.time()
        with pytest.raises(UnitError) as refusal:
            await link.read(read_request(1, 3, 10, 2))
        assert refusal.value.kind == "timeout"
        assert loop.time() - begun < TIMEOUT_S + GAP_S + 0.1
        assert len(raw.requests) == 1


@pytest.mark.parametrize("rtu", [False, True])
async def test_unanswered_write_is_sent_once(*, rtu: bool) -> None:
    async def silent(_: Request) -> None:
        return None

    async with opened(silent, rtu=rtu) as (link, raw, _):
        with pytest.raises(UnitError, match="timeout"):
            await link.write(1, 5, 8)
        await asyncio.sleep(0.1)
        assert [request.pdu for request in raw.requests] == [b"\x06\x00\x05\x00\x08"]


async def test_first_connect_that_fails_is_a_link_error(free_port: int) -> None:
    settings = ModbusSettings.model_validate(
        {"link": "tcp", "host": "127.0.0.1", "port": free_port, "units": UNITS}
    )
    link = Link(settings, BootClock(), Counts())

    with pytest.raises(LinkError, match="no connection"):
        await link.open()
    await link.close()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 11, 99])
@pytest.mark.parametrize("rtu", [False, True])
async def test_exception_is_a_named_error_and_the_link_goes_on(code: int, *, rtu: bool) -> None:
    async def script(request: Request) -> bytes:
        pdu = request.exception(code) if request.number == 0 else own_address(request)
        return request.rtu(pdu) if rtu else request.tcp(pdu)

    async with opened(script, rtu=rtu) as (link, raw, _):
        with pytest.raises(UnitError) as refusal:
            await link.read(read_request(1, 3, 10, 2))
        assert refusal.value.kind == "exception"
        assert list((await link.read(read_request(1, 3, 10, 2))).registers) == [10, 11]
        assert raw.connections == 1


async def test_wrong_transaction_id_ends_the_connection_at_once() -> None:
    async def script(request: Request) -> bytes:
        return request.tcp(own_address(request), transaction=request.transaction + 1)

    loop = asyncio.get_running_loop()
    async with opened(script) as (link, _, counts):
        begun = loop.time()
        with pytest.raises(DesyncError) as desync:
            await link.read(read_request(1, 3, 10, 2))
        assert desync.value.unit_asked
        assert loop.time() - begun < TIMEOUT_S
        with pytest.raises(DesyncError):
            await link.read(read_request(1, 3, 10, 2))
        assert counts["modbus_wrong_transaction"] == 1


async def test_garbage_on_tcp_ends_the_connection() -> None:
    async def script(_: Request) -> bytes:
        return b"\xde\xad\xbe\xef" * 4

    async with opened(script) as (link, _, counts):
        with pytest.raises(DesyncError):
            await link.read(read_request(1, 3, 10, 2))
        assert counts["modbus_garbage"] == 1


@pytest.mark.parametrize("rtu", [False, True])
async def test_answer_of_another_unit_is_not_taken(*, rtu: bool) -> None:
    async def script(request: Request) -> bytes:
        other = None if request.number else 9
        pdu = own_address(request)
        return request.rtu(pdu, unit=other) if rtu else request.tcp(pdu, unit=other)

    async with opened(script, rtu=rtu) as (link, _, _):
        with pytest.raises(UnitError) as refusal:
            await link.read(read_request(1, 3, 10, 2))
        assert refusal.value.kind == "wrong_unit"
        assert list((await link.read(read_request(1, 3, 20, 2))).registers) == [20, 21]


@pytest.mark.parametrize("rtu", [False, True])
async def test_answer_with_fewer_registers_is_not_taken(*, rtu: bool) -> None:
    async def script(request: Request) -> bytes:
        pdu = own_address(request) if request.number else request.registers(1, 2)
        return request.rtu(pdu) if rtu else request.tcp(pdu)

    async with opened(script, rtu=rtu) as (link, _, _):
        with pytest.raises(UnitError) as refusal:
            await link.read(read_request(1, 3, 10, 3))
        assert refusal.value.kind == "short_answer"
        assert list((await link.read(read_request(1, 3, 20, 3))).registers) == [20, 21, 22]


@pytest.mark.parametrize(
    "noise", [b"\x00", b"\xff" * 40, b"\x01\x03\x04\x00", b"\x01\x03\x04\x00\x01\x00\x02\x00\x00"]
)
async def test_garbage_on_rtu_costs_that_answer_alone(noise: bytes) -> None:
    async def script(request: Request) -> bytes:
        return request.rtu(own_address(request)) if request.number else noise

    async with opened(script, rtu=True) as (link, raw, _):
        with pytest.raises(UnitError) as refusal:
            await link.read(read_request(1, 3, 10, 2))
        assert refusal.value.kind in ("garbage", "wrong_unit")
        assert list((await link.read(read_request(1, 3, 20, 2))).registers) == [20, 21]
        assert raw.connections == 1


async def test_rtu_line_that_never_falls_silent_is_a_protocol_error() -> None:
    talking = asyncio.Event()

    async def script(_: Request) -> None:
        talking.set()

    async def talk(raw: RawServer) -> None:
        await talking.wait()
        while True:
            for writer in raw.writers:
                writer.write(b"\x55")
            await asyncio.sleep(GAP_S / 4)

    async with opened(script, rtu=True) as (link, raw, _):
        chatter = asyncio.create_task(talk(raw))
        with pytest.raises(ProtocolError, match="never falls silent") as refusal:
            await link.read(read_request(1, 3, 10, 2))
        assert not isinstance(refusal.value, UnitError)
        chatter.cancel()


async def test_connection_cut_in_an_answer_is_a_link_error_at_once() -> None:
    servers: list[RawServer] = []

    async def script(request: Request) -> None:
        for writer in servers[0].writers:
            writer.write(request.tcp(own_address(request))[:9])
            writer.close()

    loop = asyncio.get_running_loop()
    async with opened(script) as (link, raw, _):
        servers.append(raw)
        begun = loop.time()
        with pytest.raises(LinkError, match="closed the connection"):
            await link.read(read_request(1, 3, 10, 2))
        assert loop.time() - begun < TIMEOUT_S


async def test_answer_that_waited_in_a_stalled_process_is_not_taken() -> None:
    class Leaping:
        """A clock that leaps four seconds between request and answer, as after SIGSTOP."""

        def __init__(self) -> None:
            self.at: Ns = 0

        def now(self) -> Ns:
            self.at += 4_000_000_000
            return self.at

    async with opened(prompt, clock=Leaping()) as (link, _, _):
        with pytest.raises(UnitError) as refusal:
            await link.read(read_request(1, 3, 10, 2))
        assert refusal.value.kind == "stalled"


async def test_many_tasks_may_ask_at_once() -> None:
    for rtu, script in ((False, prompt), (True, prompt_rtu)):
        async with opened(script, rtu=rtu) as (link, _, _):
            answers = await asyncio.gather(
                *(link.read(read_request(1, 3, 10 * n, 2)) for n in range(1, 9))
            )
            assert [answer.registers[0] for answer in answers] == [10 * n for n in range(1, 9)]
