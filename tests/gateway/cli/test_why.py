"""`shelfgate why`: what it says of a record, within the window."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.cli.exits import OK, PROBLEM
from gateway.finding import NotFoundError

Run = Callable[..., tuple[int, str, str]]

DAY = "2026-11-24T06:00"
MOVEMENT: dict[str, Any] = {
    "event": "movement",
    "seq": 42,
    "at_recorded": f"{DAY}:02.115Z",
    "clock": "unsynced",
    "document_no": "edge-1-0f8fad5b-42",
    "kind": "issue",
    "reason": "observed",
    "item": "BOLT",
    "quantity": 4,
    "uom": "pcs",
    "epcs": ["3034aa"],
    "from": {"location": "A-1"},
    "to": {"location": "unknown"},
    "order": {"system": "erp", "type": "so", "number": "4711", "line": "10"},
    "actor": "ana",
    "lot": "L7",
    "reverses": "m-1",
    "confidence_permille": 987,
    "evidence": {
        "weight_before_mg": 5_310_000,
        "weight_after_mg": 5_270_000,
        "reads": 7,
        "rssi_cdbm": -5420,
    },
}
CONFIRMATION: dict[str, Any] = {
    "event": "task_confirmation",
    "seq": 43,
    "task": "T-1",
    "state": "short",
    "quantity_done": 4,
    "quantity_asked": 5,
    "uom": "pcs",
    "item": "BOLT",
    "exception": "SHORT",
}
TOLD: dict[str, Any] = {
    "record": MOVEMENT,
    "rule": "movement",
    "thresholds": {"weight": {"window_s": "1", "demanded": ["A", "B"], "strict": True, "x": None}},
    "wiring": [
        {"cell": "s:1", "location": "A-1"},
        {"location": "A", "antennas": ["r:1", "r:2"]},
        {"portal": "gate", "outer": ["g:1"], "inner": ["g:2"]},
    ],
    "task": {
        "task_id": "T-1",
        "type": "issue",
        "done": 4,
        "asked": 5,
        "item": "BOLT",
        "state": "picking",
    },
    "core": {"status": "settled", "core_document_no": "MAT-7"},
    "timeline": [
        {"at": f"{DAY}:00.000Z", "what": "weighed", "gross_mg": 5_310_000},
        {"at": f"{DAY}:00.100Z", "what": "weighed", "gross_mg": 5_270_000},
        *(
            {
                "at": f"{DAY}:00.{second}00Z",
                "what": "read",
                "read_point": "r:1",
                "epc": "3034aa",
                "rssi_cdbm": level,
                "seen_count": 3,
            }
            for second, level in ((2, -5500), (3, -5420), (4, None))
        ),
        {"at": f"{DAY}:00.910Z", "what": "happened"},
        {"at": f"{DAY}:02.110Z", "what": "decided", "rule": "movement"},
        {"at": f"{DAY}:02.115Z", "what": "recorded", "seq": 42},
        {"at": f"{DAY}:04.000Z", "what": "task_confirmation", "record": CONFIRMATION},
    ],
}
PAGE = """\
record        42 of 2026-11-24 06:00:02.115, clock unsynced
document      edge-1-0f8fad5b-42
what          issue of 4 pcs BOLT, A-1 -> unknown
because       observed, told by the rule movement, 98.7 % sure
weight        5,310.0 g, then 5,270.0 g: -40.0 g, 10.0 g a piece
reads         7, -54.2 dBm
watched by    cell s:1, zone A (r:1 r:2), gate gate (g:1 g:2)
lot           L7
tags          3034aa
order         erp so 4711/10
task          T-1, issue 4 of 5 BOLT, picking
actor         ana
takes back    m-1
core          MAT-7, settled

what happened, in UTC
06:00:00.000  5,310.0 g █▁ 5,270.0 g
06:00:00.200  tag 3034aa read 9 x by r:1 at -54.2 dBm
06:00:00.910  it happened
06:00:02.110  the rule movement decides
06:00:02.115  recorded as 42
06:00:04.000  task T-1 short: 4 of 5 pcs BOLT, SHORT (record 43)

thresholds then in force
weight        window_s 1, demanded A B, strict yes
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is known of the record; change it before it is asked."""
    known = json.loads(json.dumps(TOLD))

    def why(_reader: object, called: str) -> Any:
        if called != "42":
            raise NotFoundError(f"no record is called {called!r}")
        return known

    monkeypatch.setattr("gateway.cli.why.reading", lambda _configuration: nullcontext())
    monkeypatch.setattr("gateway.cli.why.all_that_is_known", why)
    return known


@pytest.fixture
def why(
    capfd: pytest.CaptureFixture[str],
    site: Path,
    told: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    assert told

    def run(*words: str, columns: int = 80) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as ended:
            cli.main(["why", *words, "--config", str(site)])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_movement_is_told_from_its_readings_to_its_document(why: Run) -> None:
    assert why("42") == (OK, PAGE, "")


@pytest.mark.parametrize(("columns", "widest"), [(40, 40), (80, 80), (200, 100)])
def test_lines_fit_into_the_window(
    why: Run, told: dict[str, Any], columns: int, widest: int
) -> None:
    told["thresholds"]["weight"] = {f"threshold_{number}_s": "1.5" for number in range(20)}
    told["record"]["epcs"] = [f"30340242201d8840009efd{number:02x}" for number in range(9)]
    _, out, _ = why("42", columns=columns)
    widths = [len(line) for line in out.splitlines()]
    assert widest - 30 < max(widths) <= max(widest, 14 + 24)
    assert "\n              " in out


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (
            {
                "event": "alert",
                "code": "short",
                "raised": True,
                "severity": "warning",
                "text": "A: look",
            },
            "alert short raised (warning): A: look",
        ),
        (
            {"event": "acknowledgement", "actor": "ben", "key": "short:T-1", "note": "tonight"},
            "ben sees to the alert short:T-1: tonight",
        ),
        (
            {"event": "unresolved", "location": "A-1", "candidates": ["BOLT", "NUT"]},
            "unresolved at A-1: BOLT or NUT",
        ),
        ({"event": "unresolved", "location": "A-1", "candidates": []}, "unresolved at A-1"),
        ({"event": "dismissal", "unresolved_id": "u-1", "reason": "returned"}, "u-1 is closed"),
        ({"event": "amendment", "reason": "tags_followed"}, "known better: tags_followed"),
        ({"event": "snapshot", "location": "A-1"}, "snapshot A-1"),
        (
            {**MOVEMENT, "reason": "told_wrong", "actor": "ben"},
            "ben says that it was wrong: issue of 4 pcs BOLT",
        ),
        (MOVEMENT, "taken back: issue of 4 pcs BOLT"),
    ],
)
def test_what_became_of_it_is_told_in_words(
    why: Run, told: dict[str, Any], record: dict[str, Any], what: str
) -> None:
    entry = {"at": f"{DAY}:05.000Z", "what": record["event"], "record": {"seq": 50, **record}}
    told["timeline"] = [entry]
    _, out, _ = why("42", columns=100)
    assert f"06:00:05.000  {what}" in out


def test_answer_as_json(why: Run) -> None:
    code, out, _ = why("42", "--json")
    assert (code, json.loads(out)) == (OK, TOLD)


def test_record_that_is_not_known_is_a_problem(why: Run) -> None:
    code, _, err = why("43")
    assert (code, err) == (PROBLEM, "no record is called '43'\n")
