"""A world of the benchmark in real time: the real daemon watches it over the wire."""

import asyncio
import json
import os
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import STORE_FILE
from simulators.world.live import parse, serve
from simulators.world.live_site import write_site
from simulators.world.scenarios import FAMILIES, make_scenario
from tests.simulators.llrp.client import Client

Told = Counter[tuple[str, str, str, int]]

SEED, LENGTH_S, OPENING_S = 79, 55.0, 12.0
"""A smart shelf with a reader in session 0, and acts in which both senses agree."""


def booked(folder: Path) -> list[dict[str, Any]]:
    """The movements of the gateway's ledger."""
    path = folder / "state" / STORE_FILE
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
        if not ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger'").fetchall():
            return []
        rows = ledger.execute("SELECT body FROM ledger WHERE kind = 'movement'").fetchall()
    return [json.loads(body) for (body,) in rows]


def told(folder: Path) -> Told:
    """What went whence to where."""
    return Counter(
        (one["item"], one["from"]["location"], one["to"]["location"], int(one["quantity"]))
        for one in booked(folder)
    )


async def test_daemon_finds_the_movements_of_a_world_behind_the_wire(tmp_path: Path) -> None:
    scenario, _ = make_scenario("fused", "normal", SEED, LENGTH_S, OPENING_S)
    truth = Counter((act.item, act.source, act.target, act.quantity) for act in scenario.acts)
    assert truth.total() >= 4
    loop = asyncio.get_running_loop()
    async with serve(scenario, loop.time) as live:
        config = write_site(tmp_path, scenario, live.ports)
        daemon = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("shelfgate"),
            "run",
            "--config",
            str(config),
            env={k: v for k, v in os.environ.items() if not k.startswith("SHELFGATE__")},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            while told(tmp_path) != truth and loop.time() < live.start_s + LENGTH_S + 15.0:
                assert daemon.returncode is None
                await asyncio.sleep(0.5)
        finally:
            daemon.terminate()
            await daemon.wait()
    assert told(tmp_path) == truth
    smelled = {epc for one in booked(tmp_path) for epc in one["epcs"]}
    assert smelled & {epc for act in scenario.acts for epc in act.epcs}


@pytest.mark.parametrize("family", FAMILIES)
async def test_every_family_can_be_served(family: str, tmp_path: Path) -> None:
    scenario, _ = make_scenario(family, "normal", 1, 400.0)
    async with serve(scenario, asyncio.get_running_loop().time) as live:
        config = write_site(tmp_path, scenario, live.ports).read_text("utf-8")
        assert len(set(live.ports.values())) == len(live.ports) >= 1
        assert all(f"port = {port}\n" in config for port in live.ports.values())


async def test_faults_of_a_world_happen_on_the_wire() -> None:
    scenario, _ = make_scenario("faulty", "normal", 1, 12.0)  # the first outage after 1.6 s
    async with serve(scenario, asyncio.get_running_loop().time) as live:
        away = await Client.over_socket(live.ports["a-reader-1"])
        other = await Client.over_socket(live.ports["gate-reader"])
        async with asyncio.timeout(10.0):
            await away.closed.wait()
        assert not other.closed.is_set()
        other.close()


def test_a_world_is_asked_for_on_the_command_line() -> None:
    asked = parse(["shelf", "hard", "7", "--seconds", "60", "--opening", "10"])
    assert (asked.family, asked.level, asked.seed) == ("shelf", "hard", 7)
    with pytest.raises(SystemExit):
        parse(["shelf", "harder", "7"])
