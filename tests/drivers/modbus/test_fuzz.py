"""Bytes and registers by lot: named errors only, and never a number that is no weight."""

import asyncio
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.answers import DesyncError, RtuAnswers, TcpAnswers, UnitError, read_answer
from drivers.modbus.profiles_folder import CHECKOUT_FOLDER, find_folder, load_profile
from drivers.modbus.settings import UnitSettings
from drivers.modbus.unit import Unit, make_units
from gateway.model import CellFlag
from gateway.ports import LinkError
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
from tests.drivers.modbus.test_answers import mbap, rtu
from tests.polling import until

SHIPPED = sorted(path.stem for path in CHECKOUT_FOLDER.glob("*.toml"))
CAPACITY_G = 50_000
WORDS = st.integers(0, 0xFFFF)


def shipped_unit(name: str) -> Unit:
    profile = load_profile(name, find_folder())
    told = {
        "unit_id": 1,
        "profile": name,
        "capacity_g": CAPACITY_G,
        "decimals": 0 if profile.decimals.source == "setting" else None,
        "weight_unit": "g" if profile.unit.source == "setting" else None,
    }
    return make_units([UnitSettings.model_validate(told)], find_folder(), "shelf")[0]


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_registers_by_lot_never_give_an_impossible_weight(name: str, data: st.DataObject) -> None:
    unit = shipped_unit(name)
    count = unit.profile.block.count
    special = st.sampled_from([0, 1, 0x7FC0, 0x7F80, 0xFF80, 0x7FFF, 0x8000, 0xFFFF])
    polls = data.draw(
        st.lists(st.lists(WORDS | special, min_size=count, max_size=count), max_size=6)
    )

    for now, registers in enumerate(polls):
        for sample in unit.answered(registers, now).samples:
            assert math.isfinite(sample.gross_g)
            assert abs(sample.gross_g) <= 2 * CAPACITY_G
            if abs(sample.gross_g) > 1.1 * CAPACITY_G:
                assert sample.flags & CellFlag.UNUSABLE


PDUS = st.binary(min_size=1, max_size=12)
RIGHT = b"\x03\x04\x00\x01\x86\xa0"


@given(chunks=st.lists(st.binary(max_size=20) | st.builds(mbap, PDUS), max_size=6))
def test_tcp_bytes_by_lot_give_the_answer_or_a_named_error(chunks: list[bytes]) -> None:
    answers = TcpAnswers()
    answers.await_answer(read_answer(5, 3, 2))
    answers.sent(b"\x00\x07")
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        try:
            taken = answers.received(buffer)
        except (DesyncError, UnitError):
            return
        assert taken == b"" or taken[7:] in (RIGHT, *(b"\x83" + bytes([n]) for n in range(256)))
        buffer = buffer[len(taken) :]


@given(chunks=st.lists(st.binary(min_size=1, max_size=20) | st.builds(rtu, PDUS), max_size=6))
def test_rtu_bytes_by_lot_give_the_answer_or_a_named_error(chunks: list[bytes]) -> None:
    answers = RtuAnswers()
    answers.await_answer(read_answer(5, 3, 2))
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        try:
            taken = answers.received(buffer)
        except UnitError:
            return
        assert taken == b"" or (taken[0] == 5 and len(taken) in (5, 9))
        buffer = buffer[len(taken) :]


@pytest.mark.parametrize("rtu_frames", [False, True])
async def test_unit_that_answers_by_lot_ends_in_link_errors_alone(*, rtu_frames: bool) -> None:
    random = Random(11)

    async def script(request: Request) -> bytes:
        pdu = request.registers(*dgt4x(1_234))
        right = request.rtu(pdu) if rtu_frames else request.tcp(pdu)
        if random.random() < 0.5:
            return right
        spoilt = bytearray(right)
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
        return bytes(spoilt)[: random.randrange(1, len(spoilt) + 1)]

    counts, seen = Counts(), Observed()
    async with raw_server(script, rtu=rtu_frames) as (raw, port):
        driver = make_driver(
            counts,
            link="rtu_over_tcp" if rtu_frames else "tcp",
            host="127.0.0.1",
            port=port,
            poll_hz=50,
            timeout_s=0.05,
            quiet_gap_s=0.01,
            units=[{**DGT4X, "unit_id": 1}],
        )
        loop = asyncio.get_running_loop()
        end = loop.time() + 1.5
        while loop.time() < end:
            async with running(driver, seen) as task:
                await until(lambda task=task: task.done() or loop.time() > end)
                if task.done():
                    with pytest.raises(LinkError):
                        task.result()
        assert len(raw.requests) > 10
    if rtu_frames:
        # Its checksum finds every spoilt bit; TCP leaves that to the network below.
        assert {sample.gross_g for sample in seen.samples} == {1_234.0}
