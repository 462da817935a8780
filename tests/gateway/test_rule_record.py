from pathlib import Path

import pytest

from gateway.rule_record import KEPT_MAX, RuleRecord

S = 1_000_000_000


def record(folder: Path, boot: str = "boot-1", release: str = "1.0") -> RuleRecord:
    return RuleRecord(folder, boot, release)


def fail(folder: Path, rule: str, *seconds: int) -> None:
    for second in seconds:
        record(folder).note(rule, second * S)


def test_third_failure_in_five_minutes_leaves_a_rule_out(tmp_path: Path) -> None:
    fail(tmp_path, "count", 100, 200)
    assert record(tmp_path).left_out() == []
    fail(tmp_path, "count", 390)
    assert record(tmp_path).left_out() == ["count"]
    assert record(tmp_path).left_out() == ["count"]


def test_failures_far_apart_leave_it_in(tmp_path: Path) -> None:
    fail(tmp_path, "count", 100, 250, 401, 700)
    assert record(tmp_path).left_out() == []


def test_each_rule_counts_for_itself(tmp_path: Path) -> None:
    for rule in ("count", "portal", "count", "portal", "count"):
        fail(tmp_path, rule, 100)
    assert record(tmp_path).left_out() == ["count"]


@pytest.mark.parametrize(("boot", "release"), [("boot-2", "1.0"), ("boot-1", "1.1")])
def test_another_boot_or_release_tries_again(tmp_path: Path, boot: str, release: str) -> None:
    fail(tmp_path, "count", 1, 2, 3)
    again = record(tmp_path, boot, release)
    assert again.left_out() == []
    again.note("count", 4 * S)
    assert record(tmp_path).left_out() == []


def test_removed_file_tries_again(tmp_path: Path) -> None:
    fail(tmp_path, "count", 1, 2, 3)
    record(tmp_path).path.unlink()
    assert record(tmp_path).left_out() == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"boot": "boot-1"}', '{"failures": [["count"]]}', "\udcff"]
)
def test_file_that_is_not_ours_counts_for_nothing(tmp_path: Path, content: str) -> None:
    record(tmp_path).path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert record(tmp_path).left_out() == []
    fail(tmp_path, "count", 1, 2, 3)
    assert record(tmp_path).left_out() == ["count"]


def test_file_stays_small(tmp_path: Path) -> None:
    fail(tmp_path, "count", *range(0, 100_000, 1000))
    assert record(tmp_path).path.read_text().count("count") == KEPT_MAX
