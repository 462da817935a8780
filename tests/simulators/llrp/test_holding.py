import asyncio
import struct

import pytest

from simulators.llrp import (
    PLAIN,
)
from simulators.llrp.clock import START_UTC_US
from tests.simulators.llrp import orders
from tests.simulators.llrp.readers import (
    ONE,
    connected,
    inventory,
    make,
    stamps,
)
from tests.virtual_time import run


def test_held_reports_come_in_one_burst_with_their_old_stamps() -> None:
    async def main() -> None:
        async with make(tags=1) as reader:
            first = await connected(reader)
            await first.ask(3, orders.hold())
            await inventory(first, antennas=(1,))
            await asyncio.sleep(1)
            first.close()
            await asyncio.sleep(30)
            second = await connected(reader)
            await asyncio.sleep(5)
            assert len(second.unasked) == 1
            second.send(64)
            await asyncio.sleep(0.005)
            seen = [stamp - START_UTC_US for stamp in stamps(second)]
            assert seen == sorted(seen)
            assert 1_000_000 <= seen[0] < 1_100_000
            assert seen[-1] > 35_900_000
            assert len(seen) > 1000

    run(main())


def test_client_that_stops_reading_loses_nothing_within_the_bound() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await inventory(client)
            assert client.transport is not None
            client.transport.pause_reading()
            await asyncio.sleep(60)
            assert len(reader.outbox) > 500
            client.transport.resume_reading()
            await client.ask(25, ONE)
            assert len(client.of(61)) == reader.runner.reads
            assert (reader.outbox.lost, len(reader.outbox)) == (0, 0)

    run(main())


def test_rospec_survives_a_disconnect_unless_configured_otherwise() -> None:
    async def main() -> None:
        for keeps in (True, False):
            async with make(keeps_rospecs=keeps) as reader:
                client = await connected(reader)
                await inventory(client)
                client.close()
                await asyncio.sleep(1)
                assert reader.inventorying is keeps
                again = await connected(reader)
                assert (len((await again.ask(26)).body) > 8) is keeps

    run(main())


def test_plain_reader_keeps_nothing_for_an_absent_client() -> None:
    async def main() -> None:
        async with make(device=PLAIN) as reader:
            client = await connected(reader)
            await inventory(client)
            client.close()
            await asyncio.sleep(10)
            assert len(reader.outbox) == 0
            again = await connected(reader)
            await asyncio.sleep(0.1)
            (event,) = again.of(63)
            assert event.body[4:8] == struct.pack("!HH", 129, 12)
            uptime_us = int.from_bytes(event.body[8:16], "big")
            assert uptime_us == pytest.approx(10_000_000, abs=10_000)

    run(main())


def test_overflow_of_the_buffer_is_told_on_return() -> None:
    async def main() -> None:
        async with make(held_max=50) as reader:
            client = await connected(reader)
            await client.ask(3, orders.events(3))
            await inventory(client)
            client.close()
            await asyncio.sleep(60)
            again = await connected(reader)
            await again.wait_for(63, struct.pack("!HH", 251, 4))
            assert len(again.of(63, struct.pack("!HHB", 250, 5, 80))) == 1
            assert reader.outbox.lost > 100

    run(main())
