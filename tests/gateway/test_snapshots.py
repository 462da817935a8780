"""What lies between the last two snapshots for the record."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import Gateway
from gateway.model import Event, Movement, Snapshot, SnapshotLine
from gateway.outcome import Outcome
from gateway.settings import load_configuration
from gateway.status import RefusedError
from tests.gateway.serving import command, serving


@pytest.fixture
async def gateway(write_site: Callable[..., Path]) -> AsyncIterator[Gateway]:
    async with serving(load_configuration(write_site("behaviour = 'silent'"))) as gateway:
        yield gateway


async def difference(gateway: Gateway, **args: Any) -> dict[str, Any]:
    return await command(gateway, "snapshot-difference", **args)


async def book(gateway: Gateway, *events: Event) -> None:
    await (await gateway.booker.submit([Outcome(gateway.clock.now(), events=events)]))


def stated(location: str, reason: str = "daily", **held: int) -> Snapshot:
    lines = tuple(SnapshotLine(item, quantity, "pcs") for item, quantity in held.items())
    return Snapshot(f"s-{location}", reason, location, lines, 0)


def moved(name: str, quantity: int, source: str, target: str, reason: str = "observed") -> Movement:
    told = ("transfer", reason, "BOLT", quantity, "pcs", source, target, 0, 0, 990)
    return Movement(name, *told)  # type: ignore[arg-type] # plain fields


async def test_changes_are_told_with_what_explains_them(gateway: Gateway) -> None:
    await book(
        gateway,
        moved("before", 9, "A", "B"),
        stated("A", BOLT=10, NUT=3),
        stated("B", BOLT=1),
        moved("m-1", 4, "A", "B"),
        moved("m-2", 1, "B", "A"),
        moved("m-3", 7, "A", "unknown", "reconcile"),
        stated("A", "weekly", BOLT=99),
        stated("A", BOLT=7, NUT=3, GEAR=2),
        stated("B", BOLT=4),
        moved("after", 2, "A", "B"),
    )
    told = await difference(gateway)
    lines = [tuple(line.values()) for line in told["lines"]]
    assert lines == [
        ("A", "BOLT", 10, 7, -3, 0),
        ("A", "GEAR", 0, 2, 0, 2),
        ("B", "BOLT", 1, 4, 3, 0),
    ]
    assert (told["of"], told["left_off"]) == ("daily", 0)


async def test_nothing_to_compare_and_nonsense_are_refused(gateway: Gateway) -> None:
    await book(gateway, stated("A", BOLT=1), stated("B", BOLT=1), stated("A", "weekly", BOLT=1))
    with pytest.raises(RefusedError, match="no two daily snapshots of one location yet"):
        await difference(gateway)
    with pytest.raises(RefusedError, match="of: daily or weekly is wanted"):
        await difference(gateway, of="monthly")
