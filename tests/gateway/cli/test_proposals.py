"""`shelfgate proposals` and `shelfgate approve`: what they ask the gateway, and what they say."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.cli.exits import OK, PROBLEM
from gateway.status import Object

Run = Callable[..., tuple[int, str, str]]


PROPOSAL: dict[str, Any] = {
    "code": "p-1",
    "kind": "stocktake",
    "location": "BIN-1",
    "since": "2026-11-24T06:00:00.910Z",
    "text": "if approved, booked",
    "lines": [
        {"item": "BOLT", "expected": 9, "found": 8, "uom": "pcs", "reason": "missing", "epcs": []},
        {"item": "NUT", "expected": 0, "found": 1, "uom": "pcs", "epcs": []},
    ],
    "left_off": 3,
}


def answering(monkeypatch: pytest.MonkeyPatch, result: Object) -> list[Object]:
    """A gateway that answers so; what it was asked is in the list."""
    asked: list[Object] = []

    def answer(_configuration: object, request: Object) -> Object:
        asked.append(request)
        return {"ok": True, "result": result}

    monkeypatch.setattr("gateway.cli.configured.ask_gateway", answer)
    return asked


def test_proposals_are_listed_with_their_lines(
    shelfgate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, {"open": 2, "proposals": [PROPOSAL]})
    code, out, _ = shelfgate("proposals")
    assert code == OK
    assert out == (
        "p-1  stocktake at BIN-1\n"
        "  since 2026-11-24T06:00:00.910Z; if approved, booked\n"
        "  BOLT  9 expected, 8 found  missing\n"
        "  NUT  0 expected, 1 found\n"
        "  and 3 lines more\n"
        "and 1 more\n"
    )


def test_nothing_that_waits_is_said(shelfgate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    told: Object = {"open": 0, "proposals": []}
    answering(monkeypatch, told)
    assert shelfgate("proposals") == (OK, "nothing waits for an answer\n", "")
    assert json.loads(shelfgate("proposals", "--json")[1]) == told


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ((), {"code": "p-1", "approved": True}),
        (("--refuse", "--actor", "Ana"), {"code": "p-1", "approved": False, "actor": "Ana"}),
    ],
)
def test_proposal_is_answered(
    shelfgate: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], args: dict[str, Any]
) -> None:
    asked = answering(monkeypatch, {"code": "p-1", "approved": args["approved"]})
    word = "approved" if args["approved"] else "refused"
    assert shelfgate("approve", "p-1", *words) == (OK, f"proposal p-1 is {word}\n", "")
    assert (asked[0]["command"], asked[0]["args"]) == ("approve", args)


@pytest.mark.parametrize("words", [("proposals",), ("approve", "p-1")])
def test_gateway_that_does_not_run_is_a_problem(shelfgate: Run, words: tuple[str, ...]) -> None:
    code, _, err = shelfgate(*words)
    assert code == PROBLEM
    assert "no gateway listens at" in err
