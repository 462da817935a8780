"""The demo as a newcomer runs it, unattended."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.broker import embedded_broker, mosquitto

KEYS = {
    "seed",
    "true_movements",
    "published",
    "settled",
    "missed",
    "wrong",
    "unresolved",
    "alerts",
    "lost",
    "ledger_lost",
    "duplicated",
    "stock_error",
    "stock_unexplained",
    "latency_ms",
    "lights",
    "work",
}


async def demo(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run it as a process; its exit code, and the object that its output ends with."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.demo", "--json", *arguments, stdout=-1
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output.decode().splitlines()[-1])


@pytest.mark.server
@pytest.mark.timeout(180)
async def test_demo_of_two_gateways_books_what_happened_though_one_is_killed(
    require: Callable[[str], str],
) -> None:
    require("mosquitto")
    options = ("--seconds", "80", "--seed", "7", "--gateways", "2", "--kill")
    async with mosquitto() as url:
        code, result = await demo(*options, "--broker", url)
    assert result.keys() >= KEYS
    assert code == 0, json.dumps(result)
    assert result["mqtt"] == "5"
    assert result["true_movements"] >= 8
    assert result["transfers"]["paired"] == result["transfers"]["true"] >= 1
    work = result["work"]
    assert work["lines"] >= 5
    assert work["lines_exact"] == work["lines"]
    assert work["mistakes"] == work["mistakes_told"] >= 2
    assert (work["acts_misnamed"], work["orders_wrong"]) == (0, 0)
    assert work["acts_named"] > 0
    assert result["lights"]["right"] == result["lights"]["looks"] >= 5
    assert (result["lost"], result["duplicated"]) == (0, 0)
    assert "senses_disagree" not in result["alerts"]
    assert 0 < result["latency_ms"]["p50"] < 5000


@pytest.mark.timeout(120)
async def test_demo_on_the_embedded_broker_books_what_happened() -> None:
    async with embedded_broker() as url:
        speaking_3 = url.replace("mqtt://", "mqtt311://")
        code, result = await demo("--seconds", "15", "--seed", "3", "--broker", speaking_3)
    assert code == 0, result
    assert result["mqtt"] == "3.1.1"
    assert result["settled"] == result["published"] > 0


async def test_demo_without_mistakes_raises_no_alert_of_one() -> None:
    async with embedded_broker() as url:
        speaking_3 = url.replace("mqtt://", "mqtt311://")
        options = ("--seconds", "20", "--seed", "5", "--mistakes", "0")
        code, result = await demo(*options, "--broker", speaking_3)
    assert code == 0, result
    assert result["work"]["lines"] > 0
    assert (result["work"]["mistakes"], result["alerts"]) == (0, {})


@pytest.mark.timeout(120)
async def test_demo_that_keeps_its_folder_names_a_movement_that_can_be_asked_about(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.demo", "--seconds", "12", "--seed", "3"),
        *("--keep", str(tmp_path)),
        stdout=-1,
    )
    output, _ = await process.communicate()
    *_, where, command = output.decode().splitlines()
    assert where == f"  in {tmp_path}:"
    program, *words = command.split()
    assert (program, words[0]) == ("shelfgate", "why")
    shelfgate = str(Path(sys.executable).with_name("shelfgate"))
    asking = await asyncio.create_subprocess_exec(shelfgate, *words, cwd=tmp_path, stdout=-1)
    told, _ = await asking.communicate()
    assert asking.returncode == 0
    assert f"document      {words[1]}" in told.decode()


async def test_demo_with_impossible_length_says_so() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.demo", "--seconds", "0", stderr=-1
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"--seconds is 1 to 86400" in said
