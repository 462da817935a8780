import json
from dataclasses import asdict, replace

import pytest

from gateway.model import (
    Alert,
    Cell,
    Coverage,
    Fact,
    Movement,
    ReadPace,
    Site,
    Snapshot,
    SnapshotLine,
    Stall,
    Unresolved,
    Zone,
)
from gateway.ports import Row
from rules.act import WaitingStep, WaitingTag
from rules.waiting_rows import fields_of, row_of
from tests.rules.acts import NUT_TAG, came, change, gone, play, said, settled
from tests.rules.play import OTHER, TAG, S, at, seconds


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
    assert set(found.rows) == {"stated:A1", "stated:A", "tagless:A\tBOLT"}


def test_stock_that_is_found_after_the_first_snapshot_is_added_to_it() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG, cause="first_start"))
    found.wake(10.0)
    found.feed(11.0, came("309902", cause="first_start"))
    found.wake(20.0)
    snapshot, movement = found.kinds()
    assert snapshot.lines == (SnapshotLine("NUT", 1, "pcs", (NUT_TAG,)),)
    assert (movement.kind, movement.reason) == ("adjustment", "first_start")
    assert (movement.to_location, movement.quantity, movement.epcs) == ("A", 1, ("309902",))


def test_tag_that_is_better_read_elsewhere_before_the_first_snapshot_is_stated_there() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG, cause="first_start"))
    found.feed(3.0, gone(NUT_TAG, to_zone="B"), came(NUT_TAG, "B", from_zone="A"))
    found.wake(20.0)
    assert [(fact.location, len(fact.lines)) for fact in found.kinds()] == [("B", 1)]


def test_first_snapshot_survives_a_restart() -> None:
    found = play()
    found.feed(2.0, came(NUT_TAG, cause="first_start"))
    again = play(rows=found.rows)
    again.wake(100.0)
    assert again.told == []
    again.feed(101.0, Coverage("r", 0, resumed=True))
    again.wake(110.0)
    assert [fact.location for fact in again.kinds(Snapshot)] == ["A"]
    assert set(again.rows) == {"stated:A"}


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
    assert [said(again, key)["told"] for key in again.rows] == [True, True]


def test_step_is_told_though_its_reader_stays_away_after_a_restart() -> None:
    found = play()
    found.feed(2.0, change(-1))
    again = play(rows=found.rows, last_alive_s=3.0)
    again.feed(60.0, Coverage("s", 0, resumed=True))
    again.feed(60.25, Coverage("s", S // 4))
    again.wake(359.9)
    assert again.told == []
    again.wake(360.1)
    [movement] = again.kinds(Movement)
    assert (movement.epcs, seconds(movement.at_event)) == ((), 1.0)
    assert [said(again, key)["told"] for key in again.rows] == [True]


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
    assert found.kinds(Alert) == []
    found.wake(19.0)
    assert len(found.kinds(Alert)) == 1


def test_step_waits_longer_where_tags_are_read_seldom() -> None:
    found = play()
    found.feed(1.0, ReadPace("A", TAG, 15 * S))
    found.feed(2.0, change(-1))
    found.wake(19.9)
    assert [type(fact) for fact in found.kinds()] == [Movement]
    found.feed(19.95, gone())
    found.wake(90.0)
    assert [type(fact) for fact in found.kinds()] == [Movement]
    assert found.rows == {}


def test_step_is_told_in_time_and_its_tag_joins_it_later() -> None:
    found = play(settings={"hold_s": 4.0})
    found.feed(2.0, change(-1))
    found.wake(5.9)
    assert found.told == []
    found.wake(6.0)
    assert [movement.epcs for movement in found.kinds(Movement)] == [()]
    found.feed(14.0, gone())
    found.wake(90.0)
    assert len(found.told) == 1
    assert found.rows == {}


def test_tag_joins_its_step_over_a_restart_after_it_was_told() -> None:
    found = play(settings={"hold_s": 4.0})
    found.feed(2.0, change(-1))
    found.wake(6.0)
    again = play(rows=found.rows, last_alive_s=7.0)
    again.feed(20.0, Coverage("r", 0, resumed=True))
    again.feed(25.0, gone(cause="found_after_gap"))
    again.wake(90.0)
    assert (again.told, again.rows) == ([], {})


@pytest.mark.parametrize("leave_s", [40, 300])
def test_step_whose_seldom_read_tag_stays_is_an_alert_within_a_minute(leave_s: int) -> None:
    found = play()
    found.feed(1.0, ReadPace("A", TAG, leave_s * S))
    found.feed(2.0, change(-1))
    found.wake(44.9)
    assert [type(fact) for fact in found.kinds()] == [Movement]
    found.wake(57.0)
    assert [type(fact) for fact in found.kinds()] == [Movement, Alert]


def test_pace_told_while_a_step_waits_lengthens_its_wait() -> None:
    found = play(settings={"hold_s": 4.0})
    found.feed(2.0, change(-1))
    found.feed(7.0, ReadPace("A", TAG, 15 * S))
    found.wake(19.9)
    assert found.kinds(Alert) == []
    found.wake(20.0)
    assert len(found.kinds(Alert)) == 1


def test_pace_is_no_matter_for_what_was_put_there() -> None:
    found = play(settings={"hold_s": 4.0})
    found.feed(2.0, change(1))
    found.feed(7.0, ReadPace("A", TAG, 15 * S))
    found.wake(15.0)
    assert [type(fact) for fact in found.kinds()] == [Movement, Alert]


def test_usual_pace_lengthens_nothing() -> None:
    found = play()
    found.feed(1.0, ReadPace("A", TAG, 40 * S))
    found.feed(1.5, ReadPace("A", TAG, 10 * S), ReadPace("B", TAG, 60 * S))
    found.feed(2.0, change(-1))
    found.wake(15.0)
    assert len(found.kinds(Alert)) == 1


def test_too_many_acts_in_flight_decide_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.waiting.WAITING_MAX", 2)
    found = play()
    for second in (1.0, 2.0, 3.0):
        found.feed(second + 1, change(-1, second))
    found.wake(4.1)
    assert [seconds(fact.at_event) for fact in found.kinds(Movement)][:1] == [1.0]
    assert len(found.rows) <= 2 + 2  # and the alert, and how many tags it lacks
    tags = play()
    for number in range(3):
        tags.feed(2.0, came(f"3034{number:02x}"))
    tags.wake(2.1)
    assert [fact.epcs for fact in tags.kinds(Unresolved)] == [("303400",)]


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


def test_first_count_that_is_not_sure_is_booked_and_stays_open_until_it_is_stated() -> None:
    found = play()
    unsure = change(30, cause="first_start", on_hand=None, confidence=640, cell="s:2", item="NUT")
    found.feed(1.0, unsure)
    unresolved, adjusted = found.kinds()
    assert (unresolved.reason, unresolved.location) == ("count_not_resolvable", "A2")
    assert (adjusted.kind, adjusted.reason, adjusted.quantity) == ("adjustment", "first_start", 30)
    assert (adjusted.to_location, adjusted.confidence_permille) == ("A2", 640)
    found.told.clear()
    found.feed(9.0, change(4, cause="first_start", on_hand=4, cell="s:2", item="NUT"))
    snapshot, dismissal = found.kinds()
    assert snapshot.lines == (SnapshotLine("NUT", 4, "pcs"),)
    assert (dismissal.unresolved_id, dismissal.reason) == (
        unresolved.unresolved_id,
        "settled_by_snapshot",
    )


def test_first_count_that_is_not_sure_is_only_asked_where_others_share_the_place() -> None:
    site = Site(cells=(Cell("s:1", "A1", "BOLT"), Cell("s:2", "A1", "NUT")))
    found = play(site=site)
    found.feed(1.0, change(30, cause="first_start", on_hand=None, confidence=640))
    assert [type(fact) for fact in found.kinds()] == [Unresolved]


def test_waits_are_restored_as_they_were_and_from_rows_of_earlier_releases() -> None:
    step = replace(WaitingStep.of(change(-2), "A", at(2), at(9)), known_at=at(3), epcs=(TAG,))
    tag = WaitingTag.of(gone(), "BOLT", at(2), at(9))
    for waiting in (step, replace(step, told=True, ordered=True), tag, replace(tag, spare=True)):
        kind = type(waiting)
        row = row_of(waiting, "boot-1")
        again = fields_of(row, kind, at(9))
        assert again.pop("boot") == "boot-1"
        if kind is WaitingStep:
            again["epcs"] = tuple(again.get("epcs", ()))
        assert kind(**again) == waiting
        named = Row(row.key, {**asdict(waiting), "boot": "boot-1"})
        old = fields_of(named, kind, at(9))
        del old["boot"]
        assert kind(**old) == waiting
        assert len(json.dumps(row.value)) < len(json.dumps(named.value)) / 2
