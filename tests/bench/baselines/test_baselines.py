"""Each baseline on a case made by hand."""

from collections.abc import Iterable
from random import Random
from typing import Literal

import pytest

from simulators.world.parameters import SiteParameters
from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    Block,
    CellPlan,
    ClockStep,
    GatePlan,
    Good,
    Observed,
    Read,
    Reads,
    Scenario,
    Weights,
    ZonePlan,
    ns,
)
from tests.bench.baselines.adaptive_window import AdaptiveWindow
from tests.bench.baselines.autocheckout import AutoCheckout
from tests.bench.baselines.edgex import EdgeX
from tests.bench.baselines.evidence_counting import EvidenceCounting
from tests.bench.baselines.fixed_window import FixedWindow
from tests.bench.baselines.hidden_markov import HiddenMarkov
from tests.bench.baselines.last_antenna import LastAntenna
from tests.bench.baselines.rifidi import Rifidi
from tests.bench.baselines.stable_step import StableStep
from tests.bench.judging.claims import Claim, Method

SITE = SiteParameters.draw(Random(1), "normal")
TAG = "30340001000000010000000a"
Way = tuple[str, str]


def shop() -> Scenario:
    block = Block(
        zones=[ZonePlan("A", ("r:1",)), ZonePlan("B", ("r:2",))],
        gates=[GatePlan("G", ("g:1",), ("g:2",), "YARD", "HALL")],
        cells=[CellPlan("s:1", "C-1", ("X",)), CellPlan("s:2", "C-2", ("Y",))],
        goods=[Good("X", 100.0, 1.0, TAG[:16]), Good("Y", 500.0, 5.0)],
    )
    return Scenario("shelf", "normal", 1, 0.0, 1800.0, block, SITE)


def seen(point: str, times: Iterable[float], dbm: float = -50.0) -> list[Observed]:
    device = point.partition(":")[0]
    return [Reads(ns(at_s), device, [Read(point, TAG, round(dbm * 100), 0)]) for at_s in times]


def watch(method: Method, observed: Iterable[Observed], until_s: float) -> list[Claim]:
    for one in sorted(observed, key=lambda one: one.at):
        method.observe(one)
    return method.finish(ns(until_s)).claims


def ways(claims: Iterable[Claim]) -> list[Way]:
    return [(claim.source, claim.target) for claim in claims]


def every(period_s: float, begin_s: float, end_s: float) -> list[float]:
    return [begin_s + period_s * n for n in range(int((end_s - begin_s) / period_s))]


def test_edgex_believes_one_read_and_departs_at_a_check_after_the_silence() -> None:
    claims = watch(EdgeX(shop()), seen("r:1", [10.0]), 700.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", OUTSIDE)]
    assert claims[1].decided == 630 * NS_PER_S


def test_edgex_moves_at_once_for_a_strong_newcomer_only_after_two_reads() -> None:
    here = seen("r:1", every(0.1, 0.0, 3.0), -60.0)
    assert ways(watch(EdgeX(shop()), [*here, *seen("r:2", [2.95], -40.0)], 5.0)) == [(OUTSIDE, "A")]
    twice = seen("r:2", [2.95, 2.97], -53.0)
    assert ways(watch(EdgeX(shop()), [*here, *twice], 5.0))[1:] == [("A", "B")]
    weak = seen("r:2", [2.95, 2.97], -55.0)
    assert ways(watch(EdgeX(shop()), [*here, *weak], 5.0)) == [(OUTSIDE, "A")]


def test_edgex_moves_for_any_two_reads_elsewhere_after_five_seconds() -> None:
    stray = [*seen("r:1", every(0.1, 0.0, 1.0), -45.0), *seen("r:2", [6.5, 6.6], -74.0)]
    assert ways(watch(EdgeX(shop()), stray, 8.0)) == [(OUTSIDE, "A"), ("A", "B")]


def test_rifidi_takes_the_strongest_zone_and_departs_after_its_wait() -> None:
    both = [
        *seen("r:1", every(0.2, 0.0, 5.0), -50.0),
        *seen("r:2", every(0.2, 0.0, 5.0), -58.0),
    ]
    claims = watch(Rifidi(shop()), both, 30.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", OUTSIDE)]
    assert claims[1].decided == 15 * NS_PER_S


def test_rifidi_moves_when_another_zone_is_stronger_in_a_batch() -> None:
    both = [*seen("r:1", every(0.2, 0.0, 3.0), -58.0), *seen("r:2", every(0.2, 3.0, 6.0), -50.0)]
    assert ways(watch(Rifidi(shop()), both, 7.0)) == [(OUTSIDE, "A"), ("A", "B")]
    here = seen("r:1", every(0.2, 0.0, 6.0), -52.0)
    little = seen("r:2", every(0.2, 3.0, 6.0), -50.0)
    assert ways(watch(Rifidi(shop()), [*here, *little], 7.0)) == [(OUTSIDE, "A")]


@pytest.mark.parametrize("silence_s", [2.0, 10.0, 30.0])
def test_last_antenna_follows_every_read_and_times_out(silence_s: float) -> None:
    reads = [*seen("r:1", [1.0, 3.0]), *seen("r:2", [2.0])]
    claims = watch(LastAntenna(shop(), silence_s), reads, 60.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", "B"), ("B", "A"), ("A", OUTSIDE)]
    assert 0 < claims[-1].decided - ns(3.0 + silence_s) <= NS_PER_S


def test_last_antenna_passes_a_gate_by_first_and_last_side() -> None:
    through = [*seen("g:1", [1.0, 1.2]), *seen("g:2", [1.5, 1.8])]
    assert ways(watch(LastAntenna(shop()), through, 30.0)) == [("YARD", "HALL")]
    back = [*through, *seen("g:1", [2.5])]
    assert ways(watch(LastAntenna(shop()), back, 30.0)) == []


def test_fixed_window_takes_the_zone_of_most_reads_in_each_window() -> None:
    reads = [*seen("r:1", every(0.5, 0.0, 5.0)), *seen("r:2", [1.0, 12.0])]
    claims = watch(FixedWindow(shop(), 10.0), reads, 40.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", "B"), ("B", OUTSIDE)]
    assert [claim.decided // NS_PER_S for claim in claims] == [10, 20, 30]


def test_a_ghost_is_no_item_and_moves_nothing() -> None:
    ghost = [Reads(ns(1.0), "r", [Read("r:1", "ffff" + TAG[4:], -5000, 0)])]
    assert watch(LastAntenna(shop()), ghost, 30.0) == []


def weighed(levels: Iterable[tuple[float, float, float]], end_s: float) -> list[Observed]:
    """Cells one and two, from each moment on."""
    told: list[Observed] = []
    steps = sorted(levels)
    for number in range(int(end_s * 10)):
        now_s = number / 10
        _, one, two = [step for step in steps if step[0] <= now_s][-1]
        told.append(Weights(ns(now_s), "s", [("s:1", one, 0), ("s:2", two, 0)]))
    return told


def test_autocheckout_books_a_change_of_the_sum_on_the_plate_that_changed() -> None:
    observed = weighed([(0.0, 1000.0, 5000.0), (5.0, 800.0, 5000.0)], 10.0)
    claims = watch(AutoCheckout(shop()), observed, 10.0)
    assert [(c.item, c.source, c.target, c.quantity) for c in claims] == [("X", "C-1", OUTSIDE, 2)]


def test_autocheckout_books_one_of_two_simultaneous_picks() -> None:
    observed = weighed([(0.0, 1000.0, 5000.0), (5.0, 900.0, 4500.0)], 10.0)
    claims = watch(AutoCheckout(shop()), observed, 10.0)
    assert [(claim.item, claim.quantity) for claim in claims] == [("Y", 1)]


def test_autocheckout_takes_a_long_hand_for_goods() -> None:
    hand = weighed([(0.0, 1000.0, 5000.0), (5.0, 1700.0, 5000.0), (12.0, 1000.0, 5000.0)], 15.0)
    assert len(watch(AutoCheckout(shop()), hand, 15.0)) == 2


def test_stable_step_books_the_difference_of_two_plateaus() -> None:
    steps = [(0.0, 1000.0, 5000.0), (5.0, 700.0, 5000.0), (8.0, 700.0, 5500.0)]
    claims = watch(StableStep(shop()), weighed(steps, 12.0), 12.0)
    assert [(c.source, c.target, c.quantity) for c in claims] == [
        ("C-1", OUTSIDE, 3),
        (OUTSIDE, "C-2", 1),
    ]


def test_evidence_counting_enters_with_the_third_read_and_leaves_with_the_last_but_one() -> None:
    claims = watch(EvidenceCounting(shop()), seen("r:1", [1.0, 1.5, 2.0, 9.0]), 40.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", OUTSIDE)]
    assert claims[0].decided == ns(2.0)
    assert claims[1].decided == ns(13.0)
    assert watch(EvidenceCounting(shop()), seen("r:1", [1.0, 2.5, 4.0]), 40.0) == []
    slow = EvidenceCounting(shop(), stretch=3.0)
    assert len(watch(slow, seen("r:1", [1.0, 2.5, 4.0]), 40.0)) == 2


def test_evidence_counting_takes_the_stronger_zone() -> None:
    here = seen("r:1", every(0.4, 0.0, 20.0), -55.0)
    for level, moved in ((-54.0, []), (-50.0, [("A", "B")])):
        there = seen("r:2", every(0.4, 8.0, 20.0), level)
        claims = watch(EvidenceCounting(shop()), [*here, *there], 20.0)
        assert ways(claims) == [(OUTSIDE, "A"), *moved]


@pytest.mark.parametrize("by", ["smurf", "wstd"])
def test_adaptive_windows_grow_for_tags_that_are_seldom_read(by: Literal["smurf", "wstd"]) -> None:
    claims = watch(AdaptiveWindow(shop(), by), seen("r:1", every(2.0, 0.0, 120.0)), 180.0)
    assert ways(claims)[-1] == ("A", OUTSIDE)
    assert not [claim for claim in claims if ns(80.0) < claim.decided < ns(120.0)]
    assert claims[-1].decided > ns(122.0)


@pytest.mark.parametrize("by", ["smurf", "wstd"])
def test_adaptive_windows_take_the_zone_of_most_reads(by: Literal["smurf", "wstd"]) -> None:
    both = [*seen("r:1", every(0.5, 0.0, 30.0)), *seen("r:2", [12.0])]
    assert ways(watch(AdaptiveWindow(shop(), by), both, 29.0)) == [(OUTSIDE, "A")]


OTHERS = [
    Reads(ns(at_s), "r", [Read(point, TAG[:-1] + "f", -5000, 0)])
    for at_s in every(0.5, 0.0, 90.0)
    for point in ("r:1", "r:2")
]
"""Somebody else stands in both zones all the time: their antennas work."""


def mine(method: Method, observed: Iterable[Observed], until_s: float) -> list[Claim]:
    claims = watch(method, [*observed, *OTHERS], until_s)
    return [claim for claim in claims if claim.epcs == (TAG,)]


def test_a_hidden_markov_filter_waits_out_a_shadow_and_a_stray() -> None:
    here = [*seen("r:1", every(0.5, 10.0, 30.0)), *seen("r:1", every(0.5, 33.0, 60.0))]
    claims = mine(HiddenMarkov(shop()), [*here, *seen("r:2", [40.2], -70.0)], 90.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", OUTSIDE)]
    assert ns(62.0) < claims[1].decided < ns(75.0)


def test_a_hidden_markov_filter_follows_a_move() -> None:
    way = [*seen("r:1", every(0.5, 10.0, 30.0)), *seen("r:2", every(0.5, 33.0, 90.0))]
    claims = mine(HiddenMarkov(shop()), way, 90.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", "B")]
    assert ns(33.0) <= claims[1].at <= claims[1].decided < ns(40.0)


def test_a_step_of_the_wall_clock_makes_tags_depart_that_live_by_it() -> None:
    reads = seen("r:1", every(1.0, 0.0, 100.0))
    stepped = [*reads, ClockStep(ns(50.5), "", ns(3600.0))]
    assert ways(watch(LastAntenna(shop(), 30.0), reads, 99.0)) == [(OUTSIDE, "A")]
    claims = watch(LastAntenna(shop(), 30.0), stepped, 99.0)
    assert ways(claims) == [(OUTSIDE, "A"), ("A", OUTSIDE), (OUTSIDE, "A")]
    assert all(ns(50.0) < claim.decided < ns(52.0) for claim in claims[1:])
