"""Every kind of event as a record, checked by the contract's own schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.canonical import canonical
from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Acknowledgement,
    Alert,
    Amendment,
    CountLine,
    CountReport,
    Digest,
    DigestLine,
    Dismissal,
    Event,
    Evidence,
    Movement,
    Ns,
    OrderReference,
    Proposal,
    ProposalLine,
    Snapshot,
    SnapshotLine,
    TaskConfirmation,
    Unresolved,
)
from gateway.store.booking import Head, kind_of, record, renumbered, utc

CONTRACT = Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml"
EPOCH = "0f8fad5b-d9cb-469f-a165-70867728950e"
HEAD = Head("edge-1", EPOCH, 42, "2026-11-24T06:00:02.120Z", "synced")
EPC = "3034257bf7194e4000001a85"

MOVEMENT = Movement(
    movement_id="6f1d3a52",
    kind="issue",
    reason="pick",
    item="M6-NUT",
    quantity=4,
    uom="pcs",
    from_location="shelf-1/3",
    to_location="unknown",
    at_event=2 * NS_PER_S,
    at_decided=3 * NS_PER_S,
    confidence_permille=987,
)
FULL_MOVEMENT = replace(
    MOVEMENT,
    evidence=Evidence(7, ("dock:1", "dock:2"), -5420, 5_310_000, 5_270_000, 900),
    epcs=(EPC,),
    lot="L-1",
    order=OrderReference("erp", "production", "4711", "10"),
    actor="badge-17",
    at_since=NS_PER_S,
    reverses="6f1d3a50",
    supersedes="6f1d3a51",
)
CONFIRMATION = TaskConfirmation(
    confirmation_id="c-1",
    task="T-4711-10",
    order=OrderReference("erp", "production", "4711", ""),
    state="done",
    item="M6-NUT",
    uom="pcs",
    quantity_asked=4,
    quantity_done=4,
    quantity_difference=0,
    at_started=NS_PER_S,
    at_event=2 * NS_PER_S,
    at_decided=3 * NS_PER_S,
)
FULL_CONFIRMATION = replace(
    CONFIRMATION,
    order=OrderReference("erp", "production", "4711", "10"),
    state="short",
    quantity_done=3,
    quantity_difference=-1,
    exception="SHORT",
    movement_ids=("6f1d3a52", "6f1d3a53"),
    epcs=(EPC,),
    actor="badge-17",
    evidence=Evidence(weight_before_mg=5_310_000, weight_after_mg=5_280_000, sd_mg=900),
)
EVENTS: list[Event] = [
    MOVEMENT,
    FULL_MOVEMENT,
    Unresolved("u-1", "two_items_fit", "shelf-1/3", ("M6-NUT",), 1, 2, Evidence(sd_mg=3), (EPC,)),
    Dismissal("u-1", "put_back", 3),
    Dismissal("p-1", "approved", 3, "eva"),
    CountReport("r-1", "c-1", "full", "shelf-1", (), 3, True, 4, 1, 2),
    CountReport(
        *("r-2", "c-1", "places", "shelf-1"),
        (
            CountLine("M6-NUT", 4, 3, "pcs", 990, "missing", "both", (EPC,)),
            CountLine("M8-NUT", -1, None, "pcs", 0, "sensor"),
            CountLine("M9-NUT", 2, 2, "pcs", 900, None, "weight"),
        ),
        *(0, False, 0, 1, 2),
    ),
    Digest("d-1", (DigestLine("shelf-1", "ab" * 32),), 1),
    Proposal("p-1", "stocktake", "shelf-1", (ProposalLine("M6-NUT", 4, 3, "pcs"),), "if so", 1),
    Proposal("p-2", "binding", "hall", (ProposalLine("M", -1, 3, "pcs", "new", (EPC,)),), "", 1),
    Alert("reader_down", "dock-1", raised=True, severity="critical", text="no bytes", at_event=1),
    Alert("unresolved", f"unresolved:{'p' * 128}:{'i' * 128}", True, "warning", "look", 1),
    Acknowledgement("unresolved", f"unresolved:{'p' * 128}:{'i' * 128}", "badge-17", 1),
    Acknowledgement("short", "short:T-1", "badge-17", 1, "n" * 250),
    Snapshot("s-1", "first_start", "shelf-1", (SnapshotLine("M6-NUT", 0, "pcs", (EPC,)),), 1),
    Amendment("clock_synced", 41, "2026-11-24T06:00:02.120Z"),
    Amendment("tags_followed", amends_movement="6f1d3a52", epcs=(EPC,)),
    Amendment("tags_followed", amends_movement="6f1d3a52", epcs=()),
    Amendment("lot_scanned", amends_movement="6f1d3a52", lot="L7"),
    CONFIRMATION,
    FULL_CONFIRMATION,
]


def say(at: Ns) -> str:
    return utc(1_790_000_000 * NS_PER_S + at)


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_record_fits_contract(event: Event, contract: dict[str, Any]) -> None:
    body = json.loads(canonical(record(event, HEAD, say)))
    schema = {"$ref": f"#/components/schemas/{type(event).__name__}", **contract}
    Draft202012Validator(schema).validate(body)
    assert body["event"] == kind_of(event)
    assert (body["gateway"], body["epoch"], body["seq"]) == ("edge-1", EPOCH, 42)


def test_record_of_movement_says_all() -> None:
    assert record(FULL_MOVEMENT, HEAD, say) == {
        "event": "movement",
        "gateway": "edge-1",
        "epoch": EPOCH,
        "seq": 42,
        "at_recorded": "2026-11-24T06:00:02.120Z",
        "clock": "synced",
        "movement_id": "6f1d3a52",
        "document_no": "edge-1-0f8fad5b-42",
        "kind": "issue",
        "reason": "pick",
        "item": "M6-NUT",
        "quantity": 4,
        "uom": "pcs",
        "lot": "L-1",
        "epcs": [EPC],
        "from": {"location": "shelf-1/3"},
        "to": {"location": "unknown"},
        "order": {"system": "erp", "type": "production", "number": "4711", "line": "10"},
        "actor": "badge-17",
        "at_event": "2026-09-21T14:13:22.000Z",
        "at_decided": "2026-09-21T14:13:23.000Z",
        "at_since": "2026-09-21T14:13:21.000Z",
        "confidence_permille": 987,
        "evidence": {
            "reads": 7,
            "antennas": ["dock:1", "dock:2"],
            "rssi_cdbm": -5420,
            "weight_before_mg": 5_310_000,
            "weight_after_mg": 5_270_000,
            "sd_mg": 900,
        },
        "reverses": "6f1d3a50",
        "supersedes": "6f1d3a51",
    }


def test_record_of_confirmation_says_all() -> None:
    assert record(FULL_CONFIRMATION, HEAD, say) == {
        "event": "task_confirmation",
        "gateway": "edge-1",
        "epoch": EPOCH,
        "seq": 42,
        "at_recorded": "2026-11-24T06:00:02.120Z",
        "clock": "synced",
        "confirmation_id": "c-1",
        "task": "T-4711-10",
        "order": {"system": "erp", "type": "production", "number": "4711", "line": "10"},
        "state": "short",
        "item": "M6-NUT",
        "uom": "pcs",
        "quantity_asked": 4,
        "quantity_done": 3,
        "quantity_difference": -1,
        "exception": "SHORT",
        "movement_ids": ["6f1d3a52", "6f1d3a53"],
        "epcs": [EPC],
        "actor": "badge-17",
        "at_started": "2026-09-21T14:13:21.000Z",
        "at_event": "2026-09-21T14:13:22.000Z",
        "at_decided": "2026-09-21T14:13:23.000Z",
        "evidence": {"weight_before_mg": 5_310_000, "weight_after_mg": 5_280_000, "sd_mg": 900},
    }
    assert {"exception", "actor"}.isdisjoint(record(CONFIRMATION, HEAD, say))


def test_record_leaves_out_what_does_not_apply() -> None:
    body = record(MOVEMENT, HEAD, say)
    absent = {"lot", "order", "actor", "at_since", "reverses", "supersedes"}
    assert not absent & body.keys()
    assert body["evidence"] == {}


def test_order_without_line_leaves_it_out() -> None:
    order = replace(MOVEMENT, order=OrderReference("erp", "receipt", "4711", ""))
    assert record(order, HEAD, say)["order"] == {
        "system": "erp",
        "type": "receipt",
        "number": "4711",
    }


def test_renumbered_movement_keeps_its_content_and_stands_in_for_itself() -> None:
    old = record(MOVEMENT, HEAD, say)
    new = renumbered(old, HEAD._replace(seq=99, at_recorded="2026-12-01T00:00:00.000Z"))
    changed = {name for name in new if new.get(name) != old.get(name)}
    assert changed == {"seq", "document_no", "at_recorded", "supersedes"}
    assert new["supersedes"] == "6f1d3a52"
    assert new["document_no"] == "edge-1-0f8fad5b-99"


def test_renumbered_movement_keeps_what_it_superseded() -> None:
    old = record(FULL_MOVEMENT, HEAD, say)
    assert renumbered(old, HEAD._replace(seq=99))["supersedes"] == "6f1d3a51"


def test_renumbered_alert_gains_no_field() -> None:
    old = record(next(each for each in EVENTS if type(each) is Alert), HEAD, say)
    assert renumbered(old, HEAD._replace(seq=99)).keys() == old.keys()


@pytest.mark.parametrize(
    ("unix_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000 * NS_PER_S + 7 * NS_PER_MS + 999_999, "2026-09-21T14:13:20.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_utc_is_rounded_down_to_milliseconds(unix_ns: int, text: str) -> None:
    assert utc(unix_ns) == text


def test_unknown_event_is_a_bug() -> None:
    with pytest.raises(TypeError, match="is no event"):
        record("gone", HEAD, say)  # type: ignore[arg-type] # the point of the test
