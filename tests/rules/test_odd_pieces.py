"""Wrong bin, wrong tag: told by weight and tag together, and remembered while it lasts."""

from typing import Any

import pytest

from gateway.model import Alert, Cell, Coverage, Item, Movement, Site, Unresolved, WeightStep, Zone
from rules.movement import MovementRule
from rules.oddity import Oddities, Oddity
from rules.stock import Stock
from tests.rules.acts import NUT, NUT_TAG, Acts, came, change, gone, play
from tests.rules.play import BOLT, TAG, Play, S, at

SITE = Site(
    zones=(Zone("A", ("r:1",)), Zone("B", ("r:2",))),
    cells=(
        Cell("s:1", "A1", "BOLT", "A"),
        Cell("s:2", "A2", "GEAR", "A"),
        Cell("s:3", "B1", "NUT", "B"),
    ),
)
GEAR = Item("GEAR", unit_mg=330_000, epc_prefixes=("3055",))
GEAR_TAG = "305501"


def shelf(**known: Any) -> Acts:
    return play(
        settings={"hold_s": 4.0, "missing_s": 60.0}, site=SITE, items=(BOLT, GEAR, NUT), **known
    )


def watch(found: Play, until_s: float) -> None:
    """Both devices are read each second."""
    while found.now_s < until_s:
        found.feed(found.now_s + 1, *(Coverage(device, S) for device in ("r", "s")))


def moved(found: Play) -> list[tuple[str, int, str, tuple[str, ...]]]:
    """Item, signed quantity, place and EPCs of each movement."""
    return [
        (fact.item, fact.quantity, fact.to_location, fact.epcs)
        if fact.kind == "receipt"
        else (fact.item, -fact.quantity, fact.from_location, fact.epcs)
        for fact in found.kinds(Movement)
    ]


def alerts(found: Play) -> list[tuple[str, bool]]:
    return [(alert.key, alert.raised) for alert in found.kinds(Alert)]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("early", [False, True], ids=["step first", "tag first"])
@pytest.mark.parametrize(
    ("epc", "item", "grams", "quantity"),
    [(NUT_TAG, "NUT", 50, 0), (GEAR_TAG, "GEAR", 330, 0), (GEAR_TAG, "GEAR", 329, 3)],
    ids=["of another zone", "of the next cell", "as heavy as three"],
)
def test_piece_in_the_wrong_bin_is_booked_as_what_it_is(
    epc: str, item: str, grams: float, quantity: int, *, early: bool, restart: bool
) -> None:
    found = shelf()
    watch(found, 2.0)
    step = change(quantity, 1.0, grams=grams, confidence=990 if quantity else 0)
    acts = [came(epc, second=1.2), step] if early else [step, came(epc, second=1.2)]
    for fact in acts:
        found.feed(2.5, fact)
    assert moved(found) == [(item, 1, "A1", (epc,))]
    assert alerts(found) == [(f"wrong_place:A1:{item}", True)]
    found.wake(60.0)
    later = found
    if restart:
        later = shelf(rows=found.rows, last_alive_s=60.0, now_s=60.0)
    watch(later, 70.0)
    taken = change(-quantity, 69.0, grams=-grams, confidence=990 if quantity else 0)
    later.feed(70.5, taken)
    later.feed(77.0, gone(epc, second=68.5))
    watch(later, 140.0)
    assert moved(later)[-1] == (item, -1, "A1", (epc,))
    assert alerts(later)[-1] == (f"wrong_place:A1:{item}", False)
    assert later.kinds(Unresolved) == []
    assert later.rows == {}


def test_misplaced_piece_that_goes_with_pieces_of_the_plan_is_told_apart() -> None:
    found = shelf()
    watch(found, 2.0)
    found.feed(2.5, came(GEAR_TAG, second=1.2), change(0, 1.0, grams=330, confidence=0))
    watch(found, 60.0)
    found.feed(60.5, change(-4, 59.5, grams=-430))
    found.feed(67.0, gone(TAG, second=59.0), gone(GEAR_TAG, second=59.2))
    watch(found, 120.0)
    assert moved(found)[1:] == [("BOLT", -1, "A1", (TAG,)), ("GEAR", -1, "A1", (GEAR_TAG,))]
    assert found.rows == {}


def test_misplaced_piece_whose_tag_is_not_missed_is_gone_by_its_weight() -> None:
    found = shelf()
    watch(found, 2.0)
    found.feed(2.5, came(GEAR_TAG, second=1.2), change(0, 1.0, grams=330, confidence=0))
    watch(found, 60.0)
    found.feed(60.5, change(0, 59.5, grams=-330, confidence=0))
    watch(found, 120.0)
    assert moved(found)[1:] == [("GEAR", -1, "A1", (GEAR_TAG,))]
    assert found.kinds(Unresolved) == []


def test_piece_that_nobody_knew_to_be_misplaced_is_told_when_it_goes() -> None:
    found = shelf()
    watch(found, 2.0)
    found.feed(2.5, gone(GEAR_TAG, second=1.5), change(0, 1.0, grams=-330, confidence=0))
    found.wake(60.0)
    assert moved(found) == [("GEAR", -1, "A1", (GEAR_TAG,))]
    assert alerts(found) == [("wrong_place:A1:GEAR", True), ("wrong_place:A1:GEAR", False)]


@pytest.mark.parametrize("early", [False, True], ids=["step first", "tag first"])
def test_piece_too_light_to_be_counted_is_found_by_its_tag(*, early: bool) -> None:
    found = shelf()
    watch(found, 2.0)
    step = WeightStep("s:2", 990.0, 1040.0, 0.3, at(1.0))
    for fact in [came(NUT_TAG, second=1.2), step] if early else [step, came(NUT_TAG, second=1.2)]:
        found.feed(2.5, fact)
    watch(found, 20.0)
    assert moved(found) == [("NUT", 1, "A2", (NUT_TAG,))]
    assert alerts(found) == [("wrong_place:A2:NUT", True)]
    assert found.kinds(Unresolved) == []


def test_step_that_was_counted_explains_no_second_piece() -> None:
    found = shelf()
    watch(found, 2.0)
    step = change(1, 1.0)
    found.feed(2.5, step.step, step, came(TAG, second=1.2))
    found.feed(3.0, came(NUT_TAG, second=2.0))
    watch(found, 20.0)
    assert moved(found) == [("BOLT", 1, "A1", (TAG,))]
    assert [fact.epcs for fact in found.kinds(Unresolved)] == [(NUT_TAG,)]


@pytest.mark.parametrize("second", [1.2, 7.0], ids=["in time", "after it was told"])
def test_piece_under_another_items_tag_is_booked_by_its_weight(second: float) -> None:
    found = shelf()
    watch(found, 2.0)
    found.feed(2.5, change(1, 1.0))
    watch(found, second + 1)
    found.feed(second + 1.5, came(NUT_TAG, second=second))
    watch(found, 60.0)
    assert moved(found) == [("BOLT", 1, "A1", ())]
    assert alerts(found) == [("senses_disagree:A:BOLT", True)]
    found.feed(60.5, change(1, 59.0), came(TAG, second=59.5))
    assert len(alerts(found)) == 1
    found.feed(80.5, change(-1, 79.5))
    found.feed(84.0, gone(NUT_TAG, second=79.0))
    assert moved(found)[-1] == ("BOLT", -1, "A1", (NUT_TAG,))
    assert alerts(found)[-1] == ("senses_disagree:A:BOLT", False)
    assert found.rows == {}


def test_tag_of_the_next_cell_is_on_a_piece_only_if_that_gets_none_of_its_own() -> None:
    found = shelf()
    watch(found, 2.0)
    found.feed(2.5, change(1, 1.0), came(GEAR_TAG, second=1.2))
    watch(found, 12.0)
    assert [fact.epcs for fact in found.kinds(Unresolved)] == [(GEAR_TAG,)]
    found.feed(12.5, came(TAG, second=2.0))
    watch(found, 60.0)
    assert alerts(found) == [("senses_disagree:A:GEAR", True)]


def test_equal_weights_leave_the_plan_in_the_right() -> None:
    twin = Item("GEAR", unit_mg=100_000, epc_prefixes=("3055",))
    found = play(settings={"hold_s": 4.0}, site=SITE, items=(BOLT, twin, NUT))
    watch(found, 2.0)
    found.feed(2.5, change(1, 1.0), came(GEAR_TAG, second=1.2))
    watch(found, 20.0)
    assert moved(found) == [("BOLT", 1, "A1", ())]


def test_stock_holds_the_misplaced_piece_where_it_lies() -> None:
    found = Play([MovementRule, Stock], site=SITE, items=(BOLT, GEAR, NUT))
    watch(found, 2.0)
    found.feed(2.5, came(GEAR_TAG, second=1.2), change(0, 1.0, grams=330, confidence=0))
    assert found.rows["Stock/A1\tGEAR"]["quantity"] == 1
    assert f"Stock/A1\tGEAR\t{GEAR_TAG}" in found.rows


def test_what_is_odd_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.oddity.ODD_MAX", 2)
    book = Oddities()
    turn = book.put(Oddity(epc, "A", "s:1", "GEAR", misplaced=True) for epc in ("a", "b", "c"))
    assert [odd.epc for odd in book.misplaced_on("s:1")] == ["b", "c"]
    assert turn.deletes == ("odd:a",)
