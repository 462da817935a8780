"""The links over real sockets and pseudo-terminals: raw bytes, and pymodbus as a client."""

import asyncio
import itertools
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from types import SimpleNamespace

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.framer import FramerType

from simulators.modbus.__main__ import main
from simulators.modbus.bus import Bus
from simulators.modbus.expectation import Known
from simulators.modbus.families import FAMILIES
from simulators.modbus.faults import Fault, Faults
from simulators.modbus.frame import crc16
from simulators.modbus.known import known_states
from simulators.modbus.scale import Display, ScaleState
from simulators.modbus.server import HOST, serve_rtu, serve_rtu_over_tcp, serve_tcp
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter
from simulators.modbus.unit import Unit

ASK = bytes.fromhex("0001 0000 0006 02 03 0007 0004")
ASK_NEXT = bytes.fromhex("0002 0000 0006 02 03 0006 0001")
ANSWER = bytes.fromhex("0001 0000 000b 02 03 08 0000 03e8 0000 03e8")
ANSWER_NEXT = bytes.fromhex("0002 0000 0005 02 03 02 0800")
RTU_ASK = bytes.fromhex("02 03 0007 0004")
RTU_ASK += crc16(RTU_ASK)
RTU_ANSWER = bytes.fromhex("02 03 08 0000 03e8 0000 03e8")
RTU_ANSWER += crc16(RTU_ANSWER)


class StandingShelf:
    """A shelf whose scales stay in a given state, so that every known state can be served."""

    def __init__(self, states: Sequence[ScaleState]) -> None:
        self.cells = tuple(str(number) for number in range(len(states)))
        self.troubles: dict[str, SimpleNamespace] = {}
        self._states = list(states)

    def states(self, at_s: float) -> list[ScaleState]:
        del at_s
        return self._states


def known_bus() -> tuple[Bus, dict[int, Known]]:
    """Every known state under a unit id of its own."""
    known = dict(enumerate(known_states(), 1))
    assert len(known) <= 247
    units = {
        unit_id: Unit(FAMILIES[each.family](each.display), StandingShelf(each.scales))
        for unit_id, each in known.items()
    }
    return Bus(units, asyncio.get_running_loop().time, Faults(Random(1))), known


def one_kilogram_bus(faults: Faults | None = None) -> Bus:
    device = FAMILIES["laumas-tlb-w"](Display())
    loads = FixedLoads({"a": 1_000.0})
    unit = Unit(device, Shelf(["a"], loads, device.display, Transmitter(), Random(1)))
    return Bus({2: unit}, asyncio.get_running_loop().time, faults or Faults(Random(1)))


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_tcp_answers_raw_bytes_even_when_they_come_one_by_one() -> None:
    async with serve_tcp(one_kilogram_bus()) as port, connection(port) as (reader, writer):
        for byte in ASK:
            writer.write(bytes((byte,)))
            await writer.drain()
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write(ASK + ASK_NEXT)
        assert await reader.readexactly(len(ANSWER + ANSWER_NEXT)) == ANSWER + ANSWER_NEXT


async def test_tcp_closes_on_what_is_no_modbus() -> None:
    async with serve_tcp(one_kilogram_bus()) as port, connection(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""


async def test_cut_answer_ends_the_tcp_connection_mid_frame() -> None:
    bus = one_kilogram_bus()
    bus.faults.order(Fault.CUT)
    async with serve_tcp(bus) as port, connection(port) as (reader, writer):
        writer.write(ASK)
        assert await reader.read() == ANSWER[: len(ANSWER) // 2]


@pytest.mark.parametrize(
    ("orders", "answers"),
    [
        ((Fault.LATE,), ANSWER_NEXT + ANSWER),
        ((Fault.SLOW,), ANSWER + ANSWER_NEXT),
        ((Fault.SLOW, Fault.LATE), ANSWER_NEXT + ANSWER),
    ],
    ids=["late comes after the next", "slow keeps its place", "late waits for no other"],
)
async def test_fault_decides_the_order_of_answers(orders: Sequence[Fault], answers: bytes) -> None:
    bus = one_kilogram_bus(Faults(Random(1), slow_s=0.2, late_s=0.05))
    bus.faults.order(*orders)
    async with serve_tcp(bus) as port, connection(port) as (reader, writer):
        writer.write(ASK + ASK_NEXT)
        assert await reader.readexactly(len(answers)) == answers


async def test_late_answer_on_a_serial_line_that_is_gone_is_dropped() -> None:
    loop = asyncio.get_running_loop()
    troubles: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: troubles.append(context))
    bus = one_kilogram_bus(Faults(Random(1), late_s=0.1))
    bus.faults.order(Fault.LATE)
    async with serve_rtu(bus) as path:
        client = os.open(path, os.O_RDWR | os.O_NOCTTY)
        answered = asyncio.Event()
        loop.add_reader(client, answered.set)
        os.write(client, RTU_ASK + RTU_ASK)
        await answered.wait()
        loop.remove_reader(client)
        os.close(client)
    over = loop.create_future()
    loop.call_later(0.25, over.set_result, None)
    await over

    assert not troubles


async def test_late_answer_after_the_client_left_is_dropped() -> None:
    bus = one_kilogram_bus(Faults(Random(1), late_s=0.02))
    bus.faults.order(Fault.LATE)
    async with serve_tcp(bus) as port:
        async with connection(port) as (reader, writer):
            writer.write(ASK + ASK_NEXT)
            assert await reader.readexactly(len(ANSWER_NEXT)) == ANSWER_NEXT
        async with connection(port) as (reader, writer):
            bus.faults.order(Fault.SLOW)  # outlasts the late answer
            writer.write(ASK)
            assert await reader.readexactly(len(ANSWER)) == ANSWER


async def test_rtu_over_tcp_drops_noise_and_waits_for_silence() -> None:
    bus = one_kilogram_bus()
    async with serve_rtu_over_tcp(bus) as port, connection(port) as (reader, writer):
        writer.write(RTU_ASK)
        assert await reader.readexactly(len(RTU_ANSWER)) == RTU_ANSWER
        broken = bytes((*RTU_ASK[:-1], RTU_ASK[-1] ^ 1))
        # Without silence in between, what follows a broken frame is lost with it.
        writer.write(broken + RTU_ASK + RTU_ASK[:3])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.write(RTU_ASK)
        assert await reader.readexactly(len(RTU_ANSWER)) == RTU_ANSWER


async def test_rtu_answers_a_function_it_cannot_measure_after_silence() -> None:
    identify = bytes.fromhex("02 2b 0e 01 00")
    async with (
        serve_rtu_over_tcp(one_kilogram_bus()) as port,
        connection(port) as (reader, writer),
    ):
        writer.write(identify + crc16(identify))
        refusal = bytes.fromhex("02 ab 01")
        assert await reader.readexactly(5) == refusal + crc16(refusal)


async def test_serial_line_takes_the_time_that_its_baud_rate_needs() -> None:
    loop = asyncio.get_running_loop()
    async with serve_rtu(one_kilogram_bus(), baud=9600) as path:
        client = AsyncModbusSerialClient(path, baudrate=9600, timeout=1, retries=0)
        assert await client.connect()
        started = loop.time()
        for _ in range(3):
            answer = await client.read_holding_registers(6, count=8, device_id=2)
            assert answer.registers == [0x0800, 0, 0x03E8, 0, 0x03E8, 0, 0, 0x000F]
        elapsed_s = loop.time() - started
        client.close()

    # 8 bytes asked, 21 answered and two silences of 3.5: 36 characters of 10 bits, 37.5 ms.
    assert 3 * 0.0375 <= elapsed_s < 3 * 0.0375 + 0.5


async def _read_like_typed(client: object, known: Known, unit_id: int) -> None:
    for runs, read in (
        (known.holding, client.read_holding_registers),
        (known.input, client.read_input_registers),
    ):
        for start, words in runs.items():
            answer = await read(start, count=len(words), device_id=unit_id)
            assert not answer.isError(), (known.family, known.title, answer)
            assert answer.registers == list(words), (known.family, known.title)


async def test_pymodbus_reads_every_known_state_over_tcp() -> None:
    bus, known = known_bus()
    async with serve_tcp(bus) as port:
        client = AsyncModbusTcpClient(HOST, port=port, timeout=2, retries=0)
        assert await client.connect()
        for unit_id, each in known.items():
            await _read_like_typed(client, each, unit_id)
        client.close()


async def test_pymodbus_reads_every_known_state_over_rtu_on_tcp() -> None:
    bus, known = known_bus()
    async with serve_rtu_over_tcp(bus) as port:
        client = AsyncModbusTcpClient(HOST, port=port, framer=FramerType.RTU, timeout=2, retries=0)
        assert await client.connect()
        for unit_id, each in known.items():
            await _read_like_typed(client, each, unit_id)
        client.close()


async def test_pymodbus_reads_every_family_over_a_serial_line() -> None:
    bus, known = known_bus()
    seen: set[str] = set()
    async with serve_rtu(bus, baud=115_200) as path:
        client = AsyncModbusSerialClient(path, baudrate=115_200, timeout=2, retries=0)
        assert await client.connect()
        for unit_id, each in known.items():
            if each.family not in seen:
                await _read_like_typed(client, each, unit_id)
                seen.add(each.family)
        client.close()
    assert seen == set(FAMILIES)


async def test_pymodbus_sends_a_zero_command_and_meets_a_refusal() -> None:
    bus = one_kilogram_bus()
    async with serve_tcp(bus) as port:
        client = AsyncModbusTcpClient(HOST, port=port, timeout=2, retries=0)
        assert await client.connect()
        assert not (await client.write_register(5, 8, device_id=2)).isError()
        assert not (await client.write_registers(72, [0, 0], device_id=2)).isError()
        refused = await client.write_register(5, 99, device_id=2)
        after = await client.read_holding_registers(7, count=2, device_id=2)
        client.close()

    assert refused.exception_code == 3
    assert [write.refusal for write in bus.units[2].writes] == ["", "", "save to EEPROM"]
    assert after.registers == [0, 0]


async def _mbpoll(
    tool: str, place: Sequence[str], unit_id: int, form: str, start: int, count: int
) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        tool, *place[:-1], "-a", str(unit_id), "-0", "-r", str(start), "-c", str(count),
        "-t", form, "-B", "-1", place[-1],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output.decode()
    return re.findall(r"^\[\d+\]:\s+(\S+)", output.decode(), re.MULTILINE)


async def _mbpoll_agrees(tool: str, place: Sequence[str], known: Known, unit_id: int) -> None:
    for table, runs in (("4:hex", known.holding), ("3:hex", known.input)):
        for start, words in runs.items():
            shown = await _mbpoll(tool, place, unit_id, table, start, len(words))
            assert shown == [f"0x{word:04X}" for word in words], (known.family, known.title)


@pytest.mark.server
async def test_mbpoll_shows_every_known_state_over_tcp(require: Callable[[str], str]) -> None:
    tool = require("mbpoll")
    bus, known = known_bus()
    async with serve_tcp(bus) as port:
        place = ["-m", "tcp", "-p", str(port), HOST]
        for unit_id, each in known.items():
            await _mbpoll_agrees(tool, place, each, unit_id)
    assert {each.family for each in known.values()} == set(FAMILIES)


@pytest.mark.server
async def test_mbpoll_shows_every_family_over_a_serial_line(require: Callable[[str], str]) -> None:
    tool = require("mbpoll")
    bus, known = known_bus()
    by_family = itertools.groupby(known.items(), key=lambda item: item[1].family)
    async with serve_rtu(bus, baud=9600) as path:
        place = ["-m", "rtu", "-b", "9600", "-P", "none", path]
        for _, group in by_family:
            unit_id, each = list(group)[-1]
            await _mbpoll_agrees(tool, place, each, unit_id)


# Family, state, mbpoll's form, first register, the numbers as mbpoll decodes them by itself.
DECODED = [
    ("hbk-wtx120", "beyond 65,535", "4:int", 0, ["100000", "100000"]),
    ("hbk-wtx120", "minus one", "4:int", 0, ["-1", "-1"]),
    ("baykon-mx08-pt113", "below zero, moving", "4:int", 5, ["-250"]),
    ("laumas-tlb-w", "1 kg", "4:int", 7, ["1000", "1000"]),
    ("dini-dgt4x-input", "the manual's 350000", "3:int", 0, ["350000", "350000"]),
    ("siwarex-wp251", "tared", "4:float", 3007, ["1.5", "1.25", "0.25"]),
    ("siwarex-wp351", "1.5 kg", "4:float", 3005, ["1.5", "1.5", "0"]),
    ("mt-smart-cell", "tared: gross is the sum", "4:float", 1000, ["0.25", "1.25"]),
    ("tuna-id551", "four scales", "4:float", 20, ["-0.25", "-0.25"]),
]


@pytest.mark.server
async def test_mbpoll_decodes_the_grams_by_itself(require: Callable[[str], str]) -> None:
    tool = require("mbpoll")
    bus, known = known_bus()
    unit_ids = {(each.family, each.title): unit_id for unit_id, each in known.items()}
    async with serve_tcp(bus) as port:
        place = ["-m", "tcp", "-p", str(port), HOST]
        for family, title, form, start, numbers in DECODED:
            unit_id = unit_ids[family, title]
            assert await _mbpoll(tool, place, unit_id, form, start, len(numbers)) == numbers


@pytest.mark.server
async def test_command_line_serves_until_interrupted(require: Callable[[str], str]) -> None:
    tool = require("mbpoll")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.modbus", "--family", "hbk-wtx120",
        "--units", "4", "--port", "0", "--grams", "100000",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        place = ["-m", "tcp", "-p", line.rpartition(":")[2].strip(), HOST]
        assert await _mbpoll(tool, place, 4, "4:int", 0, 2) == ["100000", "100000"]
    finally:
        os.kill(process.pid, signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    assert line.startswith("hbk-wtx120: units 1 to 4 by tcp on 127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--fault", "nonsense=1"], "'nonsense' is not a valid Fault"),
        (["--units", "248"], "--units is 1 to 247"),
        (["--family", "tuna-id551", "--cells", "5"], "--cells of tuna-id551 is 1 to 4"),
        (["--step", "3"], "laumas-tlb-w has no code for"),
    ],
)
def test_command_line_says_what_is_wrong(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)

    assert complaint in capsys.readouterr().err
