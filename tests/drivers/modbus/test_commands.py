"""Tare and zero against raw units: each write at most once, and never a forbidden one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.modbus import ModbusDriver, commands
from drivers.modbus.answers import UnitError
from drivers.modbus.profile import Command
from gateway.model import Pulse
from gateway.ports import ProtocolError
from tests.drivers.modbus.peer import (
    DGT4X,
    Counts,
    Observed,
    Request,
    dgt4x,
    make_driver,
    raw_server,
    running,
)
from tests.polling import until

HBK = {"unit_id": 1, "profile": "hbk-wtx120", "capacity_g": 1e9}
PATIENT_S, HASTY_S = 2.0, 0.05
"""Time-outs: the most that can be set, where it is not the matter, and the least, where it is. An
answer that waited in a process that stands still is refused after twice that.
"""

ZERO = Pulse("shelf", "zero", "shelf:1")
TARE = Pulse("shelf", "tare", "shelf:1")


class Transmitter:
    """Holds registers, keeps its writes, and can be told to ignore or refuse them."""

    def __init__(self, registers: dict[int, int]) -> None:
        self.registers = registers
        self.writes: list[tuple[int, int]] = []
        self.silent_on_writes = False
        self.ok = True

    async def __call__(self, request: Request) -> bytes | None:
        if request.function != 6:
            words = [self.registers.get(request.address + n, 0) for n in range(request.count)]
            return request.tcp(request.registers(*words))
        self.writes.append((request.address, request.count))
        self.obey(request.address, request.count)
        return None if self.silent_on_writes else request.tcp(request.pdu)

    def obey(self, address: int, value: int) -> None:
        pass


class HbkTransmitter(Transmitter):
    """Answers a control bit with handshake and status, and lets the handshake fall with it."""

    def obey(self, address: int, value: int) -> None:
        assert address == 0
        self.registers[5] = (0x4000 if value else 0) | (0x8000 if self.ok else 0)


class DiniTransmitter(Transmitter):
    """Counts the commands that it processed."""

    def obey(self, address: int, value: int) -> None:
        assert address == 0
        if value and self.ok:
            self.registers[5] = self.registers.get(5, 0) + 1 & 0xF


@asynccontextmanager
async def connected(
    transmitter: Transmitter, unit: dict[str, Any], timeout_s: float = PATIENT_S
) -> AsyncIterator[tuple[ModbusDriver, Counts]]:
    counts, seen = Counts(), Observed()
    async with raw_server(transmitter) as (_, port):
        driver = make_driver(
            counts, link="tcp", host="127.0.0.1", port=port, timeout_s=timeout_s, units=[unit]
        )
        async with running(driver, seen):
            await until(lambda: bool(seen.samples))
            yield driver, counts


async def test_hbk_writes_the_bit_shakes_hands_and_takes_it_back() -> None:
    transmitter = HbkTransmitter({3: 1_000})
    async with connected(transmitter, HBK) as (driver, counts):
        await driver.act(TARE)
        await driver.act(ZERO)

    assert transmitter.writes == [(0, 1), (0, 0), (0, 64), (0, 0)]
    assert (counts["modbus_tare"], counts["modbus_zero"]) == (1, 1)


async def test_hbk_that_refuses_is_a_protocol_error_and_the_bit_is_taken_back() -> None:
    transmitter = HbkTransmitter({3: 1_000})
    transmitter.ok = False
    async with connected(transmitter, HBK) as (driver, _):
        with pytest.raises(ProtocolError, match="refused"):
            await driver.act(ZERO)

    assert transmitter.writes == [(0, 64), (0, 0)]


async def test_handshake_that_never_comes_is_uncertain_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "ASK_EVERY_S", 0.001)
    transmitter = Transmitter({3: 1_000})
    async with connected(transmitter, HBK) as (driver, _):
        with pytest.raises(ProtocolError, match="uncertain"):
            await driver.act(ZERO)

    assert transmitter.writes == [(0, 64), (0, 0)]


async def test_dini_writes_zero_first_and_waits_for_the_counter() -> None:
    transmitter = DiniTransmitter(dict(enumerate(dgt4x(1_000))))
    async with connected(transmitter, {**DGT4X, "unit_id": 1}) as (driver, _):
        await driver.act(TARE)
        await driver.act(TARE)

    assert transmitter.writes == [(0, 0), (0, 2), (0, 0), (0, 2)]


async def test_dini_that_does_not_count_the_command_is_uncertain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "ASK_EVERY_S", 0.001)
    transmitter = DiniTransmitter(dict(enumerate(dgt4x(1_000))))
    transmitter.ok = False
    async with connected(transmitter, {**DGT4X, "unit_id": 1}) as (driver, _):
        with pytest.raises(ProtocolError, match="uncertain"):
            await driver.act(ZERO)

    assert transmitter.writes == [(0, 0), (0, 1)]


async def test_unanswered_command_is_an_error_and_not_repeated() -> None:
    transmitter = Transmitter({4: 1_000})
    transmitter.silent_on_writes = True
    laumas = {"unit_id": 1, "profile": "laumas-tlb-w", "capacity_g": 1e9}
    async with connected(transmitter, laumas, HASTY_S) as (driver, counts):
        with pytest.raises(UnitError, match="timeout"):
            await driver.act(ZERO)

    assert transmitter.writes == [(5, 8)]
    assert counts["modbus_zero"] == 0


async def test_tuna_gets_an_edge_on_the_demand_register_of_its_cell() -> None:
    transmitter = Transmitter(dict.fromkeys((4, 14, 24, 34), 32768))
    tuna = {"unit_id": 1, "profile": "tuna-id551", "capacity_g": 1e4, "weight_unit": "kg"}
    async with connected(transmitter, tuna) as (driver, _):
        await driver.act(Pulse("shelf", "zero", "shelf:3"))

    assert transmitter.writes == [(25, 0), (25, 0x0800), (25, 0)]


async def test_write_that_is_never_to_be_sent_is_stopped_before_the_wire() -> None:
    transmitter = HbkTransmitter({3: 1_000})
    async with connected(transmitter, HBK) as (driver, _):
        unit = driver.units[0]
        calibrate = Command(register=0, value=0x80)
        unit.profile = unit.profile.model_copy(update={"commands": {"zero": calibrate}})
        with pytest.raises(ProtocolError, match="calibrates"):
            await driver.act(ZERO)

    assert not transmitter.writes
