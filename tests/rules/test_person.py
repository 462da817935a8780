"""Who moved it: sights of badges, and the movements that are told after them."""

import hashlib
import hmac
from random import Random
from typing import Any

import pytest

from gateway.model import (
    Badge,
    DeviceStatus,
    Fact,
    ReferenceDeleted,
    Scan,
)
from gateway.ports import ConfigError, RuleContext
from rules.person import Person
from tests.rules.play import at
from tests.rules.warehouse import KEY, SITE, Warehouse, reads, stands


def test_scanned_badge_names_who_moved_it_until_its_time_is_over() -> None:
    shelf = Warehouse()
    shelf.feed(0, Scan("gun", "bob's badge"))
    assert shelf.moved(29, "SHELF", "unknown") == ["bob"]
    assert shelf.moved(60, "A1", "unknown") == []


def test_each_scan_and_each_movement_in_his_name_renew_the_time() -> None:
    shelf = Warehouse()
    for second in (0, 20, 40):
        shelf.feed(second, Scan("gun", "bob's badge"))
    assert shelf.moved(69, "A1", "unknown") == ["bob"]
    assert shelf.moved(98, "A1", "unknown") == ["bob"]
    assert shelf.moved(129, "A1", "unknown") == []


def test_whoever_scans_elsewhere_has_left() -> None:
    shelf = Warehouse()
    shelf.feed(0, Scan("gun", "bob's badge"))
    shelf.feed(10, Scan("bin-gun", "bob's badge"))
    assert shelf.moved(12, "A1", "unknown") == []
    assert shelf.moved(13, "B1", "unknown") == ["bob"]


def test_one_read_of_another_badge_makes_it_doubtful_who_it_was() -> None:
    shelf = Warehouse({"demanded": ["SHELF"]})
    shelf.feed(0, Scan("gun", "bob's badge"))
    shelf.feed(3, reads("b0a0", "r:1"))
    assert shelf.moved(4, "A1", "unknown") == []
    assert shelf.alerts() == []
    assert shelf.moved(12, "A1", "unknown") == ["bob"]


@pytest.mark.parametrize(
    ("scan", "source", "named"),
    [
        (Scan("gun", "]C18018950600013435200005", (("8018", "950600013435200005"),)), "A1", "ann"),
        (Scan("gun", "x", (("8018", "950600013435200005"), ("8019", "1"))), "A1", "ann"),
        (Scan("gun", "(8018)950600013435200005"), "A1", "ann"),
        (Scan("gun", "bob's badge"), "B1", None),
        (Scan("bin-gun", "bob's badge"), "B1", "bob"),
        (Scan("bin-gun", "bob's badge"), "NEXT", None),
        (Scan("gun", "no badge at all"), "A1", None),
        (Scan("handheld", "bob's badge"), "A1", None),
    ],
)
def test_whose_a_scan_is_and_where(scan: Scan, source: str, named: str | None) -> None:
    shelf = Warehouse()
    shelf.feed(0, scan)
    assert shelf.moved(1, source, "unknown") == ([] if named is None else [named])


def test_what_moved_before_the_scan_is_nobodys() -> None:
    shelf = Warehouse()
    shelf.feed(10, Scan("gun", "bob's badge"))
    assert shelf.moved(8.5, "A1", "unknown") == []


def test_what_moved_as_he_scanned_is_his_though_a_weight_tells_it_a_little_sooner() -> None:
    shelf = Warehouse()
    shelf.feed(10, Scan("gun", "bob's badge"))
    assert shelf.moved(9.5, "A1", "unknown") == ["bob"]


def test_two_people_at_one_shelf_are_not_guessed_at() -> None:
    shelf = Warehouse()
    shelf.feed(0, Scan("gun", "bob's badge"))
    stands(shelf, "b0a0", (1, 10))
    assert shelf.moved(5, "A1", "unknown") == []
    assert shelf.moved(9, "A1", "unknown") == []
    assert shelf.alerts() == [("two_people:A1", True)]
    shelf.wake(700)
    assert shelf.alerts() == [("two_people:A1", True), ("two_people:A1", False)]


def test_one_person_with_two_sights_is_one() -> None:
    shelf = Warehouse()
    shelf.feed(0, Scan("gun", "(8018)950600013435200005"))
    stands(shelf, "b0a0", (1, 6))
    assert shelf.moved(5, "A1", "B1", kind="transfer") == ["ann"]


def test_movement_without_a_badge_where_one_is_demanded() -> None:
    shelf = Warehouse({"demanded": ["SHELF"]})
    assert shelf.moved(0, "A1", "unknown") == []
    assert shelf.moved(300, "A1", "unknown") == []
    assert shelf.moved(301, "B1", "unknown") == []
    assert shelf.alerts() == [("no_badge:A1", True)]
    shelf.wake(890)
    assert shelf.alerts() == [("no_badge:A1", True)]
    shelf.wake(903)
    assert shelf.alerts() == [("no_badge:A1", True), ("no_badge:A1", False)]
    assert shelf.rows == {}


@pytest.mark.parametrize(
    "rest",
    [
        {"reason": "found_after_gap", "at_since": 1},
        {"kind": "adjustment", "reason": "misplaced"},
        {"reverses": "m0"},
    ],
)
def test_what_nobody_was_watched_doing_is_nobodys(rest: dict[str, Any]) -> None:
    shelf = Warehouse({"demanded": ["SHELF"]})
    shelf.feed(0, Scan("gun", "bob's badge"))
    assert shelf.moved(1, "A1", "unknown", **rest) == []
    assert shelf.moved(200, "A1", "unknown", **rest) == []
    assert shelf.alerts() == []


def test_gate_names_who_passed_with_it() -> None:
    gate = Warehouse({"demanded": ["hall"]})
    gate.feed(0, Scan("gun", "bob's badge"))
    gate.feed(10, reads("b0a0", "g:1"))
    gate.feed(11, reads("b0a0", "g:2"))
    assert gate.moved(8, "yard", "hall", kind="transfer") == ["ann"]
    assert gate.moved(20, "yard", "hall", kind="transfer") == ["ann"]
    assert gate.moved(22, "yard", "hall", kind="transfer") == []
    assert gate.alerts() == [("no_badge:hall", True)]
    assert gate.rows.keys() == {"alert:no_badge:hall", "sight:scan\tSHELF\tbob"}
    gate.wake(500)
    assert gate.rows.keys() == {"alert:no_badge:hall"}


def test_one_read_at_a_gate_may_be_a_stray() -> None:
    gate = Warehouse()
    gate.feed(0, reads("b0a0", "g:1"))
    gate.feed(100, reads("b0a0", "g:1"))
    assert gate.moved(100, "yard", "hall", kind="transfer") == []
    gate.feed(103, reads("b0a0", "g:1"))
    assert gate.moved(101, "yard", "hall", kind="transfer") == ["ann"]


def test_reads_elsewhere_and_of_strangers_are_no_sights() -> None:
    shelf = Warehouse()
    shelf.feed(0, reads("b0a0", "x:1", 5))
    shelf.feed(0, reads("b0a0", "r:9", 5))
    shelf.feed(0, reads("ffff", "g:1", 5))
    shelf.feed(0, reads("ffff", "r:1", 5))
    assert shelf.moved(1, "A1", "unknown") == []
    assert shelf.moved(1, "yard", "hall") == []


def test_pseudonym_is_all_that_leaves_the_rule() -> None:
    shelf = Warehouse({"pseudonym": True, "demanded": ["SHELF"]})
    shelf.feed(0, Scan("gun", "bob's badge"))
    name = hmac.new(KEY, b"bob", hashlib.sha256).hexdigest()[:16]
    assert shelf.moved(1, "A1", "unknown") == [name]
    stands(shelf, "b0a0", (4, 5))
    shelf.moved(5, "A1", "unknown")
    told = repr((shelf.told[-2:], shelf.rows))
    assert name in told
    assert not any(secret in told for secret in ("bob", "ann", "B-17", "B-18", "b0a0"))


def test_pseudonym_without_a_key_is_refused() -> None:
    context = RuleContext(SITE, lambda *parts: str(parts), Random(0), pseudonym_key=b"short")
    with pytest.raises(ConfigError, match="pseudonym_key must name a secret of at least 16"):
        Person(Person.Settings(pseudonym=True), context)
    assert Person(Person.Settings(), context).schema == 2


def test_demanding_a_badge_where_nothing_moves_is_refused() -> None:
    context = RuleContext(SITE, lambda *parts: str(parts), Random(0))
    with pytest.raises(ConfigError, match="demanded: nothing moves at a location 'SHELVES'"):
        Person(Person.Settings(demanded=("SHELVES",)), context)


@pytest.mark.parametrize(
    ("keep_s", "fact", "gone_s"),
    [
        (28_800, Scan("gun", "bob's badge"), 150),
        (60, Scan("gun", "bob's badge"), 60),
    ],
)
def test_nobody_is_remembered_longer_than_is_needed_or_set(
    keep_s: float, fact: Fact, gone_s: float
) -> None:
    shelf = Warehouse({"keep_s": keep_s})
    shelf.feed(0, fact)
    shelf.wake(gone_s - 1)
    assert len(shelf.rows) == 1
    shelf.wake(gone_s)
    assert shelf.rows == {}
    assert shelf.moved(gone_s + 1, "A1", "unknown") == []


def test_rows_of_badges_in_zones_that_an_older_gateway_kept_are_dropped() -> None:
    old = {"since": at(0), "last": at(0), "standing": True, "boot": "boot-1"}
    shelf = Warehouse(rows={"sight:zone\tSHELF\tann": old}, last_alive_s=2)
    shelf.feed(3, DeviceStatus("gun", True))
    assert shelf.moved(4, "A1", "unknown") == []
    shelf.wake(5)
    assert shelf.rows == {}


def test_who_was_there_is_known_after_a_restart() -> None:
    before = Warehouse({"demanded": ["B1"]})
    before.feed(0, Scan("gun", "bob's badge"))
    before.moved(1, "B1", "unknown")
    after = Warehouse({"demanded": ["B1"]}, before.rows, last_alive_s=2)
    after.feed(3, DeviceStatus("gun", True))
    assert after.moved(10, "A1", "unknown") == ["bob"]
    after.moved(11, "B1", "unknown")
    after.wake(2000)
    assert after.alerts() == [("no_badge:B1", False)]
    assert after.rows == {}


def test_moments_of_another_boot_count_from_the_last_that_is_known() -> None:
    before = Warehouse({"demanded": ["B1"]})
    before.feed(5000, Scan("gun", "bob's badge"))
    before.moved(5000, "B1", "unknown")
    after = Warehouse({}, before.rows, boot="boot-2", last_alive_s=-10)
    after.feed(0, DeviceStatus("gun", True))
    assert after.moved(21, "A1", "unknown") == []
    assert after.moved(19, "A1", "unknown") == ["bob"]
    after.wake(589)
    assert after.alerts() == []
    after.wake(591)
    assert after.alerts() == [("no_badge:B1", False)]


def test_badge_taken_back_is_nobodys_any_more() -> None:
    shelf = Warehouse()
    shelf.feed(0, Scan("gun", "bob's badge"))
    shelf.feed(1, ReferenceDeleted("badge", "B-18"))
    shelf.feed(1, ReferenceDeleted("badge", "B-18"))
    shelf.feed(2, Scan("gun", "bob's badge"))
    stands(shelf, "b0b0", (2, 3))
    assert shelf.moved(3, "A1", "unknown") == []
    assert shelf.rows == {}


def test_newer_badge_takes_the_place_of_the_older() -> None:
    shelf = Warehouse()
    shelf.feed(0, Badge("B-18", "bea", "bea's badge", "", 2))
    shelf.feed(1, Scan("gun", "bob's badge"))
    assert shelf.moved(2, "A1", "unknown") == []
    shelf.feed(3, Scan("gun", "bea's badge"))
    assert shelf.moved(4, "A1", "unknown") == ["bea"]


def test_sights_and_alerts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.sights.SIGHTS_MAX", 1)
    monkeypatch.setattr("rules.person_alerts.STANDING_MAX", 1)
    shelf = Warehouse({"demanded": ["SHELF", "B1"]})
    shelf.moved(0, "A1", "unknown")
    shelf.moved(1, "B1", "unknown")
    assert shelf.alerts() == [("no_badge:A1", True)]
    shelf.feed(4, Scan("gun", "bob's badge"))
    shelf.feed(5, Scan("bin-gun", "bob's badge"))
    assert shelf.moved(6, "A1", "unknown") == []
    assert shelf.moved(7, "B1", "unknown") == ["bob"]
