"""`shelfgate wrong`: what it asks the gateway, and what it says."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.cli.exits import OK, PROBLEM
from gateway.ports import Row
from gateway.status import Object
from gateway.store import StateRow

Run = Callable[..., tuple[int, str, str]]

TOLD = {
    "movement_id": "m-1",
    "document_no": "edge-1-0f8fad5b-42",
    "reversed_by": {"movement_id": "m-2", "document_no": "edge-1-0f8fad5b-43", "seq": 43},
}


@pytest.fixture
def wrong(shelfgate: Run) -> Run:
    return partial(shelfgate, "wrong")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Object]:
    """A gateway that takes back what is asked; what it was asked is in the list."""
    asked: list[Object] = []

    def answer(_configuration: object, request: Object) -> Object:
        asked.append(request)
        return {"ok": True, "result": TOLD}

    monkeypatch.setattr("gateway.cli.configured.ask_gateway", answer)
    return asked


def test_movement_is_taken_back(wrong: Run, asked: list[Object]) -> None:
    said = "edge-1-0f8fad5b-42 is taken back by edge-1-0f8fad5b-43\n"
    assert wrong("42", "--actor", "ana", "--note", "a hand") == (OK, said, "")
    assert (asked[0]["command"], asked[0]["args"]) == (
        "wrong",
        {"movement": "42", "actor": "ana", "note": "a hand"},
    )


def test_it_is_who_asks_that_says_so(
    wrong: Run, asked: list[Object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ops")
    code, out, _ = wrong("42", "--json")
    assert (code, json.loads(out)) == (OK, TOLD)
    assert asked[0]["args"] == {"movement": "42", "actor": "ops"}


def test_labels_are_exported_a_line_each(
    wrong: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "shelfgate.db").touch()
    rows = [
        StateRow(1, Row(f"{number}:m-{number}", {"actor": "ana", "request": "r-1"}))
        for number in range(2)
    ]
    reader: Any = SimpleNamespace(state_rows=lambda _rule: rows, close=lambda: None)
    monkeypatch.setattr("gateway.cli.ledger.StoreReader", lambda _path: reader)
    code, out, _ = wrong("--export")
    assert (code, [json.loads(line) for line in out.splitlines()]) == (OK, [{"actor": "ana"}] * 2)


@pytest.mark.parametrize("words", [("42", "--export"), ("--actor", "ana")])
def test_either_a_movement_or_the_export_is_wanted(wrong: Run, words: tuple[str, ...]) -> None:
    code, _, err = wrong(*words)
    assert (code, err) == (PROBLEM, "name one movement, or ask for --export\n")
