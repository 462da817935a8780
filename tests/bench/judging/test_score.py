"""The judge, on cases made by hand."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from simulators.world.parameters import SiteParameters
from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    Block,
    CellPlan,
    Decoy,
    GatePlan,
    Good,
    Scenario,
    Trouble,
    TruthAct,
    ZonePlan,
    ns,
)
from tests.bench.judging.claims import Alarm, Claim, Open, Told, grouped, lasting
from tests.bench.judging.figures import BARS, Bar, calibration, calibration_error, figures, held
from tests.bench.judging.score import Sense, score

SITE = SiteParameters.draw(Random(1), "normal")
TAG, OTHER = "30340001000000010000000a", "30340001000000010000000b"


def act(at_s: float, source: str, target: str, **rest: Any) -> TruthAct:
    told: dict[str, Any] = {"kind": "pick", "item": "X", "quantity": 1, "epcs": (TAG,)} | rest
    until_s = told.pop("until_s", at_s)
    at, until = round(at_s * NS_PER_S), round(until_s * NS_PER_S)
    return TruthAct(at, until, "Ana", source=source, target=target, **told)


def claim(at_s: float, source: str, target: str, **rest: Any) -> Claim:
    told: dict[str, Any] = {"item": "X", "quantity": 1, "epcs": (TAG,)} | rest
    decided_s = told.pop("decided_s", at_s + 1.0)
    at, decided = round(at_s * NS_PER_S), round(decided_s * NS_PER_S)
    return Claim(at, decided, source=source, target=target, **told)


def world(*acts: TruthAct, **rest: Any) -> Scenario:
    block = Block(acts=[*acts], **rest)
    block.zones = block.zones or [ZonePlan("A", ("r:1",)), ZonePlan("B", ("r:2",))]
    block.goods = [Good("X", prefix=TAG[:16])]
    return Scenario("shelf", "normal", 1, 90.0, 1800.0, block, SITE)


def judged(
    scenario: Scenario, *claims: Claim, sense: Sense = "both", **rest: Any
) -> dict[str, float]:
    tally = score(scenario, Told(claims=[*claims], **rest), sense)
    return {**tally.counts, **figures(tally)}


def test_a_claim_like_the_act_is_right() -> None:
    told = judged(world(act(100, "A", OUTSIDE)), claim(102, "A", OUTSIDE, decided_s=112))
    assert told["F1 5 s"] == told["F1 30 s"] == 1.0
    assert told["delay out p50 s"] == 12.0


def test_a_claim_within_30_s_but_not_5_s_counts_once_only() -> None:
    told = judged(world(act(100, "A", OUTSIDE)), claim(120, "A", OUTSIDE))
    assert (told["F1 5 s"], told["F1 30 s"]) == (0.0, 1.0)


def test_a_claim_decided_too_late_is_false() -> None:
    told = judged(world(act(100, "A", OUTSIDE)), claim(102, "A", OUTSIDE, decided_s=161))
    assert told["F1 30 s"] == 0.0
    assert told["false movements"] == 1


def test_one_claim_answers_one_act() -> None:
    twice = world(act(100, "A", OUTSIDE), act(103, "A", OUTSIDE, epcs=(OTHER,)))
    told = judged(twice, claim(101, "A", OUTSIDE, epcs=()))
    assert (told["right 30 s"], told["recall 30 s"]) == (1, 0.5)
    again = judged(world(act(100, "A", OUTSIDE)), *[claim(101, "A", OUTSIDE)] * 3)
    assert (again["precision 30 s"], again["transitions per true"]) == (1 / 3, 3.0)


def test_another_tag_of_the_same_item_is_another_movement() -> None:
    told = judged(world(act(100, "A", OUTSIDE)), claim(100, "A", OUTSIDE, epcs=(OTHER,)))
    assert told["right 30 s"] == 0


def test_wrong_place_item_or_direction_is_wrong() -> None:
    truth = world(act(100, "A", OUTSIDE))
    assert judged(truth, claim(100, "B", OUTSIDE))["right 30 s"] == 0
    assert judged(truth, claim(100, "A", OUTSIDE, item="Y"))["right 30 s"] == 0
    turned = judged(truth, claim(100, OUTSIDE, "A"))
    assert (turned["right 30 s"], turned["direction errors"]) == (0, 1)


def test_a_wrong_quantity_is_a_movement_but_not_exact() -> None:
    truth = world(act(100, "A", OUTSIDE, quantity=3, epcs=()))
    told = judged(truth, claim(100, "A", OUTSIDE, quantity=2, epcs=()))
    assert (told["F1 5 s"], told["quantity exact"]) == (1.0, 0.0)


def test_what_nobody_could_see_may_be_told_later() -> None:
    truth = world(act(100, "A", OUTSIDE, until_s=900))
    assert judged(truth, claim(905, "A", OUTSIDE, decided_s=950))["F1 5 s"] == 1.0


def test_claims_before_the_opening_are_stock_not_movements() -> None:
    told = judged(world(), claim(20, OUTSIDE, "A"), sense="tags")
    assert told["claims"] == 0
    assert told["stock error"] == 1


def test_stock_error_counts_pieces_too_many_and_too_few() -> None:
    truth = world(stock=Counter({("A", "X"): 5}))
    told = judged(truth, stock=Counter({("A", "X"): 3, ("B", "X"): 1, (OUTSIDE, "X"): 9}))
    assert told["stock error"] == 3


def test_a_movement_taken_back_soon_was_none_and_later_stays_false() -> None:
    made = claim(200, "A", OUTSIDE, identity="m1")
    soon = claim(200, OUTSIDE, "A", decided_s=204, reverses="m1", identity="m2")
    late = soon._replace(decided=soon.decided + 9 * NS_PER_S)
    assert lasting([made, soon]) == []
    assert lasting([made, late]) == [made]


def test_tags_beside_the_gate_and_tags_that_turn_back_are_counted() -> None:
    decoys = [
        Decoy("static", 0, 1800 * NS_PER_S, (OTHER,)),
        Decoy("turned_back", 100 * NS_PER_S, 110 * NS_PER_S, (TAG, "30")),
    ]
    gate = GatePlan("G", ("g:1",), ("g:2",), "YARD", "HALL")
    truth = world(decoys=decoys, gates=[gate])
    told = judged(truth, claim(112, "YARD", "HALL"))
    assert (told["static booked"], told["turned back booked"]) == (0.0, 0.5)


def test_mixed_plates_are_judged_apart() -> None:
    cell = CellPlan("s:1", "M", ("X", "Y"))
    acts = [
        act(at, "M", OUTSIDE, kind="mixed pick", epcs=(), item=item)
        for at, item in ((100, "X"), (200, "Y"), (300, "X"))
    ]
    told = judged(
        world(*acts, cells=[cell]),
        claim(100, "M", OUTSIDE, epcs=()),
        claim(300, "M", OUTSIDE, epcs=(), item="Y"),
        unresolved=[Open(200 * NS_PER_S, 202 * NS_PER_S, "M", "ambiguous")],
    )
    assert (told["mixed right"], told["mixed wrong"]) == (1 / 3, 1 / 3)
    assert told["mixed right or unresolved"] == 2 / 3
    assert told["claims"] == 0
    assert told["unresolved share"] == 1 / 3


def test_unresolved_are_true_acts_that_were_left_open_and_no_other_question() -> None:
    truth = world(act(100, "A", OUTSIDE), act(300, "A", OUTSIDE, epcs=(OTHER,)))

    def asked(at_s: float, epcs: tuple[str, ...] = (), place: str = "A") -> Open:
        return Open(ns(at_s), ns(at_s + 4), place, "unclear", epcs)

    def shares(*opens: Open) -> tuple[float, float]:
        told = judged(truth, claim(100, "A", OUTSIDE), unresolved=[*opens])
        return told["unresolved share"], told["idle unresolved"]

    assert shares(asked(301)) == (0.5, 0)
    assert shares(asked(301), asked(303)) == (0.5, 0)
    assert shares(asked(101)) == (0.0, 0)  # the act was booked
    assert shares(asked(301, place="B")) == (0.0, 1)
    assert shares(asked(301, (TAG,))) == (0.0, 1)
    assert shares(asked(301, (TAG, OTHER))) == (0.5, 0)
    assert shares(asked(800)) == (0.0, 1)


def test_departures_that_never_were_and_those_by_faults_are_counted_apart() -> None:
    truth = world(troubles=[Trouble("outage", ns(200), ns(400))])
    told = judged(truth, claim(100, "A", OUTSIDE), claim(300, OUTSIDE, "A"))
    assert (told["false movements"], told["false departures"], told["false by faults"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("bar", "value", "ceiling", "bound", "by"),
    [
        (Bar("F1 30 s", least=0.97), 0.97, 0.99, 0.97, "bar"),
        (Bar("F1 30 s", least=0.97), 0.95, 0.96, 0.95, "ceiling"),
        (Bar("F1 30 s", least=0.97), 0.97, None, 0.97, "bar"),
        (Bar("delay in p50 s", most=1.5), 7.0, 6.0, 7.0, "ceiling"),
        (Bar("delay in p50 s", most=1.5), 1.5, 0.2, 1.5, "bar"),
        (Bar("stock error per 200", most=1.0), 1.7, 1.2, 1.7, "ceiling"),
    ],
)
def test_a_bar_beyond_the_ceiling_binds_within_a_margin_of_it(
    bar: Bar, value: float, ceiling: float | None, bound: float, by: str
) -> None:
    one = held(bar, "normal", value, ceiling)
    assert one.bound == pytest.approx(bound)
    assert (one.by, one.ok) == (by, True)
    worse = -0.001 if bar.least is not None else 0.001
    assert not held(bar, "normal", one.bound + worse, ceiling).ok


def test_bins_of_confidence_hold_enough_to_say_something() -> None:
    trust = [(990, True)] * 1000 + [(960, True)] * 300 + [(920, False)] * 200 + [(700, True)] * 50
    assert [(one.low, one.high, one.movements) for one in calibration(trust)] == [
        (0, 975, 550),
        (975, 1001, 1000),
    ]
    assert [one.movements for one in calibration([(700, True)])] == [1]


def test_disagreements_must_be_told_and_book_nothing_false() -> None:
    cell = CellPlan("s:1", "S-1", ("X",), "S-zone-1")
    odd = act(100, OUTSIDE, "S-1", kind="untagged", epcs=())
    truth = world(odd, cells=[cell])
    booking = claim(100, OUTSIDE, "S-1", epcs=())
    silent = judged(truth, booking)
    assert (silent["disagreements told"], silent["false movements"]) == (0.0, 0)
    alarm = Alarm("senses_disagree:S-zone-1:X", 110 * NS_PER_S, 1 << 62)
    assert judged(truth, booking, alarms=[alarm])["disagreements told"] == 1.0
    other = Alarm("senses_disagree:S-zone-2:X", 110 * NS_PER_S, 1 << 62)
    assert judged(truth, booking, alarms=[other])["disagreements told"] == 0.0


@pytest.mark.parametrize(
    ("key", "second", "false"),
    [
        ("senses_disagree:S-zone-1:X", 110, 0.0),
        ("senses_disagree:S-zone-1:X", 50, 1.0),
        ("senses_disagree:S-zone-1:X", 300, 1.0),
        ("wrong_place:S-2:X", 110, 1.0),
        ("never_settles:s:1", 50, 0.0),
    ],
)
def test_alert_that_senses_disagree_where_they_do_not_is_false(
    key: str, second: int, false: float
) -> None:
    cell = CellPlan("s:1", "S-1", ("X",), "S-zone-1")
    odd = act(100, OUTSIDE, "S-1", kind="untagged", epcs=())
    truth = world(odd, act(400, OUTSIDE, "S-1"), cells=[cell])
    alarm = Alarm(key, second * NS_PER_S, 1 << 62)
    assert judged(truth, alarms=[alarm])["false disagreements"] == false


def test_tags_that_go_together_are_one_movement() -> None:
    one, two = claim(100, "A", OUTSIDE), claim(101, "A", OUTSIDE, epcs=(OTHER,))
    far = claim(120, "A", OUTSIDE, epcs=("30",))
    told = grouped([one, two, far])
    assert [c.quantity for c in told] == [2, 1]
    assert set(told[0].epcs) == {TAG, OTHER}


def test_calibration_compares_confidence_with_truth() -> None:
    fair = [(900, index < 90) for index in range(100)]
    assert calibration_error(fair) < 1e-9
    assert abs(calibration_error([(990, False)] * 10) - 0.99) < 1e-9
    assert calibration_error([]) == 0.0


def test_a_quiet_world_with_no_claims_is_perfect() -> None:
    told = judged(world())
    assert (told["F1 30 s"], told["false movements"]) == (1.0, 0)


def test_every_bar_is_a_figure_and_hard_sites_are_bound_no_tighter() -> None:
    for bars in BARS.values():
        for bar in bars:
            plain, hard = bar.bound("normal"), bar.bound("hard")
            assert hard <= plain if bar.least is not None else hard >= plain


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (claim(200.0, "A", OUTSIDE), "no fault, zone departure"),
        (claim(600.0, "A", OUTSIDE), "outage, zone departure"),
        (claim(600.0, OUTSIDE, "A", decided_s=660.0), "frozen, zone arrival"),
        (claim(600.0, "A", "B", decided_s=1200.0), "no fault, zone move"),
        (claim(620.0, "W", OUTSIDE), "outage, plate departure"),
        (claim(200.0, "YARD", "HALL"), "no fault, gate passage"),
    ],
)
def test_a_false_movement_is_told_by_its_cause(told: Claim, cause: str) -> None:
    troubles = [
        Trouble("outage", ns(500.0), ns(700.0)),
        Trouble("frozen", ns(650.0), ns(700.0)),
    ]
    scenario = world(
        cells=[CellPlan("s:1", "W", ("X",))],
        gates=[GatePlan("G", ("g:1",), ("g:2",), "YARD", "HALL")],
        troubles=troubles,
    )
    counts = judged(scenario, told)
    assert {name: count for name, count in counts.items() if name.startswith("false: ")} == {
        f"false: {cause}": 1
    }
    assert counts["false by faults"] == ("no fault" not in cause)
