"""What the Modbus tests share: a context that counts, a list that collects, raw scripted units."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from drivers.modbus import ModbusDriver
from drivers.modbus.settings import ModbusSettings
from gateway.model import DeviceFault, Ns, Observation, WeightReport, WeightSample
from gateway.ports import DriverContext


class BootClock:
    def now(self) -> Ns:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclass
class Observed:
    """An emit that keeps everything."""

    observations: list[tuple[Observation, Ns]] = field(default_factory=list)
    blinded: list[tuple[int, str]] = field(default_factory=list)

    async def __call__(self, observation: Observation, age_ns: Ns = 0) -> None:
        self.observations.append((observation, age_ns))

    def blind(self, lost: int, reason: str) -> None:
        self.blinded.append((lost, reason))

    @property
    def samples(self) -> list[WeightSample]:
        return [
            sample
            for observation, _ in self.observations
            if isinstance(observation, WeightReport)
            for sample in observation.samples
        ]

    def of(self, cell: str) -> list[WeightSample]:
        return [sample for sample in self.samples if sample.cell == cell]

    def faults(self, *, active: bool = True) -> list[DeviceFault]:
        found = [fact for fact, _ in self.observations if isinstance(fact, DeviceFault)]
        return [fault for fault in found if fault.active is active]


class Counts(Counter[str]):
    def __call__(self, name: str, amount: int = 1) -> None:
        self[name] += amount


def context(counts: Counts, device: str = "shelf") -> DriverContext:
    return DriverContext(device, BootClock(), random.Random(1), counts)


def make_driver(counts: Counts, **settings: object) -> ModbusDriver:
    return ModbusDriver(ModbusSettings.model_validate(settings), context(counts))


@asynccontextmanager
async def running(driver: ModbusDriver, emit: Observed) -> AsyncIterator[asyncio.Task[None]]:
    """Run the driver until the block ends; its own end within the block is the test's to judge."""
    task = asyncio.create_task(driver.run(emit))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
        # The transport's own goodbye takes a turn of the loop.
        await asyncio.sleep(0)


# Raw units: they know bytes only, so that they can answer as no library would.

Script = Callable[["Request"], Awaitable[bytes | None]]


@dataclass(frozen=True)
class Request:
    """One request as it came: MBAP is cut off, RTU's CRC too."""

    unit: int
    pdu: bytes
    transaction: int = 0
    number: int = 0

    @property
    def function(self) -> int:
        return self.pdu[0]

    @property
    def address(self) -> int:
        return int.from_bytes(self.pdu[1:3], "big")

    @property
    def count(self) -> int:
        return int.from_bytes(self.pdu[3:5], "big")

    def tcp(self, pdu: bytes, *, transaction: int | None = None, unit: int | None = None) -> bytes:
        number = self.transaction if transaction is None else transaction
        header = number.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big")
        return header + bytes([self.unit if unit is None else unit]) + pdu

    def rtu(self, pdu: bytes, *, unit: int | None = None) -> bytes:
        frame = bytes([self.unit if unit is None else unit]) + pdu
        return frame + crc(frame)

    def registers(self, *words: int) -> bytes:
        data = b"".join(word.to_bytes(2, "big") for word in words)
        return bytes([self.function, len(data)]) + data

    def exception(self, code: int) -> bytes:
        return bytes([self.function | 0x80, code])


def crc(frame: bytes) -> bytes:
    """CRC of a serial frame, low byte first (Modbus over Serial Line 1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


class RawServer:
    """Answers each request with what the script returns; None is silence."""

    def __init__(self, script: Script, *, rtu: bool = False) -> None:
        self._script = script
        self._rtu = rtu
        self._tasks: set[asyncio.Task[None]] = set()
        self.writers: set[asyncio.StreamWriter] = set()
        self.requests: list[Request] = []
        self.connections = 0

    def has(self, requests: int) -> bool:
        return len(self.requests) >= requests

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            while True:
                request = await self._next(reader)
                self.requests.append(request)
                task = asyncio.create_task(self._answer(request, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> Request:
        number = len(self.requests)
        if self._rtu:
            frame = await reader.readexactly(8)
            return Request(frame[0], frame[1:6], number=number)
        header = await reader.readexactly(7)
        pdu = await reader.readexactly(int.from_bytes(header[4:6], "big") - 1)
        return Request(header[6], pdu, int.from_bytes(header[:2], "big"), number)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        answer = await self._script(request)
        if answer is not None and not writer.is_closing():
            writer.write(answer)

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in tuple(self.writers):
            writer.close()


@asynccontextmanager
async def raw_server(script: Script, *, rtu: bool = False) -> AsyncIterator[tuple[RawServer, int]]:
    raw = RawServer(script, rtu=rtu)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    try:
        yield raw, int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await raw.stop()
        await server.wait_closed()


def dgt4x(gross_counts: int, *, status: int = 0x0004) -> tuple[int, ...]:
    """The five input registers of a Dini DGT4X with that gross weight and no tare."""
    high, low = divmod(gross_counts, 0x10000)
    return (high, low, high, low, status)


DGT4X = {
    "profile": "dini-dgt4x-input",
    "capacity_g": 50_000,
    "decimals": 0,
    "weight_unit": "g",
}
