"""The chain when its parts fail: broker, core, reader cable, shelf, and the gateway itself."""

import asyncio
import signal
from pathlib import Path
from random import Random

import pytest

from simulators.broker import mosquitto
from simulators.demo.chain import Chain, run_chain
from simulators.demo.result import stock_error, summarise
from simulators.modbus.faults import Fault
from simulators.world.layout import SHELF_READER
from simulators.world.people import Crew, Habits
from tests.chain.asking import held_events
from tests.polling import until

AWAY_S = 15.0
"""A tag that is not seen for 10 s of watched time has departed: this is longer."""

DEPARTURE_AFTER_S = 14.0
"""By then a departure that blind time was counted for would have been decided, weight or not."""

STEADY = Habits(pause_s=(0.8, 2.0), gate_share=0.0)


async def work(chain: Chain, seconds: float) -> None:
    """Let people work for a while."""
    crew = Crew(chain.world, Random("people"), chain.watch_act, STEADY)
    await crew.work(chain.world.now() + seconds)


async def assert_all_booked_once(chain: Chain, within_s: float = 45.0) -> None:
    """The core comes to hold the world's stock, each movement once, without anybody's help."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while (error := await stock_error(chain)) and loop.time() < deadline:
        await chain.wait_until(lambda: False, 0.5)
    assert error == 0, f"pieces off: {error}"
    await chain.stop_daemon()
    result = await summarise(chain, 0, 0.0, "mosquitto")
    assert (result["lost"], result["duplicated"]) == (0, 0)


def movements(chain: Chain) -> int:
    """Movements that the core has booked so far."""
    return len(chain.booked)


@pytest.mark.server
async def test_broker_stopped_for_a_while_delays_and_loses_nothing(
    tmp_path: Path, broker_port: int
) -> None:
    async with run_chain(
        tmp_path, seed=12, broker_url=f"mqtt://127.0.0.1:{broker_port}", quiet=True
    ) as chain:
        async with mosquitto(broker_port):
            await chain.start_daemon()
            await chain.ready()
            await work(chain, 4)
        before = movements(chain)
        await work(chain, 8)
        assert movements(chain) == before
        async with mosquitto(broker_port):
            await assert_all_booked_once(chain)
        assert movements(chain) > before


@pytest.mark.server
async def test_core_stopped_for_a_while_gets_everything_after(chain: Chain) -> None:
    await chain.start_daemon()
    await chain.ready()
    await work(chain, 4)
    await chain.stop_core()
    before = movements(chain)
    await work(chain, 8)
    assert movements(chain) == before
    chain.start_core()
    await assert_all_booked_once(chain)


@pytest.mark.server
async def test_core_that_lost_its_last_records_is_healed_by_replay(chain: Chain) -> None:
    await chain.start_daemon()
    await chain.ready()
    await work(chain, 8)
    assert await chain.wait_until(lambda: movements(chain) >= 3, 30)
    await chain.stop_core()
    chain.core.desk.book.lose(5)
    chain.booked.clear()
    chain.start_core()
    assert await chain.wait_until(lambda: movements(chain) >= 1, 30)
    await assert_all_booked_once(chain)


@pytest.mark.server
async def test_gateway_stopped_by_signal_while_tags_are_read_departs_nothing(
    chain: Chain,
) -> None:
    await chain.start_daemon()
    await chain.ready()
    await asyncio.sleep(3.0)  # tags are read meanwhile: that is the condition under test
    assert chain.daemon is not None
    chain.daemon.send_signal(signal.SIGSTOP)
    await asyncio.sleep(10.0)
    chain.daemon.send_signal(signal.SIGCONT)
    await chain.wait_until(lambda: False, 14.0)
    assert movements(chain) == 0
    assert chain.unresolved == 0
    await work(chain, 4)
    await assert_all_booked_once(chain)


async def assert_nothing_departs(chain: Chain) -> None:
    """The reader is back: nothing departs from now on, while all that people do is booked."""
    loop = asyncio.get_running_loop()
    judged_at = loop.time() + DEPARTURE_AFTER_S
    assert (movements(chain), chain.unresolved) == (0, 0)
    await work(chain, 3)
    await chain.wait_until(lambda: False, judged_at - loop.time())
    await assert_all_booked_once(chain)
    told = [(each.item, each.quantity, each.source, each.target) for each in chain.booked]
    done = [(act.item, act.quantity, act.source, act.target) for act in chain.world.acts]
    assert sorted(told) == sorted(done) != []
    moved = {epc for act in chain.world.acts for epc in act.epcs}
    open_cases = [each for each in held_events(chain.folder) if each["event"] == "unresolved"]
    assert all(moved.issuperset(case["epcs"]) for case in open_cases), open_cases


@pytest.mark.server
async def test_reader_cable_pulled_in_mid_frame_departs_nothing(chain: Chain) -> None:
    """Once for a moment, and once for longer than a tag may be unseen."""
    await chain.start_daemon()
    await chain.ready()
    reader = chain.plant.readers[SHELF_READER]
    for hold_s in (0.0, AWAY_S):
        reader.faults.refuse = 1.0 if hold_s else 0.0
        reader.faults.cut = 1.0
        assert await chain.wait_until(lambda: not reader.connected, 10)
        reader.faults.cut = 0.0
        await chain.wait_until(lambda: reader.connected, hold_s)
        assert reader.connected is False or not hold_s
        reader.outbox.clear()  # what a reader saw meanwhile would prove that nothing departed
        reader.faults.refuse = 0.0
        assert await chain.wait_until(lambda: reader.inventorying, 20)
    assert reader.faults.struck["refuse"] > 1
    await assert_nothing_departs(chain)


@pytest.mark.server
async def test_reader_falling_silent_on_a_living_connection_departs_nothing(chain: Chain) -> None:
    await chain.start_daemon()
    await chain.ready()
    reader = chain.plant.readers[SHELF_READER]
    struck = reader.faults.struck
    reader.faults.silence = 1.0
    await until(lambda: "silence" in struck)
    assert reader.connected
    await chain.wait_until(lambda: False, AWAY_S)
    before = struck["silence"]
    await until(lambda: struck["silence"] > before)
    reader.faults.silence = 0.0
    assert reader.connected
    await until(lambda: not reader.connected)
    await until(lambda: reader.inventorying and reader.connected)
    await assert_nothing_departs(chain)


@pytest.mark.server
@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.WRONG_TRANSACTION, Fault.DEVICE_FAILURE])
async def test_shelf_answering_nonsense_books_nothing_false(chain: Chain, fault: Fault) -> None:
    await chain.start_daemon()
    await chain.ready()
    for bus in chain.plant.buses.values():
        bus.faults.probability[fault] = 0.3
    await chain.wait_until(lambda: False, 6.0)
    assert movements(chain) == 0
    assert all(bus.faults.counts[fault] for bus in chain.plant.buses.values())
    for bus in chain.plant.buses.values():
        bus.faults.probability.clear()
    await work(chain, 4)
    await assert_all_booked_once(chain)
