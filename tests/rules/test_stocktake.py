"""Counts: what lies there against the book, and what moves meanwhile."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.model import (
    Approval,
    Arrival,
    Cell,
    CountReport,
    CountRequest,
    ReadDeeply,
    Site,
    Stall,
    TagRead,
    TagReport,
    Unresolved,
)
from rules.stocktake import Stocktake
from tests.rules.counting import FULL, WINDOW_S, Counting, line, moved, step, tags
from tests.rules.play import Play, at


def test_all_is_as_expected_and_nothing_is_proposed() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.book("HALL", line("PUMP", 3, *tags("3034", 3)))
    play.on_scales["s:1"] = 350.5
    play.reads["r:1"] = tags("3034", 3)
    play.count()
    assert sorted(play.reports()) == ["A1", "A2", "GATE", "HALL", "R1", "RACK"]
    assert {report.remaining for report in play.reports().values()} == set(range(6))
    bolt, pump = play.lines("A1")["BOLT"], play.lines("HALL")["PUMP"]
    assert (bolt.expected, bolt.counted, bolt.reason, bolt.sense) == (7, 7, None, "weight")
    assert (pump.expected, pump.counted, pump.reason, pump.sense) == (3, 3, None, "tags")
    assert play.proposals() == []
    row = play.rows["Stocktake/count"]
    assert (row["pending"], row["reported"], row["differences"]) == ({}, 6, 0)


def test_scale_that_speaks_against_the_book_tells_what_is_missing_or_found() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.book("A2", line("GEAR", 2), line("NUT", 1))
    play.on_scales |= {"s:1": 250.0, "s:2": 1311.0}
    play.count()
    bolt = play.lines("A1")["BOLT"]
    assert (bolt.counted, bolt.reason, bolt.confidence_permille > 950) == (5, "missing", True)
    assert {item: told.counted for item, told in play.lines("A2").items()} == {"GEAR": 2, "NUT": 3}
    assert play.lines("A2")["NUT"].reason == "found"
    told = {each.location: each for each in play.proposals()}
    assert sorted(told) == ["A1", "A2"]
    (differs,) = told["A1"].lines
    assert (differs.item, differs.expected, differs.found, differs.reason) == (
        "BOLT",
        7,
        5,
        "missing",
    )
    assert told["A1"].kind == "stocktake"


def test_many_pieces_fit_as_far_as_weight_tells_and_are_not_doubted() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 200))
    play.on_scales["s:1"] = 10_030.0
    play.count()
    bolt = play.lines("A1")["BOLT"]
    assert (bolt.counted, bolt.reason) == (200, None)
    assert bolt.confidence_permille < 950
    play.on_scales["s:1"] = 8_000.0
    play.count(CountRequest("c-2", "full"))
    bolt = play.lines("A1")["BOLT"]
    assert (bolt.counted, bolt.reason, bolt.confidence_permille < 950) == (160, "missing", True)


def test_tags_that_nobody_reads_are_missing_and_new_ones_are_found() -> None:
    play = Counting()
    play.book("HALL", line("PUMP", 4, *tags("3034", 4)))
    play.reads["r:1"] = [*tags("3034", 2), "3034ff", "3034fe", "3034fd"]
    play.count()
    pump = play.lines("HALL")["PUMP"]
    assert (pump.expected, pump.counted, pump.reason) == (4, 5, "found")
    play.reads["r:1"] = tags("3034", 2)
    play.count(CountRequest("c-2", "places", ("HALL",)))
    pump = play.lines("HALL")["PUMP"]
    assert (pump.counted, pump.reason, list(pump.epcs)) == (2, "missing", tags("3034", 4)[2:])


def test_tags_that_are_read_in_another_place_are_misplaced() -> None:
    play = Counting()
    play.book("HALL", line("PUMP", 3, *tags("3034", 3)))
    play.reads = {"r:1": tags("3034", 2), "r:2": tags("3034", 3)[2:]}
    play.count()
    pump, there = play.lines("HALL")["PUMP"], play.lines("RACK")["PUMP"]
    assert (pump.counted, pump.reason, list(pump.epcs)) == (2, "misplaced", tags("3034", 3)[2:])
    assert (there.expected, there.counted, there.reason) == (0, 1, "misplaced")


def test_what_one_stray_read_says_is_not_known() -> None:
    play = Counting()
    play.book("HALL", line("PUMP", 2, *tags("3034", 2)))
    play.reads["r:1"] = tags("3034", 1)
    play.feed(0.0, FULL)
    play.feed(1.0, TagReport("r", (TagRead("r:2", tags("3034", 2)[1], -7000),)))
    play.stand(WINDOW_S + 1)
    pump = play.lines("HALL")["PUMP"]
    assert (pump.counted, pump.reason) == (None, "sensor")
    assert play.proposals() == []


def test_both_senses_agree_or_one_confirms_the_book() -> None:
    play = Counting()
    play.book("R1", line("VALVE", 5, *tags("3035", 5)))
    play.on_scales["s:3"] = 2000.0
    play.reads["r:2"] = tags("3035", 5)
    play.count()
    valve = play.lines("R1")["VALVE"]
    assert (valve.counted, valve.reason, valve.sense) == (5, None, "both")
    play.reads["r:2"] = tags("3035", 4)
    play.count(CountRequest("c-2", "places", ("R1",)))
    valve = play.lines("R1")["VALVE"]
    assert (valve.counted, valve.reason, valve.sense) == (5, None, "weight")
    play.on_scales["s:3"] = 1600.0
    play.count(CountRequest("c-3", "places", ("R1",)))
    valve = play.lines("R1")["VALVE"]
    assert (valve.counted, valve.reason, valve.sense) == (4, "missing", "both")
    assert list(valve.epcs) == tags("3035", 5)[4:]


def test_senses_that_disagree_about_another_number_are_for_a_person() -> None:
    play = Counting()
    play.book("R1", line("VALVE", 5, *tags("3035", 5)))
    play.on_scales["s:3"] = 1600.0
    play.reads["r:2"] = tags("3035", 3)
    play.count()
    valve = play.lines("R1")["VALVE"]
    assert (valve.counted, valve.reason, valve.confidence_permille) == (None, "sensor", 0)
    assert play.proposals() == []
    assert play.rows["Stocktake/count"]["sensors"] == 1


@pytest.mark.parametrize("blind", [(2,), (0,), (3,)])
def test_tags_of_a_zone_that_is_not_wholly_watched_are_not_missing(blind: tuple[int, ...]) -> None:
    play = Counting()
    play.book("RACK", line("PUMP", 2, *tags("3034", 2)))
    play.blind = blind
    play.count()
    pump = play.lines("RACK")["PUMP"]
    assert (pump.counted, pump.reason) == (None, "sensor")


def test_scale_that_tells_nothing_is_a_sensor_matter() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    del play.on_scales["s:1"]
    play.count()
    assert play.lines("A1")["BOLT"].reason == "sensor"


def test_movement_during_the_count_makes_that_place_be_counted_again() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.book("HALL", line("PUMP", 1, *tags("3034", 1)))
    play.on_scales["s:1"] = 350.0
    play.reads["r:1"] = tags("3034", 1)
    play.feed(0.0, FULL)
    play.stand(10.0)
    play.on_scales["s:1"] = 250.0
    play.feed(play.now_s, step("s:1", 350.0, 250.0), moved("m-1", 2, "A1"))
    play.stand(11.0)
    assert "HALL" in play.reports()
    assert "A1" not in play.reports()
    assert play.rows["Stocktake/count"]["pending"] == {"A1": 1}
    play.stand(WINDOW_S + 1)
    report = play.reports()["A1"]
    assert (report.recounts, report.disturbed, report.remaining) == (1, False, 0)
    bolt = play.lines("A1")["BOLT"]
    assert (bolt.expected, bolt.counted, bolt.reason) == (5, 5, None)
    assert play.proposals() == []


@pytest.mark.parametrize(
    "happens",
    [
        moved("m", 1, "R1", "VALVE"),
        Unresolved("u", "count_not_resolvable", "R1", (), 0, 0),
        Unresolved("u", "unknown_epc", "RACK", (), 0, 0),
        Arrival("RACK", "3035ff", 0, 3, -5000, 990),
        step("s:3", 0.0, 400.0),
    ],
)
def test_whatever_happens_there_disturbs_a_count(happens: Any) -> None:
    play = Counting()
    play.feed(0.0, CountRequest("c-1", "places", ("R1",)))
    play.stand(10.0)
    play.feed(play.now_s, happens)
    play.stand(11.0)
    assert play.reports() == {}


def test_place_that_is_never_quiet_is_told_to_be_disturbed_and_nothing_is_said_of_it() -> None:
    play = Counting(settings={"recounts": 1}, rules=[Stocktake])
    play.feed(0.0, CountRequest("c-1", "places", ("A1",)))
    for number in range(2):
        play.stand(10.0)
        play.feed(play.now_s, moved(f"m-{number}", 1, "A1"))
        play.stand(10.5)
    (report,) = play.kinds(CountReport)
    assert (report.disturbed, report.lines, report.recounts, report.remaining) == (True, (), 1, 0)
    assert play.rows["count"]["disturbed"] == 1


def test_count_goes_on_after_a_restart_with_what_was_not_reported() -> None:
    play = Counting()
    play.book("A1", line("BOLT", 7))
    play.on_scales["s:1"] = 250.0
    play.feed(0.0, CountRequest("c-1", "places", ("A1", "A2"), "command", "eva"))
    play.stand(10.0)
    again = Counting(rows=play.rows, now_s=100.0)
    again.on_scales["s:1"] = 250.0
    again.stand(WINDOW_S + 1)
    assert sorted(again.reports()) == ["A1", "A2"]
    assert again.reports()["A1"].count_id == "c-1"
    (proposal,) = again.proposals()
    last = Counting(rows=again.rows, now_s=200.0)
    last.stand(WINDOW_S + 1)
    assert last.reports() == {}
    last.feed(last.now_s, Approval(proposal.proposal_id, approved=True))
    assert last.held("A1", "BOLT") == 5


def test_one_count_runs_at_a_time_and_a_known_one_is_not_begun_again() -> None:
    play = Counting()
    play.feed(0.0, CountRequest("c-1", "places", ("A1",)))
    play.feed(1.0, CountRequest("c-2", "full"))
    play.stand(WINDOW_S + 1)
    play.feed(play.now_s, CountRequest("c-1", "full"))
    play.stand(WINDOW_S + 1)
    assert [report.count_id for report in play.kinds(CountReport)] == ["c-1"]


def test_readers_read_deeply_for_half_the_window_unless_they_watch_a_gate() -> None:
    play = Counting(settings={"deep_s": 60}, rules=[Stocktake])
    acted = [action for outcome in play.engine.feed(at(0.0), FULL) for action in outcome.actions]
    assert acted == [ReadDeeply("r", 10)]
    shallow = Counting(settings={"deep_s": 0}, rules=[Stocktake])
    assert [outcome.actions for outcome in shallow.engine.feed(at(0.0), FULL)] == [()]


def test_gateway_that_stood_still_looks_for_longer() -> None:
    play = Counting()
    play.feed(0.0, CountRequest("c-1", "places", ("A1",)))
    play.stand(10.0)
    play.feed(play.now_s, Stall(4_000_000_000))
    play.stand(13.0)
    assert play.reports() == {}
    play.stand(3.0)
    assert play.reports() != {}


def test_cycle_count_takes_dear_items_then_what_differed_then_what_waits_longest() -> None:
    def cycle(play: Counting, number: int) -> list[str]:
        play.told.clear()
        play.count(CountRequest(f"c-{number}", "cycle"))
        return sorted(play.reports())

    settings = {"cycle_locations": 2, "dear": ["VALVE"]}
    play = Counting(settings=settings, rules=[Stocktake])
    assert cycle(play, 1) == ["A1", "R1"]
    assert cycle(play, 2) == ["A2", "R1"]
    play.feed(play.now_s, moved("m", 1, "HALL", "PUMP"))
    assert cycle(play, 3) == ["HALL", "R1"]
    again = Counting(settings=settings, rules=[Stocktake], rows=play.rows, now_s=play.now_s)
    assert cycle(again, 4) == ["GATE", "R1"]


def test_place_that_differed_comes_first_in_the_next_cycle() -> None:
    play = Counting()
    play.book("HALL", line("PUMP", 9))
    play.count()
    rule: Any = play.engine._rules[1]
    rule._settings = rule._settings.model_copy(update={"cycle_locations": 1})
    play.told.clear()
    play.count(CountRequest("c-2", "cycle"))
    assert list(play.reports()) == ["HALL"]


def test_a_zone_whose_book_nobody_tells_is_reported_empty() -> None:
    play = Counting(rules=[Stocktake])
    play.count()
    assert all(report.lines == () for report in play.kinds(CountReport))
    assert play.proposals() == []


def rows_of(play: Play, prefix: str) -> Mapping[str, Any]:
    return {key: value for key, value in play.rows.items() if key.startswith(prefix)}


def test_a_site_of_many_places_is_judged_in_lots() -> None:
    cells = tuple(Cell(f"s:{number}", f"P{number:03}", "BOLT") for number in range(50))
    play = Counting(site=Site(cells=cells))
    play.on_scales = {cell.cell: 100.0 for cell in cells}
    for cell in cells:
        play.book(cell.location, line("BOLT", 2))
    play.count()
    assert len(play.reports()) == 50
    assert all(told.lines[0].counted == 2 for told in play.reports().values())
    assert len({when for when, fact in play.told if isinstance(fact, CountReport)}) > 2
    assert len(rows_of(play, "Stocktake/place:")) == 50
