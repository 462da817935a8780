"""The real rules in virtual time: fast, repeatable, and fed as the daemon feeds them."""

from time import process_time
from typing import Any

from gateway.model import Coverage, DeviceStatus, Fact, Stall, TagReport
from simulators.world.scenarios import make_scenario
from simulators.world.truth import (
    Alive,
    ClockStep,
    Link,
    Read,
    ReaderClockStep,
    Reads,
    Scenario,
    Standstill,
    ns,
)
from tests.bench.judging.ours import START_NS, Ours
from tests.bench.judging.run import World, judge, pooled


class Listening(Ours):
    """Keeps what goes into the engine."""

    def __init__(self, scenario: Scenario) -> None:
        self.fed: list[tuple[int, Fact]] = []
        super().__init__(scenario)

    def _feed(self, at: int, fact: Fact) -> None:
        self.fed.append((at - START_NS, fact))
        super()._feed(at, fact)

    def of(self, kind: type) -> list[Any]:
        return [fact for _, fact in self.fed if type(fact) is kind]


def listening() -> Listening:
    scenario, _ = make_scenario("faulty", "normal", 1)
    return Listening(scenario)


def test_keepalives_cover_time_and_a_silence_is_blind() -> None:
    ours = listening()
    for second in (0, 1, 2, 6, 7):
        ours.observe(Alive(ns(second), "a-reader-1"))
    told = [(cover.resumed, cover.span_ns // 10**9) for cover in ours.of(Coverage)]
    assert told == [(True, 0), (False, 1), (False, 1), (True, 0), (False, 1)]


def test_a_lost_link_is_down_then_up_and_resumes() -> None:
    ours = listening()
    for observed in (
        Alive(0, "a-reader-1"),
        Link(ns(1), "a-reader-1", up=False),
        Link(ns(9), "a-reader-1", up=True),
    ):
        ours.observe(observed)
    assert [status.up for status in ours.of(DeviceStatus)] == [True, False, True]
    assert [cover.resumed for cover in ours.of(Coverage)] == [True, True]


def test_a_standstill_is_told_first_and_what_waited_comes_at_its_end() -> None:
    ours = listening()
    ours.observe(Alive(ns(1), "a-reader-1"))
    ours.observe(Standstill(ns(2), "", ns(15)))
    ours.observe(Alive(ns(3), "a-reader-1"))
    stall = ours.of(Stall)[0]
    assert abs(stall.span_ns - ns(15)) < 10**8
    at, last = ours.fed[-1]
    assert isinstance(last, Coverage)
    assert last.resumed
    assert at == ns(17)


def test_reads_of_a_reader_whose_clock_is_set_have_the_ages_that_the_driver_makes() -> None:
    ours = listening()
    epc = "303400010000000100000001"
    told: list[tuple[int, int]] = []
    for tenth in range(200):
        if tenth == 50:
            ours.observe(ReaderClockStep(ns(5.0), "a-reader-1", ns(-3600.0)))
        read = Read("a-reader-1:1", epc, -6000, ns(0.03))
        ours.observe(Reads(ns(tenth / 10 + 0.03), "a-reader-1", [read]))
        told.append((tenth, ours.of(TagReport)[-1].reads[0].age_ns))
    ages_s = {tenth: round(age / 10**9) for tenth, age in told}
    assert {ages_s[tenth] for tenth in range(50)} == {0}
    assert ages_s[52] == ages_s[59] == 3600  # held back, for all that a driver knows
    assert {ages_s[tenth] for tenth in range(62, 200)} == {0}  # they run with the clock: a step
    first = ours.of(TagReport)[60].reads[0]
    assert (first.read_point, first.epc, first.rssi_cdbm) == ("a-reader-1:1", epc, -6000)


def test_the_same_world_is_told_alike_twice() -> None:
    world = World("fused", "normal", 3, ("ours",), 300.0)
    once, again = judge(world), judge(world)
    assert once.tallies["ours"] == again.tallies["ours"]
    assert pooled([once, again])["fused", "normal", "ours"].counts["acts"] > 0


def test_a_step_of_the_wall_clock_changes_no_movement() -> None:
    scenario, _ = make_scenario("faulty", "normal", 2, 900.0)
    told = []
    for steps in (True, False):
        ours = Ours(scenario)
        for observed in scenario.observations():
            if steps or type(observed) is not ClockStep:
                ours.observe(observed)
        told.append(ours.finish(ns(900.0)).claims)
    assert told[0] == told[1] != []


def test_half_an_hour_of_a_shelf_takes_seconds() -> None:
    begun = process_time()
    verdict = judge(World("shelf", "normal", 1, ("ours",)))
    assert process_time() - begun < 15.0
    assert verdict.tallies["ours"].counts["acts"] > 200
