import asyncio

import pytest

from gateway.model import Heartbeat
from tests.drivers.llrp import scripted_reader as script
from tests.drivers.llrp.desk import desk
from tests.drivers.llrp.scripted_reader import ScriptedReader
from tests.drivers.llrp.wire import event, report, tag, tlv
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")
GOOD = report(tag(EPC, antenna=2, rssi=-40))


def test_quiet_reader_is_asked_and_left_alone() -> None:
    async def main() -> None:
        async with desk(ScriptedReader(), no_reports_s=5) as at:
            at.reader.say(GOOD)  # it has reported once, and then no tag is in view
            await asyncio.sleep(300)
            assert at.counts["rospec_restarts"] == at.counts["rospec_not_running"] == 0
            assert script.DISABLE not in at.reader.types_heard()
            assert at.emitted.blinds == []
            assert at.reader.types_heard().count(script.GET_ROSPECS) > 10
            assert len(at.emitted.of(Heartbeat)) >= 299

    run(main())


def test_reader_that_never_reports_is_restarted_once() -> None:
    async def main() -> None:
        async with desk(ScriptedReader(), no_reports_s=5) as at:
            await asyncio.sleep(600)
            assert at.counts["rospec_restarts"] == 1
            assert at.reader.rospecs == {1: 2}

    run(main())


def test_rospec_that_was_stopped_is_started_again_and_time_was_blind() -> None:
    async def main() -> None:
        async with desk(ScriptedReader(), no_reports_s=5) as at:
            at.reader.say(GOOD)
            await asyncio.sleep(1)
            at.reader.rospecs[1] = 0
            await asyncio.sleep(12)
            assert at.reader.rospecs == {1: 2}
            assert at.emitted.blinds == [(1, "not_reading")]

    run(main())


@pytest.mark.parametrize("told", [True, False])
def test_rospec_that_ends_after_a_long_quiet_is_started_again(told: bool) -> None:
    async def main() -> None:
        reader = ScriptedReader()

        def start(frame: bytes) -> list[bytes]:
            reader.rospecs[1] = 2
            return [reader.ok(frame)]

        reader.answers[script.START] = start
        async with desk(reader, no_reports_s=2) as at:
            reader.say(GOOD)
            await asyncio.sleep(30)
            reader.rospecs[1] = 1
            if told:
                reader.say(event(tlv(249, b"\x01\x00\x00\x00\x01\x00\x00\x00\x00")))
            await asyncio.sleep(10)
            assert reader.rospecs == {1: 2}
            assert at.emitted.blinds == [(1, "not_reading")]

    run(main())


def test_rospec_that_vanished_is_installed_again() -> None:
    async def main() -> None:
        async with desk(ScriptedReader(), no_reports_s=5) as at:
            at.reader.rospecs.clear()
            await asyncio.sleep(6)
            assert at.reader.rospecs == {1: 2}
            assert {reason for _, reason in at.emitted.blinds} == {"not_reading"}

    run(main())


def test_reader_that_stays_inactive_is_not_covered_until_it_reads() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.START] = lambda frame: [reader.ok(frame)]  # and nothing happens
        async with desk(reader, no_reports_s=5) as at:
            reader.say(GOOD)
            await asyncio.sleep(1)
            reader.rospecs[1] = 1
            await asyncio.sleep(12)
            before = len(at.emitted.of(Heartbeat))
            await asyncio.sleep(30)
            assert len(at.emitted.of(Heartbeat)) == before
            reader.say(event(tlv(248, b"\x00\x01\x80")))  # an input: it proves nothing
            await asyncio.sleep(1)
            assert at.emitted.blinds == [(1, "not_reading")]
            reader.say(GOOD)
            await asyncio.sleep(3)
            assert at.emitted.blinds == [(1, "not_reading")] * 2
            assert len(at.emitted.of(Heartbeat)) > before

    run(main())


def test_reader_that_stays_inactive_is_restarted_now_and_then() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.START] = lambda frame: [reader.ok(frame)]
        async with desk(reader, no_reports_s=5) as at:
            reader.say(GOOD)
            await asyncio.sleep(1)
            reader.rospecs[1] = 1
            await asyncio.sleep(90)
            assert reader.rospecs == {1: 2}
            assert at.counts["rospec_restarts"] == 1

    run(main())


def test_reader_that_is_inactive_after_arming_is_not_covered() -> None:
    async def main() -> None:
        reader = ScriptedReader()

        def enable(frame: bytes) -> list[bytes]:
            reader.rospecs[1] = 1
            return [reader.ok(frame)]

        reader.answers[script.ENABLE] = enable
        reader.answers[script.START] = lambda frame: [reader.ok(frame)]
        async with desk(reader, no_reports_s=5) as at:
            await asyncio.sleep(20)
            assert at.emitted.of(Heartbeat) == []

    run(main())


def test_end_of_rospec_stops_heartbeats_until_it_runs_again() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        async with desk(reader, no_reports_s=60) as at:
            reader.rospecs[1] = 0
            reader.answers[script.ENABLE] = script.silent
            reader.say(event(tlv(249, b"\x01\x00\x00\x00\x01\x00\x00\x00\x00")))
            await asyncio.sleep(0.01)
            before = len(at.emitted.of(Heartbeat))
            await asyncio.sleep(5)
            assert len(at.emitted.of(Heartbeat)) == before
            assert at.counts["rospec_ended"] == 1
            await at.stop()
        assert script.ENABLE in reader.types_heard()

    run(main())


def test_rospec_that_ends_again_and_again_is_not_hammered() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        ended = event(tlv(249, b"\x01\x00\x00\x00\x01\x00\x00\x00\x00"))

        def enable(frame: bytes) -> list[bytes]:
            reader.rospecs[1] = 0
            return [reader.ok(frame), ended]

        async with desk(reader) as at:
            reader.answers[script.ENABLE] = enable
            reader.say(ended)
            reader.rospecs[1] = 0
            await asyncio.sleep(20)
            assert 5 < at.reader.types_heard().count(script.ENABLE) <= 25

    run(main())
