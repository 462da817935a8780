import asyncio

import pytest

from drivers.llrp.session import RefusedError
from gateway.model import Pulse, ShowLight
from gateway.ports import LightAbility, LinkError, ProtocolError
from tests.drivers.llrp import scripted_reader as script
from tests.drivers.llrp.desk import Desk, desk, ends_with
from tests.drivers.llrp.scripted_reader import ScriptedReader, silent
from tests.drivers.llrp.wire import message, report, status, tag
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")
GOOD = report(tag(EPC, antenna=2, rssi=-40))


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


LAMPS = [{"light": f"lamp-{port}", "port": port} for port in (1, 2, 9)]


def test_output_is_set_and_confirmed() -> None:
    async def main() -> None:
        async with desk(lights=LAMPS) as at:
            await at.driver.act(ShowLight("dock:lamp-2", "red"))
            assert at.reader.heard[-1][10:] == b"\x00\x00\xdb\x00\x07\x00\x02\x80"
            at.reader.answers[script.SET_CONFIG] = lambda frame: [at.reader.refuse(frame)]
            with pytest.raises(RefusedError):
                await at.driver.act(ShowLight("dock:lamp-9", "red"))
            with pytest.raises(ProtocolError, match="no Pulse"):
                await at.driver.act(Pulse("dock", "tare", "dock:1"))
        with pytest.raises(LinkError, match="not connected"):
            await at.driver.act(ShowLight("dock:lamp-2", "red"))

    run(main())


def test_output_is_unsure_when_the_link_breaks() -> None:
    async def main() -> None:
        async with desk(lights=LAMPS) as at:
            at.reader.answers[script.SET_CONFIG] = silent
            act = asyncio.create_task(at.driver.act(ShowLight("dock:lamp-2", "red")))
            await asyncio.sleep(0.1)
            at.reader.cut()
            with pytest.raises(LinkError):
                await act
            await ends_with(at, "closed connection")

    run(main())


def test_output_can_be_set_as_soon_as_the_reader_has_greeted() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.CAPABILITIES] = silent
        at = Desk(reader, {"lights": LAMPS})
        await at.armed()  # as far as it comes
        await at.driver.act(ShowLight("dock:lamp-2", "red"))
        assert reader.heard[-1][1] == script.SET_CONFIG
        await at.stop()

    run(main())


def test_stack_light_lights_the_lamp_of_a_colour_and_darkens_the_others() -> None:
    async def main() -> None:
        stack = {"light": "stack", "ports": {"red": 1, "amber": 2}}
        async with desk(lights=[stack]) as at:
            assert at.driver.lights() == {"dock:stack": LightAbility(frozenset({"red", "amber"}))}
            switched = []
            for colour in ("red", "amber", "amber", "green", None):
                before = len(at.reader.heard)
                await at.driver.act(ShowLight("dock:stack", colour))
                switched.append([frame[-3:].hex() for frame in at.reader.heard[before:]])
            both = ["000180", "000200"]
            assert switched == [both, ["000100", "000280"], [], ["000200"], []]
            with pytest.raises(ProtocolError, match="no light dock:other"):
                await at.driver.act(ShowLight("dock:other", "red"))

    run(main())
