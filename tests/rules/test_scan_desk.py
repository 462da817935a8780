"""What a person says by scanning: what an unresolved act was, who it was, and which lot."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Amendment,
    Badge,
    Cell,
    Coverage,
    Dismissal,
    Fact,
    Item,
    Movement,
    Scan,
    Scanner,
    Site,
    Unresolved,
    WeightStep,
    Zone,
)
from rules.count import Count
from rules.movement import MovementRule
from rules.person import Person
from rules.stock import Stock
from rules.task import TaskRule
from tests.rules.acts import came
from tests.rules.play import Play, S, at
from tests.rules.tasks import task

GTIN, GLN = "09506000134352", "9506000134376"
BOLT = Item("BOLT", unit_mg=100_000, unit_sd_mg=1_000, gtins=(GTIN,))
NUT = Item("NUT", unit_mg=40_000, unit_sd_mg=400)
TAGGED = Item("DRILL", gtins=("09506000134369",))
ANN = Badge("B-17", "ann", "(8018)950600013435200005")
SITE = Site(
    zones=(Zone("ROOM", ("r:1",)),),
    cells=(
        Cell("s:1", "A1", "BOLT"),
        Cell("s:2", "A2", items=("BOLT", "NUT")),
        Cell("s:3", GLN),
        Cell("s:4", f"{GLN}/7"),
    ),
    scanners=(Scanner("fixed", "A1"),),
)
UNKNOWN_TAG = "ff01"


def floor(**known: Any) -> Play:
    """All rules from the count on; cells have been at 1,000 g, of which Count knows ten bolts."""
    known.setdefault("site", SITE)
    known.setdefault("items", (BOLT, NUT, TAGGED, ANN))
    play = Play([Count, MovementRule, Person, TaskRule, Stock], **known)
    play.feed(play.now_s, Coverage("s", 0), Coverage("r", 0))
    return play


def stepped(at_s: float, before_g: float, after_g: float, cell: str = "s:1") -> WeightStep:
    return WeightStep(cell, before_g, after_g, 0.5, at(at_s), level_sd_g=0.2)


def uneven(play: Play, change_g: float = -150.0, cell: str = "s:1", at_s: float = 10.0) -> str:
    """An act that is no whole number of pieces; the id of what is unresolved."""
    before = len(play.kinds(Unresolved))
    play.feed(at_s, stepped(at_s - 1, 1000.0, 1000.0 + change_g, cell))
    told = play.kinds(Unresolved)
    assert len(told) == before + 1
    return str(told[-1].unresolved_id)


def scan(*elements: tuple[str, str], text: str = "", device: str = "gun") -> Scan:
    return Scan(device, text or "".join(value for _, value in elements), elements)


def said(text: str, device: str = "gun") -> Scan:
    return Scan(device, text)


BADGE = Scan("gun", "]C18018950600013435200005", (("8018", "950600013435200005"),))


def movements(play: Play) -> list[Movement]:
    return play.kinds(Movement)


def of(movement: Movement) -> tuple[str, int, str, str]:
    return movement.item, movement.quantity, movement.from_location, movement.to_location


def test_item_scanned_at_the_place_settles_what_was_unresolved_there() -> None:
    play = floor()
    question = uneven(play, -260.0)
    play.feed(20.0, BADGE, said("A1"), scan(("01", GTIN)))
    (told,) = movements(play)
    assert of(told) == ("BOLT", 3, "A1", UNKNOWN_LOCATION)
    assert (told.kind, told.reason, told.supersedes) == ("issue", "scanned", question)
    assert (told.at_event, told.at_decided) == (at(10.0), at(20.0))
    assert [(each.unresolved_id, each.reason) for each in play.kinds(Dismissal)] == [
        (question, "settled_by_scan")
    ]
    assert [each.raised for each in play.kinds(Alert) if each.code == "unresolved"] == [True, False]
    assert play.rows["Stock/A1\tBOLT"]["quantity"] == -3
    assert play.rows["Count/s:1"] == {"on_hand": -3}


def test_who_scanned_his_badge_is_named() -> None:
    play = floor()
    uneven(play)
    play.feed(20.0, BADGE, said("A1"), scan(("01", GTIN)))
    (outcome,) = [each for each in movements(play) if each.supersedes]
    whose = [
        fact for fact in play.kinds() if getattr(fact, "movement_id", "") == outcome.movement_id
    ]
    assert [getattr(fact, "actor", None) for fact in whose] == [None, "ann"]


@pytest.mark.parametrize(
    ("later", "actor"), [(119.0, "ann"), (121.0, None)], ids=["while he is there", "too late"]
)
def test_badge_counts_for_the_places_scanned_after_it_as_long_as_one_is_present(
    later: float, actor: str | None
) -> None:
    play = floor()
    uneven(play)
    play.feed(20.0, BADGE)
    play.wake(20.0 + later)
    play.feed(20.0 + later, said("A1"), said("BOLT"))
    named = [fact.actor for fact in play.kinds() if type(fact).__name__ == "Attribution"]
    assert named == ([actor] if actor else [])


def test_scanner_that_stands_at_a_place_needs_no_scan_of_it() -> None:
    play = floor()
    uneven(play)
    play.feed(20.0, said("BOLT", "fixed"))
    assert of(movements(play)[0]) == ("BOLT", 2, "A1", UNKNOWN_LOCATION)


@pytest.mark.parametrize(
    ("elements", "cell"),
    [((("414", GLN),), "s:3"), ((("414", GLN), ("254", "7")), "s:4")],
)
def test_place_is_named_by_its_gln(elements: tuple[tuple[str, str], ...], cell: str) -> None:
    play = floor()
    uneven(play, 100.0, cell)
    play.feed(20.0, scan(*elements), said("BOLT"))
    assert of(movements(play)[0])[:2] == ("BOLT", 1)
    assert movements(play)[0].from_location == UNKNOWN_LOCATION


def test_place_is_forgotten_after_a_minute() -> None:
    play = floor()
    uneven(play)
    play.feed(20.0, said("A1"))
    play.feed(80.1, said("BOLT"))
    assert movements(play) == []
    play.feed(81.0, said("A1"))
    play.feed(141.0, said("BOLT"))
    assert len(movements(play)) == 1


def test_item_that_does_not_weigh_so_leaves_the_question_open() -> None:
    play = floor()
    uneven(play, -40.0)
    play.feed(20.0, said("A1"), said("BOLT"))
    assert movements(play) == []
    play.feed(21.0, said("NUT"))
    assert of(movements(play)[0])[:2] == ("NUT", 1)
    assert play.rows["Count/s:1"] == {"on_hand": 0}


@pytest.mark.parametrize("counter", ["30", "37"])
def test_count_that_is_scanned_too_is_that_of_the_person(counter: str) -> None:
    play = floor()
    uneven(play, -40.0)
    play.feed(20.0, said("A1"), scan(("01", GTIN), (counter, "00000004")))
    assert of(movements(play)[0])[:2] == ("BOLT", 4)


def test_what_was_settled_is_not_told_again_by_the_count() -> None:
    play = floor()
    play.feed(1.0, replace(stepped(0.5, 0.0, 500.0), cause="first_start"))
    uneven(play, -150.0)
    play.feed(20.0, said("A1"), said("BOLT"))
    play.feed(30.0, stepped(29.0, 350.0, 250.0))
    assert [of(each)[:2] for each in movements(play)] == [("BOLT", 2), ("BOLT", 1)]


def test_plate_of_several_items_is_settled_by_the_one_that_is_scanned() -> None:
    play = floor()
    uneven(play, -145.0, "s:2")
    play.feed(20.0, said("A2"), said("NUT"))
    assert of(movements(play)[0]) == ("NUT", 4, "A2", UNKNOWN_LOCATION)
    assert play.rows["Count/s:2"]["on_hand"] == {"BOLT": 0, "NUT": -4}


def test_tag_of_no_item_is_settled_by_the_item_that_is_scanned() -> None:
    play = floor()
    serial = "3034257bf7194e4000001a85"
    play.feed(5.0, came(serial, "ROOM", 4.0))
    assert len(play.kinds(Unresolved)) == 1
    play.feed(20.0, said("ROOM"), said("BOLT"))
    (told,) = movements(play)
    assert of(told) == ("BOLT", 1, UNKNOWN_LOCATION, "ROOM")
    assert told.epcs == (serial,)


def test_settled_act_counts_for_the_task_and_its_question_is_answered() -> None:
    play = floor()
    play.feed(1.0, task(quantity=2, source="A1"))
    question = uneven(play)
    assert play.rows["TaskRule/task:T1"]["questions"] == [question]
    play.feed(20.0, said("A1"), said("BOLT"))
    row = play.rows["TaskRule/task:T1"]
    assert (row["done"], row["questions"]) == (2, [])


def test_question_is_open_for_a_scan_after_a_restart_too() -> None:
    before = floor()
    question = uneven(before)
    play = floor(rows=before.rows, last_alive_s=15.0, now_s=16.0)
    play.feed(20.0, said("A1"), said("BOLT"))
    assert movements(play)[0].supersedes == question


@pytest.mark.parametrize(
    "scans",
    [
        (said("BOLT"),),
        (said("A1"), said("WASHER")),
        (said("A1"), scan(("01", "09506000134383"))),
        (said("A2"), said("BOLT")),
        (said("A1", "other"), said("BOLT")),
    ],
    ids=["no place", "no item", "no trade item", "another place", "another scanner"],
)
def test_what_is_not_told_settles_nothing(scans: tuple[Fact, ...]) -> None:
    play = floor()
    uneven(play)
    play.feed(20.0, *scans)
    assert movements(play) == []


# Lots


def taken(play: Play, at_s: float) -> Movement:
    play.feed(at_s, stepped(at_s, 1000.0, 900.0))
    return movements(play)[-1]


def test_lot_scanned_before_is_that_of_the_next_movement_there() -> None:
    play = floor()
    play.feed(10.0, said("A1"), scan(("01", GTIN), ("10", "L7")))
    assert taken(play, 20.0).lot == "L7"
    assert taken(play, 30.0).lot is None


def test_lot_scanned_after_amends_the_movement() -> None:
    play = floor()
    movement = taken(play, 10.0)
    play.feed(20.0, said("A1"), scan(("10", "L7")))
    (named,) = play.kinds(Amendment)
    assert (named.amends_movement, named.lot, named.reason) == (
        movement.movement_id,
        "L7",
        "lot_scanned",
    )
    assert taken(play, 30.0).lot is None


@pytest.mark.parametrize("elements", [(("10", "L7"), ("01", "09506000134369")), (("10", "L7"),)])
def test_lot_waits_a_minute_and_only_for_its_item(elements: Any) -> None:
    play = floor()
    play.feed(10.0, said("A1"), scan(*elements))
    at_s = 20.0 if len(elements) == 2 else 71.0
    assert taken(play, at_s).lot is None


def test_lot_is_that_of_a_settled_act_too() -> None:
    play = floor()
    uneven(play)
    play.feed(20.0, said("A1"), scan(("01", GTIN), ("10", "L7")))
    assert movements(play)[0].lot == "L7"


def test_badge_that_was_kept_as_an_unknown_tag_is_let_go_once_it_is_told() -> None:
    play = floor()
    play.feed(5.0, came(UNKNOWN_TAG, "ROOM", 4.0))
    assert any(UNKNOWN_TAG in key for key in play.rows)
    play.feed(6.0, replace(ANN, epc=UNKNOWN_TAG))
    play.feed(7.0, Coverage("r", S))
    assert not any(UNKNOWN_TAG in key for key in play.rows if key.startswith("MovementRule/"))
    assert [each.raised for each in play.kinds(Alert) if each.code == "unknown_epc"] == [
        True,
        False,
    ]
    assert movements(play) == []
