"""Tags that came late after a step: of it, or of the next one."""

from gateway.model import Alert, Coverage, Movement, Unresolved
from tests.rules.acts import Acts, came, change, gone, play, settled
from tests.rules.play import TAG, S

SHIPPED = {"hold_s": 4.0, "tag_wait_s": 28.0}


def watch(found: Acts, until_s: float) -> None:
    """Both devices are read each second."""
    while found.now_s < until_s:
        found.feed(found.now_s + 1, *(Coverage(device, S) for device in ("r", "s")))


def lacking(pieces: int) -> Acts:
    """So many pieces were laid down, none with a tag that is read; it is the 16th second."""
    found = play(settings=SHIPPED)
    watch(found, 2.0)
    found.feed(2.0, change(pieces))
    watch(found, 16.0)
    return found


def test_tag_that_came_for_the_next_step_is_not_taken_by_one_whose_time_is_over() -> None:
    found = lacking(1)
    found.feed(16.5, came(second=16.4))
    watch(found, 19.0)
    found.feed(19.5, change(1, 16.2))
    watch(found, 60.0)
    assert [fact.epcs for fact in found.kinds(Movement)] == [(), (TAG,)]
    assert [alert.raised for alert in found.kinds(Alert)] == [True]


def test_tag_that_came_late_is_waited_for_until_it_is_known_to_have_no_step_of_its_own() -> None:
    found = lacking(1)
    found.feed(16.5, came(second=16.4))
    watch(found, 60.0)
    assert not found.kinds(Alert, Unresolved)
    assert [follow.epcs for follow in found.followed] == [(TAG,)]
    settled(found)


def test_disagreement_is_told_within_a_minute_however_many_tags_come_and_go() -> None:
    found = lacking(5)
    epcs = [f"3034{number:02x}" for number in range(20)]
    for number, epc in enumerate(epcs):
        watch(found, 16.0 + 3 * number)
        found.feed(found.now_s, came(epc, second=found.now_s - 0.5))
        if number:
            found.feed(found.now_s + 1, gone(epcs[number - 1], second=found.now_s))
    assert [2.0 < when < 60.0 for when in found.times(Alert)] == [True]
