"""Counts in a whole gateway: started, told, approved, gone on with after a restart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import Gateway
from gateway.model import Snapshot, SnapshotLine
from gateway.settings import load_configuration
from gateway.status import RefusedError
from tests.gateway.serving import command, recorded, serving
from tests.polling import until

QUICK = """
[rules.weight]
window_s = 0.3
samples_min = 5
[rules.stocktake]
window_s = 5.0
"""


@pytest.fixture
def site_file(write_site: Callable[..., Path], fake_driver: Any) -> Path:
    fake_driver.on_scale_g = 100.0
    return write_site(rest=QUICK)


@pytest.fixture
async def gateway(site_file: Path) -> AsyncIterator[Gateway]:
    """Ten bolts lie on the scale, and are in the book."""
    async with serving(load_configuration(site_file)) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        yield gateway


async def state_of(gateway: Gateway) -> str:
    return str((await command(gateway, "count-status"))["state"])


async def counted(gateway: Gateway) -> dict[str, Any]:
    """What the count has come to, when it is over."""
    async with asyncio.timeout(30):
        while await state_of(gateway) != "done":
            pass
    return await command(gateway, "count-status")


async def twelve_in_the_book(gateway: Gateway) -> None:
    """Somebody stated two bolts more than lie there."""
    lines = (SnapshotLine("BOLT", 12, "pcs"),)
    await gateway.pipeline.feed([Snapshot("s-1", "stated", "BIN-1", lines, gateway.clock.now())])


async def test_count_is_told_as_it_was_asked_for(gateway: Gateway) -> None:
    assert await command(gateway, "count-status") == {"state": "none"}
    begun = await command(gateway, "count-start", actor="Ana")
    assert begun["locations"] == 1
    told = await command(gateway, "count-status")
    assert (told["state"], told["count"], told["remaining"]) == ("running", begun["count"], 1)
    assert (told["scope"], told["asked_by"], told["actor"]) == ("full", "command", "Ana")
    assert await command(gateway, "count-start", actor="Ana") == begun
    with pytest.raises(RefusedError, match="runs: 1 of 1 locations are left"):
        await command(gateway, "count-start", "2")
    told = await counted(gateway)
    assert (told["differences"], told["proposals"]) == ([], [])
    (report,) = await recorded(gateway, "count_report")
    assert report["count_id"] == begun["count"]
    (line,) = report["lines"]
    assert (line["expected"], line["counted"], line["sense"]) == (10, 10, "weight")
    with pytest.raises(RefusedError, match="no count proposes anything"):
        await command(gateway, "count-approve", "3")


async def test_difference_is_adjusted_when_it_is_approved(gateway: Gateway) -> None:
    await twelve_in_the_book(gateway)
    await command(gateway, "count-start", locations=["BIN-1"])
    told = await counted(gateway)
    (differs,) = told["differences"]
    assert (differs["expected"], differs["counted"], differs["reason"]) == (12, 10, "missing")
    (code,) = told["proposals"]
    assert (await command(gateway, "stock"))["lines"][0]["quantity"] == 12
    with pytest.raises(RefusedError, match="no count proposes anything at 'BIN-9'"):
        await command(gateway, "count-approve", "2", location="BIN-9")
    told = await command(gateway, "count-approve", "3", location="BIN-1", actor="Ana")
    assert told == {"codes": [code], "approved": True}
    assert await command(gateway, "count-approve", "3") == told
    (movement,) = await recorded(gateway, "movement")
    assert (movement["kind"], movement["reason"], movement["actor"]) == (
        "adjustment",
        "missing",
        "Ana",
    )
    assert (await command(gateway, "stock"))["lines"][0]["quantity"] == 10


async def test_count_goes_on_after_a_restart(site_file: Path) -> None:
    configuration = load_configuration(site_file)
    async with serving(configuration) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        await twelve_in_the_book(gateway)
        begun = await command(gateway, "count-start")
    async with serving(configuration) as gateway:
        told = await counted(gateway)
        assert told["count"] == begun["count"]
        assert len(told["proposals"]) == 1
        assert len(await recorded(gateway, "count_report")) == 1


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"scope": "all"}, "scope: one of full, cycle is wanted"),
        ({"scope": "full", "locations": ["BIN-1"]}, "scope: locations are named"),
        ({"locations": []}, "locations: a list of 1 to 4096 is wanted"),
        ({"locations": "BIN-1"}, "locations: a list"),
        ({"locations": ["BIN-9"]}, "nothing watches a location 'BIN-9'"),
        ({"actor": ""}, "actor: a key"),
    ],
)
async def test_bad_request_is_refused_by_its_field(
    gateway: Gateway, args: dict[str, Any], why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        await command(gateway, "count-start", **args)
    assert await command(gateway, "count-status") == {"state": "none"}
