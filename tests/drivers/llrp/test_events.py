import asyncio

import pytest

from gateway.model import DeviceFault, InputChange
from tests.drivers.llrp.desk import Desk, desk
from tests.drivers.llrp.scripted_reader import ScriptedReader, vendor_event
from tests.drivers.llrp.wire import event, report, tag, tlv
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")


def raised(at: Desk, code: str) -> list[DeviceFault]:
    """Faults of that code since the connect, which clears what was raised before."""
    return [fault for fault in at.emitted.of(DeviceFault) if fault.code == code][1:]


def test_gpi_event_is_an_input_change() -> None:
    async def main() -> None:
        async with desk(gpi_ports=(1,)) as at:
            await asyncio.sleep(0.1)
            del at.emitted.observations[:]
            at.reader.say(event(tlv(248, b"\x00\x01\x80")))
            at.reader.say(event(tlv(248, b"\x00\x01\x00")))
            await asyncio.sleep(0.1)
            assert at.emitted.of(InputChange) == [
                InputChange("dock", 1, True),
                InputChange("dock", 1, False),
            ]

    run(main())


def test_antenna_event_blinds_that_antenna_until_it_is_back() -> None:
    async def main() -> None:
        async with desk() as at:
            await asyncio.sleep(0.1)
            del at.emitted.observations[:]
            at.reader.say(event(tlv(255, b"\x00\x00\x02")))
            at.reader.say(event(tlv(255, b"\x01\x00\x02")))
            await asyncio.sleep(0.1)
            assert at.emitted.of(DeviceFault) == [
                DeviceFault("dock", "antenna_disconnected", True, "", 2, True),
                DeviceFault("dock", "antenna_disconnected", False, "", 2, True),
            ]

    run(main())


def test_antenna_that_is_not_used_is_missed_by_nobody() -> None:
    async def main() -> None:
        async with desk(antennas=(1,)) as at:
            await asyncio.sleep(0.1)
            del at.emitted.observations[:]
            at.reader.say(event(tlv(255, b"\x00\x00\x02")))
            at.reader.say(event(tlv(255, b"\x00\x00\x01")))
            await asyncio.sleep(0.1)
            assert [fault.antenna for fault in at.emitted.of(DeviceFault)] == [1]

    run(main())


def test_buffer_warning_is_a_fault_that_passes() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(report(tag(EPC, antenna=1)))
            at.reader.say(event(tlv(250, b"\x50")))
            await asyncio.sleep(0.1)
            [fault] = raised(at, "report_buffer_filling")
            assert (fault.active, fault.detail) == (True, "80 % full")
            await asyncio.sleep(100)
            assert [f.active for f in raised(at, "report_buffer_filling")] == [True, False]
            assert at.emitted.blinds == []

    run(main())


def test_buffer_overflow_is_a_fault_and_blind_time() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(event(tlv(251, b"")))
            await asyncio.sleep(0.1)
            assert [f.active for f in raised(at, "report_buffer_overflow")] == [True]
            assert at.emitted.blinds == [(1, "reader_buffer_overflow")]
            assert at.counts["report_buffer_overflows"] == 1

    run(main())


def test_reader_exception_is_a_fault_with_its_text() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(event(tlv(252, b"\x00\x08overheat\x81\x00\x02")))
            await asyncio.sleep(0.1)
            assert [f.detail for f in raised(at, "reader_exception")] == ["overheat"]

    run(main())


def test_fault_is_cleared_when_the_link_is_lost() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(event(tlv(252, b"\x00\x03hot")))
            await asyncio.sleep(0.1)
            at.reader.cut()
            await asyncio.wait([at.task])
            assert at.task.exception() is not None
            assert [f.active for f in raised(at, "reader_exception")] == [True, False]

    run(main())


@pytest.mark.parametrize(
    "harmless",
    [
        event(tlv(247, b"\x00\x01\x00\x05")),
        event(tlv(253, b"\x00\x00\x00\x00\x01\x00\x01")),
        event(tlv(254, b"\x00\x00\x00\x00\x01\x00\x01")),
        event(tlv(249, b"\x00\x00\x00\x00\x01\x00\x00\x00\x00")),
        vendor_event(),
        event(utc_us=None, uptime_us=5),
        report(tlv(242, b"survey")),
        report(),
    ],
)
def test_what_does_not_matter_changes_nothing(harmless: bytes) -> None:
    async def main() -> None:
        async with desk() as at:
            await asyncio.sleep(0.1)
            before = len(at.emitted.observations)
            at.reader.say(harmless)
            await asyncio.sleep(0.1)
            assert len(at.emitted.observations) == before
            assert at.counts["bad_frames"] == 0
            assert not at.task.done()

    run(main())


def test_uptime_stamps_are_anchored_on_each_connection() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.greets = False
        at = Desk(reader, {})
        for uptime_us in (500_000_000, 3_000_000):  # the second time it has been rebooted
            await asyncio.sleep(0.1)
            seen_before = len(at.emitted.seen_at())
            reader.say(event(tlv(256, b"\x00\x00"), utc_us=None, uptime_us=uptime_us))
            await at.armed()
            now = at.clock.now()
            last = uptime_us - 200_000
            stamped = tlv(240, b"\x8d" + EPC + b"\x85" + last.to_bytes(8) + b"\x81\x00\x01")
            reader.say(report(stamped))
            await asyncio.sleep(0.1)
            [seen] = at.emitted.seen_at()[seen_before:]
            assert abs(now - seen - 200_000_000) < 5_000_000
            reader.cut()
            await asyncio.wait([at.task])
            assert at.task.exception() is not None
            at.again()
        await asyncio.sleep(0.1)
        await at.stop()

    run(main())


def test_clock_of_the_reader_that_is_wrong_by_years_does_no_harm() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.boot_us = 0  # 1970
        async with desk(reader) as at:
            now = at.clock.now()
            reader.say(report(tag(EPC, antenna=1, last=reader.now_us() - 50_000)))
            await asyncio.sleep(0.1)
            assert abs(now - at.emitted.seen_at()[0] - 50_000_000) < 5_000_000
            assert at.emitted.reads()[0].reported_at_us == reader.now_us() - 150_000

    run(main())


def test_accumulated_report_keeps_its_span() -> None:
    async def main() -> None:
        async with desk() as at:
            last = at.reader.now_us()
            at.reader.say(report(tag(EPC, antenna=1, seen=7, first=last - 600_000, last=last)))
            await asyncio.sleep(0.1)
            [read] = at.emitted.reads()
            assert (read.seen_count, read.span_ns) == (7, 600_000_000)

    run(main())
