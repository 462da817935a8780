from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Arrival,
    Cell,
    CountChange,
    Coverage,
    Departure,
    Fact,
    Item,
    Movement,
    Passage,
    ReadPace,
    Site,
    Snapshot,
    SnapshotLine,
    Stall,
    Unresolved,
    WeightStep,
    Zone,
)
from rules.movement import MovementRule
from tests.rules.play import BOLT, OTHER, TAG, Play, S, at, seconds

NUT = Item("NUT", unit_mg=50_000, epc_prefixes=("3099",))
NUT_TAG = "309901"
THIRD = "3034cc"


def play(**known: Any) -> Play:
    known.setdefault("items", (BOLT, NUT))
    return Play([MovementRule], **known)


def change(
    quantity: int, second: float = 1.0, cell: str = "s:1", item: str = "BOLT", **rest: Any
) -> CountChange:
    cause = rest.pop("cause", "live")
    confidence = rest.pop("confidence", 980)
    step = WeightStep(cell, 1000.0, 1000.0 + 100 * quantity, 0.3, at(second), cause)
    return CountChange(cell, item, quantity, rest.pop("on_hand", 5), confidence, step)


def gone(epc: str = TAG, zone: str = "A", second: float = 1.0, **rest: Any) -> Departure:
    return Departure(zone, epc, at(second), 40, -5200, 990, **rest)


def came(epc: str = TAG, zone: str = "A", second: float = 1.0, **rest: Any) -> Arrival:
    return Arrival(zone, epc, at(second), 5, -5300, 950, **rest)


def settled(found: Play) -> None:
    """Nothing waits any more: only alert rows may stand."""
    assert [key for key in found.rows if not key.startswith("alert:")] == []


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
    assert movement.confidence_permille == 882
    assert (alert.code, alert.raised) == ("senses_disagree", True)
    settled(found)


def test_disagreement_is_raised_once_and_cleared_once() -> None:
    found = play()
    for second in (2.0, 20.0, 40.0):
        found.feed(second, change(-1, second))
    found.wake(60.0)
    assert [alert.raised for alert in found.kinds(Alert)] == [True]
    again = play(rows=found.rows)
    again.feed(2.0, change(-1))
    again.wake(20.0)
    assert again.kinds(Alert) == []
    for second in (30.0, 40.0):
        again.feed(second, change(-1, second), gone())
    assert [alert.raised for alert in again.kinds(Alert)] == [False]
    assert again.rows == {}


def test_tag_without_a_step_is_unresolved_and_an_alert() -> None:
    found = play()
    found.feed(2.0, gone())
    found.wake(9.9)
    assert found.told == []
    found.wake(10.0)
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


def test_move_between_zones_is_one_transfer() -> None:
    found = play()
    found.feed(2.0, gone(NUT_TAG, to_zone="B"), came(NUT_TAG, "B", from_zone="A"))
    [movement] = found.kinds()
    assert (movement.kind, movement.from_location, movement.to_location) == ("transfer", "A", "B")


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
    [(TAG, "uncertain", "direction_uncertain", ("BOLT",)), ("ff00", "in", "unknown_epc", ())],
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
    found.feed(2.0, came("ff00"))
    found.feed(3.0, gone("ff00", to_zone="B"), came("ff00", "B", from_zone="A"))
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


def test_longest_prefix_names_the_item() -> None:
    found = play(items=(NUT, replace(NUT, code="SPECIAL", epc_prefixes=("309901",))))
    found.feed(2.0, came("30990123"), came("30990223"))
    assert [fact.item for fact in found.kinds()] == ["SPECIAL", "NUT"]


def test_stock_of_the_first_start_is_a_snapshot() -> None:
    found = play()
    found.feed(1.0, change(7, cause="first_start", on_hand=7))
    found.feed(2.0, came(NUT_TAG, cause="first_start"), came("309902", cause="first_start"))
    found.feed(3.0, came(TAG, cause="first_start"))
    found.wake(10.0)
    cell, zone = found.kinds()
    assert isinstance(cell, Snapshot)
    assert (cell.location, cell.lines) == ("A1", (SnapshotLine("BOLT", 7, "pcs"),))
    assert (zone.location, zone.reason) == ("A", "first_start")
    assert zone.lines == (SnapshotLine("NUT", 2, "pcs", ("309901", "309902")),)
    assert found.rows == {}


def test_first_snapshot_survives_a_restart() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG, cause="first_start"))
    again = play(rows=found.rows)
    again.wake(100.0)
    assert again.told == []
    again.feed(101.0, Coverage("r", 0, resumed=True))
    again.wake(110.0)
    assert [fact.location for fact in again.kinds(Snapshot)] == ["A"]
    assert again.rows == {}


def test_tag_that_leaves_before_the_first_snapshot_was_never_there() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG, cause="first_start"))
    found.feed(3.0, gone(NUT_TAG))
    found.wake(10.0)
    assert (found.told, found.rows) == ([], {})


def test_first_count_that_does_not_resolve_is_no_empty_snapshot() -> None:
    found = play()
    found.feed(2.0, change(0, cause="first_start", confidence=0, on_hand=0))
    found.feed(3.0, change(0, cell="s:3", item="", cause="first_start", confidence=0))
    assert [type(fact) for fact in found.kinds()] == [Unresolved]


@pytest.mark.parametrize("restart", [0, 1], ids=["at once", "after a restart"])
def test_second_find_in_one_place_does_not_wipe_out_the_first(restart: int) -> None:
    site = Site(
        zones=(Zone("P", ("r:1",)),),
        cells=(Cell("s:1", "P", "BOLT", "P"), Cell("s:2", "P", "WASHER")),
    )
    found = play(site=site)
    found.feed(1.0, change(7, cause="first_start", on_hand=7))
    if restart:
        found = play(site=site, rows=found.rows)
    found.feed(2.0, change(9, cell="s:2", item="WASHER", cause="first_start", on_hand=9))
    found.feed(3.0, came(NUT_TAG, "P", cause="first_start"))
    found.wake(10.0)
    adjusted, tags = found.kinds(Movement)
    assert (adjusted.kind, adjusted.reason, adjusted.quantity) == ("adjustment", "first_start", 9)
    assert (tags.item, tags.epcs, tags.to_location) == ("NUT", (NUT_TAG,), "P")


def test_change_found_after_a_gap_has_its_interval() -> None:
    found = play()
    found.feed(50.0, change(-1, 5.0, cause="found_after_gap"))
    found.feed(60.0, gone(second=6.0, cause="found_after_gap"))
    [movement] = found.kinds()
    assert movement.reason == "found_after_gap"
    assert (seconds(movement.at_since), seconds(movement.at_event)) == (5.0, 50.0)


def test_tag_found_after_a_gap_has_its_interval() -> None:
    found = play()
    since = at(10.0)
    found.feed(50.0, came(NUT_TAG, second=49.0, cause="found_after_gap", unwatched_since=since))
    found.feed(90.0, gone(NUT_TAG, second=60.0, cause="found_after_gap"))
    receipt, issue = found.kinds()
    assert (receipt.at_since, seconds(receipt.at_event)) == (since, 49.0)
    assert (seconds(issue.at_since), seconds(issue.at_event)) == (60.0, 90.0)


def test_step_waits_on_over_a_restart_until_its_zone_is_watched() -> None:
    found = play()
    found.feed(2.0, change(-1))
    again = play(rows=found.rows, last_alive_s=3.0)
    again.wake(500.0)
    assert again.told == []
    again.feed(500.0, Coverage("r", 0, resumed=True))
    again.feed(510.0, gone())
    [movement] = again.kinds()
    assert (movement.epcs, seconds(movement.at_event)) == ((TAG,), 1.0)
    settled(again)


def test_moments_of_another_boot_are_when_it_was_last_alive() -> None:
    found = play()
    found.feed(2.0, change(-1, cause="found_after_gap"))
    found.feed(2.5, change(-2, 2.2))
    again = play(rows=found.rows, boot="boot-2", last_alive_s=-700.0)
    again.feed(5.0, Coverage("r", 0, resumed=True))
    again.wake(60.0)
    moved = again.kinds(Movement)
    assert len(moved) == 2
    assert {seconds(movement.at_event) for movement in moved} == {-700.0}
    assert {movement.at_since for movement in moved} <= {None, at(-700.0)}
    settled(again)


def test_tag_waits_on_over_a_restart() -> None:
    found = play()
    found.feed(2.0, gone())
    again = play(rows=found.rows, boot="boot-2", last_alive_s=-50.0)
    again.feed(5.0, change(-1, 4.0))
    [movement] = again.kinds()
    assert movement.epcs == (TAG,)
    settled(again)


@pytest.mark.parametrize(
    "fact", [Stall(30 * S), Coverage("r", 0, resumed=True)], ids=["stall", "reader back"]
)
def test_blind_time_lengthens_the_wait(fact: Fact) -> None:
    found = play()
    found.feed(2.0, change(-1))
    found.feed(14.0, fact)
    found.wake(26.0)
    assert found.told == []
    found.feed(26.5, gone())
    assert [movement.epcs for movement in found.kinds()] == [(TAG,)]


def test_coverage_of_another_reader_lengthens_nothing() -> None:
    found = play()
    found.feed(2.0, change(-1))
    found.feed(14.0, Coverage("p", 0, resumed=True))
    found.wake(15.0)
    assert len(found.kinds(Movement)) == 1


def test_late_device_lengthens_the_wait() -> None:
    found = play(lateness_s=4.0)
    found.feed(2.0, change(-1))
    found.wake(18.9)
    assert found.told == []
    found.wake(19.0)
    assert len(found.kinds(Movement)) == 1


def test_step_waits_as_long_as_seldom_read_tags_take() -> None:
    found = play()
    found.feed(1.0, ReadPace("A", TAG, 40 * S), ReadPace("A", OTHER, 20 * S))
    found.feed(2.0, change(-1))
    found.wake(40.0)
    assert found.told == []
    found.feed(42.0, gone())
    assert [movement.epcs for movement in found.kinds()] == [(TAG,)]
    found.feed(50.0, change(-1, 49.0))
    found.wake(72.9)
    assert len(found.told) == 1
    found.wake(73.0)
    assert len(found.kinds(Movement)) == 2


def test_pace_told_while_a_step_waits_lengthens_its_wait() -> None:
    found = play()
    found.feed(2.0, change(-1))
    found.feed(3.0, ReadPace("A", TAG, 40 * S))
    found.feed(45.0, gone())
    assert [movement.epcs for movement in found.kinds()] == [(TAG,)]


def test_usual_pace_lengthens_nothing() -> None:
    found = play()
    found.feed(1.0, ReadPace("A", TAG, 40 * S))
    found.feed(1.5, ReadPace("A", TAG, 10 * S), ReadPace("B", TAG, 60 * S))
    found.feed(2.0, change(-1))
    found.wake(15.0)
    assert len(found.kinds(Movement)) == 1


def test_decisions_are_the_same_each_time() -> None:
    facts: list[tuple[float, Fact]] = [
        (2.0, change(-2)),
        (3.0, gone()),
        (4.0, came(NUT_TAG)),
        (30.0, gone(OTHER)),
    ]
    runs = []
    for _ in range(2):
        found = play()
        for second, fact in facts:
            found.feed(second, fact)
        found.wake(100.0)
        runs.append(found.told)
    assert runs[0] == runs[1]
    ids = [fact.movement_id for _, fact in runs[0] if isinstance(fact, Movement)]
    assert len(set(ids)) == len(ids) == 2
