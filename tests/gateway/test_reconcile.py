"""The core's book against that of a whole gateway, as of a digest."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import Gateway
from gateway.model import DigestRequest, Movement, Snapshot, SnapshotLine
from gateway.outcome import Outcome
from gateway.settings import load_configuration
from gateway.status import RefusedError
from tests.gateway.serving import command, recorded, serving

EPOCH = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
async def gateway(write_site: Callable[..., Path]) -> AsyncIterator[Gateway]:
    """The bin has 12 bolts and no nuts, and that is told by a digest."""
    async with serving(load_configuration(write_site("behaviour = 'silent'"))) as gateway:
        lines = (SnapshotLine("BOLT", 12, "pcs"), SnapshotLine("NUT", 0, "pcs"))
        await feed(gateway, Snapshot("s", "stated", "BIN-1", lines, 0))
        await feed(gateway, DigestRequest())
        yield gateway


async def feed(gateway: Gateway, *facts: Any) -> None:
    """Let the rules see it, and book what they would have told."""
    told = tuple(fact for fact in facts if isinstance(fact, Movement | Snapshot))
    await gateway.pipeline.feed(facts, [Outcome(gateway.clock.now(), events=told)])


async def told_of(gateway: Gateway, *lines: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """What comes of it when the core's book has these lines of the bin."""
    (digest, *_) = await recorded(gateway, "digest")
    book = [{"item": item, "quantity": quantity} for item, quantity in lines]
    args = {"location": "BIN-1", "epoch": digest["epoch"], "seq": digest["seq"], "lines": book}
    return await command(gateway, "reconcile", changes.pop("number", "1"), **args | changes)


def issue(quantity: int, **changes: Any) -> Movement:
    told = {"kind": "issue", "reason": "observed", "item": "BOLT", "quantity": quantity}
    ends = {"from_location": "BIN-1", "to_location": "unknown", "at_event": 0, "at_decided": 0}
    rest = {"uom": "pcs", "confidence_permille": 990, "movement_id": f"m-{quantity}"}
    return Movement(**told | ends | rest | changes)  # type: ignore[arg-type] # plain fields


async def test_same_book_is_no_difference(gateway: Gateway) -> None:
    assert await told_of(gateway, ("BOLT", 12)) == {"differences": 0, "proposals": []}


async def test_difference_is_proposed_and_heals_the_core_alone(gateway: Gateway) -> None:
    told = await told_of(gateway, ("BOLT", 15), ("GEAR", 1))
    (code,) = told["proposals"]
    assert told["differences"] == 2
    (proposal,) = await recorded(gateway, "proposal")
    lines = [(line["item"], line["expected"], line["found"]) for line in proposal["lines"]]
    assert lines == [("BOLT", 15, 12), ("GEAR", 1, 0)]
    await command(gateway, "approve", "2", code=code, approved=True, actor="Ana")
    movements = await recorded(gateway, "movement")
    assert [(each["reason"], each["quantity"]) for each in movements] == [
        ("reconcile", 3),
        ("reconcile", 1),
    ]
    stock = await command(gateway, "stock", location="BIN-1")
    assert [line["quantity"] for line in stock["lines"]] == [12, 0]


async def test_what_moved_since_the_digest_is_no_difference(gateway: Gateway) -> None:
    await feed(gateway, issue(2), issue(5, to_location="BIN-1", from_location="unknown"))
    healed = issue(7, kind="adjustment", reason="reconcile")
    await feed(gateway, healed)
    assert (await told_of(gateway, ("BOLT", 12)))["differences"] == 0
    told = await told_of(gateway, ("BOLT", 10), number="2")
    assert told["differences"] == 1
    (proposal,) = await recorded(gateway, "proposal")
    (line,) = proposal["lines"]
    assert (line["expected"], line["found"]) == (10, 12)


async def test_location_that_was_stated_anew_waits_for_the_next_digest(gateway: Gateway) -> None:
    await feed(gateway, Snapshot("t", "stated", "BIN-1", (), 0))
    with pytest.raises(RefusedError, match="'BIN-1' was stated anew"):
        await told_of(gateway, ("BOLT", 12))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"epoch": EPOCH}, "this epoch is over"),
        ({"seq": 999}, "seq: 999 is not recorded yet"),
        ({"seq": 0}, "seq: an integer from 1"),
        ({"location": ""}, "location: a key"),
        ({"lines": 5}, "lines: a list of at most 4096"),
        ({"lines": [5]}, r"lines\.0: an object"),
        ({"lines": [{"item": "A", "quantity": "1.5"}]}, r"lines\.0\.quantity: a whole number"),
        ({"lines": [{"item": "A", "quantity": 1}] * 2}, r"lines\.1\.item: 'A' stands twice"),
    ],
)
async def test_bad_book_is_refused_by_its_field(
    gateway: Gateway, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        await told_of(gateway, **changes)
    assert await recorded(gateway, "proposal") == []
