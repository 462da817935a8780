"""One physical link: a TCP connection or a serial port, with every unit behind it.

pymodbus carries the frames; the rules that make it safe stand here:
it never retries (a repeated read poisons the next one on RTU, a repeated write is a second tare),
never reconnects by itself (the supervisor does), an RTU exchange once begun is never cancelled,
after any failure on RTU the line must fall silent before the next request, and every answer is
judged by `answers.py` before it is taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusIOException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.modbus.answers import (
    DesyncError,
    Expected,
    RtuAnswers,
    TcpAnswers,
    UnitError,
    read_answer,
    write_answer,
)
from drivers.modbus.settings import ModbusSettings
from gateway.model import NS_PER_S, Ns
from gateway.ports import Clock, Counter, LinkError, ProtocolError

CONNECT_TIMEOUT_S = 3.0
"""A first connection may have to wait for a name and an address."""

QUIET_TRIES_MAX = 10
"""Quiet gaps waited for; a line that talks through all of them has another master on it."""

NO_ANSWERS_MAX = 1_000_000
"""The library would cut TCP after a few silent requests in a row; which unit is dead is ours."""

FRAME_GAP_CHARACTERS = 3.5
BITS_PER_CHARACTER = 11
FRAME_GAP_MIN_S = 0.00175
"""Silence between RTU frames (Modbus over Serial Line 1.02, 2.5.1.1)."""

STALL_FACTOR = 2
"""Time-outs after which an answer has waited in a stalled process: its age is not known."""

COIL_ON = 0xFF00
"""Modbus Application Protocol 1.1b3, 6.5."""

NS_PER_US = 1000

EXCEPTION_NAMES = {
    1: "illegal function",
    2: "illegal register address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, not done",
    6: "busy",
    10: "gateway path unavailable",
    11: "gateway target does not answer",
}

# The library writes an error line per unanswered request; here each is counted under its name.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class Answer(NamedTuple):
    """Registers, and how long the exchange took."""

    registers: Sequence[int]
    elapsed_ns: Ns


class ReadRequest(NamedTuple):
    """A read made once and used for every poll."""

    pdu: ModbusPDU
    expected: Expected


def read_request(unit: int, function: int, start: int, count: int) -> ReadRequest:
    """Make the read of `count` registers from wire address `start`."""
    kind = ReadHoldingRegistersRequest if function == 3 else ReadInputRegistersRequest
    pdu = kind(address=start, count=count, dev_id=unit)
    return ReadRequest(pdu, read_answer(unit, function, count))


class Link:
    """One link. All exchanges on it stand in one line; several tasks may ask."""

    def __init__(self, settings: ModbusSettings, clock: Clock, count: Counter) -> None:
        self._settings = settings
        self._clock = clock
        self._count = count
        self._is_rtu = settings.link != "tcp"
        self._answers: TcpAnswers | RtuAnswers = RtuAnswers() if self._is_rtu else TcpAnswers()
        self._line = asyncio.Lock()
        self._failure: LinkError | None = None
        self._in_flight = False
        self._exchanges: set[asyncio.Task[Answer]] = set()
        self._late_counted = 0
        self._frame_gap_s = 0.0
        self._client = self._make_client()
        self._client.set_max_no_responses(NO_ANSWERS_MAX)

    async def open(self) -> None:
        """Connect once; LinkError when that fails. An RTU line must then fall silent."""
        if not await self._client.connect():
            raise LinkError(f"no connection to {self._end()}")
        # The library has one time-out for both; the rest of it is for answers.
        self._client.ctx.comm_params.timeout_connect = self._settings.timeout_s
        if self._is_rtu:
            async with self._line:
                await self._fall_silent()

    async def close(self) -> None:
        """Close the link and end what is under way."""
        self._fail(LinkError("the link was closed"))
        self._client.close()
        for exchange in self._exchanges:
            exchange.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)

    async def read(self, request: ReadRequest) -> Answer:
        """Read registers; UnitError when this unit fails, LinkError when the link does."""
        return await self._ask(request.pdu, request.expected)

    async def write(self, unit: int, register: int, value: int) -> None:
        """Write one register once. After an error it is uncertain whether it was written."""
        pdu = WriteSingleRegisterRequest(address=register, registers=[value], dev_id=unit)
        await self._ask(pdu, write_answer(unit, register, value))

    async def write_coil(self, unit: int, coil: int, level: bool) -> None:
        """Switch one coil once. After an error it is uncertain whether it was switched."""
        pdu = WriteSingleCoilRequest(address=coil, bits=[level], dev_id=unit)
        await self._ask(pdu, write_answer(unit, coil, COIL_ON if level else 0, 5))

    async def _ask(self, pdu: ModbusPDU, expected: Expected) -> Answer:
        if not self._is_rtu:
            return await self._exchange(pdu, expected)
        # A cancelled RTU read leaves its answer on the line for the next one to take.
        exchange = asyncio.create_task(self._exchange(pdu, expected), name="modbus exchange")
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        return await asyncio.shield(exchange)

    async def _exchange(self, pdu: ModbusPDU, expected: Expected) -> Answer:
        async with self._line:
            if self._failure is not None:
                raise self._failure
            if self._frame_gap_s:
                await asyncio.sleep(self._frame_gap_s)
            try:
                return await self._transact(pdu, expected)
            except UnitError:
                if self._is_rtu:
                    await self._fall_silent()
                raise

    async def _transact(self, pdu: ModbusPDU, expected: Expected) -> Answer:
        answered = False
        self._answers.await_answer(expected)
        self._in_flight = True
        sent_at = self._clock.now()
        try:
            answer: ModbusPDU = await self._client.execute(False, pdu)
            answered = True
            _still_wanted()
        except ModbusIOException as error:
            raise self._silence(expected.unit) from error
        except ConnectionException as error:
            raise LinkError(f"connection to {self._end()} lost") from error
        finally:
            self._in_flight = False
            if answered:
                self._answers.answered()
            else:
                self._answers.give_up()
            self._count_late()
        elapsed_ns = self._clock.now() - sent_at
        self._count("round_trip_us", elapsed_ns // NS_PER_US)
        return self._taken(answer, expected, elapsed_ns)

    def _taken(self, answer: ModbusPDU, expected: Expected, elapsed_ns: Ns) -> Answer:
        if answer.isError():
            name = EXCEPTION_NAMES.get(answer.exception_code, str(answer.exception_code))
            raise UnitError("exception", f"unit {expected.unit}: {name}")
        if elapsed_ns > STALL_FACTOR * self._settings.timeout_s * NS_PER_S:
            raise UnitError("stalled", f"unit {expected.unit}: answer {elapsed_ns} ns old")
        return Answer(answer.registers, elapsed_ns)

    def _silence(self, unit: int) -> UnitError:
        if isinstance(self._answers, RtuAnswers) and self._answers.heard:
            return UnitError("garbage", f"unit {unit}: bytes that make no answer")
        return UnitError("timeout", f"unit {unit}: no answer in {self._settings.timeout_s:g} s")

    async def _fall_silent(self) -> None:
        """Wait until an RTU line has been silent for the quiet gap."""
        assert isinstance(self._answers, RtuAnswers)
        self._answers.give_up()
        for _ in range(QUIET_TRIES_MAX):
            heard = self._answers.heard
            await asyncio.sleep(self._settings.quiet_gap_s)
            if self._answers.heard == heard:
                self._count_late()
                return
        raise ProtocolError(f"{self._end()} never falls silent: is there another master?")

    def _trace(self, sending: bool, data: bytes) -> bytes:
        """See every frame out and every buffer in; return what the library may take of it."""
        if sending:
            self._answers.sent(data)
            return data
        if self._failure is not None:
            return b""
        try:
            return self._answers.received(data)
        except UnitError as error:
            self._end_exchange(error)
        except DesyncError as error:
            error.unit_asked = self._in_flight
            self._count(f"modbus_{error.kind}")
            self._fail(error)
        return b""

    def _trace_connect(self, connected: bool) -> None:
        if not connected:
            self._fail(LinkError(f"{self._end()} closed the connection"))

    def _fail(self, error: LinkError) -> None:
        if self._failure is None:
            self._failure = error
        self._end_exchange(error)

    def _end_exchange(self, error: LinkError) -> None:
        # The library would sit out its time-out; its future is the one thing it waits for.
        future = self._client.ctx.response_future
        if self._in_flight and not future.done():
            future.set_exception(error)

    def _count_late(self) -> None:
        if self._answers.late > self._late_counted:
            self._count("modbus_late_answer", self._answers.late - self._late_counted)
            self._late_counted = self._answers.late

    def _end(self) -> str:
        settings = self._settings
        return settings.path if settings.link == "serial" else f"{settings.host}:{settings.port}"

    def _make_client(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        settings = self._settings
        if settings.link == "serial":
            character_s = BITS_PER_CHARACTER / settings.baud
            self._frame_gap_s = max(FRAME_GAP_CHARACTERS * character_s, FRAME_GAP_MIN_S)
            return AsyncModbusSerialClient(
                settings.path,
                baudrate=settings.baud,
                parity=settings.parity,
                stopbits=settings.stop_bits,
                timeout=CONNECT_TIMEOUT_S,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._trace,
                trace_connect=self._trace_connect,
            )
        return AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            framer=FramerType.RTU if self._is_rtu else FramerType.SOCKET,
            timeout=CONNECT_TIMEOUT_S,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._trace,
            trace_connect=self._trace_connect,
        )


def _still_wanted() -> None:
    """Raise the cancellation that asyncio.wait_for of Python 3.11 loses when it meets an answer.

    The library waits by it (cpython gh-86296); a driver that cannot be cancelled never stops.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
