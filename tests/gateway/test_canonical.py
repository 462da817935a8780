"""Canonical JSON against the standard library's own, and against what a record may not hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical import INTEGER_MAX, canonical

text = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-INTEGER_MAX, INTEGER_MAX)
values = st.recursive(
    integers | text | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
records = st.dictionaries(text, values, max_size=6)


@given(records)
def test_canonical_reads_back_as_the_same(record: dict[str, Any]) -> None:
    assert json.loads(canonical(record)) == record


@given(records)
def test_canonical_does_not_depend_on_order(record: dict[str, Any]) -> None:
    turned = dict(reversed(record.items()))
    assert canonical(turned) == canonical(record)


@given(records)
def test_canonical_is_what_json_says_sorted_and_tight(record: dict[str, Any]) -> None:
    by_library = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(record) == by_library.encode()


def test_canonical_escapes_only_what_json_demands() -> None:
    """The control characters of RFC 8785 section 3.2.2.2, and nothing beyond ASCII."""
    said = canonical({"a": '\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7fé€😀'})
    assert said == '{"a":"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7fé€😀"}'.encode()


def test_canonical_sorts_at_every_depth() -> None:
    assert canonical({"b": [{"z": 1, "a": 2}], "a": 0}) == b'{"a":0,"b":[{"a":2,"z":1}]}'


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        None,
        float("nan"),
        INTEGER_MAX + 1,
        -INTEGER_MAX - 1,
        {1: 2},
        b"x",
        [[0.5]],
        {"x": None},
    ],
)
def test_canonical_refuses_what_no_record_holds(value: Any) -> None:
    with pytest.raises(ValueError, match=r"no place|beyond|not a string"):
        canonical({"a": value})


def test_canonical_refuses_half_a_character() -> None:
    with pytest.raises(UnicodeEncodeError):
        canonical({"a": "\ud800"})
