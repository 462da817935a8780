"""Worlds in virtual time: reproducible, and nothing in them comes from nowhere."""

import hashlib
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from simulators.world.parameters import LEVELS, RANGES, SiteParameters
from simulators.world.scenarios import FAMILIES, make_scenario
from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    ClockStep,
    Link,
    ReaderClockStep,
    Reads,
    Scenario,
    Standstill,
)

LENGTH_S = 240.0
ROOT = Path(__file__).resolve().parents[3]


def fingerprint(family: str, seed: int) -> str:
    scenario, parameters = make_scenario(family, "normal", seed, LENGTH_S)
    told = hashlib.sha256(repr(parameters.told()).encode())
    for act in scenario.acts:
        told.update(repr(act).encode())
    for observed in scenario.observations():
        told.update(repr(observed).encode())
    return told.hexdigest()


FAMILIES_WITH_ALL = ("shelf", "portal_order", "weight", "fused", "faulty")


def test_another_process_makes_the_same_world() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.simulators.world.test_scenarios import fingerprint\n"
        "print(*(fingerprint(family, 7) for family in sys.argv[2:]))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code, str(ROOT), *FAMILIES_WITH_ALL],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] == [fingerprint(family, 7) for family in FAMILIES_WITH_ALL]


def test_people_reach_into_neighbouring_bins_and_both_take_something() -> None:
    scenario, _ = make_scenario("weight", "normal", 3)
    picks = [act for act in scenario.acts if act.kind == "pick"]
    together = [
        (one.source, two.source)
        for one, two in pairwise(picks)
        if abs(two.at - one.at) < NS_PER_S // 2 and one.source != two.source
    ]
    assert together


def test_a_faulty_site_has_every_fault_and_tells_when_it_shows() -> None:
    scenario, _ = make_scenario("faulty", "normal", 1)
    seen = [*scenario.observations()]
    kinds = {trouble.kind for trouble in scenario.block.troubles}
    assert kinds >= {"outage", "unplugged", "frozen", "burst", "standstill", "clockstep"}
    assert kinds >= {"gate outage", "gate unplugged", "gate burst", "reader clock"}
    assert any(type(one) is Standstill and one.span == 15 * NS_PER_S for one in seen)
    steps = [one for one in seen if type(one) is ClockStep]
    assert sum(step.span for step in steps) == 0
    assert {abs(step.span) for step in steps} == {3600 * NS_PER_S}
    downs = [one.at for one in seen if type(one) is Link and one.device == "a-reader-1"]
    assert max(later - sooner for sooner, later in pairwise(downs)) >= 900 * NS_PER_S


def test_a_faulty_site_has_a_gate_whose_reader_has_its_share() -> None:
    scenario, _ = make_scenario("faulty", "normal", 1)
    seen = [one for one in scenario.observations() if one.device == "gate-reader"]
    ups = [(one.at // NS_PER_S, one.up) for one in seen if type(one) is Link]
    assert ups == [(1900, False), (2070, True), (2900, False), (2906, True)]
    late = [one for one in seen if type(one) is Reads and one.reads[0].age_ns > NS_PER_S]
    assert {one.at // NS_PER_S for one in late} == {2906}
    assert max(read.age_ns for one in late for read in one.reads) > 5 * NS_PER_S
    worn = {
        one.at // NS_PER_S
        for one in seen
        if type(one) is Reads and "gate-reader:2" in {read.point for read in one.reads}
    }
    assert not worn & {*range(2201, 2399)}
    assert worn & {*range(2401, 2420)}
    assert sum(act.kind == "pass" for act in scenario.acts) > 200


def test_clocks_of_readers_are_set_and_set_back() -> None:
    scenario, _ = make_scenario("faulty", "normal", 1)
    steps = [one for one in scenario.observations() if type(one) is ReaderClockStep]
    devices = {step.device for step in steps}
    assert devices == {"a-reader-1", "gate-reader"}
    for device in devices:
        spans = [step.span for step in steps if step.device == device]
        assert spans[0] < 0 == sum(spans)


def test_single_tags_pass_a_gate_without_companions() -> None:
    scenario, _ = make_scenario("portal_single", "normal", 1)
    moments = Counter(act.at for act in scenario.acts)
    assert len(moments) == len(scenario.acts) > 30
    assert {len(decoy.epcs) for decoy in scenario.block.decoys if decoy.kind != "static"} == {1}


def test_a_day_has_all_senses_orders_and_three_shifts() -> None:
    scenario, _ = make_scenario("day", "normal", 1)
    block = scenario.block
    assert block.gates
    assert {cell.zone is None for cell in block.cells} == {True, False}
    kinds = {act.kind for act in scenario.acts}
    assert {"pick", "put", "move", "pass"} <= kinds
    hours = [act.at / (3600 * NS_PER_S) % 8 for act in scenario.acts]
    assert max(hours) < 7.3  # a break of more than half an hour ends each shift
    assert {act.at // (8 * 3600 * NS_PER_S) for act in scenario.acts} == {0, 1, 2}


@pytest.mark.parametrize("family", FAMILIES_WITH_ALL)
def test_one_seed_gives_one_world(family: str) -> None:
    assert fingerprint(family, 7) == fingerprint(family, 7)
    assert fingerprint(family, 7) != fingerprint(family, 8)


def test_a_stream_can_be_had_twice() -> None:
    scenario, _ = make_scenario("shelf", "normal", 3, LENGTH_S)
    assert list(scenario.observations()) == list(scenario.observations())


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "day"])
def test_observations_come_in_order_of_time(family: str) -> None:
    scenario, _ = make_scenario(family, "hard", 2, 200.0)
    times = [observed.at for observed in scenario.observations()]
    assert times == sorted(times)
    assert times


def first_stock(scenario: Scenario) -> Counter[tuple[str, str]]:
    stock = Counter(scenario.block.stock)
    for act in scenario.acts:
        stock[act.source, act.item] += act.quantity
        stock[act.target, act.item] -= act.quantity
    return stock


@pytest.mark.parametrize(("family", "pieces"), [("shelf", 150), ("faulty", None), ("fused", None)])
def test_pieces_are_conserved(family: str, pieces: int | None) -> None:
    scenario, _ = make_scenario(family, "normal", 5)
    first = first_stock(scenario)
    ends = {end for gate in scenario.block.gates for end in (gate.outside, gate.inside)}
    open_ended = {OUTSIDE, *ends}
    watched = {key: count for key, count in first.items() if key[0] not in open_ended}
    assert min(watched.values()) >= 0
    if pieces is not None:
        assert sum(watched.values()) == pieces
    stock = Counter(first)
    for act in scenario.acts:
        assert act.quantity > 0
        stock[act.source, act.item] -= act.quantity
        stock[act.target, act.item] += act.quantity
        assert act.source in open_ended or stock[act.source, act.item] >= 0, act


def test_no_tag_is_in_two_places() -> None:
    scenario, _ = make_scenario("shelf", "hard", 4)
    where: dict[str, str] = {}
    for act in scenario.acts:
        for epc in act.epcs:
            assert where.get(epc, act.source) == act.source, act
            where[epc] = act.target
    assert len(where) > 50


def test_what_is_read_is_what_exists_but_for_ghosts() -> None:
    scenario, _ = make_scenario("shelf", "hard", 4, 600.0)
    prefixes = {good.prefix for good in scenario.block.goods}
    reads = [read for seen in scenario.observations() if type(seen) is Reads for read in seen.reads]
    strange = [read.epc for read in reads if read.epc[:16] not in prefixes]
    assert len(strange) <= sum(
        int(count) for name, count in scenario.block.figures.items() if name.endswith("ghosts")
    )
    assert len(reads) > 5000


def test_nobody_acts_before_the_opening_or_where_it_is_quiet() -> None:
    quiet, _ = make_scenario("quiet", "normal", 1, 300.0)
    assert quiet.acts == []
    busy, _ = make_scenario("faulty", "normal", 1)
    assert min(act.at for act in busy.acts) >= busy.opening_s * NS_PER_S


@pytest.mark.parametrize("level", LEVELS)
def test_parameters_are_drawn_within_their_ranges_and_told(level: str) -> None:
    rank = [*LEVELS].index(level)  # type: ignore[arg-type]
    for seed in range(20):
        _, parameters = make_scenario("weight", LEVELS[rank], seed, 200.0)
        told = parameters.told()
        assert isinstance(parameters, SiteParameters)
        for name, ranges in RANGES.items():
            low, high = ranges[rank]
            assert low * (1 - 1e-3 if low > 0 else 1 + 1e-3) <= told[name], name  # type: ignore[operator]
            assert told[name] <= high + abs(high) * 1e-3, name  # type: ignore[operator]
