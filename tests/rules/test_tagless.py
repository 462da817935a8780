"""Pieces that no tag answers for: told once, and no alarm for what follows from them."""

from typing import Any

import pytest

from gateway.model import Alert, Cell, Item, Movement, Site, Unresolved, WeightStep, Zone
from rules.tagless import Tagless
from tests.rules.acts import NUT, NUT_TAG, THIRD, Acts, came, change, gone, play
from tests.rules.play import OTHER, TAG, at
from tests.rules.test_fused import TWO_ZONES, calm, quick, watch
from tests.rules.test_settling import SETTLED

FIRST = "first_start"

KEY = "tagless:A\tBOLT"


def first(count: int, *epcs: str, **known: Any) -> Acts:
    """So many pieces on the first start, and these tags."""
    found = quick(**known)
    found.feed(1.0, change(count, cause=FIRST, on_hand=count))
    found.feed(2.0, *(came(epc, cause=FIRST) for epc in epcs))
    watch(found, 9.0)
    found.feed(9.0, SETTLED)
    watch(found, 10.0)
    found.told.clear()
    return found


def alerts(found: Acts) -> list[bool]:
    return [alert.raised for alert in found.kinds(Alert)]


def test_pick_of_a_piece_whose_tag_was_never_read_is_no_disagreement() -> None:
    found = first(3, TAG, OTHER)
    found.feed(22.0, change(-1, 21.0))
    watch(found, 120.0)
    assert [type(fact) for fact in found.kinds()] == [Movement]
    assert KEY not in found.rows


def test_only_as_many_picks_are_excused_as_pieces_lack_a_tag() -> None:
    found = first(3, TAG, OTHER)
    found.feed(22.0, change(-1, 21.0))
    watch(found, 120.0)
    found.feed(120.0, change(-1, 119.0))
    watch(found, 200.0)
    assert alerts(found) == [True]


def test_put_without_a_tag_is_told_until_that_piece_is_taken_away() -> None:
    found = quick()
    watch(found, 10.0)
    found.feed(10.0, change(1, 9.0))
    watch(found, 60.0)
    assert alerts(found) == [True]
    found.feed(60.0, change(-1, 59.0))
    watch(found, 160.0)
    assert alerts(found) == [True, False]
    assert found.rows == {}


def test_tag_that_is_found_at_last_is_on_the_piece_that_lacked_one() -> None:
    found = first(2, TAG)
    found.feed(100.0, came(OTHER, second=99.0))
    watch(found, 150.0)
    assert calm(found)
    found.feed(150.0, came(THIRD, second=149.0))
    watch(found, 200.0)
    assert [type(fact) for fact in found.kinds()] == [Unresolved, Alert]


def test_tag_of_a_put_that_is_taken_for_one_of_the_first_start_joins_it() -> None:
    found = first(1, TAG)
    found.feed(20.0, change(1, 19.0))
    found.feed(30.0, came(OTHER, second=19.5, cause=FIRST))
    watch(found, 100.0)
    assert calm(found)
    assert [fact.epcs for fact in found.followed] == [(OTHER,)]
    assert KEY not in found.rows


def test_tag_that_is_missed_late_was_the_piece_after_all() -> None:
    found = first(3, TAG, OTHER)
    found.feed(22.0, change(-1, 21.0))
    watch(found, 90.0)
    found.feed(90.0, gone(TAG, second=11.0))
    watch(found, 400.0)
    assert calm(found)
    assert found.rows[KEY] == {"pieces": 1}


def test_tag_of_a_put_may_show_after_half_a_minute() -> None:
    found = quick()
    watch(found, 10.0)
    found.feed(10.0, change(1, 9.0))
    watch(found, 36.0)
    found.feed(36.0, came(second=35.0))
    watch(found, 120.0)
    assert calm(found)
    assert found.rows == {}


def test_tag_that_shows_again_is_not_the_one_that_an_older_put_lacks() -> None:
    found = quick()
    watch(found, 10.0)
    found.feed(10.0, change(1, 9.0))
    watch(found, 60.0)
    found.feed(60.0, change(-1, 59.0), gone(TAG, second=59.5))
    found.feed(61.0, gone(OTHER, second=59.5))
    watch(found, 70.0)
    found.feed(70.0, came(TAG, second=68.0, from_zone="A", refutes=True))
    watch(found, 200.0)
    assert [fact.epcs for fact in found.followed] == [(TAG,), (OTHER,)]
    assert alerts(found) == [True]


def test_stray_of_a_tag_that_stands_elsewhere_fills_no_step_and_calls_nobody() -> None:
    found = quick(site=TWO_ZONES)
    watch(found, 10.0)
    found.feed(10.0, change(1, 9.0, "s:2", item="NUT", grams=50))
    watch(found, 20.0)
    found.feed(20.0, gone(NUT_TAG, "B", to_zone="A", second=18.0))
    found.feed(20.0, came(NUT_TAG, "A", second=18.0, from_zone="B"))
    watch(found, 35.0)
    assert found.followed == []
    assert calm(found)


def test_tag_that_only_a_neighbour_reads_is_on_the_piece_that_lacks_one_at_home() -> None:
    found = quick(site=TWO_ZONES)
    found.feed(1.0, change(1, 0.5, "s:2", item="NUT", grams=50, cause=FIRST, on_hand=1))
    watch(found, 50.0)
    found.told.clear()
    found.feed(50.0, came(NUT_TAG, "A", second=49.0))
    watch(found, 100.0)
    assert calm(found)


def test_tag_that_another_zone_reads_better_is_not_missing() -> None:
    found = quick(site=TWO_ZONES)
    watch(found, 10.0)
    found.feed(10.0, gone(TAG, "A", to_zone="B", second=9.0))
    found.feed(10.0, came(TAG, "B", second=9.0, from_zone="A"))
    watch(found, 120.0)
    assert calm(found)
    assert found.rows[KEY] == {"pieces": 1}
    found.feed(120.0, gone(TAG, "B", to_zone="A", second=119.0))
    found.feed(120.0, came(TAG, "A", second=119.0, from_zone="B"))
    watch(found, 200.0)
    assert calm(found)
    assert found.rows == {}


def test_what_lacks_a_tag_is_known_after_a_restart() -> None:
    found = first(3, TAG, OTHER)
    again = quick(rows=found.rows, last_alive_s=10.0, now_s=20.0)
    watch(again, 30.0)
    again.feed(30.0, change(-1, 29.0))
    watch(again, 120.0)
    assert calm(again)


@pytest.mark.parametrize("pieces", [1, -1])
def test_a_number_that_comes_to_nothing_leaves_no_row(pieces: int) -> None:
    book = Tagless()
    assert [row.value for row in book.add("A", "BOLT", pieces).puts] == [{"pieces": pieces}]
    assert book.any("BOLT") == (pieces > 0)
    assert book.add("A", "BOLT", -pieces).deletes == (KEY,)
    assert not book.any("BOLT")


def test_items_of_other_names_are_apart() -> None:
    book = Tagless()
    book.add("A", "BIG BOLT", 1)
    assert not book.any("BOLT")


def test_zone_without_a_scale_keeps_no_such_book() -> None:
    site = Site(zones=(Zone("A", ("r:1",)),), cells=(Cell("s:1", "A1", "BOLT"),))
    found = play(site=site)
    found.feed(1.0, change(2, cause=FIRST, on_hand=2))
    found.feed(2.0, came(cause=FIRST))
    found.wake(60.0)
    assert KEY not in found.rows


def test_tag_that_was_read_elsewhere_is_not_the_one_that_a_put_lacks() -> None:
    found = quick(site=TWO_ZONES)
    watch(found, 10.0)
    found.feed(10.0, change(1, 9.0))
    watch(found, 60.0)
    found.feed(60.0, came(TAG, "A", second=20.0, from_zone="B"))
    watch(found, 120.0)
    assert found.followed == []
    assert alerts(found) == [True]


BENCH = Site(
    zones=(Zone("A", ("r:1",)),),
    cells=(Cell("s:1", "A1", "BEAM", "A"), Cell("s:2", "A2", "NUT", "A")),
)
BEAM = Item("BEAM", unit_mg=1_000_000, epc_prefixes=("3077",))


@pytest.mark.parametrize("weighed_s", [9.0, 14.0], ids=["before its tag", "after its tag"])
def test_light_piece_in_the_bin_beside_its_own_is_told_there(weighed_s: float) -> None:
    found = quick(site=BENCH, items=(BEAM, NUT))
    step = WeightStep("s:1", 5000.0, 5050.0, 0.3, at(9.0))
    watch(found, weighed_s)
    if weighed_s < 10.0:
        found.feed(weighed_s, step)
    watch(found, 12.0)
    found.feed(12.0, came(NUT_TAG, second=9.0))
    watch(found, 15.0)
    if weighed_s > 10.0:
        found.feed(15.0, step)
    watch(found, 60.0)
    [movement] = found.kinds(Movement)
    assert (movement.item, movement.to_location) == ("NUT", "A1")
    assert [alert.key for alert in found.kinds(Alert)] == ["wrong_place:A1:NUT"]
    assert set(found.rows) == {f"odd:{NUT_TAG}", "alert:wrong_place:A1:NUT"}
