from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Coverage,
    Dismissal,
    Fact,
    Item,
    Movement,
    Passage,
    Unresolved,
)
from rules.movement import MovementSettings
from tests.rules.acts import (
    NUT_TAG,
    THIRD,
    came,
    change,
    foreign,
    gone,
    held,
    play,
    settled,
)
from tests.rules.play import OTHER, TAG, Play, S, at, seconds


def test_pick_seen_by_weight_and_then_by_tag_is_one_movement() -> None:
    found = play()
    found.feed(2.0, change(-1))
    assert found.told == []
    assert len(found.rows) == 1
    found.feed(11.0, gone(second=1.2))
    [movement] = found.kinds()
    assert isinstance(movement, Movement)
    assert (movement.kind, movement.item, movement.quantity) == ("issue", "BOLT", 1)
    assert (movement.from_location, movement.to_location) == ("A1", UNKNOWN_LOCATION)
    assert (movement.epcs, movement.confidence_permille) == ((TAG,), 998)
    assert (seconds(movement.at_event), seconds(movement.at_decided)) == (1.0, 11.0)
    assert movement.evidence.weight_before_mg == 1_000_000
    assert movement.evidence.reads == 40
    settled(found)


def test_pick_seen_by_tag_and_then_by_weight_is_one_movement() -> None:
    found = play()
    found.feed(2.0, gone())
    assert found.told == []
    found.feed(5.0, change(-1))
    [movement] = found.kinds()
    assert movement.epcs == (TAG,)
    found.wake(60.0)
    assert len(found.told) == 1
    settled(found)


def test_put_is_a_receipt() -> None:
    found = play()
    found.feed(2.0, change(1))
    found.feed(3.0, came())
    [movement] = found.kinds()
    assert (movement.kind, movement.from_location, movement.to_location) == (
        "receipt",
        UNKNOWN_LOCATION,
        "A1",
    )


def test_several_pieces_wait_for_all_their_tags() -> None:
    found = play()
    found.feed(1.5, gone(OTHER))
    found.feed(2.0, change(-3))
    found.feed(8.0, gone(TAG))
    assert found.told == []
    found.feed(9.0, gone(THIRD))
    [movement] = found.kinds()
    assert (movement.quantity, movement.epcs) == (3, tuple(sorted((TAG, OTHER, THIRD))))
    assert movement.evidence.reads == 120
    settled(found)


def test_some_tags_missing_is_a_movement_by_weight_and_an_alert() -> None:
    found = play()
    found.feed(2.0, change(-2))
    found.feed(8.0, gone())
    found.wake(15.0)
    movement, alert = found.kinds()
    assert (movement.quantity, movement.epcs) == (2, (TAG,))
    assert movement.confidence_permille == 980
    assert (alert.code, alert.raised) == ("senses_disagree", True)
    settled(found)


def raised(found: Play) -> list[bool]:
    return [alert.raised for alert in found.kinds(Alert)]


def test_disagreement_is_raised_until_what_was_missing_has_come() -> None:
    found = play()
    found.feed(2.0, change(1))
    found.wake(16.0)
    assert raised(found) == [True]
    again = play(rows=found.rows)
    again.feed(20.0, Coverage("r", 0, resumed=True))
    again.feed(30.0, change(1, 29.0), came(OTHER, second=29.5))
    assert raised(again) == []
    again.feed(40.0, came(second=39.0), *(Coverage(device, S) for device in ("r", "s")))
    again.feed(46.0, *(Coverage(device, S) for device in ("r", "s")))
    again.wake(49.0)
    assert raised(again) == [False]
    assert again.rows == {}


def test_disagreement_that_stands_is_raised_anew_for_the_next_but_not_at_once() -> None:
    found = play()
    for second in (2.0, 10.0, 100.0):
        found.feed(second, change(-1, second))
    found.wake(200.0)
    assert raised(found) == [True, False, True]
    assert len([key for key in found.rows if key.startswith("alert:")]) == 1


def test_disagreement_that_nothing_explains_ends_with_the_next_agreement() -> None:
    found = play()
    found.feed(2.0, change(-1))
    found.wake(3700.0)
    assert raised(found) == [True, False]
    assert found.rows == {"tagless:A\tBOLT": {"pieces": -1}}


@pytest.mark.parametrize(("act", "due_s"), [(came, 10.0), (gone, 12.0)])
def test_tag_without_a_step_is_unresolved_and_an_alert(act: Any, due_s: float) -> None:
    found = play()
    found.feed(2.0, act())
    found.wake(due_s - 0.1)
    assert found.told == []
    found.wake(due_s)
    unresolved, alert = found.kinds()
    assert isinstance(unresolved, Unresolved)
    assert (unresolved.reason, unresolved.epcs, unresolved.candidates) == (
        "senses_disagree",
        (TAG,),
        ("BOLT",),
    )
    assert isinstance(alert, Alert)
    settled(found)


def test_opposite_direction_other_item_other_zone_do_not_join() -> None:
    found = play()
    found.feed(2.0, change(-1), came(), gone(NUT_TAG), gone(OTHER, zone="B"))
    assert [type(fact) for fact in found.kinds()] == [Movement, Movement]
    assert [fact.epcs for fact in found.kinds()] == [(NUT_TAG,), (OTHER,)]


def test_steps_take_tags_in_their_order() -> None:
    found = play()
    found.feed(2.0, change(-1, 1.0))
    found.feed(3.0, change(-1, 2.5))
    found.feed(11.0, gone())
    [movement] = found.kinds()
    assert seconds(movement.at_event) == 1.0


def test_step_takes_each_tag_once() -> None:
    found = play()
    found.feed(2.0, change(-2), gone(), gone(second=1.5))
    assert found.told == []
    found.feed(3.0, gone(OTHER))
    [movement] = found.kinds()
    assert movement.epcs == (TAG, OTHER)


def test_item_without_tags_moves_at_once() -> None:
    found = play(items=(Item("BOLT", unit_mg=100_000),))
    found.feed(2.0, change(-2))
    [movement] = found.kinds()
    assert (movement.quantity, movement.confidence_permille, movement.epcs) == (2, 980, ())
    assert found.rows == {}


def test_place_without_antennas_moves_at_once() -> None:
    found = play()
    found.feed(2.0, change(-2, cell="s:2", item="NUT"))
    assert [fact.from_location for fact in found.kinds()] == ["A2"]


def test_place_without_a_scale_moves_by_tag() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG))
    found.feed(30.0, gone(NUT_TAG, second=19.0))
    receipt, issue = found.kinds()
    assert (receipt.kind, receipt.to_location, receipt.at_event) == ("receipt", "A", at(1.0))
    assert (issue.kind, issue.from_location, issue.at_event) == ("issue", "A", at(19.0))
    assert {receipt.at_since, issue.at_since} == {None}


@pytest.mark.parametrize("act", [came, gone])
def test_tag_that_tells_too_little_is_unresolved_until_it_goes_back(act: Any) -> None:
    found = play()
    found.feed(2.0, replace(act(NUT_TAG), confidence_permille=499))
    found.feed(30.0, (gone if act is came else came)(NUT_TAG, second=29.0))
    unresolved, dismissal = found.kinds()
    assert (unresolved.reason, unresolved.epcs) == ("unsure", (NUT_TAG,))
    assert (dismissal.unresolved_id, dismissal.reason) == (unresolved.unresolved_id, "returned")
    assert found.rows == {}


def test_tag_that_was_not_booked_moves_on_from_nowhere() -> None:
    found = play()
    found.feed(2.0, replace(came(NUT_TAG), confidence_permille=499))
    found.feed(30.0, gone(NUT_TAG, to_zone="B"), came(NUT_TAG, "B", 29.0, from_zone="A"))
    unresolved, movement, dismissal = found.kinds()
    assert (dismissal.unresolved_id, dismissal.reason) == (
        unresolved.unresolved_id,
        "settled_by_movement",
    )
    assert (movement.from_location, movement.to_location) == (UNKNOWN_LOCATION, "B")


def unsure(epc: str, zone: str, second: float, **rest: Any) -> Fact:
    return replace(came(epc, zone, second, **rest), confidence_permille=499)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("then", "ends", "reason"),
    [
        (gone(NUT_TAG, "B", 29.0), ("A", UNKNOWN_LOCATION), "settled_by_movement"),
        (came(NUT_TAG, "PAIR", 29.0, from_zone="B"), ("A", "PAIR"), "settled_by_movement"),
        (came(NUT_TAG, "A", 29.0, from_zone="B"), None, "returned"),
    ],
    ids=["leaves", "moves on", "comes back"],
)
def test_move_that_was_too_unsure_leaves_the_tag_in_the_books_where_it_was(
    then: Fact, ends: tuple[str, str] | None, reason: str, restart: bool
) -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG))
    found.feed(20.0, gone(NUT_TAG, to_zone="B"), unsure(NUT_TAG, "B", 19.0, from_zone="A"))
    [asked] = found.kinds(Unresolved)
    assert (asked.location, asked.reason, asked.candidates) == ("B", "unsure", ("NUT",))
    later = play(rows=found.rows, last_alive_s=20.0, now_s=20.0) if restart else found
    later.feed(30.0, then)
    moved = [(fact.from_location, fact.to_location) for fact in later.kinds(Movement)]
    assert moved == ([] if restart else [(UNKNOWN_LOCATION, "A")]) + ([ends] if ends else [])
    [closed] = later.kinds(Dismissal)
    assert (closed.unresolved_id, closed.reason) == (asked.unresolved_id, reason)
    assert held(later) == {}


def test_what_stays_too_unsure_is_asked_anew_and_settled_at_once() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG))
    for second, old, new in ((20.0, "A", "B"), (40.0, "B", "PAIR")):
        found.feed(second, unsure(NUT_TAG, new, second - 1, from_zone=old))
    found.feed(60.0, came(NUT_TAG, "B", 59.0, from_zone="PAIR"))
    moved = [(fact.from_location, fact.to_location) for fact in found.kinds(Movement)]
    assert moved == [(UNKNOWN_LOCATION, "A"), ("A", "B")]
    assert len(found.kinds(Unresolved)) == len(found.kinds(Dismissal)) == 2


@pytest.mark.parametrize(("sure_min", "booked"), [(0.0, True), (0.6, True), (0.601, False)])
def test_how_sure_a_movement_must_be_can_be_set(sure_min: float, booked: bool) -> None:
    passage = Passage("gate", TAG, "in", at(1.0), at(5.0), 40, -4500, 600)
    found = play(settings={"sure_min": sure_min})
    found.feed(9.0, replace(came(NUT_TAG), confidence_permille=600), passage)
    assert len(found.kinds(Movement)) == 2 * booked
    reasons = [fact.reason for fact in found.kinds(Unresolved)]
    assert reasons == ([] if booked else ["unsure", "direction_uncertain"])


@pytest.mark.parametrize("sure_min", [1.0, -0.1, "half"])
def test_share_that_is_none_is_refused_by_name(sure_min: Any) -> None:
    with pytest.raises(ValidationError, match="sure_min"):
        MovementSettings(sure_min=sure_min)


def test_move_between_zones_is_one_transfer() -> None:
    found = play()
    found.feed(2.0, gone(NUT_TAG, to_zone="B"), came(NUT_TAG, "B", from_zone="A"))
    [movement] = found.kinds()
    assert (movement.kind, movement.from_location, movement.to_location) == ("transfer", "A", "B")


def test_tag_that_was_told_to_be_in_the_wrong_zone_is_corrected_and_no_act() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG))
    wrong, right = gone(NUT_TAG, to_zone="B"), came(NUT_TAG, "B", from_zone="A")
    found.feed(300.0, replace(wrong, cause="misplaced"), replace(right, cause="misplaced"))
    _, correction = found.kinds()
    assert (correction.kind, correction.reason) == ("adjustment", "misplaced")
    assert (correction.from_location, correction.to_location) == ("A", "B")


def test_move_from_a_weighed_place_waits_for_its_step_there() -> None:
    found = play()
    found.feed(2.0, change(-1), gone(to_zone="B"), came(TAG, "B", from_zone="A"))
    issue, receipt = found.kinds()
    assert (issue.from_location, issue.to_location) == ("A1", UNKNOWN_LOCATION)
    assert (receipt.from_location, receipt.to_location) == (UNKNOWN_LOCATION, "B")


@pytest.mark.parametrize(
    ("direction", "source", "target", "kind"),
    [("in", "yard", "hall", "transfer"), ("out", "hall", "yard", "transfer")],
)
def test_passage_moves_through_the_gate(
    direction: Any, source: str, target: str, kind: str
) -> None:
    found = play()
    found.feed(9.0, Passage("gate", TAG, direction, at(1.0), at(5.0), 40, -4500, 960))
    [movement] = found.kinds()
    assert (movement.from_location, movement.to_location, movement.kind) == (source, target, kind)
    assert (seconds(movement.at_event), movement.epcs) == (3.0, (TAG,))


def test_passage_that_turned_back_is_nothing() -> None:
    found = play()
    found.feed(9.0, Passage("gate", TAG, "turned_back", at(1.0), at(5.0), 40, -4500, 700))
    assert found.told == []


@pytest.mark.parametrize(
    ("epc", "direction", "reason", "candidates"),
    [(TAG, "uncertain", "direction_uncertain", ("BOLT",)), (foreign(), "in", "unknown_epc", ())],
)
def test_passage_that_says_too_little_is_unresolved(
    epc: str, direction: Any, reason: str, candidates: tuple[str, ...]
) -> None:
    found = play()
    found.feed(9.0, Passage("gate", epc, direction, at(1.0), at(5.0), 40, -4500, 500))
    [unresolved] = found.kinds()
    assert (unresolved.reason, unresolved.candidates) == (reason, candidates)


def test_unknown_epc_is_unresolved_once_where_it_moves() -> None:
    found = play()
    found.feed(2.0, came(foreign()))
    found.feed(3.0, gone(foreign(), to_zone="B"), came(foreign(), "B", from_zone="A"))
    assert [fact.reason for fact in found.kinds()] == ["unknown_epc"] * 2


@pytest.mark.parametrize(
    ("item", "reason"), [("BOLT", "count_not_resolvable"), ("WHAT", "unknown_item")]
)
def test_step_that_does_not_resolve_is_unresolved(item: str, reason: str) -> None:
    found = play()
    found.feed(2.0, change(0, item=item, confidence=0))
    [unresolved] = found.kinds()
    assert (unresolved.reason, unresolved.location) == (reason, "A1")
    assert unresolved.evidence.weight_after_mg == 1_000_000


def test_what_is_held_is_said_with_the_id_under_which_it_is_told() -> None:
    found = play()
    found.feed(2.0, change(-2))
    found.feed(8.0, gone())
    found.wake(15.0)
    [step] = found.held
    [movement] = found.kinds(Movement)
    assert (step.movement_id, step.item, step.quantity) == (movement.movement_id, "BOLT", -2)
    assert (step.location, step.uom, seconds(step.at)) == ("A1", "pcs", 1.0)


def test_what_is_told_at_once_or_is_of_no_known_number_is_not_held() -> None:
    found = play()
    found.feed(2.0, gone())
    found.feed(3.0, change(-1), change(0, 2.5))
    assert found.held == []


def test_steps_of_one_cell_are_told_in_their_order() -> None:
    found = play()
    found.feed(2.0, change(-2))
    found.feed(4.0, change(1, 3.0), came(second=3.2))
    assert [(m.kind, m.quantity) for m in found.kinds(Movement)] == [("issue", 2), ("receipt", 1)]
    found.feed(5.0, gone(OTHER))
    found.wake(60.0)
    assert len(found.kinds(Movement)) == 2
