"""Where a difference may come from, in words."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.hints import HINTS_MAX, hints, notable, shift_of
from gateway.ports import Record

SHIFTS = {"early": "06:00", "late": "14:00", "night": "22:00"}
NIGHT, NOON = "2026-11-24T23:10:00.000Z", "2026-11-24T12:00:00.000Z"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def record(kind: str, /, **body: Any) -> Record:
    told = {"event": kind, "at_event": NIGHT} | body
    return Record(1, kind, json.dumps(told).encode(), b"")


def issue(**body: Any) -> Record:
    ends = {"from": {"location": "B2"}, "to": {"location": "unknown"}}
    return record("movement", **{"kind": "issue", "item": "BOLT", "quantity": 1, **ends, **body})


def said(*records: Record, location: str = "B2", item: str = "BOLT") -> list[str]:
    return hints(notable(records), SHIFTS, location, item)


def test_issues_without_an_order_are_counted_by_shift_and_person() -> None:
    told = said(
        issue(),
        issue(),
        issue(),
        issue(at_event=NOON, actor="eva"),
        issue(order={"number": "4711"}),
        issue(item="NUT"),
        issue(**{"from": {"location": "B3"}}),
        issue(kind="transfer"),
    )
    assert told == [
        "3 unplanned issues by night shift at B2",
        "1 unplanned issue by early shift (eva) at B2",
    ]


def test_what_stayed_open_or_was_alerted_there_is_named() -> None:
    told = said(
        record("unresolved", location="B2", candidates=["BOLT"]),
        record("unresolved", location="B2", candidates=["NUT"]),
        record("unresolved", location="B3", candidates=[]),
        record("alert", key="senses_disagree:B2:BOLT", code="senses_disagree", raised=True),
        record("alert", key="senses_disagree:B2:BOLT", code="senses_disagree", raised=False),
        record("alert", key="reorder:B2:BOLT", code="reorder", raised=True),
        record("proposal"),
    )
    assert told == [
        "1 unresolved change by night shift at B2",
        "1 alert senses_disagree by night shift at B2",
    ]


def test_hints_are_few() -> None:
    assert len(said(*(issue(actor=f"a{n}") for n in range(9)))) == HINTS_MAX


@pytest.mark.parametrize(
    ("at", "shift"),
    [
        ("2026-11-24T06:00:00.000Z", "early"),
        ("2026-11-24T05:59:00.000Z", "night"),
        ("2026-11-24T21:59:00.000Z", "late"),
    ],
)
def test_shift_is_the_one_that_began_last(at: str, shift: str) -> None:
    assert shift_of(at, SHIFTS) == shift
    assert shift_of(at, {}) == ""
