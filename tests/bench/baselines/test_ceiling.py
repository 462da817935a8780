"""The ceiling books an act when its evidence came, and no sooner."""

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest

from simulators.world.parameters import SiteParameters
from simulators.world.scenarios import make_scenario
from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    Block,
    CellPlan,
    GatePlan,
    Good,
    Observed,
    Read,
    Reads,
    Scenario,
    TruthAct,
    Weights,
    ZonePlan,
    ns,
)
from tests.bench.baselines.ceiling import Ceiling
from tests.bench.baselines.sightings import Visit
from tests.bench.baselines.silence import Habits, gone_since
from tests.bench.judging.claims import Told

SITE = SiteParameters.draw(Random(1), "normal")
TAG, OTHER = "30340001000000010000000a", "30340001000000010000000b"


def shop(*acts: TruthAct) -> Scenario:
    block = Block(
        zones=[ZonePlan("A", ("r:1",)), ZonePlan("B", ("r:2",))],
        gates=[GatePlan("G", ("g:1",), ("g:2",), "YARD", "HALL")],
        cells=[CellPlan("s:1", "C-1", ("X",)), CellPlan("s:2", "C-2", ("Y", "Z"))],
        goods=[Good("X", 100.0, 1.0, TAG[:16]), Good("Y", 50.0, 1.0), Good("Z", 50.2, 1.0)],
        acts=[*acts],
    )
    return Scenario("shelf", "normal", 1, 0.0, 600.0, block, SITE)


def act(at_s: float, source: str, target: str, **rest: Any) -> TruthAct:
    told: dict[str, Any] = {"kind": "pick", "item": "X", "quantity": 1, "epcs": (TAG,)} | rest
    until = ns(told.pop("until_s", at_s))
    return TruthAct(ns(at_s), until, "Ana", source=source, target=target, **told)


def every(period_s: float, begin_s: float, end_s: float) -> list[float]:
    return [begin_s + period_s * n for n in range(round((end_s - begin_s) / period_s))]


def seen(point: str, times: Iterable[float], epc: str = TAG) -> list[Observed]:
    device = point.partition(":")[0]
    return [Reads(ns(at_s), device, [Read(point, epc, -5000, 0)]) for at_s in times]


def known(scenario: Scenario, observed: Iterable[Observed]) -> Told:
    ceiling = Ceiling(scenario)
    for one in sorted(observed, key=lambda one: one.at):
        ceiling.observe(one)
    return ceiling.finish(ns(scenario.length_s))


def decided_s(told: Told) -> list[float]:
    return [claim.decided / NS_PER_S for claim in told.claims]


def test_an_arrival_is_known_with_its_third_read() -> None:
    told = known(shop(act(10, OUTSIDE, "A")), seen("r:1", [9.0, 11.0, 13.0, 17.0, 19.0]))
    assert decided_s(told) == [17.0]
    assert told.stock["A", "X"] == 1
    assert known(shop(act(10, OUTSIDE, "A")), seen("r:1", [9.0, 11.0, 13.0])).claims == []


def test_a_departure_is_known_when_silence_speaks_for_it() -> None:
    scenario = shop(act(100, "A", OUTSIDE))
    turns = [*seen("r:1", every(1.0, 0.2, 300), OTHER), *seen("r:2", every(1.0, 0.7, 300), OTHER)]
    told = known(scenario, [*turns, *seen("r:1", every(1.0, 0.3, 100))])
    [moment] = decided_s(told)
    assert 103.0 < moment < 140.0
    assert told.stock["A", "X"] == 1  # the other tag


def test_a_tag_that_was_never_seen_there_cannot_be_known_to_leave() -> None:
    scenario = shop(act(100, "A", OUTSIDE), act(200, OUTSIDE, "B", epcs=(OTHER,)))
    told = known(scenario, seen("r:1", every(1.0, 0.2, 300), OTHER))
    assert told.claims == []
    assert told.stock["B", "X"] == 0


def test_a_move_needs_both_places() -> None:
    moved = shop(act(100, "A", "B"))
    there = seen("r:2", every(1.0, 101.0, 110.0))
    assert decided_s(known(moved, [*seen("r:1", every(1.0, 0.0, 99.0)), *there])) == [103.0]
    assert known(moved, there).claims == []


def test_a_crossing_is_known_once_the_load_has_passed() -> None:
    scenario = shop(act(50, "YARD", "HALL", kind="pass", until_s=52))
    early = [*seen("g:1", [48.0, 49.0]), *seen("g:2", [50.5])]
    assert decided_s(known(scenario, early)) == [52.0]
    assert decided_s(known(scenario, seen("g:2", [49.0, 53.5]))) == [53.5]
    assert known(scenario, seen("g:2", [49.0])).claims == []


def weighed(steps: list[tuple[float, float, float]]) -> list[Observed]:
    told: list[Observed] = []
    for number in range(3000):
        now_s = number / 10
        _, one, two = [step for step in steps if step[0] <= now_s][-1]
        told.append(Weights(ns(now_s), "s", [("s:1", one, 0), ("s:2", two, 0)]))
    return told


def test_a_weight_is_known_when_its_plate_lies_still() -> None:
    scenario = shop(act(100, "C-1", OUTSIDE, epcs=()))
    restless = [(100.0 + n / 10, 500.0 + 40.0 * (n % 2), 0.0) for n in range(15)]
    told = known(scenario, weighed([(0.0, 500.0, 0.0), *restless, (101.5, 400.0, 0.0)]))
    assert decided_s(told) == [pytest.approx(102.0, abs=0.15)]


def test_what_another_count_explains_as_well_stays_unresolved() -> None:
    scenario = shop(act(100, "C-2", OUTSIDE, item="Y", epcs=()))
    told = known(scenario, weighed([(0.0, 0.0, 500.0), (100.0, 0.0, 450.0)]))
    assert told.claims == []
    assert [one.place for one in told.unresolved] == ["C-2"]


def turns(period_s: float, heard: Iterable[bool]) -> list[tuple[Visit, int]]:
    return [
        (Visit(ns(n * period_s), ns(n * period_s), ns(n * period_s)), int(one))
        for n, one in enumerate(heard)
    ]


def silent_s(period_s: float, share: int, hidden: tuple[float, float], leaves: float) -> float:
    """How long a tag that is heard in one turn of `share` must be silent."""
    stood = turns(period_s, [n % share == 0 for n in range(60)])
    habits = Habits.of(stood, leaves, hidden)
    all_turns = turns(period_s, [n < 60 and n % share == 0 for n in range(600)])
    moment = gone_since(all_turns, habits, ns(60 * period_s))
    assert moment is not None
    return moment / NS_PER_S - 60 * period_s


def test_silence_takes_longer_where_bodies_hide_tags_longer_or_tags_leave_seldom() -> None:
    plain = silent_s(0.5, 1, (40.0, 2.0), 1e-3)
    assert silent_s(0.5, 1, (40.0, 4.0), 1e-3) > plain
    assert silent_s(0.5, 1, (40.0, 2.0), 1e-5) > plain
    assert silent_s(0.5, 1, (400.0, 0.5), 1e-3) < plain


def test_turns_in_which_a_flag_keeps_the_tag_silent_say_nothing() -> None:
    stood = turns(1.0, [n % 3 == 0 for n in range(60)])
    habits = Habits.of(stood, 1e-3, (40.0, 2.0))
    assert habits.rests_ns == ns(3.0)
    assert habits.read_share == 0.98


def test_the_ceiling_books_what_was_seen_and_nothing_else() -> None:
    scenario, _ = make_scenario("shelf", "hard", 1, 400.0)
    told = known(scenario, scenario.observations())
    acts = {(act.at, act.epcs) for act in scenario.acts}
    assert {(claim.at, claim.epcs) for claim in told.claims} <= acts
    assert 0.8 * len(acts) < len(told.claims) <= len(acts)
    assert known(scenario, []).claims == []
