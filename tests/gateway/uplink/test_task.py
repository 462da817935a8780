"""Tasks of the wire: all of the contract is understood, and all else is refused by its field."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import OrderReference, Task
from gateway.uplink.messages import BadPayloadError
from gateway.uplink.reference import parse_reference

CONTRACT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "asyncapi.yaml").read_text(encoding="utf-8")
)
LEAST: dict[str, Any] = {
    "task_id": "T-1",
    "version": 2,
    "type": "issue",
    "order": {"system": "erp", "type": "so", "number": "4711"},
    "item": "NUT",
    "quantity": 4,
    "from": {"location": "A-1"},
}
FULL = LEAST | {
    "type": "put_away",
    "order": {"system": "erp", "type": "so", "number": "4711", "line": "10"},
    "to": {"location": "B-2"},
    "lot": "L7",
    "serials": ["3034", "3035", "3036", "3037"],
    "tolerance": {"pieces": 1, "permille": 5},
    "policy": "flexible",
    "priority": 9,
    "due": "1970-01-02T00:00:00.999999999Z",
    "timeout_s": 60,
}


def parsed(payload: object) -> Any:
    return parse_reference("task/T-1", json.dumps(payload).encode())


def is_of_contract(payload: object) -> bool:
    schema = {"$ref": "#/components/schemas/Task", "components": CONTRACT["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(payload)


def test_task_with_the_least_has_the_defaults_of_the_model() -> None:
    order = OrderReference("erp", "so", "4711", "")
    assert parsed(LEAST) == Task("T-1", "issue", order, "NUT", 4, "A-1", version=2)
    assert is_of_contract(LEAST)


def test_task_says_all_that_the_contract_has() -> None:
    assert parsed(FULL) == Task(
        code="T-1",
        kind="put_away",
        order=OrderReference("erp", "so", "4711", "10"),
        item="NUT",
        quantity=4,
        from_location="A-1",
        to_location="B-2",
        lot="L7",
        serials=("3034", "3035", "3036", "3037"),
        tolerance_pieces=1,
        tolerance_permille=5,
        policy="flexible",
        priority=9,
        due_s=86_400,
        timeout_s=60,
        version=2,
    )
    in_boxes = FULL | {"quantity": "0.5", "uom": "BOX"}
    told = parsed(in_boxes)
    assert (told.amount, told.uom, told.serials) == ("0.5", "BOX", tuple(FULL["serials"]))
    assert is_of_contract(in_boxes)
    assert is_of_contract(FULL)
    assert {*FULL, "uom"} == set(CONTRACT["components"]["schemas"]["Task"]["properties"])


@pytest.mark.parametrize("kind", ["issue", "receipt", "transfer", "return", "put_away"])
def test_every_kind_is_understood(kind: str) -> None:
    assert parsed(LEAST | {"type": kind}).kind == kind


SCHEMA_TOO = [
    ("version", {"version": 0}),
    ("type", {"type": "theft"}),
    ("type", {"type": ["issue"]}),
    ("order", {"order": None}),
    ("order.price", {"order": LEAST["order"] | {"price": 1}}),
    ("number", {"order": {"system": "erp", "type": "so"}}),
    ("line", {"order": LEAST["order"] | {"line": 10}}),
    ("item", {"item": ""}),
    ("item", {"item": "a\nb"}),
    ("item", {"item": "x" * 129}),
    ("quantity", {"quantity": 0}),
    ("quantity", {"quantity": True}),
    ("quantity", {"quantity": "4,5"}),
    ("quantity", {"quantity": "0.000", "uom": "kg"}),
    ("quantity", {"quantity": "-1", "uom": "kg"}),
    ("quantity", {"quantity": 1.5, "uom": "kg"}),
    ("from", {"from": "A-1"}),
    ("from.bin", {"from": {"location": "A-1", "bin": "3"}}),
    ("location", {"from": {}}),
    ("lot", {"lot": None}),
    ("serials", {"serials": "3034"}),
    ("serials", {"serials": ["303", "3034", "3035", "3036"]}),
    ("serials", {"serials": ["AB", "3034", "3035", "3036"]}),
    ("tolerance", {"tolerance": 2}),
    ("pieces", {"tolerance": {"pieces": -1}}),
    ("permille", {"tolerance": {"permille": 1001}}),
    ("tolerance.percent", {"tolerance": {"percent": 1}}),
    ("policy", {"policy": "lenient"}),
    ("policy", {"policy": None}),
    ("priority", {"priority": -1}),
    ("priority", {"priority": 1001}),
    ("due", {"due": "tomorrow"}),
    ("due", {"due": "2026-11-24T06:00:00+01:00"}),
    ("due", {"due": 5}),
    ("timeout_s", {"timeout_s": 0}),
    ("timeout_s", {"timeout_s": 86_401}),
    ("uom", {"uom": ""}),
]
PROSE_ONLY = [
    ("task_id", {"task_id": "T-2"}),
    ("T-1", {"task_id": "T-2"}),
    ("from, to", {"to": {"location": "A-1"}}),
    ("from, to", {"from": {"location": "unknown"}}),
    ("serials", {"serials": ["3034", "3035"]}),
    ("serials", {"serials": ["3034"] * 4}),
    ("serials", {"serials": ["3034", "3034", "3035", "3036", "3037"]}),
    ("due", {"due": "2026-02-30T06:00:00Z"}),
]


@pytest.mark.parametrize(("field", "changes"), SCHEMA_TOO + PROSE_ONLY[1:])
def test_malformed_field_is_refused_by_name(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadPayloadError, match=field):
        parsed(LEAST | changes)


@pytest.mark.parametrize(("_field", "changes"), SCHEMA_TOO)
def test_what_is_refused_is_against_the_contract(_field: str, changes: dict[str, Any]) -> None:
    assert not is_of_contract(LEAST | changes)


@pytest.mark.parametrize("name", ["version", "type", "order", "item", "quantity", "from"])
def test_missing_field_is_refused(name: str) -> None:
    payload = {key: value for key, value in LEAST.items() if key != name}
    with pytest.raises(BadPayloadError, match=name):
        parsed(payload)
    assert not is_of_contract(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(FULL)), json_values)
def test_no_value_of_a_field_surprises_the_parser(name: str, value: Any) -> None:
    try:
        task = parsed(FULL | {name: value})
    except BadPayloadError:
        return
    assert isinstance(task, Task)
    assert is_of_contract(FULL | {name: value})
