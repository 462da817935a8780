"""`why`: what is told of records in a whole gateway."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import in_force
from gateway.assembly import Gateway
from gateway.model import Evidence, Movement, OrderReference, Task, Unresolved
from gateway.outcome import Outcome
from gateway.settings import load_configuration
from gateway.status import RefusedError
from gateway.store import Result
from tests.gateway.serving import command, recorded, serving
from tests.polling import until

QUICK = """
[rules.weight]
window_s = 0.3
samples_min = 5
"""
ORDER = OrderReference("erp", "so", "4711", "10")
TASK = Task("T-1", "issue", ORDER, "BOLT", 4, "BIN-1")


@pytest.fixture
def site_file(write_site: Callable[..., Path], fake_driver: Any) -> Path:
    fake_driver.on_scale_g = 1000.0
    return write_site(rest=QUICK)


@pytest.fixture
async def gateway(site_file: Path) -> AsyncIterator[Gateway]:
    async with serving(load_configuration(site_file)) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        yield gateway


async def why(gateway: Gateway, record: str) -> dict[str, Any]:
    return await command(gateway, "why", record=record)


async def movements(gateway: Gateway) -> list[dict[str, Any]]:
    return await recorded(gateway, "movement")


async def picked(gateway: Gateway, fake_driver: Any, pieces: int = 3) -> dict[str, Any]:
    """The movement of so many pieces that were taken from the scale."""
    before = len(await movements(gateway))
    fake_driver.on_scale_g -= 10.0 * pieces
    async with asyncio.timeout(10):
        while len(found := await movements(gateway)) == before:
            await gateway.store.next_commit()
    return found[-1]


def set_window(site_file: Path, window_s: str) -> None:
    """Configure another window of the weight rule."""
    text = re.sub("window_s = .*", f"window_s = {window_s}", site_file.read_text())
    site_file.write_text(text)


def happened(told: dict[str, Any]) -> list[str]:
    """What the timeline tells, readings of one kind once."""
    return list(dict.fromkeys(entry["what"] for entry in told["timeline"]))


async def test_movement_is_told_from_its_readings_to_the_core(
    gateway: Gateway, fake_driver: Any
) -> None:
    await gateway.pipeline.feed(gateway.catalogue.news([TASK]))
    movement = await picked(gateway, fake_driver)
    told = await why(gateway, movement["movement_id"])
    assert told["record"] == movement
    assert told["rule"] == "movement"
    assert list(told["thresholds"]) == ["weight", "count", "movement", "task"]
    assert told["thresholds"]["weight"]["window_s"] == "0.3"
    assert [each["cell"] for each in told["wiring"]] == ["scale:1"]
    assert (told["task"]["task_id"], told["task"]["done"]) == ("T-1", 3)
    assert told["core"] == {"status": "waiting"}
    assert set(happened(told)) == {"weighed", "happened", "decided", "recorded"}
    weights = [each["gross_mg"] for each in told["timeline"] if each["what"] == "weighed"]
    assert (weights[0], weights[-1]) == (1_000_000, 970_000)
    assert [each["at"] for each in told["timeline"]] == sorted(
        each["at"] for each in told["timeline"]
    )


async def test_what_the_core_made_of_it_is_told(gateway: Gateway, fake_driver: Any) -> None:
    movement = await picked(gateway, fake_driver)
    seq, epoch = movement["seq"], gateway.store.epoch.uuid
    await gateway.store.acknowledge(epoch, seq, [Result(seq, "accepted", "MAT-7")])
    assert (await why(gateway, str(seq)))["core"] == {
        "status": "settled",
        "core_document_no": "MAT-7",
    }
    assert (await why(gateway, "MAT-7"))["record"]["seq"] == seq
    other = (await picked(gateway, fake_driver))["seq"]
    await gateway.store.acknowledge(epoch, other, [Result(other, "rejected", None, "no BOLT")])
    refused = (await why(gateway, str(other)))["core"]
    assert refused == {"status": "rejected", "reason": "no BOLT"}
    record = await gateway.store.requeue(other)
    assert (await why(gateway, str(other)))["core"] == {
        "status": "booked anew",
        "reason": "no BOLT",
        "requeued_as": record.seq,
    }


async def test_what_became_of_a_movement_is_told_with_it(
    gateway: Gateway, fake_driver: Any
) -> None:
    await gateway.pipeline.feed(gateway.catalogue.news([TASK]))
    movement = await picked(gateway, fake_driver)
    await command(gateway, "wrong", "7", movement=movement["document_no"], actor="ana")
    await command(gateway, "task-cancel", "8", task_id="T-1")
    told = await why(gateway, movement["document_no"])
    others = [each["record"] for each in told["timeline"] if "record" in each]
    assert others[0]["reverses"] == movement["movement_id"]
    assert [each["event"] for each in others] == ["movement", "alert", "task_confirmation"]
    assert "epcs" not in others[0]
    confirmed = await why(gateway, "T-1")
    assert (confirmed["rule"], confirmed["record"]["state"]) == ("task", "cancelled")
    named = [each["record"]["event"] for each in confirmed["timeline"] if "record" in each]
    assert named == ["movement", "movement"]


async def test_alert_is_told_with_who_saw_to_it(gateway: Gateway, fake_driver: Any) -> None:
    movement = await picked(gateway, fake_driver)
    await command(gateway, "wrong", "7", movement=movement["document_no"], actor="ana")
    key = f"told_wrong:{movement['movement_id']}"
    await command(gateway, "alert-ack", "8", key=key, actor="ben")
    told = await why(gateway, key)
    assert (told["record"]["code"], told["rule"]) == ("told_wrong", "person")
    assert happened(told) == ["happened", "recorded", "acknowledgement"]
    assert told["core"] == {"status": "waiting"}


async def test_unresolved_act_is_told_with_what_closed_it(gateway: Gateway) -> None:
    now = gateway.clock.now()
    act = Unresolved("u-1", "count_not_resolvable", "BIN-1", ("BOLT",), now, now)
    closing = Movement(
        "m-9",
        "issue",
        "observed",
        "BOLT",
        1,
        "pcs",
        "BIN-1",
        "unknown",
        now,
        now,
        990,
        Evidence(reads=3),
        ("3034aa",),
        supersedes="u-1",
    )
    await (await gateway.booker.submit([Outcome(now, events=(act, closing))]))
    told = await why(gateway, "u-1")
    assert (told["record"]["event"], told["rule"]) == ("unresolved", "movement")
    assert [each["record"]["movement_id"] for each in told["timeline"] if "record" in each] == [
        "m-9"
    ]
    assert list((await why(gateway, "m-9"))["thresholds"]) == ["presence", "movement"]


async def test_thresholds_are_those_that_were_in_force(site_file: Path, fake_driver: Any) -> None:
    async with serving(load_configuration(site_file)) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        old = await picked(gateway, fake_driver)
    set_window(site_file, "0.4")
    async with serving(load_configuration(site_file)) as gateway:
        new = await picked(gateway, fake_driver)
        for movement, window_s in ((old, "0.3"), (new, "0.4")):
            told = await why(gateway, movement["movement_id"])
            assert told["thresholds"]["weight"]["window_s"] == window_s
    async with serving(load_configuration(site_file)) as gateway:
        rows = await gateway.store.read(lambda reader: reader.state_rows(in_force.IN_FORCE_ROWS))
        assert len(rows) == 2


async def test_settings_that_were_in_force_are_bounded(
    site_file: Path, fake_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_force, "KEPT_MAX", 2)
    for window_s in ("0.3", "0.4", "0.5"):
        set_window(site_file, window_s)
        async with serving(load_configuration(site_file)) as gateway:
            await until(lambda: gateway.store.last_seq >= 1)
            await picked(gateway, fake_driver)
            rows = await gateway.store.read(
                lambda reader: reader.state_rows(in_force.IN_FORCE_ROWS)
            )
    kept: list[Any] = [row.row.value["rules"] for row in rows]
    assert [rules["weight"]["window_s"] for rules in kept] == [0.4, 0.5]


@pytest.mark.parametrize(
    ("args", "refusal"),
    [
        ({"record": "nothing"}, "no record is called 'nothing': name it by its number"),
        ({}, "record: a line of 1 to 512 characters is wanted"),
        ({"record": 7}, "record: a line of 1 to 512 characters is wanted"),
    ],
)
async def test_what_is_not_known_is_refused(
    gateway: Gateway, args: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(RefusedError, match=refusal):
        await command(gateway, "why", **args)
