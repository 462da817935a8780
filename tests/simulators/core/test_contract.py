"""The document is sound, and says no to what it should say no to."""

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from gateway import model
from simulators.core.contract import (
    PAYLOAD_BYTES_MAX,
    Address,
    Contract,
    ContractError,
    Position,
    leaf_hash,
    load_contract,
    parse,
    position,
)
from tests.conformance.records import (
    AT,
    amendment,
    encode,
    envelope,
    epoch_of,
    movement,
    snapshot,
)

EPOCH = epoch_of("contract")
TOPIC = "shelfgate/v1/hamburg/edge-1/"
HEAD = {"event", "gateway", "epoch", "seq", "at_recorded", "clock"}


@pytest.fixture
def contract() -> Contract:
    return load_contract()


def examples() -> list[Any]:
    document = load_contract().document
    return [
        pytest.param(channel, example["payload"], id=f"{message}-{number}")
        for channel, body in document["channels"].items()
        for message in body["messages"]
        for number, example in enumerate(
            document["components"]["messages"][message].get("examples", [])
        )
    ]


@pytest.mark.parametrize(("channel", "payload"), examples())
def test_example_of_the_document_is_valid(
    contract: Contract, channel: str, payload: dict[str, Any]
) -> None:
    levels = contract.channels[channel].levels
    names = [level.strip("{}") for level in levels if level.startswith("{")]
    topic = contract.topic(channel, "hamburg", "edge-1", *(payload[name] for name in names))
    assert contract.check(topic, encode(payload)) == payload


def test_schemas_are_valid_draft_7(contract: Contract) -> None:
    for channel in contract.channels.values():
        for schema in channel.schemas.values():
            Draft7Validator.check_schema(schema.schema)
    assert len(contract.channels) == 16


@pytest.mark.parametrize(
    ("event", "renamed"),
    [
        (model.Movement, {"from_location": "from", "to_location": "to"}),
        (model.Unresolved, {}),
        (model.Dismissal, {}),
        (model.Proposal, {}),
        (model.CountReport, {}),
        (model.Digest, {}),
        (model.Alert, {}),
        (model.Snapshot, {}),
        (model.Amendment, {}),
        (model.TaskConfirmation, {}),
    ],
)
def test_record_has_the_fields_of_its_event(
    contract: Contract, event: type[Any], renamed: dict[str, str]
) -> None:
    schema = contract.document["components"]["schemas"][event.__name__]
    fields = {renamed.get(field.name, field.name) for field in dataclasses.fields(event)}
    extra = {"document_no"} if event is model.Movement else set()
    assert set(schema["properties"]) == fields | HEAD | extra
    assert set(schema["required"]) >= HEAD


def test_evidence_and_snapshot_lines_have_the_fields_of_the_model(contract: Contract) -> None:
    schemas = contract.document["components"]["schemas"]
    lines = schemas["Snapshot"]["properties"]["lines"]["items"]["properties"]
    for properties, event in (
        (schemas["Evidence"]["properties"], model.Evidence),
        (schemas["Order"]["properties"], model.OrderReference),
        (lines, model.SnapshotLine),
    ):
        assert set(properties) == {field.name for field in dataclasses.fields(event)}


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 0},
        {"quantity": -3},
        {"quantity": "0.0"},
        {"quantity": "1,5"},
        {"quantity": "1e3"},
        {"quantity": True},
        {"kind": "theft"},
        {"clock": "good"},
        {"seq": 0},
        {"epoch": EPOCH.upper()},
        {"epcs": ["30340242201D8840009EFDF7"]},
        {"epcs": ["303"]},
        {"epcs": ["30", "30"]},
        {"from": "shelf-1"},
        {"from": {"location": "shelf-1", "bin": "3"}},
        {"at_event": "2026-11-24T06:00:00+01:00"},
        {"at_event": "2026-11-24 06:00:00Z"},
        {"confidence_permille": 1001},
        {"evidence": {"weight_before_g": 3}},
        {"order": {"system": "erp"}},
        {"item": ""},
        {"item": "a\nb"},
        {"surprise": 1},
        {"lot": None},
    ],
)
def test_movement_against_the_schema_is_refused(
    contract: Contract, changes: dict[str, Any]
) -> None:
    good = envelope("hamburg", movement("edge-1", EPOCH, 1))
    contract.check(TOPIC + "event", encode(good))
    bad = envelope("hamburg", movement("edge-1", EPOCH, 1) | changes)
    with pytest.raises(ContractError):
        contract.check(TOPIC + "event", encode(bad))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": f"edge-1/{EPOCH}/2"},
        {"source": "/hamburg/edge-2"},
        {"time": "2026-11-24T06:00:01Z"},
        {"leafhash": "0" * 64},
        {"type": "shelfgate.snapshot.v1"},
        {"type": "shelfgate.rumour.v1"},
        {"type": []},
        {"specversion": "0.3"},
        {"extra": "1"},
    ],
)
def test_envelope_that_tells_another_story_is_refused(
    contract: Contract, changes: dict[str, Any]
) -> None:
    payload = encode(envelope("hamburg", movement("edge-1", EPOCH, 1), **changes))
    with pytest.raises(ContractError):
        contract.check(TOPIC + "event", payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"{",
        b"1.0",
        b"1e2",
        b"NaN",
        b'{"a": 1, "a": 1}',
        b'"\\ud800"',
        b"[" * 100_000,
        b"9" * 10_000,
        b'"' + b"x" * PAYLOAD_BYTES_MAX + b'"',
    ],
    ids=range(11),
)
def test_json_not_as_agreed_is_refused(payload: bytes) -> None:
    with pytest.raises(ContractError):
        parse(payload)


def test_json_as_agreed_is_decoded() -> None:
    assert parse('{"a": [1, "\\ud83d\\udd29 ü"]}'.encode()) == {"a": [1, "🔩 ü"]}


@pytest.mark.parametrize(
    ("topic", "channel", "keys"),
    [
        ("event", "event", {}),
        ("hello", "helloGateway", {}),
        ("hello/core", "helloCore", {}),
        ("cmd/request", "commandRequest", {}),
        ("cmd/core/request", "coreRequest", {}),
        ("stock/shelf-1%2F3/M6%20nut", "stock", {"location": "shelf-1/3", "item": "M6 nut"}),
        ("item/%E9%92%A2", "item", {"code": "钢"}),
    ],
)
def test_topic_is_taken_apart(
    contract: Contract, topic: str, channel: str, keys: dict[str, str]
) -> None:
    assert contract.address(TOPIC + topic) == Address(channel, "hamburg", "edge-1", keys)
    assert contract.topic(channel, "hamburg", "edge-1", *keys.values()) == TOPIC + topic


@pytest.mark.parametrize(
    "topic",
    [
        "other/hamburg/edge-1/event",
        "shelfgate/v1/hamburg",
        "shelfgate/v1/ham burg/edge-1/event",
        "shelfgate/v1/hamburg//event",
        TOPIC + "event/more",
        TOPIC + "item/",
        TOPIC + "item/a b",
        TOPIC + "item/%2f",
    ],
)
def test_topic_of_no_channel_is_refused(contract: Contract, topic: str) -> None:
    with pytest.raises(ContractError):
        contract.address(topic)


def test_retain_flag_and_key_must_fit_the_channel(contract: Contract) -> None:
    item = encode({"code": "M6", "version": 1})
    assert contract.check(TOPIC + "item/M6", item, retain=True)
    assert contract.check(TOPIC + "item/M6", b"", retain=True) is None
    for topic, payload, retain in (
        (TOPIC + "item/M6", item, False),
        (TOPIC + "item/M8", item, True),
        (TOPIC + "hello", b"", False),
    ):
        with pytest.raises(ContractError):
            contract.check(topic, payload, retain=retain)


def test_leaf_hash_is_that_of_rfc_6962_over_canonical_json() -> None:
    data = {"b": "ü", "a": [1, {"d": "x/y", "c": ""}]}
    written = '{"a":[1,{"c":"","d":"x/y"}],"b":"ü"}'
    assert leaf_hash(data) == hashlib.sha256(b"\0" + written.encode()).hexdigest()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"data": {"epoch": EPOCH, "seq": 3}}, Position("edge-1", EPOCH, 3)),
        ({"id": f"edge-1/{EPOCH}/4", "data": 1}, Position("edge-1", EPOCH, 4)),
        ({"id": f"edge-1/{EPOCH}/4", "data": {"seq": True}}, Position("edge-1", EPOCH, 4)),
        ({"id": f"edge-1/{EPOCH}/04"}, None),
        ({"id": f"edge-1/{EPOCH}"}, None),
        ({"data": {"epoch": EPOCH, "seq": 2**53}}, None),
        ({"data": {"epoch": 5, "seq": 3}}, None),
        ([], None),
    ],
)
def test_position_of_a_broken_event_is_found_where_it_can_be(
    value: Any, found: Position | None
) -> None:
    assert position(Address("event", "hamburg", "edge-1", {}), value) == found


@pytest.mark.parametrize(
    ("told", "good"),
    [
        ({"amends_seq": 3, "at_event_wall": AT}, True),
        ({"amends_movement": "m-1", "epcs": []}, True),
        ({"amends_movement": "m-1", "epcs": ["3034"]}, True),
        ({"amends_movement": "m-1"}, False),
        ({"amends_seq": 3, "epcs": []}, False),
        ({"amends_seq": 3, "at_event_wall": AT, "amends_movement": "m-1", "epcs": []}, False),
        ({}, False),
    ],
)
def test_amendment_is_of_a_time_or_of_pieces(
    contract: Contract, told: dict[str, Any], good: bool
) -> None:
    payload = encode(envelope("hamburg", amendment("edge-1", EPOCH, 2, **told)))
    if good:
        contract.check(TOPIC + "event", payload)
        return
    with pytest.raises(ContractError):
        contract.check(TOPIC + "event", payload)


def test_snapshot_round_trip(contract: Contract) -> None:
    value = envelope("hamburg", snapshot("edge-1", EPOCH, 9))
    assert contract.check(TOPIC + "event", json.dumps(value).encode(), retain=False) == value
