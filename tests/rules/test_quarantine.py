"""Tags that say nothing of an item: kept in sight, decided once an item claims them."""

from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Coverage,
    Item,
    Movement,
    Passage,
    ReferenceDeleted,
    Snapshot,
    Unresolved,
)
from rules.quarantine import KEPT_MAX, STANDS_NS
from tests.rules.acts import NUT, SGTIN, Acts, came, foreign, gone, play
from tests.rules.play import BOLT, S, at, seconds

MUTE, OTHER_MUTE = "e2801160600002054d0a1b2c", "000000000000000000000001"
CHIP = Item("CHIP", epc_prefixes=("e280",))
DAY_S = STANDS_NS / S


def passed(epc: str = MUTE, direction: Any = "in") -> Passage:
    return Passage("gate", epc, direction, at(1.0), at(5.0), 40, -4500, 960)


def alerts(found: Acts) -> list[tuple[str, bool]]:
    return [(alert.key, alert.raised) for alert in found.kinds(Alert)]


def kept(found: Acts) -> list[tuple[str, str]]:
    rows = [(key, row) for key, row in found.rows.items() if key.startswith("quarantine:")]
    return [(key.removeprefix("quarantine:"), row["place"]) for key, row in rows]


def test_tag_that_says_nothing_is_one_alert_with_the_reason() -> None:
    found = play()
    found.feed(2.0, came(MUTE), came(OTHER_MUTE))
    [alert] = found.kinds(Alert)
    assert (alert.code, alert.key, alert.severity) == ("unknown_epc", "unknown_epc:A", "warning")
    assert f"A: tag {MUTE}" in alert.text
    assert "header e2 is of no known scheme" in alert.text
    assert found.kinds(Unresolved, Movement) == []
    assert kept(found) == [(MUTE, "A"), (OTHER_MUTE, "A")]
    reasons = [row["reason"] for row in found.rows.values() if "reason" in row]
    assert reasons[1] == "header 00: the tag was never programmed"


def test_tag_of_a_trade_item_that_nobody_told_of_is_unresolved() -> None:
    found = play()
    found.feed(2.0, came(SGTIN))
    assert [fact.reason for fact in found.kinds(Unresolved)] == ["unknown_epc"]
    assert kept(found) == []


def test_tag_that_an_item_claims_by_its_prefix_is_none_of_them() -> None:
    found = play(items=(BOLT, CHIP))
    found.feed(2.0, came(MUTE))
    assert [fact.item for fact in found.kinds(Movement)] == ["CHIP"]
    assert kept(found) == []


def test_alert_ends_when_the_last_of_the_place_has_left() -> None:
    found = play()
    found.feed(2.0, came(MUTE), came(OTHER_MUTE), came(OTHER_MUTE))
    found.feed(50.0, gone(MUTE, second=40.0))
    assert alerts(found) == [("unknown_epc:A", True)]
    found.feed(60.0, gone(OTHER_MUTE, second=50.0))
    assert alerts(found) == [("unknown_epc:A", True), ("unknown_epc:A", False)]
    assert found.rows == {}
    assert found.kinds(Unresolved, Movement) == []


def test_tag_that_comes_elsewhere_is_kept_there() -> None:
    found = play()
    found.feed(2.0, came(MUTE))
    found.feed(3.0, gone(MUTE, to_zone="B"), came(MUTE, "B", from_zone="A"))
    assert alerts(found) == [
        ("unknown_epc:A", True),
        ("unknown_epc:A", False),
        ("unknown_epc:B", True),
    ]
    assert kept(found) == [(MUTE, "B")]


def test_tag_that_went_through_a_gate_is_kept_for_a_day() -> None:
    found = play()
    found.feed(9.0, passed(), passed(direction="uncertain"))
    assert kept(found) == [(MUTE, "hall")]
    assert alerts(found) == [("unknown_epc:hall", True)]
    found.wake(8.0 + DAY_S)
    assert kept(found) == [(MUTE, "hall")]
    found.wake(10.0 + DAY_S)
    assert alerts(found) == [("unknown_epc:hall", True), ("unknown_epc:hall", False)]
    assert found.rows == {}


def test_tag_in_a_zone_is_kept_until_it_leaves() -> None:
    found = play()
    found.feed(2.0, came(MUTE))
    found.wake(10 * DAY_S)
    assert kept(found) == [(MUTE, "A")]


@pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
def test_item_that_is_told_later_claims_it(boot: str) -> None:
    before = play()
    before.feed(2.0, came(MUTE, "B", second=1.5), passed(OTHER_MUTE))
    found = play(rows=before.rows, boot=boot, last_alive_s=3.0, now_s=4.0)
    claims = Item("CHIP", epc_prefixes=("e280", "0000"))
    found.feed(5.0, claims)
    assert found.told == []  # the engine takes no decision of a rule on what it knows
    found.feed(5.2, Coverage("r", S))
    one, other = found.kinds(Movement)
    assert (one.item, one.from_location, one.to_location) == ("CHIP", UNKNOWN_LOCATION, "B")
    assert seconds(one.at_event) == (1.5 if boot == "boot-1" else 3.0)
    assert (other.item, other.from_location, other.to_location) == ("CHIP", "yard", "hall")
    assert alerts(found) == [("unknown_epc:B", False), ("unknown_epc:hall", False)]
    assert kept(found) == []
    found.feed(60.0, gone(MUTE, "B", second=50.0))
    assert [fact.kind for fact in found.kinds(Movement)] == ["receipt", "transfer", "issue"]


def test_tag_that_leaves_as_soon_as_it_is_claimed_came_before() -> None:
    found = play()
    found.feed(2.0, came(MUTE, "B", second=1.5))
    found.feed(60.0, CHIP, gone(MUTE, "B", second=50.0))
    moved = [(fact.from_location, fact.to_location) for fact in found.kinds(Movement)]
    assert moved == [(UNKNOWN_LOCATION, "B"), ("B", UNKNOWN_LOCATION)]


def test_known_items_claim_nothing_at_the_start() -> None:
    before = play()
    before.feed(2.0, came(MUTE, "B", second=1.5))
    found = play(rows=before.rows, items=(BOLT, CHIP, NUT))
    assert found.told == []
    found.feed(1.0, Coverage("r", S))
    assert [fact.item for fact in found.kinds(Movement)] == ["CHIP"]


def test_stock_of_the_first_start_that_is_claimed_is_stated() -> None:
    found = play()
    found.feed(2.0, came(MUTE, "B", cause="first_start"))
    found.feed(3.0, CHIP, Coverage("r", S))
    found.wake(1000.0)
    [snapshot] = found.kinds(Snapshot)
    assert [(line.item, line.epcs) for line in snapshot.lines] == [("CHIP", (MUTE,))]


def test_tag_that_was_in_the_books_is_unresolved_when_its_item_is_taken_back() -> None:
    found = play(items=(BOLT, CHIP))
    found.feed(2.0, came(MUTE, "B"))
    found.feed(3.0, ReferenceDeleted("item", "CHIP"))
    found.feed(60.0, gone(MUTE, "B", to_zone="A"), came(MUTE, from_zone="B"))
    found.feed(90.0, gone(MUTE, "PAIR", second=80.0))
    assert [fact.location for fact in found.kinds(Unresolved)] == ["A", "PAIR"]
    assert kept(found) == []


def test_quarantine_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.quarantine.KEPT_MAX", 3)
    assert KEPT_MAX > 100
    found = play()
    for number in range(5):
        found.feed(2.0 + number, came(f"ff{number:02x}", "B" if number else "A"))
    assert kept(found) == [(f"ff{number:02x}", "B") for number in (2, 3, 4)]
    assert alerts(found) == [
        ("unknown_epc:A", True),
        ("unknown_epc:B", True),
        ("unknown_epc:A", False),
    ]


def test_other_strangers_do_not_touch_it() -> None:
    found = play()
    found.feed(2.0, came(MUTE))
    found.feed(3.0, came(foreign()), gone(foreign()))
    assert kept(found) == [(MUTE, "A")]
