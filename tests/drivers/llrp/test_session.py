import asyncio
import struct

import pytest

from drivers.llrp.session import BAD_FRAMES_MAX, RefusedError
from gateway.model import DeviceFault, Heartbeat, Pulse, SetOutput, TagRead
from gateway.ports import LinkError, ProtocolError
from tests.drivers.llrp import scripted_reader as script
from tests.drivers.llrp.desk import Desk, desk
from tests.drivers.llrp.scripted_reader import ScriptedReader, silent
from tests.drivers.llrp.wire import attempt, epc_data, event, message, report, status, tag, tlv
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")
GOOD = report(tag(EPC, antenna=2, rssi=-40))


async def ends_with(at: Desk, text: str, within_s: float = 60.0) -> LinkError:
    """The error that the run ends with, which says `text`."""
    async with asyncio.timeout(within_s):
        with pytest.raises(LinkError, match=text) as caught:
            await at.task
    return caught.value


def test_reader_is_armed_and_its_reads_come_through() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(GOOD)
            await asyncio.sleep(0.1)
            assert at.emitted.reads() == [TagRead("dock:2", EPC.hex(), -4000, 1, 5_000_000)]

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


@pytest.mark.parametrize(
    "kind",
    [
        script.CAPABILITIES,
        script.CONFIG,
        script.SET_CONFIG,
        script.ADD,
        script.ENABLE,
        script.CUSTOM,
    ],
)
def test_answer_that_never_comes_ends_in_time(kind: int) -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[kind] = silent
        at = Desk(reader, {"request_timeout_s": 3})
        await ends_with(at, "no answer", within_s=10)

    run(main())


def test_answer_with_another_id_is_no_answer() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.ADD] = lambda _: [message(30, status(), 0xFFFF)]
        at = Desk(reader, {"request_timeout_s": 3})
        await ends_with(at, "no answer", within_s=10)
        assert at.counts["unknown_messages"] == 1

    run(main())


def test_answer_of_another_type_is_no_answer() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.ADD] = lambda frame: [
            message(34, status(), int.from_bytes(frame[6:10]))
        ]
        at = Desk(reader, {"request_timeout_s": 3})
        await ends_with(at, "no answer", within_s=10)
        assert at.counts["answers_unasked"] == 1

    run(main())


def test_error_message_as_an_answer_is_a_refusal() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.ADD] = lambda frame: [
            message(100, status(105, b"too many"), int.from_bytes(frame[6:10]))
        ]
        at = Desk(reader, {})
        error = await ends_with(at, "too many")
        assert isinstance(error, RefusedError)

    run(main())


def test_error_message_without_a_request_is_not_fatal() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.say(message(100, status(110), 12345))
            at.reader.say(GOOD)
            await asyncio.sleep(0.1)
            assert len(at.emitted.reads()) == 1
            assert at.counts["answers_unasked"] == 1

    run(main())


def test_refusal_names_request_code_and_text() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.ENABLE] = lambda frame: [reader.refuse(frame, 401, b"radio broken")]
        at = Desk(reader, {})
        await ends_with(at, "ENABLE_ROSPEC: .*DeviceError, radio broken")

    run(main())


def test_malformed_answer_ends_the_connection() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.CAPABILITIES] = lambda frame: [
            message(11, status() + b"\x00\x89\x00\x05\x00", int.from_bytes(frame[6:10]))
        ]
        at = Desk(reader, {})
        error = await ends_with(at, "GET_READER_CAPABILITIES")
        assert isinstance(error, ProtocolError)

    run(main())


def test_stop_frees_the_slot_with_close_connection() -> None:
    async def main() -> None:
        async with desk() as at:
            pass
        assert at.reader.types_heard()[-1] == script.CLOSE
        assert at.reader.wire is None
        assert at.task.cancelled()

    run(main())


def test_stop_does_not_wait_for_a_dead_reader() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.answers[script.CLOSE] = silent
            start = asyncio.get_running_loop().time()
            await at.stop()
            assert asyncio.get_running_loop().time() - start <= 1.1
            assert at.reader.wire is None

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


def test_output_is_set_and_confirmed() -> None:
    async def main() -> None:
        async with desk() as at:
            await at.driver.act(SetOutput("dock", 2, True))
            assert at.reader.heard[-1][10:] == b"\x00\x00\xdb\x00\x07\x00\x02\x80"
            at.reader.answers[script.SET_CONFIG] = lambda frame: [at.reader.refuse(frame)]
            with pytest.raises(RefusedError):
                await at.driver.act(SetOutput("dock", 9, True))
            with pytest.raises(ProtocolError, match="no Pulse"):
                await at.driver.act(Pulse("dock", "tare", "dock:1"))
        with pytest.raises(LinkError, match="not connected"):
            await at.driver.act(SetOutput("dock", 2, True))

    run(main())


def test_output_is_unsure_when_the_link_breaks() -> None:
    async def main() -> None:
        async with desk() as at:
            at.reader.answers[script.SET_CONFIG] = silent
            act = asyncio.create_task(at.driver.act(SetOutput("dock", 2, True)))
            await asyncio.sleep(0.1)
            at.reader.cut()
            with pytest.raises(LinkError):
                await act
            await ends_with(at, "closed connection")

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
