"""`That was wrong` in a whole gateway: taken back once, remembered, refused where it cannot be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import corrections
from gateway.assembly import Gateway
from gateway.corrections import exported_labels
from gateway.engine import Engine
from gateway.model import OrderReference, Task
from gateway.settings import load_configuration
from gateway.status import RefusedError
from gateway.store import search
from tests.gateway.serving import command, recorded, serving
from tests.polling import until

QUICK = """
[rules.weight]
window_s = 0.3
samples_min = 5
"""
TASK = Task("T-1", "issue", OrderReference("erp", "so", "4711", "10"), "BOLT", 4, "BIN-1")


@pytest.fixture
def site_file(write_site: Callable[..., Path], fake_driver: Any) -> Path:
    fake_driver.on_scale_g = 1000.0
    return write_site(rest=QUICK)


@pytest.fixture
async def gateway(site_file: Path) -> AsyncIterator[Gateway]:
    async with serving(load_configuration(site_file)) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        yield gateway


async def picked(gateway: Gateway, fake_driver: Any, pieces: int = 3) -> dict[str, Any]:
    """The movement of so many pieces that were taken from the scale."""
    before = len(await recorded(gateway, "movement"))
    fake_driver.on_scale_g -= 10.0 * pieces
    async with asyncio.timeout(10):
        while len(movements := await recorded(gateway, "movement")) == before:
            await gateway.store.next_commit()
    return movements[-1]


async def on_hand(gateway: Gateway) -> int:
    (line,) = (await command(gateway, "stock", location="BIN-1"))["lines"]
    return int(line["quantity"])


async def test_movement_is_taken_back_with_its_stock_and_its_task(
    gateway: Gateway, fake_driver: Any
) -> None:
    await gateway.pipeline.feed(gateway.catalogue.news([TASK]))
    movement = await picked(gateway, fake_driver)
    before = await on_hand(gateway)
    told = await command(
        gateway, "wrong", movement=movement["document_no"], actor="ana", note="a hand lay there"
    )
    back = (await recorded(gateway, "movement"))[-1]
    assert told == {
        "movement_id": movement["movement_id"],
        "document_no": movement["document_no"],
        "reversed_by": {
            "movement_id": back["movement_id"],
            "document_no": back["document_no"],
            "seq": back["seq"],
        },
    }
    assert (back["reverses"], back["reason"]) == (movement["movement_id"], "told_wrong")
    assert (back["actor"], back["order"]) == ("ana", movement["order"])
    assert await on_hand(gateway) == before + 3
    assert (await command(gateway, "task-show", task_id="T-1"))["done"] == 0
    (alert,) = [each for each in await recorded(gateway, "alert") if each["code"] == "told_wrong"]
    assert "ana says that 3 BOLT is wrong (a hand lay there)" in alert["text"]


@pytest.mark.parametrize("name", ["seq", "document_no", "movement_id"])
async def test_movement_is_called_by_any_of_its_names(
    gateway: Gateway, fake_driver: Any, name: str
) -> None:
    movement = await picked(gateway, fake_driver)
    told = await command(gateway, "wrong", movement=str(movement[name]), actor="ana")
    assert told["movement_id"] == movement["movement_id"]


async def test_asked_twice_it_is_done_once_even_over_a_restart(
    site_file: Path, fake_driver: Any
) -> None:
    configuration = load_configuration(site_file)
    async with serving(configuration) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        movement = await picked(gateway, fake_driver)
        args = {"movement": movement["document_no"], "actor": "ana"}
        told = await command(gateway, "wrong", "77", **args)
    async with serving(configuration) as gateway:
        assert await command(gateway, "wrong", "77", **args) == told
        by = told["reversed_by"]["document_no"]
        with pytest.raises(RefusedError, match=f"was taken back already, by {by}"):
            await command(gateway, "wrong", "78", **args)
        backs = [each for each in await recorded(gateway, "movement") if "reverses" in each]
        assert len(backs) == 1


async def test_what_was_taken_back_wrongly_is_taken_back_too(
    gateway: Gateway, fake_driver: Any
) -> None:
    movement = await picked(gateway, fake_driver)
    before = await on_hand(gateway)
    told = await command(gateway, "wrong", "1", movement=str(movement["seq"]), actor="ana")
    number = told["reversed_by"]["document_no"]
    await command(gateway, "wrong", "2", movement=number, actor="ben")
    assert await on_hand(gateway) == before


async def test_two_who_ask_at_once_take_it_back_once(gateway: Gateway, fake_driver: Any) -> None:
    movement = await picked(gateway, fake_driver)
    args = {"movement": str(movement["seq"]), "actor": "ana"}
    asked = [command(gateway, "wrong", str(number), **args) for number in range(4)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["RefusedError"] * 3 + ["dict"]
    assert len([each for each in await recorded(gateway, "movement") if "reverses" in each]) == 1


async def test_label_keeps_the_movement_and_the_readings_that_made_it(
    gateway: Gateway, fake_driver: Any
) -> None:
    movement = await picked(gateway, fake_driver)
    readings = await gateway.store.read(lambda reader: reader.evidence(movement["seq"]))
    await command(gateway, "wrong", movement=str(movement["seq"]), actor="ana", note="a hand")
    (label,) = await gateway.store.read(exported_labels)
    assert label["at"]
    assert {name: label[name] for name in ("actor", "note", "movement", "readings")} == {
        "actor": "ana",
        "note": "a hand",
        "movement": movement,
        "readings": readings,
    }
    assert readings


async def test_labels_are_bounded_and_the_oldest_go(
    gateway: Gateway, fake_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "LABELS_MAX", 2)
    numbers = []
    for number in range(3):
        movement = await picked(gateway, fake_driver, 1)
        numbers.append(movement["document_no"])
        await command(gateway, "wrong", str(number), movement=numbers[-1], actor="ana")
    kept = await gateway.store.read(exported_labels)
    assert [label["movement"]["document_no"] for label in kept] == numbers[1:]  # type: ignore[index, call-overload] # JSON


@pytest.mark.parametrize(
    ("args", "refusal"),
    [
        ({"movement": "99", "actor": "ana"}, "no record is called '99'"),
        ({"movement": "edge-t-00000000-1", "actor": "ana"}, "no record is called 'edge-t-0000"),
        ({"movement": "nothing", "actor": "ana"}, "no record is called 'nothing'"),
        ({"movement": "1", "actor": "ana"}, "1 is a record of kind .*, no movement"),
        ({"movement": "1"}, "actor: a key of 1 to 128 characters is wanted"),
        ({"actor": "ana"}, "movement: a line of 1 to 512 characters is wanted"),
        ({"movement": 1, "actor": "ana"}, "movement: a line of 1 to 512 characters is wanted"),
        ({"movement": "1", "actor": "ana", "note": ""}, "note: a line of 1 to 250 characters"),
    ],
)
async def test_what_cannot_be_taken_back_is_refused(
    gateway: Gateway, args: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(RefusedError, match=refusal):
        await command(gateway, "wrong", **args)
    assert await gateway.store.read(exported_labels) == []


async def test_movement_is_refused_of_which_nobody_knows_whether_it_was_taken_back(
    gateway: Gateway, fake_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    movement = await picked(gateway, fake_driver)
    await picked(gateway, fake_driver)
    monkeypatch.setattr(search, "SEARCHED_MAX", 1)
    with pytest.raises(RefusedError, match=r"is older than the newest .* correct it in the core"):
        await command(gateway, "wrong", movement=str(movement["seq"]), actor="ana")


async def test_it_is_refused_where_no_rule_would_hear_of_it(
    gateway: Gateway, fake_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    movement = await picked(gateway, fake_driver)
    monkeypatch.setattr(Engine, "takes", lambda _engine, _kind: False)
    with pytest.raises(RefusedError, match="no rule that runs takes movements back"):
        await command(gateway, "wrong", movement=str(movement["seq"]), actor="ana")
