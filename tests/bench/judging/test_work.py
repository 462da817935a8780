"""The judge of order lines, on lines and tellings written by hand."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from simulators.world.parameters import SiteParameters
from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    Block,
    CellPlan,
    OrderLine,
    Scenario,
    Slip,
    TruthAct,
    TruthLine,
    ZonePlan,
    ns,
)
from tests.bench.judging.at_work import Confirmed, Linked, Negative, Raised, WorkTold
from tests.bench.judging.claims import Claim
from tests.bench.judging.work import (
    BY_BOTH,
    BY_TAGS,
    BY_WEIGHT,
    WorkTally,
    hours,
    judge_work,
    sense_at,
)
from tests.bench.orders import metrics, options, run

LINE = OrderLine("T1", "issue", "4711", "1", "BOLT", 4, "A-1", OUTSIDE, 300, 60)
RIGHT = TruthLine(LINE, ns(100.0), "Ana", "", 4, "")
OVER = RIGHT._replace(mistake="over", done=5, exception="OVER")
OVER_SLIP = Slip(ns(120.0), "over", "T1", ("BOLT",), ("A-1", "A"))
TOLD = Confirmed(ns(125.0), "T1", "done", "BOLT", 4, "")
SITE = SiteParameters.draw(Random(1), "normal")


def scenario(block: Block) -> Scenario:
    block.cells.append(CellPlan("scale:1", "A-1", ("BOLT",), "A"))
    return Scenario("orders", "normal", 1, 90.0, 900.0, block, SITE)


def judged(told: WorkTold, *lines: TruthLine, slips: tuple[Slip, ...] = ()) -> WorkTally:
    return judge_work(scenario(Block(lines=[*lines], slips=[*slips])), told)


def causes(tally: WorkTally) -> list[str]:
    return [failure.what for failure in tally.failures]


@pytest.mark.parametrize(
    ("line", "confirmed", "wrong"),
    [
        (RIGHT, [TOLD], []),
        (RIGHT, [], ["not confirmed"]),
        (RIGHT, [TOLD, TOLD], ["confirmed twice"]),
        (RIGHT, [TOLD._replace(quantity=3)], ["quantity"]),
        (RIGHT, [TOLD._replace(item="NUT")], ["item"]),
        (RIGHT, [TOLD._replace(exception="OVER")], ["exception"]),
        (RIGHT, [TOLD, TOLD._replace(task="T2")], ["line unknown"]),
        (OVER, [TOLD], ["quantity"]),
        (OVER, [TOLD._replace(quantity=5)], ["exception"]),
        (OVER, [TOLD._replace(quantity=5, state="over", exception="OVER")], []),
    ],
)
def test_a_line_is_right_only_with_its_item_quantity_and_exception(
    line: TruthLine, confirmed: list[Confirmed], wrong: list[str]
) -> None:
    tally = judged(WorkTold(confirmed=confirmed), line)
    assert causes(tally) == wrong
    exact = metrics(tally)["confirmed exactly"]
    assert exact["ok"] is not wrong
    assert exact["value"] < 1.0 if wrong else exact["value"] == 1.0


@pytest.mark.parametrize(
    ("key", "at_s", "delay_s"),
    [
        ("over_issue:T1", 121.5, 1.5),
        ("unplanned:A-1:BOLT", 125.0, 5.0),
        ("unresolved:A:BOLT", 119.5, 0.0),
        ("senses_disagree:A:BOLT", 121.5, None),
        ("short:T1", 121.5, None),
        ("over_issue:T1", 118.0, None),
        ("over_issue:T1", 181.0, None),
        ("over_issue:T11", 121.5, None),
        ("over_issue:T2", 121.5, None),
        ("unplanned:A-11:BOLT", 121.5, None),
    ],
)
def test_a_mistake_is_told_by_an_alert_that_names_its_line_or_place_in_time(
    key: str, at_s: float, delay_s: float | None
) -> None:
    told = WorkTold([TOLD._replace(quantity=5, exception="OVER")], [Raised(ns(at_s), key)])
    tally = judged(told, OVER, slips=(OVER_SLIP,))
    assert tally.counts["told over"] == (delay_s is not None)
    assert tally.alert_delays_s == [(BY_BOTH, float("inf") if delay_s is None else delay_s)]
    shown = metrics(tally)
    assert shown["mistakes alerted"]["ok"] is (delay_s is not None)
    assert shown["alert delay p99"]["ok"] is (delay_s is not None)


def test_an_alert_about_no_mistake_is_false_but_not_what_follows_from_one() -> None:
    raised = [
        Raised(ns(50.0), "senses_disagree:A:BOLT"),  # before anybody acts
        Raised(ns(121.0), "over_issue:T1"),
        Raised(ns(250.0), "senses_disagree:A:BOLT"),
        Raised(ns(250.0), "senses_disagree:B:NUT"),
        Raised(ns(400.0), "over_issue:T1"),
    ]
    confirmed = [TOLD._replace(quantity=5, exception="OVER")]
    tally = judged(WorkTold(confirmed, raised), OVER, slips=(OVER_SLIP,))
    assert tally.counts["false alerts"] == 2
    assert tally.counts["false senses_disagree"] == tally.counts["false over_issue"] == 1
    assert causes(tally) == ["false alert senses_disagree", "false alert over_issue"]
    assert metrics(tally)["false alerts per 1000 lines"]["value"] == 2000.0


def test_what_is_brought_back_may_be_told_by_a_linked_return() -> None:
    slip = OVER_SLIP._replace(mistake="brought back")
    line = RIGHT._replace(mistake="brought back")
    for linked, said in (
        (Linked(ns(122.0), "BOLT", "A-1"), True),
        (Linked(ns(122.0), "NUT", "A-1"), False),
        (Linked(ns(122.0), "BOLT", "A-2"), False),
        (Linked(ns(90.0), "BOLT", "A-1"), False),
    ):
        tally = judged(WorkTold([TOLD], linked=[linked]), line, slips=(slip,))
        assert tally.counts["told brought back"] == said
    over = judged(WorkTold([TOLD], linked=[Linked(ns(122.0), "BOLT", "A-1")]), slips=(OVER_SLIP,))
    assert over.counts["told over"] == 0


def test_a_forgotten_line_is_told_by_its_confirmation_once_it_is_taken_back() -> None:
    line = RIGHT._replace(mistake="forgotten", done=0, withdrawn=ns(330.0))
    slip = Slip(ns(330.0), "forgotten", "T1", ("BOLT",), ("A-1",))
    told = TOLD._replace(at=ns(330.0), state="cancelled", quantity=0)
    right = judged(WorkTold([told]), line, slips=(slip,))
    assert (causes(right), right.alert_delays_s) == ([], [(BY_BOTH, 0.0)])
    silent = judged(WorkTold(), line, slips=(slip,))
    assert causes(silent) == ["not confirmed", "mistake not told"]


def test_stock_below_nothing_is_never_right() -> None:
    tally = judged(WorkTold([TOLD], negative=[Negative(ns(100.0), "A-1", "BOLT", -1)]), RIGHT)
    assert metrics(tally)["negative stock published"] == {
        "value": 1,
        "unit": "",
        "ok": False,
        "must": 0,
    }


ACT = TruthAct(ns(100.0), ns(100.0), "Ana", "pick", "BOLT", 4, "A-1", OUTSIDE, task="T1")
CLAIM = Claim(ns(100.2), ns(102.0), "BOLT", "A-1", OUTSIDE, 4)


@pytest.mark.parametrize(
    ("claims", "wrong", "sums"),
    [
        ([CLAIM], 0, 2),
        ([CLAIM._replace(quantity=1), CLAIM._replace(quantity=3)], 0, 2),
        ([], 1, 2),
        ([CLAIM._replace(quantity=3)], 1, 2),
        ([CLAIM, CLAIM._replace(source="A-2")], 1, 2),
        ([CLAIM, CLAIM._replace(source=OUTSIDE, target="A-1", quantity=1)], 1, 2),
        ([CLAIM, CLAIM._replace(item="NUT")], 1, 3),
    ],
)
def test_sums_of_movements_must_be_what_changed(claims: list[Claim], wrong: int, sums: int) -> None:
    stock = Counter({("A-1", "BOLT"): 20, ("A-2", "BOLT"): 20})
    block = Block(acts=[ACT], stock=stock, lines=[RIGHT])
    tally = judge_work(scenario(block), WorkTold([TOLD], claims=claims))
    assert (tally.counts["sums wrong"], tally.counts["sums"]) == (wrong, sums)
    assert metrics(tally)["hourly sums wrong"]["ok"] is (wrong == 0)


def test_an_hour_is_compared_at_its_first_quiet_moment() -> None:
    acts = [replace(ACT, at=ns(at_s)) for at_s in (3500.0, 3590.0, 3615.0, 3700.0, 7000.0)]
    assert hours(acts, ns(7300.0)) == [ns(3645.0), 7200 * NS_PER_S, ns(7300.0)]
    assert hours(acts, ns(3640.0)) == [ns(3640.0)]


def test_what_watches_a_place() -> None:
    block = Block(
        cells=[CellPlan("scale:2", "A-2", ("NUT",))], zones=[ZonePlan("B", ("reader:1",))]
    )
    known = scenario(block)
    asked = {("A-1",): BY_BOTH, ("A-2",): BY_WEIGHT, (OUTSIDE, "B"): BY_TAGS, ("C",): "unseen"}
    assert {places: sense_at(known, places) for places in asked} == asked


def test_tallies_add_up() -> None:
    sums = WorkTally()
    for quantity in (4, 3):
        sums.add(judged(WorkTold([TOLD._replace(quantity=quantity)]), RIGHT))
    assert (sums.counts["lines"], sums.counts["exact"]) == (2, 1)
    assert sums.counts["lines as asked"] == 2
    assert causes(sums) == ["quantity"]
    assert metrics(sums)["exact: as asked"]["value"] == 0.5


def test_as_many_lines_are_judged_as_were_asked() -> None:
    assert options(["--seeds", "3-4", "--lines", "50"]).seeds == range(3, 5)
    with pytest.raises(SystemExit):
        options(["--seeds", "3-4", "--lines", "39"])
    tally = run(3, "normal", 20)
    about_lines = ("not confirmed", "confirmed twice", "item", "quantity", "exception")
    wrong = [failure for failure in tally.failures if failure.what in about_lines]
    assert tally.counts["lines"] == tally.counts["exact"] + len(wrong) == 20
