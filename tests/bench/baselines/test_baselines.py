"""Each baseline on a case made by hand."""

from collections.abc import Iterable
from random import Random

import pytest

from simulators.world.parameters import SiteParameters
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
    Weights,
    ZonePlan,
    ns,
)
from tests.bench.baselines.autocheckout import AutoCheckout
from tests.bench.baselines.edgex import EdgeX
from tests.bench.baselines.fixed_window import FixedWindow
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
