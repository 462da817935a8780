"""The link on a serial port: a pseudo-terminal with a raw unit at its other end."""

import asyncio
import os
import tty

import pytest

from drivers.modbus.answers import UnitError
from drivers.modbus.link import Link, read_request
from drivers.modbus.settings import ModbusSettings
from gateway.ports import LinkError
from tests.drivers.modbus.peer import BootClock, Counts, Request
from tests.drivers.modbus.test_link import TIMEOUT_S, UNITS, own_address

PTY_GAP_S = 0.8
"""The kernel passes bytes between the ends of a pseudo-terminal when it finds the time."""


async def test_serial_port_that_is_not_there_is_a_link_error() -> None:
    settings = ModbusSettings.model_validate(
        {"link": "serial", "path": "/dev/no-such-port", "units": UNITS}
    )
    link = Link(settings, BootClock(), Counts())

    with pytest.raises(LinkError, match="no connection to /dev/no-such-port"):
        await link.open()
    await link.close()


async def test_serial_line_carries_a_read_and_survives_a_late_answer() -> None:
    device, client = os.openpty()
    for end in (device, client):
        tty.setraw(end)
    loop = asyncio.get_running_loop()
    heard = bytearray()
    numbers = iter(range(100))

    def answer() -> None:
        heard.extend(os.read(device, 256))
        while len(heard) >= 8:
            request = Request(heard[0], bytes(heard[1:6]))
            del heard[:8]
            late_s = TIMEOUT_S + 0.03 if next(numbers) == 0 else 0.0
            loop.call_later(late_s, os.write, device, request.rtu(own_address(request)))

    loop.add_reader(device, answer)
    settings = ModbusSettings.model_validate(
        {
            "link": "serial",
            "path": os.ttyname(client),
            "baud": 115_200,
            "timeout_s": TIMEOUT_S,
            "quiet_gap_s": PTY_GAP_S,
            "units": UNITS,
        }
    )
    link = Link(settings, BootClock(), Counts())
    try:
        await link.open()
        with pytest.raises(UnitError, match="timeout"):
            await link.read(read_request(1, 3, 10, 2))
        assert list((await link.read(read_request(1, 3, 20, 2))).registers) == [20, 21]
    finally:
        await link.close()
        loop.remove_reader(device)
        os.close(client)
        os.close(device)
