"""A disk that fills up under the running daemon, and is given space again."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from simulators.broker import mosquitto
from simulators.demo.chain import Chain, run_chain
from simulators.demo.result import stock_difference, summarise
from simulators.world.people import Crew, Habits
from tests.chain.asking import held_movements, now_utc

DISK_MIB = 40
"""Little, and more than the 16 MiB that must be free before booking is tried again."""

STEADY = Habits(pause_s=(0.5, 1.2), gate_share=0.0)

DECIDED_S = 4.0
"""By then the step of an untagged cell is decided."""

CHUNK = bytes(1 << 16)


@pytest.fixture
def small_disk(tmp_path: Path, require: Callable[[str], str]) -> Iterator[Path]:
    """The state folder on a file system of its own; only root may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mount, umount = require("mount"), require("umount")
    folder = tmp_path / "state"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m", "shelfgate-test", str(folder)]
    mounted = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        message = f"cannot mount a small file system: {mounted.stderr.strip()}"
        (pytest.fail if os.environ.get("SHELFGATE_STRICT") == "1" else pytest.skip)(message)
    try:
        yield folder
    finally:
        subprocess.run([umount, "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the space there is."""
    path = folder / "somebody-elses.log"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(CHUNK):
                pass
        except OSError:
            return path
    raise AssertionError("the disk never filled")


async def work(chain: Chain, seconds: float) -> int:
    """Let people work; how many acts they did."""
    before = len(chain.world.acts)
    crew = Crew(chain.world, Random(f"people {before}"), chain.watch_act, STEADY)
    await crew.work(chain.world.now() + seconds)
    return len(chain.world.acts) - before


async def restarted(chain: Chain) -> None:
    """The daemon ends by itself, as it must, and is started anew as systemd does it."""
    assert chain.daemon is not None
    async with asyncio.timeout(30):
        code = await chain.daemon.wait()
    assert code not in {0, 78}, "systemd restarts it but for 78; 0 would say that it was asked to"
    await chain.start_daemon()


@pytest.fixture
async def chain_on_small_disk(
    small_disk: Path, tmp_path: Path, broker_port: int
) -> AsyncIterator[Chain]:
    assert small_disk.parent == tmp_path
    async with (
        mosquitto(broker_port) as url,
        run_chain(tmp_path, seed=13, broker_url=url, quiet=True) as chain,
    ):
        await chain.start_daemon()
        await chain.ready()
        yield chain


@pytest.mark.server
async def test_disk_that_fills_is_told_and_the_daemon_starts_anew_when_it_is_freed(
    chain_on_small_disk: Chain, small_disk: Path
) -> None:
    chain = chain_on_small_disk
    filled = fill(small_disk)
    assert await work(chain, 6) > 0
    assert await chain.wait_until(lambda: "store_full" in chain.alerts, 20)
    booked = len(chain.booked)
    assert await work(chain, 3) > 0
    await chain.wait_until(lambda: False, DECIDED_S)
    assert len(chain.booked) == booked, "what is not on disk is not told"
    filled.unlink()
    assert await work(chain, 3) > 0
    await restarted(chain)
    assert await chain.wait_until(lambda: "store_full" not in chain.alerts, 20)
    assert await chain.wait_until(lambda: len(chain.booked) > booked + 1, 20)
    await chain.stop_daemon()
    result = await summarise(chain, 0, 0.0, "mosquitto")
    assert (result["lost"], result["ledger_lost"], result["duplicated"]) == (0, 0, 0)


@pytest.mark.server
async def test_acts_on_a_full_disk_are_found_when_it_is_freed(
    chain_on_small_disk: Chain, small_disk: Path
) -> None:
    """Each once, with the gap it fell into, although the first act after was on the same cell."""
    chain = chain_on_small_disk
    bolts = chain.world.spots["A-1"]
    filled = fill(small_disk)
    assert await work(chain, 6) > 0
    assert await chain.wait_until(lambda: "store_full" in chain.alerts, 20)
    await chain.wait_until(lambda: False, DECIDED_S)
    chain.world.put("Ana", bolts, 3)
    at = now_utc()
    await chain.wait_until(lambda: False, DECIDED_S)
    filled.unlink()
    chain.world.put("Ana", bolts, 2)
    await restarted(chain)
    deadline = chain.world.now() + 25
    while (off := await stock_difference(chain)) and chain.world.now() < deadline:
        await chain.wait_until(lambda: False, 0.5)
    assert off == {}, chain.world.acts
    await chain.stop_daemon()
    result = await summarise(chain, 0, 0.0, "mosquitto")
    assert (result["lost"], result["ledger_lost"], result["duplicated"]) == (0, 0, 0)
    found = [each for each in held_movements(chain.folder) if each["item"] == bolts.ware.code]
    assert found[-1]["reason"] == "found_after_gap"
    assert found[-1]["at_since"] <= at <= found[-1]["at_event"]
