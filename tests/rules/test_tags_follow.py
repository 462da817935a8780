"""Which pieces a movement was of, where tags show after weight has told of it."""

from typing import Any

import pytest

from gateway.model import Movement
from tests.rules.acts import came, change, gone
from tests.rules.play import OTHER, TAG
from tests.rules.test_fused import quick, watch


def test_tags_that_show_after_their_step_was_told_follow_it() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-2))
    watch(found, 8.0)
    [movement] = found.kinds(Movement)
    found.feed(8.0, gone(second=1.0))
    found.feed(9.0, gone(OTHER, second=1.0))
    watch(found, 60.0)
    assert [(fact.movement_id, fact.epcs) for fact in found.followed] == [
        (movement.movement_id, (TAG,)),
        (movement.movement_id, (OTHER,)),
    ]
    assert {(fact.item, fact.location, fact.arriving) for fact in found.followed} == {
        ("BOLT", "A1", False)
    }


def test_tag_that_is_named_in_its_movement_follows_no_more() -> None:
    found = quick()
    found.feed(2.0, change(-1), gone())
    assert (len(found.kinds(Movement)), found.followed) == (1, [])


def test_tag_that_stands_there_still_is_told_with_the_one_that_went() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1), gone())
    found.feed(9.0, gone(OTHER, second=0.5))
    watch(found, 12.0)
    found.feed(12.0, came(second=11.0))
    watch(found, 60.0)
    assert [(fact.epcs, fact.arriving) for fact in found.followed] == [
        ((TAG,), True),
        ((OTHER,), False),
    ]


def named(found: Any) -> list[tuple[str | None, tuple[str, ...] | None]]:
    return [(fact.amends_movement, fact.epcs) for fact in found.named]


@pytest.mark.parametrize("restart", [False, True])
def test_core_is_told_once_of_all_pieces_that_show_later(restart: bool) -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-2))
    watch(found, 8.0)
    [movement] = found.kinds(Movement)
    found.feed(8.0, gone(second=1.0))
    assert (movement.epcs, found.named) == ((), [])
    later = quick(rows=found.rows, last_alive_s=8.0, now_s=8.0) if restart else found
    later.feed(9.0, gone(OTHER, second=1.0))
    watch(later, 60.0)
    assert named(later) == [(movement.movement_id, (TAG, OTHER))]
    assert {fact.reason for fact in later.named} == {"tags_followed"}


def test_core_is_told_of_what_has_shown_when_the_rest_is_missed_and_of_what_comes_yet() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-3))
    watch(found, 8.0)
    found.feed(8.0, gone(second=1.0))
    watch(found, 50.0)
    [movement] = found.kinds(Movement)
    found.feed(50.0, gone(OTHER, second=1.0))
    assert named(found) == [
        (movement.movement_id, (TAG,)),
        (movement.movement_id, (TAG, OTHER)),
    ]


def test_core_is_told_that_a_piece_was_another() -> None:
    found = quick()
    watch(found, 2.0)
    found.feed(2.0, change(-1), gone())
    watch(found, 12.0)
    found.feed(12.0, came(second=11.0))
    watch(found, 21.0)
    [movement] = found.kinds(Movement)
    assert movement.epcs == (TAG,)
    assert named(found) == [(movement.movement_id, ())]
    found.feed(25.0, gone(OTHER, second=0.5))
    assert named(found)[1:] == [(movement.movement_id, (OTHER,))]


def test_movement_that_names_its_pieces_is_not_amended() -> None:
    found = quick()
    found.feed(2.0, change(-1), gone())
    watch(found, 60.0)
    assert found.named == []
