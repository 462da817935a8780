import asyncio
import struct
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from llrpkit.protocol import enums, params

from simulators.llrp import (
    IMPINJ_R420,
    PLAIN,
    Device,
    LlrpReader,
    Options,
    RadioSettings,
    Sighting,
    StillField,
    numbered_epcs,
)
from simulators.llrp.clock import START_UTC_US
from simulators.llrp.report import Content, ReportSpec
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import Client
from tests.virtual_time import run

ONE = orders.number(1)
EXTENSIONS_ON = struct.pack("!IBI", 25882, 21, 0)


def make(tags: int = 3, device: Device = IMPINJ_R420, seed: int = 1, **options: Any) -> LlrpReader:
    random = Random(seed)
    chosen = Options(device=device, **options)
    return LlrpReader(StillField(numbered_epcs(tags), random, (1, 2)), random, chosen)


async def connected(reader: LlrpReader) -> Client:
    client = Client.in_memory(reader)
    await client.wait_for(63, attempt(0))
    return client


async def inventory(client: Client, **options: Any) -> None:
    options.setdefault("session", 0)
    assert (await client.ask(20, orders.add(**options))).status == 0
    assert (await client.ask(24, ONE)).status == 0


def attempt(status: int) -> bytes:
    return struct.pack("!HHH", 256, 6, status)


def rospec_event(kind: int) -> bytes:
    return struct.pack("!HHBI", 249, 13, kind, 1)


def stamps(client: Client) -> list[int]:
    """The first-seen stamp of every report with one tag."""
    mark = b"\x82\x00\x06"
    return [int.from_bytes(m.body.split(mark)[1][:6], "big") + (6 << 48) for m in client.of(61)]


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


def test_each_read_is_reported_with_its_own_time() -> None:
    async def main() -> None:
        async with make(tags=1) as reader:
            client = await connected(reader)
            await inventory(client, antennas=(1,))
            await asyncio.sleep(10)
            seen = stamps(client)
            assert len(seen) == reader.runner.reads > 300
            assert seen == sorted(seen)
            assert abs(seen[-1] - (START_UTC_US + 10_000_000)) < 100_000

    run(main())


@pytest.mark.parametrize("rate", [300.0, 5000.0])
def test_rate_is_that_of_the_settings(rate: float) -> None:
    async def main() -> None:
        radio = RadioSettings(reads_per_s=rate)
        async with make(tags=2000, radio=radio) as reader:
            client = await connected(reader)
            await inventory(client, antennas=(1,))
            await asyncio.sleep(5)
            assert len(client.of(61)) == pytest.approx(5 * rate, rel=0.05)

    run(main())


def test_antennas_share_the_time_by_their_dwell() -> None:
    async def main() -> None:
        async with make(tags=2) as reader:
            client = await connected(reader)
            await inventory(client, antennas=(1, 2))
            await asyncio.sleep(4)
            first, second = (len(client.of(61, b"\x81" + struct.pack("!H", n))) for n in (1, 2))
            assert first == pytest.approx(second, rel=0.1)
            assert first > 50

    run(main())


def test_stopping_ends_the_reads_and_starting_resumes_them() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await inventory(client)
            await asyncio.sleep(1)
            await client.ask(23, ONE)
            reads = len(client.of(61))
            await asyncio.sleep(10)
            assert len(client.of(61)) == reads > 0
            await client.ask(22, ONE)
            await asyncio.sleep(1)
            assert len(client.of(61)) > reads

    run(main())


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


def test_tag_observation_ends_the_aispec_after_n_tags() -> None:
    async def main() -> None:
        async with make(tags=3) as reader:
            client = await connected(reader)
            start = enums.ROSpecStartTriggerType.Null
            for kind, values in (
                (0, {"number_of_tags": 2}),
                (1, {"t": 500}),
                (2, {"number_of_attempts": 4}),
                (0, {"number_of_tags": 60_000, "timeout": 700}),
            ):
                spec = orders.observe(orders.rospec(session=0, start=start), kind, **values)
                await client.ask(20, orders.add(spec))
                await client.ask(24, ONE)
                before = reader.runner.reads
                await client.ask(22, ONE)
                await asyncio.sleep(5)
                assert not reader.inventorying, kind
                assert 0 < reader.runner.reads - before < 250
                await client.ask(21, ONE)

    run(main())


def test_periodic_trigger_starts_after_its_offset_and_again() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            spec = orders.rospec(session=0, start=enums.ROSpecStartTriggerType.Periodic)
            spec.ro_boundary_spec.ro_spec_start_trigger.periodic_trigger_value = (
                params.PeriodicTriggerValue(offset=1000, period=10_000)
            )
            spec.ro_boundary_spec.ro_spec_stop_trigger = params.ROSpecStopTrigger(
                ro_spec_stop_trigger_type=1, duration_trigger_value=2000
            )
            await client.ask(3, orders.events(2))
            await client.ask(20, orders.add(spec))
            await client.ask(24, ONE)
            await asyncio.sleep(30)
            assert len(client.of(63, rospec_event(0))) == 3
            assert len(client.of(63, rospec_event(1))) == 3

    run(main())


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


def test_held_reports_come_in_one_burst_with_their_old_stamps() -> None:
    async def main() -> None:
        async with make(tags=1) as reader:
            first = await connected(reader)
            await first.ask(3, orders.hold())
            await inventory(first, antennas=(1,))
            await asyncio.sleep(1)
            first.close()
            await asyncio.sleep(30)
            second = await connected(reader)
            await asyncio.sleep(5)
            assert len(second.unasked) == 1
            second.send(64)
            await asyncio.sleep(0.005)
            seen = [stamp - START_UTC_US for stamp in stamps(second)]
            assert seen == sorted(seen)
            assert 1_000_000 <= seen[0] < 1_100_000
            assert seen[-1] > 35_900_000
            assert len(seen) > 1000

    run(main())


def test_client_that_stops_reading_loses_nothing_within_the_bound() -> None:
    async def main() -> None:
        async with make() as reader:
            client = await connected(reader)
            await inventory(client)
            assert client.transport is not None
            client.transport.pause_reading()
            await asyncio.sleep(60)
            assert len(reader.outbox) > 500
            client.transport.resume_reading()
            await client.ask(25, ONE)
            assert len(client.of(61)) == reader.runner.reads
            assert (reader.outbox.lost, len(reader.outbox)) == (0, 0)

    run(main())


def test_rospec_survives_a_disconnect_unless_configured_otherwise() -> None:
    async def main() -> None:
        for keeps in (True, False):
            async with make(keeps_rospecs=keeps) as reader:
                client = await connected(reader)
                await inventory(client)
                client.close()
                await asyncio.sleep(1)
                assert reader.inventorying is keeps
                again = await connected(reader)
                assert (len((await again.ask(26)).body) > 8) is keeps

    run(main())


def test_plain_reader_keeps_nothing_for_an_absent_client() -> None:
    async def main() -> None:
        async with make(device=PLAIN) as reader:
            client = await connected(reader)
            await inventory(client)
            client.close()
            await asyncio.sleep(10)
            assert len(reader.outbox) == 0
            again = await connected(reader)
            await asyncio.sleep(0.1)
            (event,) = again.of(63)
            assert event.body[4:8] == struct.pack("!HH", 129, 12)
            uptime_us = int.from_bytes(event.body[8:16], "big")
            assert uptime_us == pytest.approx(10_000_000, abs=10_000)

    run(main())


def test_overflow_of_the_buffer_is_told_on_return() -> None:
    async def main() -> None:
        async with make(held_max=50) as reader:
            client = await connected(reader)
            await client.ask(3, orders.events(3))
            await inventory(client)
            client.close()
            await asyncio.sleep(60)
            again = await connected(reader)
            await again.wait_for(63, struct.pack("!HH", 251, 4))
            assert len(again.of(63, struct.pack("!HHB", 250, 5, 80))) == 1
            assert reader.outbox.lost > 100

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


@pytest.mark.parametrize("name", ["cut", "corrupt", "truncate", "unknown", "silence"])
def test_fault_strikes_the_report_it_is_drawn_for(name: str) -> None:
    async def main() -> None:
        async with make(tags=1) as reader:
            client = await connected(reader)
            await inventory(client, antennas=(1,))
            await client.wait_for(61, count=3)
            good = client.of(61)[-1]
            mark = len(client.received)
            setattr(reader.faults, name, 1.0)
            await asyncio.sleep(0.5)
            rest = bytes(client.received[mark:])
            assert reader.faults.struck[name] >= 1
            if name == "cut":
                assert client.closed.is_set()
                assert len(rest) == (len(good.whole)) // 2
            elif name == "silence":
                assert rest == b""
            elif name == "unknown":
                assert len(client.of(999)) > 3
                assert len(client.of(61)) > 6
            elif name == "truncate":
                assert all(len(m.body) < len(good.body) for m in client.of(61)[3:])
            else:
                assert len(client.of(61)[-1].body) == len(good.body)
                assert client.of(61)[-1].body[:4] != good.body[:4] or (
                    client.of(61)[-1].body != good.body
                )

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


def test_same_seed_gives_the_same_bytes() -> None:
    async def once(seed: int) -> bytes:
        async with make(tags=20, seed=seed) as reader:
            reader.faults.corrupt = reader.faults.drop = reader.faults.delay = 0.1
            client = await connected(reader)
            await inventory(client, session=1)
            await asyncio.sleep(20)
            return bytes(client.received)

    assert run(once(5)) == run(once(5))
    assert run(once(5)) != run(once(6))


def test_failure_of_the_field_comes_out_at_shutdown() -> None:
    class Broken:
        def inventory(self, _antenna: int, _power_dbm: float, _at_s: float) -> Sequence[Sighting]:
            raise RuntimeError("the world fell apart")

    async def main() -> None:
        reader = LlrpReader(Broken(), Random(1))
        await reader.start()
        client = await connected(reader)
        await inventory(client)
        await asyncio.sleep(1)
        await reader.shutdown()

    with pytest.raises(RuntimeError, match="fell apart"):
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
