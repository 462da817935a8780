import asyncio
import struct

from simulators.llrp.report import Content, ReportSpec
from tests.simulators.llrp import orders
from tests.simulators.llrp.readers import (
    ONE,
    connected,
    inventory,
    make,
    rospec_event,
)
from tests.virtual_time import run


def test_accumulated_report_comes_when_the_aispec_ends_and_the_rospec_restarts() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            spec = orders.rospec(session=0, duration_ms=2000)
            spec.ro_report_spec.n = 0
            spec.ro_report_spec.ro_report_trigger = 1
            spec.ro_report_spec.tag_report_content_selector.enable_tag_seen_count = True
            await client.ask(3, orders.events(2, 6))
            await client.ask(20, orders.add(spec))
            await client.ask(24, ONE)
            await asyncio.sleep(7)
            assert len(client.of(61)) == 3
            assert len(client.of(63, struct.pack("!HH", 254, 11))) == 3
            assert len(client.of(63, rospec_event(0))) == 4
            assert len(client.of(63, rospec_event(1))) == 3

    run(main())


def test_rest_is_reported_when_the_rospec_is_stopped() -> None:
    async def main() -> None:
        async with make(tags=3) as reader:
            client = await connected(reader)
            await inventory(client, report_every_n=1000)
            await asyncio.sleep(5)
            assert client.of(61) == []
            await client.ask(23, ONE)
            (report,) = client.of(61)
            assert report.body.count(struct.pack("!H", 240)) == 3

    run(main())


def test_get_report_brings_what_was_gathered() -> None:
    async def main() -> None:
        async with make(tags=3) as reader:
            client = await connected(reader)
            spec = orders.rospec(session=0)
            spec.ro_report_spec.ro_report_trigger = 0
            await client.ask(20, orders.add(spec))
            await client.ask(24, ONE)
            await asyncio.sleep(5)
            assert client.of(61) == []
            client.send(60)
            (report,) = await client.wait_for(61)
            assert report.body.count(struct.pack("!H", 240)) == 3
            await client.ask(21, ONE)
            client.send(60)
            assert (await client.wait_for(61, count=2))[1].body == b""

    run(main())


def test_default_report_is_that_of_the_reader_configuration() -> None:
    async def main() -> None:
        async with make(tags=1) as reader:
            client = await connected(reader)
            spec = orders.rospec(session=0)
            spec.ro_report_spec = None
            own = ReportSpec(content=Content.CHANNEL_INDEX).encode()
            assert (await client.ask(3, b"\0" + own)).status == 0
            await client.ask(20, orders.add(spec))
            await client.ask(24, ONE)
            (report, *_) = await client.wait_for(61)
            assert report.body[17:18] == b"\x87"
            assert len(report.body) == 20

    run(main())
