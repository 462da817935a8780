import asyncio

from gateway.model import Heartbeat, TagRead
from tests.drivers.llrp import scripted_reader as reader_side
from tests.drivers.llrp.desk import desk
from tests.drivers.llrp.wire import report, tag
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")


def test_reader_is_armed_and_its_reads_come_through() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(report(tag(EPC, antenna=2, rssi=-40)))
            await asyncio.sleep(0.1)
            assert at.emitted.reads() == [TagRead("dock:2", EPC.hex(), -4000, 1, 5_000_000)]
            await asyncio.sleep(3)
            assert len(at.emitted.of(Heartbeat)) == 3
            assert reader_side.KEEPALIVE_ACK in at.reader.types_heard()

    run(main())
