"""Acts while the tags of the first start are still being found: the senses need not agree yet."""

import pytest

from gateway.model import Alert, Fact, Movement, ZoneLearned
from tests.rules.acts import Acts, came, change, gone, play
from tests.rules.play import OTHER, TAG, S

SETTLED = ZoneLearned("A", 2 * S, 20.0, 15 * S, 5 * S)
"""What presence tells of a zone whose stock is found, and later now and then."""


def settling() -> Acts:
    """Stock of the first start has just been found."""
    found = play()
    found.feed(1.0, came(OTHER, second=0.5, cause="first_start"))
    return found


def raised(found: Acts) -> list[bool]:
    return [alert.raised for alert in found.kinds(Alert)]


def test_piece_laid_down_whose_tag_is_taken_for_stock_is_no_disagreement() -> None:
    found = settling()
    found.feed(4.0, came(second=3.0, cause="first_start"))
    found.feed(5.0, change(1, second=2.8))
    found.feed(10.0, SETTLED)
    found.wake(60.0)
    assert [movement.quantity for movement in found.kinds(Movement)] == [1]
    assert raised(found) == []
    assert found.rows == {"tagless:A\tBOLT": {"pieces": -1}}  # the first tag, never weighed


def test_piece_taken_before_its_tag_was_found_is_no_disagreement() -> None:
    found = settling()
    found.feed(3.0, change(-1, second=1.2))
    found.feed(10.0, SETTLED)
    found.wake(100.0)
    assert [movement.quantity for movement in found.kinds(Movement)] == [1]
    assert raised(found) == []


def test_tag_that_is_found_all_the_same_belongs_to_its_piece() -> None:
    found = settling()
    found.feed(3.0, change(-1, second=2.0))
    found.feed(8.0, gone(OTHER, second=2.0))
    [movement] = found.kinds()
    assert movement.epcs == (OTHER,)


@pytest.mark.parametrize("again", [(), (came(TAG, second=40.0, cause="first_start"),)])
def test_once_the_stock_is_found_a_missing_tag_is_a_disagreement(again: tuple[Fact, ...]) -> None:
    found = settling()
    found.feed(10.0, SETTLED)
    found.feed(41.0, *again)
    found.feed(45.0, change(1, second=44.0))
    found.feed(46.0, SETTLED)
    found.wake(100.0)
    assert raised(found) == [True]


def test_zone_whose_stock_an_earlier_run_found_is_not_settling() -> None:
    found = play()
    found.feed(3.0, change(1, second=2.0))
    found.feed(4.0, SETTLED)
    found.wake(60.0)
    assert raised(found) == [True]


def test_other_zones_are_judged_as_ever() -> None:
    found = play()
    found.feed(1.0, came(OTHER, "B", second=0.5, cause="first_start"))
    found.feed(3.0, change(1, second=2.0))
    found.wake(60.0)
    assert raised(found) == [True]
