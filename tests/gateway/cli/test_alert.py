"""`shelfgate alert`: what it asks the gateway, and what it says."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gateway.cli.exits import OK, PROBLEM
from gateway.status import Object

Run = Callable[..., tuple[int, str, str]]

ALERTS: list[dict[str, Any]] = [
    {
        "code": "short",
        "key": "short:T-1",
        "severity": "critical",
        "text": "A: task T-1 ended with 3 of 4 BOLT",
        "seq": 41,
    },
    {
        "code": "reorder",
        "key": "reorder:A:BOLT",
        "severity": "info",
        "text": "A: order 40",
        "seq": 12,
        "acknowledged": {"actor": "ana", "at": "2026-11-24T09:30:00.000Z", "note": "ordered"},
    },
]
LISTING = """\
critical  short: A: task T-1 ended with 3 of 4 BOLT
          key short:T-1, told by record 41
info      reorder: A: order 40
          key reorder:A:BOLT, told by record 12
          seen by ana at 2026-11-24T09:30:00.000Z: ordered
and 2 more
"""
RESULTS: dict[str, Any] = {
    "alert-ls": {"alerts": ALERTS, "left_off": 2},
    "alert-ack": {"key": "short:T-1", "codes": ["short"]},
}


@pytest.fixture
def alert(shelfgate: Run) -> Run:
    return partial(shelfgate, "alert")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Object]:
    """A gateway with alerts; what it was asked is in the list."""
    asked: list[Object] = []

    def answer(_configuration: object, request: Object) -> Object:
        asked.append(request)
        return {"ok": True, "result": RESULTS[request["command"]]}

    monkeypatch.setattr("gateway.cli.configured.ask_gateway", answer)
    return asked


def test_alerts_are_listed_with_who_sees_to_them(alert: Run, asked: list[Object]) -> None:
    assert alert("ls") == (OK, LISTING, "")
    assert (asked[0]["command"], asked[0]["args"]) == ("alert-ls", {})


def test_no_alert_is_said(alert: Run, asked: list[Object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RESULTS, "alert-ls", {"alerts": [], "left_off": 0})
    assert alert("ls") == (OK, "no alert stands\n", "")
    assert len(asked) == 1


def test_alert_is_acknowledged_by_who_asks(
    alert: Run, asked: list[Object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ops")
    assert alert("ack", "short:T-1") == (OK, "short short:T-1 is acknowledged by ops\n", "")
    assert asked[0]["args"] == {"key": "short:T-1", "actor": "ops"}


def test_alert_is_acknowledged_in_the_name_of_another(alert: Run, asked: list[Object]) -> None:
    alert("ack", "short:T-1", "--actor", "ana", "--note", "look tonight")
    assert asked[0]["args"] == {"key": "short:T-1", "actor": "ana", "note": "look tonight"}


@pytest.mark.parametrize("words", [("ls",), ("ack", "short:T-1")])
def test_answer_as_json(alert: Run, asked: list[Object], words: tuple[str, ...]) -> None:
    code, out, _ = alert(*words, "--json")
    assert (code, json.loads(out)) == (OK, RESULTS[f"alert-{words[0]}"])
    assert len(asked) == 1


def test_gateway_that_does_not_run_is_a_problem(alert: Run) -> None:
    code, _, err = alert("ls")
    assert code == PROBLEM
    assert "no gateway listens at" in err
