"""`shelfgate task`: what it asks the gateway, and what it says."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gateway.cli.exits import OK, PROBLEM
from gateway.status import Object

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def task(shelfgate: Run) -> Run:
    return partial(shelfgate, "task")


TASK: dict[str, Any] = {
    "task_id": "T-1",
    "version": 2,
    "type": "issue",
    "order": {"system": "erp", "type": "so", "number": "4711", "line": "10"},
    "item": "BOLT",
    "asked": 4,
    "done": 1,
    "state": "picking",
    "from": {"location": "BIN-1"},
    "tolerance": {"pieces": 1, "permille": 0},
    "policy": "strict",
    "priority": 3,
    "timeout_s": 300,
    "due": "2026-11-24T09:30:00.000Z",
    "lot": "L7",
    "serials": ["3034"],
}
RESULTS: dict[str, Object] = {
    "ls": {"open": 3, "tasks": [TASK]},
    "show": TASK,
    "cancel": {"task_id": "T-1"},
}
LINE = "T-1  issue 1 of 4 BOLT  BIN-1 -> unknown  picking  due 2026-11-24T09:30:00.000Z\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Object]:
    """A gateway with one task; what it was asked is in the list."""
    asked: list[Object] = []

    def answer(_configuration: object, request: Object) -> Object:
        asked.append(request)
        return {"ok": True, "result": RESULTS[request["command"].removeprefix("task-")]}

    monkeypatch.setattr("gateway.cli.configured.ask_gateway", answer)
    return asked


def test_tasks_are_listed_a_line_each(task: Run, asked: list[Object]) -> None:
    assert task("ls") == (OK, f"{LINE}and 2 more\n", "")
    assert (asked[0]["command"], asked[0]["args"]) == ("task-ls", {})


def test_task_is_shown_whole(task: Run, asked: list[Object]) -> None:
    _, out, _ = task("show", "T-1")
    assert out.startswith(LINE)
    assert "order      erp so 4711/10, version 2\n" in out
    assert "tolerance  1 pieces, 0 per mille, strict\n" in out
    assert "lot        L7\nserial     3034\n" in out
    assert (asked[0]["command"], asked[0]["args"]) == ("task-show", {"task_id": "T-1"})


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ((), {"task_id": "T-1"}),
        (("--actor", "Ana"), {"task_id": "T-1", "actor": "Ana"}),
    ],
)
def test_task_is_cancelled(
    task: Run, asked: list[Object], words: tuple[str, ...], args: Object
) -> None:
    assert task("cancel", "T-1", *words) == (OK, "task T-1 is cancelled\n", "")
    assert (asked[0]["command"], asked[0]["args"]) == ("task-cancel", args)


@pytest.mark.parametrize("words", [("ls",), ("show", "T-1"), ("cancel", "T-1")])
def test_task_answers_as_json(task: Run, asked: list[Object], words: tuple[str, ...]) -> None:
    code, out, _ = task(*words, "--json")
    assert (code, json.loads(out)) == (OK, RESULTS[words[0]])
    assert len(asked) == 1


@pytest.mark.parametrize("words", [("ls",), ("show", "T-1"), ("cancel", "T-1")])
def test_gateway_that_does_not_run_is_a_problem(task: Run, words: tuple[str, ...]) -> None:
    code, _, err = task(*words)
    assert code == PROBLEM
    assert "no gateway listens at" in err
