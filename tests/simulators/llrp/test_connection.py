import asyncio
import struct

import pytest

from simulators.llrp import (
    PLAIN,
)
from simulators.llrp.clock import START_UTC_US
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import Client
from tests.simulators.llrp.readers import (
    attempt,
    connected,
    inventory,
    make,
)
from tests.virtual_time import run

EXTENSIONS_ON = struct.pack("!IBI", 25882, 21, 0)


def test_connection_begins_with_its_event_alone() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            (first,) = client.unasked
            head = struct.pack("!HHHHQ", 246, 22, 128, 12, START_UTC_US)
            assert first.body == head + attempt(0)

    run(main())


def test_second_client_is_refused_and_the_first_is_told() -> None:
    async def main() -> None:
        async with make() as reader:
            first = await connected(reader)
            second = Client.in_memory(reader)
            await second.closed.wait()
            assert [m.type for m in second.of(63, attempt(2))] == [63]
            assert len(second.unasked) == 1
            await first.wait_for(63, attempt(4))
            assert (await first.ask(26)).status == 0

    run(main())


def test_slot_is_free_after_close_connection() -> None:
    async def main() -> None:
        async with make() as reader:
            first = await connected(reader)
            assert (await first.ask(14)).type == 4
            await first.closed.wait()
            await connected(reader)

    run(main())


def test_silent_client_keeps_its_slot_until_its_socket_proves_dead() -> None:
    async def main() -> None:
        async with make() as reader:
            first = await connected(reader)
            await asyncio.sleep(3600)
            refused = Client.in_memory(reader)
            await refused.wait_for(63, attempt(2))
            first.close()
            await asyncio.sleep(0.01)
            await connected(reader)

    run(main())


def test_keepalives_come_with_the_period_asked_for() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await client.ask(3, orders.keepalive(10_000))
            await asyncio.sleep(65)
            assert len(client.of(62)) == 6
            await client.ask(3, orders.keepalive(0))
            await asyncio.sleep(65)
            assert len(client.of(62)) == 6

    run(main())


def test_link_monitor_drops_a_client_that_never_acknowledges() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await client.ask(1023, EXTENSIONS_ON)
            monitor = struct.pack("!HHIIHH", 1023, 16, 25882, 38, 1, 3)
            assert (await client.ask(3, orders.keepalive(1000) + monitor)).status == 0
            await asyncio.sleep(2.5)
            client.send(72)
            await asyncio.sleep(3.0)
            assert not client.closed.is_set()
            await asyncio.wait_for(client.closed.wait(), 2.0)
            assert not reader.connected

    run(main())


def test_shutdown_says_so_before_it_closes() -> None:
    async def main() -> None:
        reader = make()
        await reader.start()
        client = await connected(reader)
        await reader.shutdown()
        assert client.closed.is_set()
        assert client.unasked[-1].body.endswith(struct.pack("!HH", 257, 4))

    run(main())


def test_power_cycle_drops_the_client_and_begins_the_uptime_anew() -> None:
    async def main() -> None:
        for keeps in (True, False):
            async with make(device=PLAIN, keeps_rospecs=keeps) as reader:
                client = await connected(reader)
                await inventory(client)
                await asyncio.sleep(100)
                reader.power_cycle()
                await client.closed.wait()
                await asyncio.sleep(1)
                assert reader.clock.stamp_us() == pytest.approx(1_000_000, abs=10_000)
                assert reader.inventorying is keeps

    run(main())


def test_clock_may_be_wrong_and_drift() -> None:
    async def main() -> None:
        async with make(clock_offset_s=-3600.0, clock_drift_ppm=20.0) as reader:
            await asyncio.sleep(100_000)
            true_us = START_UTC_US + 100_000 * 1_000_000
            assert reader.clock.stamp_us() - true_us == pytest.approx(-3_598_000_000, abs=1000)

    run(main())


def test_silent_reader_sends_nothing_and_keeps_the_slot() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await client.ask(3, orders.keepalive(1000))
            await inventory(client)
            reader.fall_silent()
            await asyncio.sleep(0.1)
            before = len(client.received)
            client.send(26)
            await asyncio.sleep(60)
            assert len(client.received) == before
            assert not client.closed.is_set()
            refused = Client.in_memory(reader)
            await refused.wait_for(63, attempt(2))

    run(main())


def test_cut_cable_ends_the_connection_without_a_word() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            reader.cut_cable()
            await client.closed.wait()
            assert len(client.unasked) == 1

    run(main())


def test_refused_connection_is_told_and_closed() -> None:
    async def main() -> None:
        async with make() as reader:
            reader.faults.refuse = 1.0
            client = Client.in_memory(reader)
            await client.closed.wait()
            assert len(client.of(63, attempt(3))) == 1
            reader.faults.refuse = 0.0
            await connected(reader)

    run(main())
