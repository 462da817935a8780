import asyncio
import struct

import pytest

from drivers.llrp.session import BAD_FRAMES_MAX
from gateway.model import DeviceFault, Heartbeat, TagRead
from gateway.ports import ProtocolError
from tests.drivers.llrp import scripted_reader as script
from tests.drivers.llrp.desk import Desk, desk, ends_with
from tests.drivers.llrp.scripted_reader import ScriptedReader
from tests.drivers.llrp.wire import attempt, epc_data, event, message, report, tag, tlv
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")
GOOD = report(tag(EPC, antenna=2, rssi=-40))


def test_reader_is_armed_and_its_reads_come_through() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(GOOD)
            await asyncio.sleep(0.1)
            assert at.emitted.reads() == [TagRead("dock:2", EPC.hex(), -4000, 1, 5_000_000)]
            assert "round_trip_us" in at.counts

    run(main())


def test_nothing_is_said_before_the_attempt_event() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.greets = False
        at = Desk(reader, {})
        await asyncio.sleep(5)
        assert reader.heard == []
        reader.say(event(attempt(0)))
        await at.armed()
        assert reader.heard != []
        await at.stop()

    run(main())


def test_reader_that_never_greets_is_left() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.greets = False
        at = Desk(reader, {"request_timeout_s": 4})
        await ends_with(at, "no ConnectionAttemptEvent", within_s=6)
        assert reader.wire is None

    run(main())


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "slot held: the reader has dialled out"),
        (2, "slot held: another client is connected"),
        (3, "any reason other"),
        (4, "Another connection attempted"),
    ],
)
def test_refused_attempt_says_why(code: int, text: str) -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.attempt_code = code
        at = Desk(reader, {})
        await ends_with(at, text, within_s=2)
        assert reader.heard == []

    run(main())


def test_second_client_of_the_reader_is_counted() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(event(attempt(4)))
            at.reader.say(GOOD)
            await asyncio.sleep(0.1)
            assert at.counts["second_clients"] == 1
            assert len(at.emitted.reads()) == 1

    run(main())


def test_unknown_message_costs_one_frame() -> None:
    async def main() -> None:
        async with desk() as at:
            unknown = message(999, b"\x4a\x22\x65\xb1" * 20)
            stream = unknown + GOOD + GOOD
            at.reader.say(stream[:150])
            at.reader.say(stream[150:])
            await asyncio.sleep(0.1)
            assert len(at.emitted.reads()) == 2
            assert at.counts["unknown_messages"] == 1

    run(main())


@pytest.mark.parametrize(
    "bad",
    [
        # A short result of an access operation, which overruns its tag.
        report(tlv(240, b"\x8d" + EPC + b"\x01\x5d\x00\xff\x00")),
        report(tlv(240, epc_data(96, EPC[:4]))),
        report(tlv(240, b"\x8d" + EPC[:4])),
        report(b"\x00\xf0\xff\xff"),
        # AISpecEvent with the standard's own C1G2SingulationDetails, unknown to the dictionary.
        event(tlv(254, struct.pack("!BIH", 0, 1, 1) + b"\x92\x00\x01\x00\x02")),
        event(b"\x00\xf8\xff\xff"),
        message(63, b""),
        message(63, b"\x00"),
    ],
)
def test_malformed_frame_costs_one_frame(bad: bytes) -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(bad + GOOD)
            await asyncio.sleep(0.1)
            assert [read.epc for read in at.emitted.reads()] == [EPC.hex()]
            assert at.counts["bad_frames"] == 1
            [fault] = [f for f in at.emitted.of(DeviceFault) if f.code == "bad_frame" and f.active]
            assert bad[:20].hex() in fault.detail

    run(main())


def test_lost_report_makes_the_time_blind() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(report(b"\x00\xf0\xff\xff"))
            at.reader.say(report(tag(EPC, antenna=1, extra=b"\xa0"), tag(EPC, antenna=1)))
            await asyncio.sleep(0.1)
            assert len(at.emitted.reads()) == 1
            assert sorted(at.emitted.blinds) == [
                (1, "bad_report"),
                (1, "unknown_parameter"),
            ]
            assert at.counts["tags_given_up"] == 1

    run(main())


def test_bad_frame_fault_is_raised_once_and_clears() -> None:
    async def main() -> None:
        async with desk() as at:
            for _ in range(20):
                at.reader.say(message(63))
                await asyncio.sleep(2)
            await asyncio.sleep(120)
            assert not at.task.done()  # keepalives came in between
            states = [f.active for f in at.emitted.of(DeviceFault) if f.code == "bad_frame"]
            assert states == [False, True, False]  # the first one clears what was before us

    run(main())


def test_garbage_without_end_makes_the_connection_anew() -> None:
    async def main() -> None:
        async with desk() as at:
            for _ in range(BAD_FRAMES_MAX):
                at.reader.say(message(63))
            error = await ends_with(at, "bad frames in a row")
            assert isinstance(error, ProtocolError)

    run(main())


def test_lost_frame_boundary_makes_the_connection_anew() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(GOOD + b"\x04\x3d\xff\xff\xff\xff\x00\x00\x00\x00")
            error = await ends_with(at, "4294967295 bytes long", within_s=1)
            assert isinstance(error, ProtocolError)
            assert len(at.emitted.reads()) == 1  # what came before it is not lost

    run(main())


def test_cut_in_mid_message_does_not_spoil_the_next_connection() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(GOOD + GOOD[:25])
            await asyncio.sleep(0.1)
            at.reader.cut(ConnectionResetError("cable"))
            await ends_with(at, "connection lost: cable", within_s=1)
            at.again()
            await at.armed()
            at.reader.say(GOOD)
            await asyncio.sleep(0.1)
            assert len(at.emitted.reads()) == 2
            assert at.reader.connections == 2
            assert at.counts["bad_frames"] == 0

    run(main())


def test_reader_that_closes_is_a_lost_link() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.cut()
            await ends_with(at, "reader closed connection", within_s=1)

    run(main())


def test_close_event_ends_the_connection() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(event(tlv(257, b"")))
            await ends_with(at, "ConnectionCloseEvent", within_s=1)

    run(main())


def test_keepalive_is_answered_and_is_a_heartbeat() -> None:
    async def main() -> None:
        async with desk() as at:
            await asyncio.sleep(10)
            assert len(at.emitted.of(Heartbeat)) in (10, 11)
            acks = at.reader.types_heard().count(script.KEEPALIVE_ACK)
            assert acks in (10, 11, 12)

    run(main())


def test_silent_reader_is_cut_after_two_and_a_half_periods() -> None:
    async def main() -> None:
        async with desk(keepalive_s=2) as at:
            at.reader.keepalives = False
            start = asyncio.get_running_loop().time()
            await ends_with(at, "nothing heard for 5 s")
            took = asyncio.get_running_loop().time() - start
            assert 3 <= took <= 5.1

    run(main())


def test_any_bytes_prove_that_the_reader_lives() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.keepalives = False
            for _ in range(20):
                at.reader.say(GOOD)
                await asyncio.sleep(1)
            assert not at.task.done()

    run(main())


def test_reader_that_does_not_read_is_cut() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.reads_socket = False
            for _ in range(7000):
                at.reader.say(message(62, b"", 1))
            await ends_with(at, "does not read")

    run(main())


def test_busy_gateway_does_not_stop_the_reading() -> None:
    async def main() -> None:
        async with desk() as at:
            at.emitted.free.clear()
            for _ in range(30):
                at.reader.say(GOOD)
                await asyncio.sleep(1)
            acks = at.reader.types_heard().count(script.KEEPALIVE_ACK)
            assert acks >= 29
            at.emitted.free.set()
            await asyncio.sleep(0.1)
            assert len(at.emitted.reads()) == 30
            assert at.emitted.seen_at() == sorted(at.emitted.seen_at())

    run(main())


def test_reads_of_one_connection_keep_their_order() -> None:
    async def main() -> None:
        async with desk() as at:
            for number in range(300):
                at.reader.say(report(tag(number.to_bytes(12), antenna=1)))
                if number % 7 == 0:
                    await asyncio.sleep(0.003)
            await asyncio.sleep(0.1)
            assert [int(read.epc, 16) for read in at.emitted.reads()] == list(range(300))

    run(main())


def test_bug_in_emit_is_not_hidden_as_a_lost_link() -> None:
    async def main() -> None:
        async with desk() as at:

            async def broken(*_: object) -> None:
                raise ZeroDivisionError

            await at.stop()
            broken.blind = lambda *_: None  # type: ignore[attr-defined]
            at.task = asyncio.create_task(at.driver.run(broken))  # type: ignore[arg-type]
            with pytest.raises(ZeroDivisionError):
                await at.task
            assert at.reader.wire is None

    run(main())
