"""`shelfgate count`: what it asks the gateway, and what it says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.cli.exits import OK
from gateway.status import Object

Run = Callable[..., tuple[int, str, str]]

STATUS: dict[str, Any] = {
    "state": "done",
    "count": "c-1",
    "scope": "full",
    "asked_by": "command",
    "actor": "Ana",
    "locations": 3,
    "remaining": 0,
    "disturbed": 1,
    "proposals": ["p-1"],
    "differences": [
        {"location": "A", "item": "BOLT", "expected": 3, "counted": 2, "reason": "missing"},
        {"location": "B", "item": "NUT", "expected": 3, "reason": "sensor"},
        {"location": "C", "disturbed": True},
    ],
    "left_off": 2,
}


DIFFERENCE: dict[str, Any] = {
    "of": "weekly",
    "since": "2026-11-16T00:10:00.000Z",
    "until": "2026-11-23T00:10:00.000Z",
    "lines": [
        {"location": "A", "item": "B", "before": 9, "after": 7, "booked": -2, "unexplained": 0},
        {"location": "A", "item": "N", "before": 0, "after": 2, "booked": 1, "unexplained": 1},
    ],
    "left_off": 1,
}


@pytest.fixture
def asked() -> list[Object]:
    return []


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str],
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[Object],
) -> Run:
    """A gateway that answers; what it was asked is in the list."""
    results: dict[str, Object] = {
        "count-start": {"count": "c-1", "locations": 3},
        "count-status": STATUS,
        "count-approve": {"codes": ["p-1", "p-2"], "approved": False},
        "snapshot-difference": DIFFERENCE,
    }

    def answer(_configuration: object, request: Object) -> Object:
        asked.append(request)
        return {"ok": True, "result": results[request["command"]]}

    monkeypatch.setattr("gateway.cli.configured.ask_gateway", answer)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["count", *words, "--config", str(site)])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ((), {}),
        (("A", "B", "--actor", "Ana"), {"locations": ["A", "B"], "actor": "Ana"}),
        (("--cycle",), {"scope": "cycle"}),
    ],
)
def test_count_is_begun(run: Run, asked: list[Object], words: Any, args: Object) -> None:
    assert run("start", *words) == (OK, "count c-1 of 3 locations has begun\n", "")
    assert (asked[0]["command"], asked[0]["args"]) == ("count-start", args)


def test_count_is_told_with_its_differences(run: Run) -> None:
    assert run("status")[1] == (
        "count c-1 (full, by command of Ana): done\n"
        "3 of 3 locations counted, 1 disturbed\n"
        "  A  BOLT  3 expected, 2 counted: missing\n"
        "  B  NUT  3 expected, not known how many counted: sensor\n"
        "  C  was never quiet: count it again\n"
        "  and 2 more\n"
        "waits for an answer: p-1\n"
    )
    assert json.loads(run("status", "--json")[1]) == STATUS


def test_nothing_was_counted_yet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gateway.cli.configured.ask_gateway",
        lambda *_: {"ok": True, "result": {"state": "none"}},
    )
    assert run("status")[1] == "nothing was counted yet\n"


def test_what_counts_propose_is_answered(run: Run, asked: list[Object]) -> None:
    code, out, _ = run("approve", "A", "--refuse", "--actor", "Ana")
    assert (code, out) == (OK, "proposal p-1 is refused\nproposal p-2 is refused\n")
    args = {"approved": False, "location": "A", "actor": "Ana"}
    assert (asked[0]["command"], asked[0]["args"]) == ("count-approve", args)


def test_difference_of_snapshots_is_told_with_what_explains_it(
    run: Run, asked: list[Object]
) -> None:
    assert run("difference", "--weekly")[1] == (
        "weekly snapshots, from 2026-11-16T00:10:00.000Z to 2026-11-23T00:10:00.000Z\n"
        "  A  B  9 -> 7, -2 booked\n"
        "  A  N  0 -> 2, +1 booked, +1 not explained\n"
        "  and 1 more\n"
    )
    assert (asked[0]["command"], asked[0]["args"]) == ("snapshot-difference", {"of": "weekly"})
