"""kill -9 at every seam and at random instants: nothing lost, nothing doubled, nothing by hand."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from simulators.demo.chain import Chain
from simulators.demo.result import stock_error, summarise
from simulators.demo.site_files import GATEWAY
from simulators.world.people import Crew, Habits
from simulators.world.world import Act
from tests.chain.asking import device_is_up, held_movements, now_utc

CRASHING = Path(__file__).with_name("crashing_daemon.py")
SEAMS = ("commit", "publish", "puback", "core_ack")
KILLS_PER_POINT = 5
RANDOM_KILLS = 50
FOUND_AFTER_GAP_MIN = 5
"""Of some hundred acts, with the daemon away again and again while people work."""

QUICK = Habits(pause_s=(0.4, 1.2), gate_share=0.0)
"""Some 60 acts a minute. Nothing through the gate: what passes it unwatched leaves no trace."""


async def work_through(chain: Chain, kill: Callable[[], Awaitable[None]], kills: int) -> None:
    """Let people work while the daemon is killed again and again; then let it come to rest."""
    await chain.start_daemon()
    await chain.ready()
    await chain.stop_daemon()
    crew = Crew(chain.world, Random("people"), chain.watch_act, QUICK)
    working = asyncio.create_task(crew.work(until_s=1e9))
    for _ in range(kills):
        await kill()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await chain.start_daemon()
    await chain.wait_until(lambda: False, 6.0)


async def assert_exactly_once(chain: Chain) -> None:
    """Every decided movement is in the core once, and the core's stock is the world's."""
    error = await stock_error(chain)
    for _ in range(40):
        if error == 0:
            break
        await chain.wait_until(lambda: False, 1.0)
        error = await stock_error(chain)
    await chain.stop_daemon()
    result = await summarise(chain, 0, 0.0, "mosquitto")
    assert result["lost"] == 0
    assert result["duplicated"] == 0
    assert error == 0, f"pieces off: {error}"
    assert result["settled"] > 0


@pytest.mark.server
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seam", SEAMS)
async def test_kill_at_seam_loses_and_doubles_nothing(chain: Chain, seam: str) -> None:
    random = Random(f"kills {seam}")
    points = [f"{when}_{seam}" for when in ("before", "after") for _ in range(KILLS_PER_POINT)]

    async def kill() -> None:
        nth = random.randint(3, 9) if seam in {"commit", "publish", "puback"} else 2
        await chain.start_daemon(sys.executable, str(CRASHING), points.pop(), str(nth))
        assert chain.daemon is not None
        async with asyncio.timeout(40):
            assert await chain.daemon.wait() == -9

    await work_through(chain, kill, len(points))
    await assert_exactly_once(chain)


@pytest.mark.server
@pytest.mark.timeout(400)
async def test_kill_at_random_instants_loses_and_doubles_nothing(chain: Chain) -> None:
    random = Random("instants")

    async def kill() -> None:
        await chain.start_daemon()
        await asyncio.sleep(random.uniform(0.3, 3.0))
        assert chain.daemon is not None
        chain.daemon.kill()
        assert await chain.daemon.wait() == -9

    await work_through(chain, kill, RANDOM_KILLS)
    await assert_exactly_once(chain)
    found = [each for each in held_movements(chain.folder) if each["reason"] == "found_after_gap"]
    assert len(found) >= FOUND_AFTER_GAP_MIN
    assert all(each["at_since"] <= each["at_event"] for each in found)


@pytest.mark.server
async def test_acts_while_the_daemon_is_dead_are_each_found_with_the_gap_they_fell_into(
    chain: Chain,
) -> None:
    """One act on each cell, tagged goods among them."""
    await chain.start_daemon()
    await chain.ready()
    assert chain.daemon is not None
    chain.daemon.kill()
    assert await chain.daemon.wait() == -9
    acts: list[tuple[Act, str]] = []
    for number, spot in enumerate(chain.world.spots.values()):
        await asyncio.sleep(0.3)  # so that the acts have times of their own
        move = chain.world.put if number % 2 else chain.world.pick
        quantity = 1 if spot.ware.serials else 2
        acts.append((move("Ana", spot, quantity), now_utc()))
    await asyncio.sleep(1.0)
    began = now_utc()
    await chain.start_daemon()
    assert await chain.wait_until(lambda: len(chain.booked) >= len(acts), 30)
    await assert_exactly_once(chain)
    held = held_movements(chain.folder)
    assert len(held) == len(acts)
    for act, at in acts:
        (found,) = (each for each in held if each["item"] == act.item)
        ends = found["from"]["location"], found["to"]["location"]
        assert (found["quantity"], *ends) == (act.quantity, act.source, act.target)
        assert found["reason"] == "found_after_gap"
        assert found["at_since"] <= at < began
        assert at <= found["at_event"]
        assert found["at_event"] <= found["at_decided"]


@pytest.mark.server
@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_kill_around_an_action_never_repeats_it_and_books_no_step(
    chain: Chain, when: str
) -> None:
    await chain.start_daemon()
    await chain.ready()
    await chain.stop_daemon()
    scale = chain.plant.buses["shelf-b"].units[1]
    for turn in range(KILLS_PER_POINT):
        await chain.start_daemon(sys.executable, str(CRASHING), f"{when}_action", "1")
        assert chain.daemon is not None
        assert await chain.wait_until(lambda: device_is_up(chain, "shelf-b"), 20)
        before = len(scale.writes)
        asking = asyncio.create_task(chain.core.command(GATEWAY, "zero", {"cell": "shelf-b:1"}))
        async with asyncio.timeout(30):
            assert await chain.daemon.wait() == -9
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        chain.daemon = None
        assert len(scale.writes) - before == (0 if when == "before" else 1), turn
    sent = len(scale.writes)
    await chain.start_daemon()
    assert await chain.wait_until(lambda: "pulse_unknown" in chain.alerts, 20)
    crew = Crew(chain.world, Random("people"), chain.watch_act, QUICK)
    await crew.work(chain.world.now() + 4)
    await assert_exactly_once(chain)
    assert len(scale.writes) == sent
    assert not scale.forbidden_writes
