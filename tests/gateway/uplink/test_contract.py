"""What we publish fits docs/asyncapi.yaml, and what it allows we understand."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical import canonical
from gateway.model import (
    Badge,
    BookLine,
    BookLot,
    BookStock,
    ExpectedSet,
    Item,
    Location,
    OrderReference,
    ReferenceDeleted,
    Task,
)
from gateway.ports import Record
from gateway.uplink.envelope import Envelopes
from gateway.uplink.messages import (
    Ack,
    BadPayloadError,
    CoreHello,
    parse_ack,
    parse_hello,
    parse_request,
)
from gateway.uplink.outbox import Result
from gateway.uplink.reference import parse_reference
from gateway.uplink.topics import decode_key, encode_key, topics_of
from tests.gateway.uplink.peers import EPOCH, make_record

CONTRACT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "asyncapi.yaml").read_text(encoding="utf-8")
)
ENVELOPES = Envelopes("site-1", "edge-1", EPOCH)


def check(schema: str, value: object) -> None:
    """Validate against one schema of the contract."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": CONTRACT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def examples(message: str) -> list[Any]:
    return [each["payload"] for each in CONTRACT["components"]["messages"][message]["examples"]]


def record_of(body: dict[str, Any]) -> Record:
    data = canonical(body)
    leaf = hashlib.sha256(b"\x00" + data).digest()
    return Record(body["seq"], body["event"], data, leaf)


def test_envelope_is_the_contracts_own_example() -> None:
    (example,) = examples("movement")
    made = json.loads(ENVELOPES.wrap(record_of(example["data"])))
    check("Envelope", made)
    assert made["data"] == example["data"]
    assert made["subject"] == example["subject"]
    assert made["time"] == example["time"]
    assert made["leafhash"] == example["leafhash"]


def test_envelope_keeps_the_records_bytes() -> None:
    record = make_record(7)
    assert ENVELOPES.wrap(record).endswith(b'"data":' + record.body + b"}")


@pytest.mark.parametrize(
    ("kind", "fields", "subject"),
    [
        ("movement", {"from": {"location": "unknown"}, "to": {"location": "a/b"}}, "a/b"),
        ("movement", {"from": {"location": 'x"y'}, "to": {"location": "unknown"}}, 'x"y'),
        ("unresolved", {"unresolved_id": "u-1"}, "u-1"),
        ("dismissal", {"unresolved_id": "u-1"}, "u-1"),
        ("proposal", {"proposal_id": "p-1"}, "p-1"),
        ("digest", {"digest_id": "d-1"}, "d-1"),
        ("count_report", {"location": "shelf-1"}, "shelf-1"),
        ("alert", {"key": "dock\u2028\\"}, "dock\u2028\\"),
        ("snapshot", {"location": "shelf-1"}, "shelf-1"),
        ("amendment", {"amends_seq": 12}, "12"),
        ("amendment", {"amends_movement": "m-1", "epcs": []}, "m-1"),
        ("task_confirmation", {"task": "T-4711-10", "order": {}}, "T-4711-10"),
    ],
)
def test_envelope_names_its_subject(kind: str, fields: dict[str, Any], subject: str) -> None:
    head = {"event": kind, "seq": 9, "at_recorded": "2026-11-24T06:00:02.120Z"}
    made = json.loads(ENVELOPES.wrap(record_of(head | fields)))
    check("Envelope", made)
    assert (made["subject"], made["type"]) == (subject, f"shelfgate.{kind}.v1")
    assert made["id"] == f"edge-1/{EPOCH}/9"


def test_stand_in_has_the_records_number_and_hash_and_an_unknown_type() -> None:
    record = make_record(7, filler=5000)
    made = json.loads(ENVELOPES.stand_in(record, "too large"))
    check("Envelope", made)
    assert made["leafhash"] == record.leaf_hash.hex()
    assert made["data"]["seq"] == 7
    assert made["data"]["epoch"] == EPOCH
    assert len(ENVELOPES.stand_in(record, "too large")) < 1000
    known = {message.removesuffix("Core") for message in CONTRACT["components"]["messages"]}
    assert made["type"].split(".")[1] not in known


def test_acks_and_hellos_of_the_contract_are_understood() -> None:
    assert parse_hello(json.dumps(examples("helloCore")[0]).encode()) == CoreHello(EPOCH, 41)
    ack = parse_ack(json.dumps(examples("ack")[0]).encode())
    assert ack == Ack(
        EPOCH,
        43,
        (
            Result(42, "accepted", "MAT-000042"),
            Result(43, "rejected", None, "item is not known: M7-NUT"),
        ),
    )


def test_requests_of_the_contract_are_understood() -> None:
    for example in examples("commandRequest"):
        request = parse_request(json.dumps(example).encode())
        assert (request.id, request.command, request.args) == tuple(example.values())


@pytest.mark.parametrize(
    ("parse", "payload"),
    [
        (parse_hello, {"epoch": EPOCH}),
        (parse_hello, {"epoch": EPOCH, "hw": -1}),
        (parse_hello, {"epoch": EPOCH, "hw": True}),
        (parse_hello, {"epoch": EPOCH, "hw": 1.0}),
        (parse_hello, {"epoch": "", "hw": 1}),
        (parse_hello, {"epoch": EPOCH, "hw": 1 << 53}),
        (parse_ack, {"epoch": EPOCH, "hw": 1, "results": {}}),
        (parse_ack, {"epoch": EPOCH, "hw": 1, "results": [7]}),
        (parse_ack, {"epoch": EPOCH, "hw": 1, "results": [{"seq": 2, "status": "accepted"}]}),
        (parse_ack, {"epoch": EPOCH, "hw": 1, "results": [{"seq": 1, "status": "perhaps"}]}),
        (parse_ack, {"epoch": EPOCH, "hw": 1, "results": [{"seq": 1, "status": ["accepted"]}]}),
        (parse_ack, {"epoch": EPOCH, "hw": 1, "results": [{"seq": 0, "status": "accepted"}]}),
        (
            parse_ack,
            {"epoch": EPOCH, "hw": 1, "results": [{"seq": 1, "status": "accepted", "reason": 5}]},
        ),
        (parse_ack, {"epoch": EPOCH, "hw": 600, "results": [{"seq": 1}] * 501}),
        (parse_request, {"id": 5, "command": "tare"}),
        (parse_request, {"id": "a", "command": "tare", "args": []}),
    ],
)
def test_payload_against_the_contract_is_bad(parse: Any, payload: object) -> None:
    with pytest.raises(BadPayloadError):
        parse(json.dumps(payload).encode())


@given(st.binary(max_size=200))
def test_no_bytes_surprise_the_parsers(payload: bytes) -> None:
    for parse in (parse_hello, parse_ack, parse_request):
        with pytest.raises(BadPayloadError):
            parse(payload)


def test_brackets_without_end_are_a_bad_payload() -> None:
    with pytest.raises(BadPayloadError):
        parse_ack(b"[" * 200_000)


def test_references_of_the_contract_are_understood() -> None:
    item, location, expected, task = (
        json.dumps(examples(name)[0]).encode() for name in ("item", "location", "expected", "task")
    )
    nut = Item("M6-NUT", "Hexagon nut M6", 10_000, 120, "pcs", version=3)
    nut = replace(nut, gtins=("09506000134352",), company_prefixes=("9506000",), lot_rule="fefo")
    names = (("de", "Sechskantmutter M6"), ("zh", "六角螺母 M6"))
    nut = replace(nut, names=names, uoms=(("BOX", "100"),))
    assert parse_reference("item/M6-NUT", item) == nut
    assert parse_reference("location/shelf-1%2F3", location) == Location(
        "shelf-1/3", "Shelf 1 bin 3", 1, "bin", "shelf-1", (("zh", "一号货架三号位"),)
    )
    oil = parse_reference("item/OIL-46", json.dumps(examples("item")[1]).encode())
    assert isinstance(oil, Item)
    assert (oil.uom, oil.base_uom, oil.bulk_g) == ("l", "ml", 0.8725)
    epcs = frozenset({"30340242201d8840009efdf7"})
    assert parse_reference("task/ASN-99", expected) == ExpectedSet(
        "ASN-99", "dock", "in", epcs, version=1
    )
    assert parse_reference("task/T-4711-10", task) == Task(
        "T-4711-10",
        "issue",
        OrderReference("erp", "production", "4711", "10"),
        "M6-NUT",
        4,
        from_location="shelf-1/3",
        tolerance_pieces=1,
        policy="strict",
        priority=5,
        due_s=1_795_512_600,
        timeout_s=600,
        version=1,
    )
    badge = json.dumps(examples("badge")[0]).encode()
    scan, epc = "(8018)950600013435200005", "2d1644334050147d00000000"
    assert parse_reference("badge/badge-17", badge) == Badge("badge-17", "a.muster", scan, epc, 1)


def test_book_of_the_contract_is_understood() -> None:
    example = json.dumps(examples("book")[0]).encode()
    line = BookLine("M6-NUT", 100, "pcs", safety=20, reorder=40)
    assert parse_reference("book/shelf-1%2F3", example) == BookStock("shelf-1/3", (line,), 12)


LOTS = (BookLot("1", 3, "2027-03-31"), BookLot("2", 4))


def test_lots_of_an_item_add_up_to_its_book() -> None:
    lines = [
        {
            "item": "A",
            "quantity": 3,
            "uom": "pcs",
            "lot": "1",
            "safety": 0,
            "expires": "2027-03-31",
        },
        {"item": "B", "quantity": "-2.000", "uom": "pcs"},
        {"item": "A", "quantity": "4", "uom": "pcs", "lot": "2", "reorder": 9},
    ]
    told = {"code": "L", "version": 2, "at": "2026-11-24T06:00:00Z", "lines": lines}
    assert parse_reference("book/L", json.dumps(told).encode()) == BookStock(
        "L", (BookLine("A", 7, "pcs", 0, 9, LOTS), BookLine("B", -2)), 2
    )


def test_book_of_bulk_goods_is_in_grams_and_millilitres() -> None:
    lines = [
        {"item": "A", "quantity": "1.5", "uom": "kg", "safety": "0.25", "reorder": 2},
        {"item": "B", "quantity": "-0.002", "uom": "LTR"},
    ]
    told = {"code": "L", "version": 2, "at": "2026-11-24T06:00:00Z", "lines": lines}
    assert parse_reference("book/L", json.dumps(told).encode()) == BookStock(
        "L", (BookLine("A", 1500, "g", 250, 2000), BookLine("B", -2, "ml")), 2
    )


LOT = {"item": "A", "quantity": 1, "uom": "pcs", "lot": "L1"}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({}, "lines: a list"),
        ([[]], r"lines\.0: an object"),
        ([{"item": "A", "quantity": 1}], r"lines\.0\.uom"),
        ([{"item": "A", "quantity": 1.5, "uom": "pcs"}], r"lines\.0\.quantity: a whole number"),
        ([{"item": "A", "quantity": "1.5", "uom": "BOX"}], r"lines\.0\.quantity: a whole number"),
        (
            [{"item": "A", "quantity": "1.5005", "uom": "kg"}],
            r"lines\.0\.quantity: 1\.5005 kg is no",
        ),
        ([{"item": "A", "quantity": 1, "uom": "kg", "colour": 2}], r"lines\.0\.colour: this field"),
        ([LOT | {"expires": "2027-02-30"}], r"lines\.0\.expires: a day"),
        ([{"item": "A", "quantity": 1, "uom": "kg", "received": "2027-02-28"}], r"no lot is named"),
        ([LOT, LOT], r"lines\.1\.lot: 'L1' stands on another line"),
        ([{"item": "A", "uom": "pcs"}], r"lines\.0\.quantity: a whole number"),
        ([{"item": "A", "quantity": True, "uom": "pcs"}], r"lines\.0\.quantity"),
        ([{"item": "A", "quantity": 1, "uom": "pcs", "safety": -1}], r"lines\.0\.safety"),
        (
            [{"item": "A", "quantity": 1, "uom": uom} for uom in ("pcs", "kg")],
            r"lines\.1\.uom: 'g', and 'pcs'",
        ),
        (
            [{"item": "A", "quantity": 1, "uom": "pcs", "reorder": 1}] * 2,
            r"lines\.1\.reorder: stands on another line",
        ),
        ([{"item": "A", "quantity": 1, "uom": "pcs"}] * 4097, "lines: a list of at most 4096"),
    ],
)
def test_bad_book_is_refused_whole_and_says_why(lines: object, why: str) -> None:
    told = {"code": "L", "version": 1, "at": "2026-11-24T06:00:00Z", "lines": lines}
    with pytest.raises(BadPayloadError, match=why):
        parse_reference("book/L", json.dumps(told).encode())


@pytest.mark.parametrize(
    ("kind", "gone"),
    [(kind, kind) for kind in ("item", "location", "book", "task", "badge")],
)
def test_empty_payload_takes_a_reference_back(kind: str, gone: Any) -> None:
    assert parse_reference(f"{kind}/a%2Fb", b"") == ReferenceDeleted(gone, "a/b")


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("item/A", {"code": "B", "version": 1}),
        ("item/A", {"code": "A"}),
        ("item/A", {"code": "A", "version": 0}),
        ("item/A", {"code": "A", "version": 1, "unit_mg": 1.5}),
        ("item/A", {"code": "A", "version": 1, "unit_mg": -1}),
        ("item/A", {"code": "A", "version": 1, "epc_prefixes": ["XY"]}),
        ("item/A", {"code": "A", "version": 1, "epc_prefixes": "30"}),
        ("item/A", {"code": "A", "version": 1, "gtins": ["9506000134353"]}),
        ("item/A", {"code": "A", "version": 1, "gtins": [9506000134352]}),
        ("item/A", {"code": "A", "version": 1, "gtins": ["9506000134352"] * 65}),
        ("item/A", {"code": "A", "version": 1, "company_prefixes": ["12345"]}),
        ("item/A", {"code": "A", "version": 1, "company_prefixes": ["12345a"]}),
        ("item/%FF", {"code": "A", "version": 1}),
        ("item/A", {"code": "A", "version": 1, "name": "\ud800"}),
        ("badge/A", {"code": "A", "version": 1}),
        ("badge/A", {"code": "A", "version": 1, "actor": ""}),
        ("badge/A", {"code": "A", "version": 1, "actor": "a", "scan": "x" * 257}),
        ("badge/A", {"code": "A", "version": 1, "actor": "a", "epc": "XY"}),
        ("badge/A", {"code": "A", "version": 1, "actor": "a", "epc": "0" * 125}),
        ("task/T", {"task_id": "T", "version": 1, "type": "expected", "portal": "p"}),
    ],
)
def test_bad_reference_is_refused(path: str, payload: object) -> None:
    with pytest.raises(BadPayloadError):
        parse_reference(path, json.dumps(payload).encode())


@given(st.text(min_size=1, max_size=128))
def test_any_key_stands_in_one_topic_level(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate is no text that could be sent
    level = encode_key(key)
    assert not set(level) & set("/+#$ ")
    assert decode_key(level) == key


def test_topics_are_those_of_the_contract() -> None:
    topics = topics_of("shelfgate/v1", "hamburg", "edge-1")
    ours = {
        "event": topics.event,
        "helloGateway": topics.hello,
        "helloCore": topics.core_hello,
        "ack": topics.ack,
        "status": topics.status,
        "health": topics.health,
        "commandRequest": topics.command,
        "commandResponse": topics.response,
        "coreRequest": topics.core_request,
        "stock": topics.stock("{location}", "{item}").replace("%7B", "{").replace("%7D", "}"),
    }
    names = {"prefix": "shelfgate/v1", "site": "hamburg", "gateway": "edge-1"}
    for channel, topic in ours.items():
        address = CONTRACT["channels"][channel]["address"]
        for name, value in names.items():
            address = address.replace(f"{{{name}}}", value)
        assert topic == address
