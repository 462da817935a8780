import asyncio

from gateway.model import DeviceFault, InputChange, TagReport
from tests.drivers.llrp import scripted_reader as script
from tests.drivers.llrp.desk import Desk, desk
from tests.drivers.llrp.scripted_reader import ZEBRA, ScriptedReader
from tests.drivers.llrp.wire import event, message, report, status, tag, tlv
from tests.virtual_time import run

EPC = bytes.fromhex("3034000091b7584a2265b1f5")
GOOD = report(tag(EPC, antenna=2, rssi=-40))


async def reconnected(at: Desk) -> list[int]:
    """Cut the link and connect again; what the reader heard on the new connection."""
    at.reader.cut()
    await asyncio.wait([at.task])
    assert at.task.exception() is not None
    at.reader.heard.clear()
    at.again()
    await at.armed()
    return [kind for kind in at.reader.types_heard() if kind != script.KEEPALIVE_ACK]


def test_first_connection_provisions_in_order() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            heard = [kind for kind in at.reader.types_heard() if kind != script.KEEPALIVE_ACK]
            assert heard == [
                script.CAPABILITIES,
                script.CUSTOM,
                script.CONFIG,
                script.GET_ROSPECS,
                script.SET_CONFIG,
                script.ADD,
                script.ENABLE,
                script.CONFIG,
                script.GET_ROSPECS,
                script.ENABLE_EVENTS,
            ]
            assert at.reader.rospecs == {1: 2}
            assert at.counts["provisionings"] == 1

    run(main())


def test_what_is_unchanged_is_left_alone() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            heard = await reconnected(at)
            assert script.SET_CONFIG not in heard
            assert script.DELETE not in heard
            assert heard[-1] == script.ENABLE_EVENTS
            assert at.counts["provisioning_kept"] == 1

    run(main())


def test_impinj_extensions_are_enabled_on_every_connection() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            for _ in range(3):
                assert script.CUSTOM in await reconnected(at)
        async with desk(ScriptedReader(ZEBRA)) as other:
            assert script.CUSTOM not in other.reader.types_heard()

    run(main())


def test_unchanged_reader_with_a_stopped_rospec_is_started() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            at.reader.rospecs[1] = 0
            heard = await reconnected(at)
            assert script.ENABLE in heard
            assert script.ADD not in heard
            assert at.reader.rospecs == {1: 2}

    run(main())


def test_changed_configuration_is_written_anew() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            at.reader.state_value += 1
            at.reader.contents[1] = at.reader.contents[1][:-1] + b"\x77"
            heard = await reconnected(at)
            assert [k for k in heard if k in (3, 20, 21, 24)] == [3, 21, 20, 24]

    run(main())


def test_restarted_gateway_keeps_a_rospec_that_is_its_own() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        async with desk(reader):
            pass
        reader.heard.clear()
        async with desk(reader) as again:
            heard = [kind for kind in reader.types_heard() if kind in (3, 20, 21, 24)]
            assert heard == [script.SET_CONFIG]
            assert again.counts["rospecs_kept"] == 1
        reader.heard.clear()
        async with desk(reader, power_dbm=20) as other:
            assert [k for k in reader.types_heard() if k in (3, 20, 21, 24)] == [3, 21, 20, 24]
            assert other.counts["rospecs_kept"] == 0

    run(main())


def test_rebooted_reader_without_rospecs_is_provisioned() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            at.reader.rospecs.clear()  # its state value is the old one, as some readers have it
            heard = await reconnected(at)
            assert script.ADD in heard
            assert script.DELETE not in heard  # there is nothing to delete
            assert at.reader.rospecs == {1: 2}

    run(main())


def test_rospec_of_somebody_else_makes_room() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.rospecs[123] = 2
        async with desk(reader):
            assert reader.rospecs == {1: 2}

    run(main())


def test_rospec_of_somebody_else_in_an_unchanged_reader_makes_room() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            at.reader.rospecs = {123: 2}
            await reconnected(at)
            assert at.reader.rospecs == {1: 2}

    run(main())


def test_reader_that_refuses_to_delete_all_is_asked_for_ours() -> None:
    async def main() -> None:
        reader = ScriptedReader(ZEBRA)
        reader.rospecs[1] = 0

        def delete(frame: bytes) -> list[bytes]:
            if int.from_bytes(frame[10:14]) == 0:
                return [reader.refuse(frame)]
            reader.rospecs.pop(int.from_bytes(frame[10:14]))
            return [reader.ok(frame)]

        reader.answers[script.DELETE] = delete
        async with desk(reader):
            assert reader.types_heard().count(script.DELETE) == 2
            assert reader.rospecs == {1: 2}

    run(main())


def test_reader_without_rospec_listing_and_state_value_is_provisioned_each_time() -> None:
    async def main() -> None:
        reader = ScriptedReader(ZEBRA)
        reader.answers[script.GET_ROSPECS] = lambda frame: [
            message(100, status(108), int.from_bytes(frame[6:10]))
        ]
        reader.answers[script.CONFIG] = lambda frame: [reader.refuse(frame)]
        async with desk(reader) as at:
            heard = await reconnected(at)
            assert [k for k in heard if k in (3, 20, 21, 24)] == [3, 21, 20, 24]
            assert at.counts["rospecs_unknown"] == 2

    run(main())


def test_start_is_not_sent_to_a_rospec_that_starts_at_once() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            await asyncio.sleep(30)
            assert script.START not in at.reader.types_heard()

    run(main())


def test_rospec_that_stays_inactive_is_started() -> None:
    async def main() -> None:
        reader = ScriptedReader(ZEBRA)

        def enable(frame: bytes) -> list[bytes]:
            reader.rospecs[1] = 1
            return [reader.ok(frame)]

        def start(frame: bytes) -> list[bytes]:
            reader.rospecs[1] = 2
            return [reader.ok(frame)]

        reader.answers[script.ENABLE] = enable
        reader.answers[script.START] = start
        async with desk(reader, no_reports_s=2):
            await asyncio.sleep(3)
            assert reader.rospecs == {1: 2}

    run(main())


def test_held_reports_are_released_last_and_come_with_their_age() -> None:
    async def main() -> None:
        reader = ScriptedReader()

        async def let_go() -> None:
            await reader.released.wait()
            reader.say(report(tag(EPC, antenna=1, last=reader.now_us() - 90_000_000)))

        waiting = asyncio.create_task(let_go())
        async with desk(reader) as at:
            now = at.clock.now()
            await asyncio.sleep(0.1)
            [seen] = at.emitted.seen_at()
            assert abs(now - seen - 90 * 10**9) < 10**7
            assert at.counts["reads_late"] == 1
            assert at.reader.heard[-1][1] == script.ENABLE_EVENTS
        await waiting

    run(main())


def test_reader_without_holding_is_not_told_to_release() -> None:
    async def main() -> None:
        async with desk(ScriptedReader(ZEBRA, holds=False)) as at:
            assert script.ENABLE_EVENTS not in at.reader.types_heard()

    run(main())


def test_watched_inputs_are_told_on_connect() -> None:
    async def main() -> None:
        async with desk(ScriptedReader(), gpi_ports=(1, 2)) as at:
            await asyncio.sleep(0.1)
            assert at.emitted.of(InputChange) == [
                InputChange("dock", 1, False),
                InputChange("dock", 2, True),
            ]

    run(main())


def test_antennas_are_told_on_connect() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.antennas_connected = {1: True, 2: False, 3: False}
        async with desk(reader, antennas=(1, 2)) as at:
            await asyncio.sleep(0.1)
            faults = [f for f in at.emitted.of(DeviceFault) if f.code == "antenna_disconnected"]
            assert [(f.antenna, f.active, f.blinds) for f in faults] == [
                (1, False, True),
                (2, True, True),
            ]

    run(main())


def test_link_that_died_silently_is_provisioned_anew() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            at.reader.keepalives = False
            await asyncio.wait([at.task])
            assert at.task.exception() is not None
            at.reader.keepalives = True
            at.again()
            await at.armed()
            assert at.counts["provisionings"] == 2

    run(main())


def test_wrong_settings_change_nothing_in_the_reader() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.rospecs[5] = 2
        at = Desk(reader, {"mode": 7})
        await asyncio.wait([at.task])
        assert "mode 7" in str(at.task.exception())
        assert reader.rospecs == {5: 2}
        assert script.SET_CONFIG not in reader.types_heard()

    run(main())


def test_antenna_that_the_reader_leaves_out_is_the_last_one() -> None:
    async def main() -> None:
        async with desk(ScriptedReader()) as at:
            at.reader.say(GOOD)
            at.reader.say(report(tag(EPC, rssi=-41)))
            await asyncio.sleep(0.1)
            assert {read.read_point for read in at.emitted.reads()} == {"dock:2"}
            assert len(at.emitted.of(TagReport)) == 1

    run(main())


def antenna_words(at: Desk) -> list[tuple[int, bool]]:
    faults = [f for f in at.emitted.of(DeviceFault) if f.code == "antenna_disconnected"]
    return [(fault.antenna, fault.active) for fault in faults]


def test_antenna_stays_blind_over_a_reconnect_until_it_reads() -> None:
    """The reader does not tell its configuration: nobody says that the antenna is back."""

    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.CONFIG] = lambda frame: [reader.refuse(frame)]
        async with desk(reader, antennas=(1, 2)) as at:
            reader.say(event(tlv(255, b"\x00\x00\x02")))
            await asyncio.sleep(0.1)
            await reconnected(at)
            await asyncio.sleep(0.1)
            assert antenna_words(at) == [(2, True), (2, True)]
            reader.say(report(tag(EPC, antenna=2)))
            await asyncio.sleep(0.1)
            reader.say(report(tag(EPC, antenna=2)))
            await asyncio.sleep(0.1)
            assert antenna_words(at) == [(2, True), (2, True), (2, False)]

    run(main())


def test_antenna_that_an_earlier_process_held_for_blind_is_believed_when_it_reads() -> None:
    async def main() -> None:
        reader = ScriptedReader()
        reader.answers[script.CONFIG] = lambda frame: [reader.refuse(frame)]
        async with desk(reader, antennas=(1, 2)) as at:
            await asyncio.sleep(0.1)
            reader.say(report(tag(EPC, antenna=1)))
            await asyncio.sleep(0.1)
            assert antenna_words(at) == [(1, False)]

    run(main())
