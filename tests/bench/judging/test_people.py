"""The judge of names, on visits and claims written by hand, and a short day of the storeroom."""

from itertools import pairwise
from random import Random

import pytest

from simulators.world.families.order_day import LINE_EVERY_S, REST_OF_DAY_S
from simulators.world.parameters import SiteParameters
from simulators.world.scenarios import OPENING_S, make_scenario
from simulators.world.truth import (
    OUTSIDE,
    BadgePlan,
    Block,
    CellPlan,
    Scanned,
    Scenario,
    TruthAct,
    Visit,
    ns,
)
from tests.bench.judging.claims import Claim
from tests.bench.judging.people import names, were_two
from tests.bench.orders import run

ACT = TruthAct(ns(100.0), ns(100.0), "Ana", "pick", "BOLT", 4, "A-1", OUTSIDE)
CLAIM = Claim(ns(100.0), ns(102.0), "BOLT", "A-1", OUTSIDE, 4)
SITE = SiteParameters.draw(Random(1), "normal")


def scenario(*visits: Visit, act: TruthAct = ACT) -> Scenario:
    badges = [BadgePlan("B-1", "Ana", "a", ""), BadgePlan("B-2", "Ben", "b", "")]
    cells = [CellPlan("scale:1", "A-1", ("BOLT",), "A")]
    block = Block(acts=[act], cells=cells, badges=badges, visits=[*visits])
    return Scenario("orders", "normal", 1, 90.0, 900.0, block, SITE)


@pytest.mark.parametrize(
    ("person", "actor", "verdict"),
    [
        ("Ana", "Ana", "named"),
        ("Ana", "", "nameless"),
        ("Ana", "Ben", "misnamed"),
        ("stranger", "", "nameless"),
        ("stranger", "Ana", "misnamed"),
        ("stranger", "stranger", "misnamed"),
    ],
)
def test_who_is_named_is_who_did_it_or_it_is_wrong(person: str, actor: str, verdict: str) -> None:
    act = TruthAct(ns(100.0), ns(100.0), person, "pick", "BOLT", 4, "A-1", OUTSIDE)
    [named] = names(scenario(act=act), [CLAIM._replace(actor=actor)])
    assert named.verdict == verdict


def test_two_people_are_two_who_had_to_do_in_one_zone_within_a_minute() -> None:
    ana = Visit("Ana", "A", ns(100.0), ns(110.0), "A-1")
    ben = Visit("Ben", "A", ns(160.0), ns(170.0), "A-1")
    both = scenario(ana, ben)
    assert were_two(both, "A-1", ns(165.0))
    assert were_two(both, "A", ns(165.0))
    assert not were_two(both, "A", ns(150.0))
    assert not were_two(both, "A", ns(175.0))
    assert not were_two(both, "B", ns(165.0))


@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_is_in_two_places_and_whoever_has_no_tag_scans(seed: int) -> None:
    length_s = OPENING_S + 40 * LINE_EVERY_S + REST_OF_DAY_S
    world, _ = make_scenario("orders", "normal", seed, length_s)
    block = world.block
    for badge in block.badges:
        mine = [visit for visit in block.visits if visit.person == badge.person]
        assert all(one.until <= other.begin for one, other in pairwise(mine))
    worked = {act.person for act in world.acts} - {"stranger"}
    assert worked == {badge.person for badge in block.badges}
    scans = [each for each in world.observations() if isinstance(each, Scanned)]
    devices = {scanner.location: scanner.device for scanner in block.scanners}
    untagged = [badge for badge in block.badges if not badge.epc]
    for visit in block.visits:
        for badge in untagged:
            if visit.person == badge.person:
                assert any(
                    (scan.device, scan.text) == (devices[visit.place], badge.scan)
                    and visit.begin <= scan.at <= visit.until
                    for scan in scans
                )


def test_people_of_a_short_shift_are_mostly_named_and_never_wrongly() -> None:
    tally = run(3, "normal", 30)
    counts = tally.counts
    told = counts["acts named"] + counts["acts nameless"]
    assert counts["acts misnamed"] == 0
    assert counts["acts named"] >= 0.7 * told
