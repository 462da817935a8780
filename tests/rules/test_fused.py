"""Acts at a shelf with both senses: quick by weight, named by tags, no alarm without a cause."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    Alert,
    Cell,
    Coverage,
    EpcPattern,
    Movement,
    Site,
    StepExpectsTags,
    Unresolved,
    Zone,
)
from rules.act import WaitingStep, WaitingTag
from rules.recent_steps import RecentSteps
from tests.rules.acts import (
    BY_GTIN,
    NUT,
    NUT_TAG,
    SGTIN,
    Acts,
    came,
    change,
    gone,
    quick,
    settled,
    watch,
)
from tests.rules.play import BOLT, OTHER, TAG, S, at

TWO_ZONES = Site(
    zones=(Zone("A", ("r:1",)), Zone("B", ("r:2",))),
    cells=(Cell("s:1", "A1", "BOLT", "A"), Cell("s:2", "B1", "NUT", "B")),
)


def calm(found: Acts) -> bool:
    """Nobody was called."""
    return not found.kinds(Alert, Unresolved)


@pytest.mark.parametrize("quantity", [-2, 1])
def test_step_asks_for_the_tags_it_lacks(quantity: int) -> None:
    found = quick()
    if quantity < 0:
        found.feed(1.9, gone(OTHER, second=1.1))
    found.feed(2.0, change(quantity))
    assert found.expected == [
        StepExpectsTags("A", EpcPattern(("3034",)), quantity > 0, 1, since=at(1.0), until=at(2.0))
    ]


def test_step_of_an_item_that_is_known_by_its_trade_item_is_one_act_with_its_tag() -> None:
    found = quick(items=(BY_GTIN,))
    found.feed(2.0, change(1))
    [expected] = found.expected
    assert expected.pattern == EpcPattern(gtins=("80614141123458",))
    assert expected.pattern.carries(SGTIN)
    assert not expected.pattern.carries(TAG)
    found.feed(3.0, came(SGTIN, second=1.6))
    assert [fact.epcs for fact in found.kinds(Movement)] == [(SGTIN,)]
    assert calm(found)


def test_step_asks_for_nothing_where_its_tags_have_come_or_nobody_reads_them() -> None:
    found = quick()
    found.feed(1.5, came(second=1.4))
    found.feed(2.0, change(1))
    assert found.expected == []
    watch(found, 3.0)
    while found.now_s < 20.0:
        found.feed(found.now_s + 1, Coverage("s", S))
    found.feed(20.5, change(-1, 19.0))
    assert found.expected == []


def test_step_takes_of_two_tags_the_one_that_was_read_until_then() -> None:
    found = quick()
    found.feed(2.0, gone(OTHER, second=1.0), gone(TAG, second=-4.0))
    found.feed(2.0, change(-1))
    assert [fact.epcs for fact in found.kinds(Movement)] == [(OTHER,)]


def test_tag_that_was_silent_for_longer_before_the_step_than_since_is_not_named() -> None:
    found = quick()
    found.feed(2.0, change(-1, 1.5))
    found.feed(4.0, gone(second=-4.0))
    found.wake(6.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [()]
    found.wake(60.0)
    assert calm(found)
    settled(found)


def test_tag_that_is_read_at_its_level_after_the_step_is_not_the_one_that_was_taken() -> None:
    found = quick()
    found.feed(2.0, change(-1))
    found.feed(5.0, gone(second=3.5))
    found.wake(6.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [()]


def test_tag_in_a_shadow_is_no_alarm_and_no_second_piece_when_it_shows_again() -> None:
    found = quick()
    watch(found, 10.0)
    found.feed(10.5, gone(second=2.0))
    watch(found, 40.0)
    found.feed(40.0, came(second=39.5))
    found.feed(42.0, change(1, 40.5), came(OTHER, second=41.0))
    watch(found, 120.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [(OTHER,)]
    assert calm(found)
    assert found.rows == {}


def test_step_without_its_tag_is_that_of_one_that_was_in_a_shadow_already() -> None:
    found = quick()
    watch(found, 10.0)
    found.feed(10.5, gone(second=2.0))
    watch(found, 30.0)
    found.feed(30.5, change(-1, 29.5))
    watch(found, 120.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [()]
    assert calm(found)
    assert found.rows == {}


def test_tag_that_stands_there_still_gives_its_step_to_the_one_that_went() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1), gone())
    found.feed(9.0, gone(OTHER, second=0.5))
    watch(found, 12.0)
    found.feed(12.0, came(second=11.0))
    watch(found, 120.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [(TAG,)]
    assert calm(found)
    assert found.rows == {}


def test_tag_that_stands_there_still_leaves_its_step_without_one() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1), gone())
    found.feed(12.0, came(second=11.0))
    watch(found, 60.0)
    assert [type(fact) for fact in found.kinds()] == [Movement, Alert]


def test_what_is_put_back_before_its_tag_is_missed_is_no_disagreement() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1))
    watch(found, 12.0)
    found.feed(12.0, change(1, 11.0))
    watch(found, 100.0)
    assert [fact.kind for fact in found.kinds(Movement)] == ["issue", "receipt"]
    assert calm(found)
    assert found.rows == {}


def test_tags_too_many_belong_to_the_step_before() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(1))
    watch(found, 12.0)
    found.feed(12.0, came(second=9.0), came(OTHER, second=11.5))
    found.feed(12.5, change(1, 8.0))
    assert [fact.epcs for fact in found.kinds(Movement)] == [(), (OTHER,)]
    watch(found, 60.0)
    assert calm(found)
    assert found.rows == {}


def test_weight_that_is_half_clear_is_what_its_tags_say() -> None:
    found = quick()
    found.feed(2.0, change(0, grams=160.0, confidence=0))
    found.feed(3.0, came(second=1.5), came(OTHER, second=1.5))
    found.wake(60.0)
    [movement] = found.kinds()
    assert (movement.quantity, movement.epcs) == (2, (TAG, OTHER))
    assert movement.to_location == "A1"


def test_weight_that_nothing_explains_is_unresolved() -> None:
    found = quick()
    found.feed(2.0, change(0, grams=160.0, confidence=0))
    found.wake(60.0)
    assert [fact.reason for fact in found.kinds()] == ["count_not_resolvable"]
    assert set(found.rows) == {"open:cell:s:1", "asked:unresolved:A1:BOLT"}


def test_stray_of_a_tag_that_its_scale_holds_moves_nothing() -> None:
    found = quick(site=TWO_ZONES)
    watch(found, 10.0)
    found.feed(10.0, gone(to_zone="B", second=9.0), came(TAG, "B", second=9.5, from_zone="A"))
    watch(found, 40.0)
    found.feed(40.0, gone(TAG, "B", to_zone="A", second=39.0), came(second=39.0, from_zone="B"))
    watch(found, 120.0)
    assert (found.told, found.rows) == ([], {})


def test_tag_of_another_zone_that_no_scale_tells_of_is_unresolved() -> None:
    found = quick(site=TWO_ZONES)
    watch(found, 10.0)
    found.feed(10.0, came(NUT_TAG, second=9.5))
    watch(found, 60.0)
    assert [type(fact) for fact in found.kinds()] == [Unresolved, Alert]
    found.feed(60.5, gone(NUT_TAG, second=59.0))
    watch(found, 120.0)
    assert set(found.rows) == {"alert:senses_disagree:A:NUT"}


def test_tag_that_another_zone_reads_better_belongs_to_the_step_of_its_item() -> None:
    found = quick(site=TWO_ZONES)
    watch(found, 10.0)
    found.feed(10.0, change(1, 9.0, "s:2", item="NUT", grams=50))
    found.feed(11.0, came(NUT_TAG, "A", second=9.5))
    watch(found, 100.0)
    assert [fact.to_location for fact in found.kinds(Movement)] == ["B1"]
    assert calm(found)
    found.feed(100.0, gone(NUT_TAG, "A", to_zone="B"), came(NUT_TAG, "B", 99.0, from_zone="A"))
    watch(found, 200.0)
    assert len(found.told) == 1
    assert found.rows == {}


def test_stock_that_stands_in_a_neighbours_zone_is_not_stated_there() -> None:
    found = quick(site=TWO_ZONES)
    found.feed(2.0, came(NUT_TAG, cause="first_start"))
    found.wake(60.0)
    assert (found.told, found.rows) == ([], {})


def test_many_pieces_that_weigh_as_one_other_and_show_no_tag_are_unresolved() -> None:
    found = quick(site=TWO_ZONES, items=(replace(BOLT, unit_mg=300_000), NUT))
    found.feed(2.0, change(6, 1.0, "s:2", item="NUT", grams=300))
    found.wake(12.0)
    assert found.told == []
    found.wake(60.0)
    unresolved, alert = found.kinds()
    assert (unresolved.reason, unresolved.location) == ("item_uncertain", "B1")
    assert alert.key == "senses_disagree:B:NUT"


def test_tag_that_came_back_before_its_step_was_told_is_not_named() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-2), gone())
    found.feed(4.0, came(second=3.5))
    watch(found, 20.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [()]
    assert calm(found)


def test_tag_that_comes_back_after_its_step_was_told_is_wanted_no_less() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-2), gone())
    watch(found, 8.0)
    found.feed(8.0, came(second=7.5))
    watch(found, 20.0)
    found.feed(20.0, gone(OTHER, second=1.0), gone("3034cc", second=1.0))
    watch(found, 60.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [(TAG,)]
    assert calm(found)


def test_silence_that_is_older_than_its_step_counts_when_it_has_lasted() -> None:
    found = quick()
    found.feed(2.0, change(-1, 1.9))
    found.feed(3.0, gone(second=-1.1))
    found.wake(6.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [(TAG,)]


def test_zone_that_goes_blind_before_its_tags_are_missed_is_asked_when_it_is_back() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1))
    watch(found, 8.0)
    while found.now_s < 100.0:
        found.feed(found.now_s + 1, Coverage("s", S))
    assert calm(found)
    found.feed(100.0, Coverage("r", 0, resumed=True))
    watch(found, 110.0)
    found.feed(110.0, gone(second=1.0, cause="found_after_gap"))
    watch(found, 200.0)
    assert calm(found)
    assert found.rows == {}


def test_pick_and_a_later_put_are_no_putting_back() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1))
    watch(found, 25.0)
    found.feed(25.0, change(1, 24.0))
    watch(found, 31.0)
    assert [type(fact) for fact in found.kinds()] == [Movement, Movement, Alert]


def test_tag_that_is_found_late_after_a_putting_back_is_nothing_new() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(1))
    watch(found, 10.0)
    found.feed(10.0, change(-1, 9.0))
    watch(found, 40.0)
    found.feed(40.0, came(second=3.0))
    watch(found, 100.0)
    assert calm(found)
    assert found.rows == {}


def test_steps_kept_in_mind_are_bounded_in_number_and_time(monkeypatch: Any) -> None:
    monkeypatch.setattr("rules.recent_steps.RECENT_MAX", 1)
    recent = RecentSteps()
    steps = [
        WaitingStep.of(change(-1, second), "A", at(second), 0).joined(
            WaitingTag.of(gone(epc), "BOLT", at(second), 0)
        )
        for second, epc in ((1.0, TAG), (2.0, OTHER))
    ]
    for step in steps:
        recent.remember(at(2.0), step)
    tags = [WaitingTag.of(came(epc), "BOLT", at(3.0), 0) for epc in (TAG, OTHER)]
    took = [recent.took(at(3.0), tag) for tag in tags]
    assert [step and step.epcs for step in took] == [None, (OTHER,)]
    assert recent.took(at(303.0), tags[1]) is None


def test_item_whose_weight_is_not_known_explains_nothing() -> None:
    items = (replace(BOLT, unit_mg=0), replace(NUT, unit_mg=0))
    found = quick(site=TWO_ZONES, items=items)
    watch(found, 2.0)
    found.feed(2.0, change(0, grams=50.0, confidence=0), came(NUT_TAG, second=1.5))
    watch(found, 40.0)
    assert [fact.reason for fact in found.kinds(Unresolved)] == [
        "senses_disagree",
        "count_not_resolvable",
    ]


def test_tag_that_stood_before_a_step_is_of_the_one_before_it() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(1))
    watch(found, 9.0)
    found.feed(9.0, came(second=7.0))
    found.feed(12.0, change(1, 10.5))
    found.feed(13.0, came(OTHER, second=11.0))
    watch(found, 100.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [(), (OTHER,)]
    assert [fact.epcs for fact in found.followed] == [(TAG,)]
    assert calm(found)


def test_tag_that_shows_again_before_a_put_is_not_on_what_was_put() -> None:
    found = quick()
    watch(found, 10.0)
    found.feed(10.0, gone(second=5.0))
    found.feed(17.0, came(second=12.0))
    found.feed(17.5, change(1, 16.0))
    watch(found, 60.0)
    assert [type(fact) for fact in found.kinds()] == [Movement, Alert]
