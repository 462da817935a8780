"""Places with both senses where work is by order: who asked it, and what tags say against it."""

from dataclasses import replace

from gateway.model import Alert, Attribution, Movement, OrderReference, Unresolved
from tests.rules.acts import came, change, play, quick, watch
from tests.rules.play import TAG

ORDER = OrderReference("erp", "production", "4711", "10")


def test_a_put_that_a_task_asked_calls_nobody_though_its_tag_is_not_read() -> None:
    for ordered in (False, True):
        found = quick()
        watch(found, 1.0)
        found.feed(2.0, change(1))
        watch(found, 10.0)
        [movement] = found.kinds(Movement)
        if ordered:
            found.feed(10.0, Attribution(movement.movement_id, ORDER))
        watch(found, 60.0)
        alerts = [alert.key for alert in found.kinds(Alert)]
        assert alerts == ([] if ordered else ["senses_disagree:A:BOLT"])
        assert any(key.startswith("tagless:") for key in found.rows)
        found.feed(70.0, came(second=69.0))
        watch(found, 80.0)
        assert [named.epcs for named in found.named] == [(TAG,)]
        assert not any(key.startswith("tagless:") for key in found.rows)


def test_a_movement_that_somebody_only_is_named_for_is_not_asked() -> None:
    found = play()
    found.feed(2.0, change(1))
    found.wake(15.0)
    [movement] = found.kinds(Movement)
    found.feed(15.0, Attribution(movement.movement_id, actor="Ana"), Attribution("other", ORDER))
    found.wake(60.0)
    assert [alert.key for alert in found.kinds(Alert)] == ["senses_disagree:A:BOLT"]


def test_a_badly_read_tag_that_its_scale_gainsays_calls_nobody() -> None:
    for permille, asked in ((899, 0), (900, 1)):
        found = play()
        found.feed(2.0, replace(came(), confidence_permille=permille))
        found.wake(60.0)
        assert len(found.kinds(Unresolved)) == len(found.asked) == asked
