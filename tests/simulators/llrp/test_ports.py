import asyncio
import struct

from llrpkit.protocol import enums

from tests.simulators.llrp import orders
from tests.simulators.llrp.readers import (
    ONE,
    connected,
    inventory,
    make,
)
from tests.virtual_time import run


def test_input_starts_and_stops_a_triggered_rospec_and_is_told() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            spec = orders.rospec(
                session=0, start=enums.ROSpecStartTriggerType.GPI, gpi_trigger_port=2
            )
            await client.ask(3, orders.events(1))
            await client.ask(3, orders.input_enabled(2))
            await client.ask(20, orders.add(spec))
            await client.ask(24, ONE)
            await asyncio.sleep(1)
            assert not reader.inventorying
            reader.set_input(2, True)
            reader.set_input(1, True)
            await asyncio.sleep(1)
            assert reader.inventorying
            reader.set_input(2, False)
            await asyncio.sleep(1)
            assert not reader.inventorying
            levels = [m.body[-3:] for m in client.of(63, struct.pack("!HH", 248, 7))]
            assert levels == [b"\0\x02\x80", b"\0\x02\x00"]

    run(main())


def test_output_is_readable_and_called_back() -> None:
    async def main() -> None:
        async with make() as reader:
            changes: list[tuple[int, bool]] = []
            reader.on_output = lambda port, level: changes.append((port, level))
            client = await connected(reader)
            for level in (True, True, False):
                await client.ask(3, orders.output(3, level))
            await client.ask(3, orders.output(1, True))
            assert changes == [(3, True), (3, False), (1, True)]
            assert reader.outputs == {1: True, 2: False, 3: False, 4: False}

    run(main())


def test_unplugged_antenna_is_told_and_read_no_more() -> None:
    async def main() -> None:
        async with make(tags=2) as reader:
            client = await connected(reader)
            await inventory(client, antennas=(1, 2))
            await asyncio.sleep(1)
            reader.set_antenna(1, False)
            await client.wait_for(63, struct.pack("!HHBH", 255, 7, 0, 1))
            before = len(client.of(61, b"\x81\0\x01"))
            await asyncio.sleep(2)
            assert len(client.of(61, b"\x81\0\x01")) == before > 0
            told = await client.ask(2, struct.pack("!HBHH", 0, 2, 0, 0))
            assert struct.pack("!HHBH", 221, 9, 0, 1) in told.body
            reader.set_antenna(1, True)
            await client.wait_for(63, struct.pack("!HHBH", 255, 7, 1, 1))
            await asyncio.sleep(1)
            assert len(client.of(61, b"\x81\0\x01")) > before

    run(main())


def test_reader_exception_is_told_with_text_and_antenna() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            reader.raise_exception("too hot", antenna=2)
            (event,) = await client.wait_for(63, b"too hot")
            assert event.body.endswith(struct.pack("!H7sBH", 7, b"too hot", 0x81, 2))

    run(main())


def test_events_that_are_off_stay_unsaid() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await inventory(client)
            reader.set_input(1, True)
            await asyncio.sleep(1)
            assert len(client.of(63)) == 1
            await client.ask(3, orders.events(0))
            await asyncio.sleep(1)
            assert len(client.of(63, struct.pack("!HH", 247, 8))) > 3

    run(main())
