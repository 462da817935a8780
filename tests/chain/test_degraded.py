"""A shelf that has lost a sense goes on by the other, and says so."""

import sqlite3
from contextlib import closing

import pytest

from simulators.core.orders import OrderLine
from simulators.demo.chain import Chain
from simulators.world.layout import SHELF_READER
from tests.chain.asking import held_events

RAISED_WITHIN_S = 30.0
"""Until a device counts as silent, and is silent for the hold time."""

BY_WEIGHT_S = 5.0
"""A plateau, a second or two; the tags would have been waited for 3 s more."""

BY_TAG_S = 60.0
"""Until a silent tag is missed."""


FOUND_WITHIN_S = 30.0
"""Until the tags that stand are known."""

WINDOW_S = 20.0
"""Nothing tells that a zone has been watched for a whole window again; it takes no longer."""

TOLD_TWICE_S = 15.0
"""Within this, what the scale finds would be told a second time."""


def stands(chain: Chain, location: str) -> bool:
    """Whether the gateway knows of a tag of what lies there."""
    tags = f"tag:{chain.world.spots[location].ware.serials}"
    store = sqlite3.connect(f"file:{chain.folder}/state/shelfgate.db?mode=ro", uri=True)
    with closing(store):
        rows = store.execute("SELECT key FROM state WHERE rule = 'presence'").fetchall()
    return any(key.startswith(tags) for (key,) in rows)


def alerts(chain: Chain, key: str) -> list[tuple[bool, str]]:
    """Each time that alert was raised or cleared, and its severity."""
    told = [each for each in held_events(chain.folder) if each.get("key") == key]
    return [(each["raised"], each["severity"]) for each in told]


def picked(chain: Chain, item: str) -> list[int]:
    return [each.quantity for each in chain.booked if each.item == item]


async def asked_for(chain: Chain, code: str, item: str, location: str) -> None:
    """An order for one piece that the daemon knows."""
    await chain.core.order(
        {
            "task_id": code,
            "type": "issue",
            "order": {"system": "erp", "type": "sales", "number": code, "line": "10"},
            "item": item,
            "quantity": 1,
            "from": {"location": location},
        }
    )


async def line(chain: Chain, code: str) -> OrderLine | None:
    return await chain.core._work(lambda: chain.core.desk.book.orders.line(code))


@pytest.mark.server
@pytest.mark.timeout(240)
async def test_shelf_goes_on_by_the_sense_that_is_left(chain: Chain) -> None:
    await chain.start_daemon()
    await chain.ready()
    assert await chain.wait_until(lambda: stands(chain, "A-4"), FOUND_WITHIN_S)
    world, reader = chain.world, chain.plant.readers[SHELF_READER]

    reader.faults.refuse = 1.0
    reader.cut_cable()
    tags = "sense_missing:tags:SHELF-B"
    assert await chain.wait_until(lambda: alerts(chain, tags) != [], RAISED_WITHIN_S)
    await asked_for(chain, "T-W", "DRIVE-075", "B-3")
    world.pick("Ana", world.spots["B-3"], 1)
    assert await chain.wait_until(lambda: picked(chain, "DRIVE-075") == [1], BY_WEIGHT_S)
    reader.faults.refuse = 0.0
    assert await chain.wait_until(lambda: reader.inventorying, 30.0)
    assert await chain.wait_until(lambda: len(alerts(chain, tags)) == 2, RAISED_WITHIN_S)
    assert alerts(chain, tags) == [(True, "warning"), (False, "warning")]

    await chain.wait_until(lambda: False, WINDOW_S)
    [scale] = chain.plant.buses["shelf-a"].units.values()
    scale.silent = True
    weight = "sense_missing:weight:SHELF-A"
    assert await chain.wait_until(lambda: alerts(chain, weight) != [], RAISED_WITHIN_S)
    await asked_for(chain, "T-T", "VALVE-3-2", "A-4")
    world.pick("Ana", world.spots["A-4"], 1)
    assert await chain.wait_until(lambda: picked(chain, "VALVE-3-2") == [1], BY_TAG_S)
    scale.silent = False
    assert await chain.wait_until(lambda: len(alerts(chain, weight)) == 2, RAISED_WITHIN_S)
    await chain.wait_until(lambda: False, TOLD_TWICE_S)

    told = [each for each in held_events(chain.folder) if each["event"] == "movement"]
    assert [(each["item"], each["quantity"]) for each in told] == [
        ("DRIVE-075", 1),
        ("VALVE-3-2", 1),
    ]
    assert [each["order"]["number"] for each in told] == ["T-W", "T-T"]
    assert all(each["confidence_permille"] <= 950 for each in told)
    assert chain.raised["senses_disagree"] == chain.unresolved == 0
    for code in ("T-W", "T-T"):
        ended = await line(chain, code)
        assert ended is not None
        assert (ended.state, ended.exception) == ("done", None)
