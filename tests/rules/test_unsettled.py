"""What is unresolved is closed by what explains it later, or stays open for a person."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import Alert, Dismissal, Movement, Passage, Unresolved
from gateway.ports import NOTHING
from rules.unsettled import OPEN_MAX_NS, Unsettled
from tests.rules.acts import NUT, came, change, foreign, gone, held, play, settled
from tests.rules.play import BOLT, OTHER, SITE, TAG, Play, S, at

DAY_S = OPEN_MAX_NS / S

UNTAGGED = (replace(BOLT, epc_prefixes=()), NUT)
"""Only weight tells of bolts."""


def unclear(grams: float, second: float, cell: str = "s:1", **rest: Any) -> Any:
    return change(0, second, cell, confidence=0, grams=grams, **rest)


def again(found: Play, **known: Any) -> Play:
    """The same gateway after a restart."""
    return play(rows=found.rows, last_alive_s=found.now_s, now_s=found.now_s, **known)


def closed(found: Play) -> list[tuple[str, str]]:
    return [(fact.unresolved_id, fact.reason) for fact in found.kinds(Dismissal)]


def opened(found: Play) -> list[str]:
    return [fact.unresolved_id for fact in found.kinds(Unresolved)]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(("first", "second"), [(gone, came), (came, gone)])
def test_tag_that_goes_back_closes_its_unresolved(first: Any, second: Any, restart: bool) -> None:
    found = play()
    found.feed(2.0, first())
    found.wake(20.0)
    later = again(found) if restart else found
    later.feed(60.0, second(second=59.0))
    assert closed(later) == [(opened(found)[0], "returned")]
    later.wake(100.0)
    assert len(opened(found) + (opened(later) if restart else [])) == 1
    assert later.kinds(Movement) == []
    assert set(later.rows) == {"alert:senses_disagree:A:BOLT"}


def test_tag_that_goes_back_as_its_step_does_is_booked_by_weight() -> None:
    found = play()
    found.feed(2.0, gone())
    found.wake(20.0)
    found.feed(60.0, came(second=59.0), change(1, 59.5))
    found.wake(100.0)
    assert closed(found) == [(opened(found)[0], "returned")]
    assert [(fact.quantity, fact.epcs) for fact in found.kinds(Movement)] == [(1, ())]
    settled(found)


def test_tag_that_goes_and_comes_within_one_wait_is_nothing() -> None:
    found = play()
    found.feed(2.0, gone())
    found.feed(5.0, came(second=4.9))
    found.wake(60.0)
    assert (found.told, found.rows) == ([], {})


def test_unknown_tag_that_leaves_again_is_closed_and_no_second_riddle() -> None:
    found = play()
    found.feed(2.0, came(foreign()))
    found.feed(30.0, gone(foreign(), second=20.0))
    assert closed(found) == [(opened(found)[0], "returned")]
    assert found.rows == {}


def test_tag_that_comes_elsewhere_does_not_close_it() -> None:
    found = play()
    found.feed(2.0, came(foreign()))
    found.feed(30.0, gone(foreign(), "PAIR", second=20.0))
    assert (len(opened(found)), closed(found)) == (2, [])


@pytest.mark.parametrize("restart", [False, True])
def test_movement_that_names_the_epc_settles_all_that_was_open_of_it(restart: bool) -> None:
    found = play()
    for second in (9.0, 19.0):
        passage = Passage("gate", TAG, "uncertain", at(second - 8), at(second - 4), 9, -45, 500)
        found.feed(second, passage)
    later = again(found) if restart else found
    later.feed(60.0, replace(passage, direction="in", since=at(51.0), until=at(55.0)))
    settles = [(identity, "settled_by_movement") for identity in opened(found)]
    assert (len(settles), closed(later)) == (2, settles)
    assert held(later) == {}


def test_movement_settles_nothing_that_opens_with_it() -> None:
    unsettled = Unsettled("boot-1", 0, SITE)
    unsettled.tag(at(1.0), "riddle", TAG, "A", arriving=True)
    assert unsettled.moved(at(1.0), [TAG]) is NOTHING
    assert unsettled.moved(at(1.1), [TAG]).facts == (
        Dismissal("riddle", "settled_by_movement", at(1.1)),
    )


@pytest.mark.parametrize("restart", [False, True])
def test_weight_that_goes_back_closes_the_cell(restart: bool) -> None:
    found = play(items=UNTAGGED)
    found.feed(2.0, unclear(50.0, 1.0))
    later = again(found, items=UNTAGGED) if restart else found
    later.feed(30.0, unclear(-49.0, 29.0))
    assert closed(later) == [(opened(found)[0], "returned")]
    assert (len(opened(found)), later.rows) == (1, {})


def test_step_that_brings_the_cell_in_line_settles_it() -> None:
    found = play(items=UNTAGGED)
    found.feed(2.0, unclear(45.0, 1.0))
    found.feed(20.0, change(1, 19.0))
    assert closed(found) == []
    found.feed(30.0, change(1, 29.0, grams=72.0))
    assert closed(found) == [(opened(found)[0], "settled_by_movement")]
    assert found.rows == {}


def test_weight_that_stays_out_of_line_stays_open() -> None:
    found = play()
    found.feed(2.0, unclear(50.0, 1.0))
    found.feed(30.0, unclear(50.0, 29.0), unclear(-50.0, 29.0, "s:3", item=""))
    assert (len(opened(found)), closed(found)) == (3, [])


def test_cell_without_a_known_item_is_in_line_when_its_weight_is_back() -> None:
    found = play()
    found.feed(2.0, unclear(500.0, 1.0, "s:3", item=""))
    found.feed(30.0, unclear(-496.0, 29.0, "s:3", item=""))
    assert closed(found) == [(opened(found)[0], "returned")]


def test_after_a_day_it_stays_open_for_a_person() -> None:
    found = play(items=UNTAGGED)
    found.feed(2.0, came(foreign()), unclear(50.0, 1.0))
    found.feed(DAY_S + 10, gone(foreign(), second=DAY_S), unclear(-50.0, DAY_S))
    assert closed(found) == []
    assert len(opened(found)) == 4


def test_book_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.unsettled.SUBJECTS_MAX", 2)
    monkeypatch.setattr("rules.unsettled.IDS_MAX", 2)
    found = play(items=UNTAGGED)
    for number in range(5):
        found.feed(2.0 + number, came(foreign(number)), unclear(50.0, 1.0 + number))
    assert len([key for key in found.rows if key.startswith("open:")]) == 2
    assert len(found.rows["open:cell:s:1"]["ids"]) == 2


def test_disagreement_that_is_closed_leaves_its_alert_to_the_next_agreement() -> None:
    found = play()
    found.feed(2.0, gone())
    found.feed(60.0, came(second=59.0))
    found.feed(90.0, change(-1, 88.0), gone(OTHER, second=87.0))
    assert [alert.raised for alert in found.kinds(Alert)] == [True, False]


@pytest.mark.parametrize(("second", "told"), [(30.0, 1), (600.0, 2)])
def test_what_goes_back_much_later_was_an_act_of_its_own(second: float, told: int) -> None:
    found = play()
    for when, grams in ((2.0, 45.0), (second, -45.0)):
        found.feed(when, change(0, when - 1, cell="s:2", item="NUT", grams=grams, confidence=0))
        found.wake(when + 1)
    assert (len(opened(found)), len(closed(found))) == (told, told)
