import asyncio
import struct
from collections.abc import Sequence
from random import Random

import pytest
from llrpkit.protocol import enums, params

from simulators.llrp import (
    LlrpReader,
    RadioSettings,
    Sighting,
)
from simulators.llrp.clock import START_UTC_US
from tests.simulators.llrp import orders
from tests.simulators.llrp.readers import (
    ONE,
    connected,
    inventory,
    make,
    rospec_event,
    stamps,
)
from tests.virtual_time import run


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
