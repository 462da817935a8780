"""Each folder of tests/cases is a scenario: what devices said, and what must be booked."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.recording import read_recording
from gateway.replay import replay
from gateway.settings import load_configuration

CASES = Path(__file__).parent / "cases"


def differing(record: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """What of the expected fields is otherwise."""
    return {key: record.get(key) for key in expected if record.get(key) != expected[key]}


@pytest.mark.parametrize("name", sorted(case.name for case in CASES.iterdir()))
def test_case_books_what_is_expected(name: str) -> None:
    folder = CASES / name
    configuration = load_configuration(folder / "gateway.toml")
    replayed = list(replay(read_recording(folder / "observations.jsonl"), configuration))
    records = [json.loads(record) for record in replayed]
    lines = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    told = [f"{record['event']} {record.get('item', '')}".strip() for record in records]
    assert len(records) == len(expected), f"booked: {', '.join(told)}"
    for number, (record, wanted) in enumerate(zip(records, expected, strict=True), start=1):
        assert differing(record, wanted) == {}, f"expected.jsonl:{number}: {wanted}"


def test_a_field_that_is_otherwise_is_told() -> None:
    assert differing({"item": "A", "quantity": 2}, {"item": "A", "quantity": 3}) == {"quantity": 2}
