"""A dead scale or reader is no disagreement: the other sense decides, and nothing is told twice."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Cell,
    Coverage,
    Dismissal,
    Movement,
    SenseChange,
    Site,
    Stall,
    Unresolved,
    Zone,
)
from rules.count import Count
from rules.movement import MovementRule
from rules.presence import Presence
from rules.senses import Senses
from rules.stock import Stock
from rules.weight import Weight
from tests.rules.acts import NUT, THIRD, came, change, gone, held, play, settled
from tests.rules.play import BOLT, OTHER, TAG, Play, S, at, read, report, seconds, weigh

BOTH = ("r", "s")


def watch(found: Play, until_s: float, *devices: str, resumed: bool = False) -> None:
    """These devices are read each second; `resumed` says that they are so anew."""
    if resumed:
        found.feed(found.now_s, *(Coverage(device, 0, resumed=True) for device in devices))
    while found.now_s < until_s:
        found.feed(found.now_s + 1, *(Coverage(device, S) for device in devices))


def blind_since_2(*left: str) -> Play:
    """Both senses were watched for 2 s, and then only that which is left."""
    found = play()
    watch(found, 2.0, *BOTH, resumed=True)
    watch(found, 20.0, *left)
    return found


def reborn(found: Play, *, restart: bool) -> Play:
    """The same gateway, after a restart or not; what it tells from now on."""
    if restart:
        return play(rows=found.rows, last_alive_s=found.now_s, now_s=found.now_s)
    found.told.clear()
    return found


def gap(quantity: int, **rest: Any) -> Any:
    """What a scale finds when it is back: its last plateau was before it went blind."""
    return change(quantity, rest.pop("since", 1.9), cause="found_after_gap", **rest)


def booked(*plays: Play) -> int:
    """What all movements come to at the shelf."""
    moves = [fact for found in plays for fact in found.kinds(Movement)]
    return sum(
        fact.quantity * (1 if fact.from_location == UNKNOWN_LOCATION else -1) for fact in moves
    )


def quiet(*plays: Play) -> bool:
    """No one was called to the shelf."""
    return not any(found.kinds(Alert, Unresolved) for found in plays)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(("act", "quantity"), [(gone, -1), (came, 1)])
def test_tag_decides_alone_for_a_dead_scale_that_later_finds_the_same(
    act: Any, quantity: int, restart: bool
) -> None:
    found = blind_since_2("r")
    found.feed(21.0, act(second=10.0))
    watch(found, 40.0, "r")
    [movement] = found.kinds()
    assert (movement.epcs, movement.reason, movement.quantity) == ((TAG,), "observed", 1)
    assert "A1" in {movement.from_location, movement.to_location}
    assert movement.confidence_permille < 900
    before = booked(found)
    later = reborn(found, restart=restart)
    watch(later, 50.0, "r", resumed=restart)
    since = 40.0 if restart else 1.9
    watch(later, 52.0, *BOTH, resumed=True)
    later.feed(52.5, gap(quantity, since=since))
    watch(later, 90.0, *BOTH)
    assert (later.told, held(later)) == ([], {})
    assert before == quantity


@pytest.mark.parametrize("restart", [False, True])
def test_step_after_the_gap_is_told_less_what_the_tags_told(restart: bool) -> None:
    found = blind_since_2("r")
    found.feed(21.0, gone(second=10.0), gone(OTHER, second=10.0))
    watch(found, 40.0, "r")
    assert booked(found) == -2
    later = reborn(found, restart=restart)
    watch(later, 42.0, *BOTH, resumed=True)
    later.feed(42.5, gap(-3, since=40.0 if restart else 1.9), gone(THIRD, second=30.0))
    watch(later, 90.0, *BOTH)
    [movement] = later.kinds()
    assert (movement.quantity, movement.epcs) == (1, (THIRD,))
    settled(later)
    assert held(later) == {}


def test_nothing_waits_for_a_dead_sense() -> None:
    for left, act in (("r", gone(second=10.0)), ("s", change(-1, 20.0))):
        found = blind_since_2(left)
        found.feed(21.0, act)
        found.wake(21.001)
        [movement] = found.kinds()
        assert (movement.reason, seconds(movement.at_decided)) == ("observed", 21.0)


def test_weight_alone_is_believed_less_where_tags_should_be_read() -> None:
    found = blind_since_2("s")
    found.feed(21.0, change(-1, 20.0, confidence=980))
    found.wake(22.0)
    assert [movement.confidence_permille for movement in found.kinds()] == [931]


def test_step_that_may_be_of_another_item_is_told_by_weight_where_no_tags_are_read() -> None:
    """Two of the other weigh as much: its tags would tell, and nobody reads them."""
    site = Site(
        zones=(Zone("A", ("r:1",)),),
        cells=(Cell("s:1", "A1", "BOLT", "A"), Cell("s:2", "A2", "NUT", "A")),
    )
    found = play(site=site, items=(BOLT, replace(NUT, unit_mg=100_000)))
    watch(found, 2.0, *BOTH, resumed=True)
    watch(found, 20.0, "s")
    found.feed(21.0, change(1, 20.0))
    watch(found, 100.0, "s")
    [movement] = found.kinds()
    assert (movement.item, movement.quantity) == ("BOLT", 1)


def test_cell_that_weighs_nothing_is_as_blind_as_its_scale() -> None:
    found = play()
    watch(found, 20.0, *BOTH, resumed=True)
    found.feed(20.0, SenseChange("weight", "s:1", missing=True, since=at(15.0)))
    found.feed(21.0, gone(second=10.0))
    watch(found, 22.0, *BOTH)
    [movement] = found.kinds()
    assert (movement.from_location, movement.epcs) == ("A1", (TAG,))
    found.feed(30.0, SenseChange("weight", "s:1", missing=False, since=at(30.0)))
    watch(found, 31.0, *BOTH)
    found.feed(31.5, gap(-1))
    watch(found, 90.0, *BOTH)
    assert (len(found.told), held(found)) == (1, {})


@pytest.mark.parametrize(("confidence", "booked_pieces"), [(560, -1), (550, 0)])
def test_tag_that_is_too_unsure_decides_nothing_for_a_dead_scale(
    confidence: int, booked_pieces: int
) -> None:
    """It is believed a tenth less than where nothing is weighed."""
    found = blind_since_2("r")
    found.feed(21.0, replace(gone(second=10.0), confidence_permille=confidence))
    watch(found, 40.0, "r")
    assert booked(found) == booked_pieces
    reasons = [fact.reason for fact in found.kinds(Unresolved)]
    assert reasons == ([] if booked_pieces else ["unsure"])


@pytest.mark.parametrize("restart", [False, True])
def test_tag_that_goes_back_while_the_scale_is_dead_is_booked_back(restart: bool) -> None:
    found = blind_since_2("r")
    found.feed(21.0, gone(second=10.0))
    watch(found, 40.0, "r")
    before = booked(found)
    later = reborn(found, restart=restart)
    watch(later, 50.0, "r", resumed=True)
    later.feed(50.5, came(second=50.0))
    watch(later, 90.0, *BOTH, resumed=True)
    assert before + booked(later) == 0
    assert (quiet(later), held(later)) == (True, {})


@pytest.mark.parametrize("restart", [False, True])
def test_scale_that_is_back_and_found_nothing_disagrees(restart: bool) -> None:
    found = blind_since_2("r")
    found.feed(21.0, gone(second=10.0))
    watch(found, 40.0, "r")
    watch(found, 60.0, *BOTH, resumed=True)
    [_, unresolved, alert] = found.kinds()
    assert (unresolved.reason, unresolved.epcs, alert.code) == (
        "senses_disagree",
        (TAG,),
        "senses_disagree",
    )
    later = reborn(found, restart=restart)
    watch(later, 70.0, *BOTH, resumed=True)
    later.feed(70.5, change(-1, 70.0))
    watch(later, 80.0, *BOTH)
    later.feed(80.5, gone(OTHER, second=70.0))
    assert booked(later) == -1
    later.feed(90.0, came(second=89.0))
    assert booked(later) == 0
    assert [(fact.unresolved_id, fact.reason) for fact in later.kinds(Dismissal)] == [
        (unresolved.unresolved_id, "settled_by_movement")
    ]
    assert held(later) == {}


def test_live_scale_still_contradicts_a_tag() -> None:
    found = blind_since_2(*BOTH)
    found.feed(21.0, gone(second=10.0))
    watch(found, 40.0, *BOTH)
    assert [type(fact) for fact in found.kinds()] == [Unresolved, Alert]


def test_gateway_that_stood_still_takes_no_scale_for_dead() -> None:
    found = blind_since_2(*BOTH)
    found.feed(21.0, gone(second=10.0))
    found.feed(26.0, Stall(5 * S))
    found.feed(26.0, *(Coverage(device, 0, resumed=True) for device in BOTH))
    watch(found, 60.0, *BOTH)
    assert [type(fact) for fact in found.kinds()] == [Unresolved, Alert]


@pytest.mark.parametrize("heard", ["s", "r"], ids=["itself", "only another"])
def test_time_in_which_the_gateway_stood_still_is_no_silence(heard: str) -> None:
    senses = Senses(Site())
    senses.hear(0, Coverage(heard, 0, resumed=True))
    senses.put_off(10 * S)
    assert not senses.silent(14 * S, "s")
    assert senses.silent(15 * S, "s")


def test_device_that_is_heard_seldom_is_not_silent() -> None:
    senses = Senses(Site())
    senses.hear(0, Coverage("s", 30 * S))
    assert not senses.silent(60 * S, "s")
    assert senses.silent(61 * S, "s")


def test_scale_that_never_showed_is_blind() -> None:
    found = play()
    watch(found, 20.0, "r", resumed=True)
    found.feed(21.0, gone(second=10.0))
    watch(found, 40.0, "r")
    assert [type(fact) for fact in found.kinds()] == [Movement]


@pytest.mark.parametrize("back", [True, False])
def test_tag_waits_for_its_scale_where_two_cells_may_be_meant(back: bool) -> None:
    site = Site(
        zones=(Zone("A", ("r:1",)),),
        cells=(Cell("s:1", "A1", "BOLT", "A"), Cell("s:2", "A2", "BOLT", "A")),
    )
    found = play(site=site)
    watch(found, 2.0, *BOTH, resumed=True)
    watch(found, 20.0, "r")
    found.feed(21.0, gone(second=10.0))
    watch(found, 200.0, "r")
    assert found.told == []
    if back:
        watch(found, 202.0, *BOTH, resumed=True)
        found.feed(202.5, gap(-1, cell="s:2"))
        [movement] = found.kinds()
        assert (movement.from_location, movement.epcs) == ("A2", (TAG,))
    else:
        watch(found, 330.0, "r")
        assert [fact.reason for fact in found.kinds()] == ["scale_blind"]
    settled(found)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(("act", "quantity"), [(gone, -1), (came, 1)])
def test_step_decides_alone_for_a_dead_reader_that_later_finds_the_same(
    act: Any, quantity: int, restart: bool
) -> None:
    found = blind_since_2("s")
    found.feed(21.0, change(2 * quantity, 20.0))
    watch(found, 40.0, "s")
    [movement] = found.kinds()
    assert (movement.epcs, movement.quantity) == ((), 2)
    later = reborn(found, restart=restart)
    watch(later, 45.0, "s", resumed=restart)
    watch(later, 50.0, *BOTH, resumed=True)
    known: dict[str, Any] = {"cause": "found_after_gap"}
    if act is came:
        known["unwatched_since"] = gone(second=20.0).last_seen
    second = 1.9 if act is gone else 49.0
    later.feed(51.0, *(act(epc, second=second, **known) for epc in (TAG, OTHER)))
    watch(later, 90.0, *BOTH)
    assert (later.told, later.rows) == ([], {})


@pytest.mark.parametrize("restart", [False, True])
def test_reader_that_is_back_and_misses_no_tag_disagrees(restart: bool) -> None:
    found = blind_since_2("s")
    found.feed(21.0, change(-1, 20.0))
    watch(found, 40.0, "s")
    assert quiet(found)
    later = reborn(found, restart=restart)
    watch(later, 60.0, *BOTH, resumed=True)
    [alert] = later.kinds()
    assert (alert.code, alert.raised) == ("senses_disagree", True)
    settled(later)


def test_tag_seen_after_the_reader_was_back_does_not_join_what_was_told_before() -> None:
    found = blind_since_2("s")
    found.feed(21.0, change(-1, 20.0))
    watch(found, 40.0, "s")
    watch(found, 45.0, *BOTH, resumed=True)
    found.feed(46.0, gone(second=44.0))
    assert len(found.rows) == 2


def test_blind_antenna_makes_the_zone_blind_until_it_sees_again() -> None:
    found = play()
    watch(found, 2.0, *BOTH, resumed=True)
    for second in range(3, 40):
        found.feed(second, Coverage("r", S, (2,)), Coverage("s", S))
        if second == 20:
            found.feed(20.5, change(-1, 20.0))
    assert quiet(found)
    watch(found, 45.0, *BOTH)
    found.feed(46.0, gone(second=1.9, cause="found_after_gap"))
    watch(found, 90.0, *BOTH)
    assert ([type(fact) for fact in found.kinds()], found.rows) == ([Movement], {})


def test_gateway_that_stood_still_leaves_a_scale_its_time_to_confirm() -> None:
    found = blind_since_2("r")
    found.feed(21.0, gone(second=10.0))
    watch(found, 40.0, "r")
    found.feed(40.0, Coverage("s", 0, resumed=True))
    found.feed(45.0, Stall(5 * S))
    watch(found, 52.0, *BOTH)
    assert quiet(found)
    watch(found, 60.0, *BOTH)
    assert not quiet(found)


def test_what_was_decided_alone_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.alone.ALONE_MAX", 2)
    found = blind_since_2("r")
    found.feed(21.0, *(gone(epc, second=10.0) for epc in (TAG, OTHER, THIRD)))
    watch(found, 40.0, "r")
    assert set(held(found)) == {f"alone:tag:{OTHER}", f"alone:tag:{THIRD}"}


def live(play: Play, until_s: float, devices: str, *, tags: tuple[str, ...], grams: float) -> None:
    """What the devices say four times a second: `r` reads the tags, `s` weighs."""
    while play.now_s < until_s:
        now_s = play.now_s + 0.25
        if "r" in devices:
            play.feed(now_s, report(*(read("r:1", epc) for epc in tags)), Coverage("r", S // 4))
        if "s" in devices:
            play.feed(now_s, weigh(grams), Coverage("s", S // 4))
        play.now_s = now_s


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("left", ["r", "s"])
def test_pick_before_one_sense_is_told_once_by_all_rules(left: str, restart: bool) -> None:
    rules = (Presence, Weight, Count, MovementRule, Stock)
    found = Play(rules)
    found.feed(0.0, *(Coverage(device, 0, resumed=True) for device in BOTH))
    live(found, 30.0, "rs", tags=(TAG, OTHER), grams=200.0)
    live(found, 40.0, left, tags=(TAG, OTHER), grams=200.0)
    live(found, 80.0, left, tags=(OTHER,), grams=100.0)
    later, back = found, "s" if left == "r" else "r"
    if restart:
        later = Play(rules, rows=found.rows, last_alive_s=80.0, now_s=80.0)
        later.feed(80.0, Coverage(left, 0, resumed=True))
        live(later, 90.0, left, tags=(OTHER,), grams=100.0)
    later.feed(later.now_s, Coverage(back, 0, resumed=True))
    live(later, 150.0, "rs", tags=(OTHER,), grams=100.0)
    told = [*found.kinds(), *(later.kinds() if restart else ())]
    assert [fact.quantity for fact in told if isinstance(fact, Movement)] == [1]
    assert not [fact for fact in told if isinstance(fact, Alert | Unresolved)]
    assert later.rows["Stock/A1\tBOLT"]["quantity"] == 1
    kept = [key for key in held(later) if key.startswith("MovementRule/")]
    assert kept == ["MovementRule/stated:A1"]
