"""Open tasks in a whole gateway: shown, cancelled once, kept over a restart."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import Gateway
from gateway.engine import Engine
from gateway.model import OrderReference, Reference, ReferenceDeleted, Task
from gateway.settings import load_configuration
from gateway.status import RefusedError
from gateway.tasks import LISTED_MAX
from tests.gateway.serving import command, recorded, serving
from tests.polling import until

QUICK = """
[rules.weight]
window_s = 0.3
samples_min = 5
"""
ORDER = OrderReference("erp", "so", "4711", "10")
TASK = Task("T-1", "issue", ORDER, "BOLT", 4, "BIN-1", due_s=1_795_512_600, version=2)


@pytest.fixture
def site_file(write_site: Callable[..., Path], fake_driver: Any) -> Path:
    fake_driver.on_scale_g = 1000.0
    return write_site(rest=QUICK)


@pytest.fixture
async def gateway(site_file: Path) -> AsyncIterator[Gateway]:
    async with serving(load_configuration(site_file)) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        yield gateway


async def learn(gateway: Gateway, *references: Reference) -> None:
    await gateway.pipeline.feed(gateway.catalogue.news(references))


async def confirmations(gateway: Gateway) -> list[dict[str, Any]]:
    return await recorded(gateway, "task_confirmation")


async def test_task_is_shown_with_its_progress(gateway: Gateway, fake_driver: Any) -> None:
    await learn(gateway, TASK)
    told = await command(gateway, "task-show", task_id="T-1")
    assert told == {
        "task_id": "T-1",
        "version": 2,
        "type": "issue",
        "order": {"system": "erp", "type": "so", "number": "4711", "line": "10"},
        "item": "BOLT",
        "asked": 4,
        "done": 0,
        "state": "active",
        "from": {"location": "BIN-1"},
        "tolerance": {"pieces": 0, "permille": 0},
        "policy": "warning",
        "priority": 0,
        "timeout_s": 300,
        "due": "2026-11-24T09:30:00.000Z",
        "serials": [],
    }
    known = gateway.store.last_seq
    fake_driver.on_scale_g = 970.0
    await until(lambda: gateway.store.last_seq > known)
    told = await command(gateway, "task-show", task_id="T-1")
    assert (told["state"], told["done"], told["asked"]) == ("picking", 3, 4)


async def test_tasks_are_listed_in_the_order_in_which_they_come(gateway: Gateway) -> None:
    later = replace(TASK, code="later", due_s=TASK.due_s and TASK.due_s + 1)
    some_day = replace(TASK, code="some day", due_s=None)
    urgent = replace(some_day, code="urgent", priority=1)
    assert await command(gateway, "task-ls") == {"open": 0, "tasks": []}
    await learn(gateway, some_day, later, TASK, urgent)
    told = await command(gateway, "task-ls")
    assert [task["task_id"] for task in told["tasks"]] == ["urgent", "T-1", "later", "some day"]
    await learn(gateway, ReferenceDeleted("task", "later"))
    assert (await command(gateway, "task-ls"))["open"] == 3


async def test_list_is_bounded_and_says_how_many_there_are(gateway: Gateway) -> None:
    await learn(gateway, *(replace(TASK, code=f"T-{n}") for n in range(LISTED_MAX + 2)))
    told = await command(gateway, "task-ls")
    assert (told["open"], len(told["tasks"])) == (LISTED_MAX + 2, LISTED_MAX)
    assert len(json.dumps(told)) < 262_144


async def test_cancel_confirms_what_was_done_until_then(gateway: Gateway, fake_driver: Any) -> None:
    await learn(gateway, TASK)
    known = gateway.store.last_seq
    fake_driver.on_scale_g = 990.0
    await until(lambda: gateway.store.last_seq > known)
    assert await command(gateway, "task-cancel", task_id="T-1", actor="Ana") == {"task_id": "T-1"}
    (told,) = await confirmations(gateway)
    assert (told["task"], told["state"], told["actor"]) == ("T-1", "cancelled", "Ana")
    assert (told["quantity_asked"], told["quantity_done"], told["quantity_difference"]) == (
        4,
        1,
        -3,
    )
    assert len(told["movement_ids"]) == 1


async def test_cancel_is_carried_out_once_even_over_a_restart(site_file: Path) -> None:
    configuration = load_configuration(site_file)
    async with serving(configuration) as gateway:
        await learn(gateway, TASK)
        await command(gateway, "task-cancel", "77", task_id="T-1")
    async with serving(configuration) as gateway:
        await learn(gateway, replace(TASK, version=3))
        assert await command(gateway, "task-cancel", "77", task_id="T-1") == {"task_id": "T-1"}
        assert len(await confirmations(gateway)) == 1
        with pytest.raises(RefusedError, match="task 'T-1' is confirmed already: cancelled"):
            await command(gateway, "task-cancel", "78", task_id="T-1")
        assert await command(gateway, "task-ls") == {"open": 0, "tasks": []}
        assert (await command(gateway, "task-show", task_id="T-1"))["state"] == "cancelled"


async def test_task_and_its_progress_outlive_a_restart(site_file: Path, fake_driver: Any) -> None:
    configuration = load_configuration(site_file)
    async with serving(configuration) as gateway:
        await until(lambda: gateway.store.last_seq >= 1)
        await learn(gateway, TASK)
        known = gateway.store.last_seq
        fake_driver.on_scale_g = 970.0
        await until(lambda: gateway.store.last_seq > known)
        before = await command(gateway, "task-show", task_id="T-1")
    async with serving(configuration) as gateway:
        assert await command(gateway, "task-show", task_id="T-1") == before
        assert gateway.catalogue.news([TASK, replace(TASK, version=1)]) == []
        then = gateway.store.last_seq
        fake_driver.on_scale_g = 960.0
        await until(lambda: gateway.store.last_seq >= then + 2)
        (told,) = await confirmations(gateway)
        assert (told["state"], told["quantity_done"]) == ("done", 4)
        assert len(told["movement_ids"]) == 2


@pytest.mark.parametrize("name", ["task-show", "task-cancel"])
async def test_unknown_task_is_refused(gateway: Gateway, name: str) -> None:
    await learn(gateway, replace(TASK, code="T-2"))
    with pytest.raises(RefusedError, match="no task 'T-1' is known"):
        await command(gateway, name, task_id="T-1")
    with pytest.raises(RefusedError, match="task_id: a key of 1 to 128 characters is wanted"):
        await command(gateway, name, "2")


async def test_actor_that_could_not_be_recorded_is_refused(gateway: Gateway) -> None:
    await learn(gateway, TASK)
    with pytest.raises(RefusedError, match="actor: a key of 1 to 128 characters is wanted"):
        await command(gateway, "task-cancel", task_id="T-1", actor="Ana\n")
    assert await confirmations(gateway) == []


async def test_cancel_is_refused_where_no_rule_would_hear_of_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learn(gateway, TASK)
    monkeypatch.setattr(Engine, "takes", lambda _engine, _kind: False)
    with pytest.raises(RefusedError, match="no rule that runs takes tasks"):
        await command(gateway, "task-cancel", task_id="T-1")
