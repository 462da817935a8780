"""All default rules in their order, fed with anything in any order."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import (
    UNKNOWN_LOCATION,
    ActionDone,
    Alert,
    Arrival,
    Badge,
    CountRequest,
    Coverage,
    Departure,
    DeviceFault,
    DeviceStatus,
    Dismissal,
    Fact,
    Item,
    Movement,
    Passage,
    Proposal,
    ReferenceDeleted,
    Scan,
    Scanner,
    Snapshot,
    SnapshotRequest,
    Stall,
    TagRead,
    TagReport,
    Task,
    TaskCancel,
    TaskConfirmation,
    Unresolved,
    WeightReport,
    WeightSample,
)
from gateway.ports import Row, Turn
from rules.count import Count
from rules.health import Health
from rules.movement import MovementRule
from rules.person import Person
from rules.portal import Portal
from rules.presence import Presence
from rules.stock import Stock
from rules.stocktake import Stocktake
from rules.task import TaskRule
from rules.turns import together
from rules.weight import Weight
from tests.rules.play import BOLT, SITE, Play, S
from tests.rules.tasks import task

ALL = (Presence, Portal, Weight, Count, MovementRule, Person, TaskRule, Stocktake, Stock, Health)
EPCS = ("3034aa", "3034bb", "309901", "ff")
POINTS = ("r:1", "r:2", "r:3", "p:1", "q:1", "g:1", "g:2", "h:1", "k:1")
DEVICES = ("r", "p", "q", "g", "h", "k", "s")
NUT = Item("NUT", unit_mg=50_000, epc_prefixes=("3099",))
ANN, BOB = Badge("B-1", "ann", "ann", "ff"), Badge("B-2", "bob", "bob", "3034bb")
SCANNED = replace(SITE, scanners=(Scanner("s", "A"), Scanner("g", "A2")))

devices = st.sampled_from(DEVICES)
reads = st.builds(
    TagRead,
    st.sampled_from(POINTS),
    st.sampled_from((*EPCS, "3074257bf7194e4000001a85")),
    st.one_of(st.none(), st.integers(-9000, -2000)),
    seen_count=st.integers(1, 30),
    age_ns=st.integers(0, 5 * S),
    span_ns=st.integers(0, 3 * S),
)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(lambda read: TagReport(read.read_point[0], (read,) * 4), reads),
    st.builds(
        Coverage,
        devices,
        st.integers(0, 2 * S),
        st.sampled_from([(), (), (), (1,), (0,)]),
        st.sampled_from([False, False, True]),
    ),
    st.builds(
        lambda cell, grams, flags: WeightReport("s", (WeightSample(cell, grams, flags),) * 3),
        st.sampled_from(["s:1", "s:2", "s:3"]),
        st.sampled_from([0.0, 100.0, 200.0, 450.0, 1000.0, -30.0, float("nan")]),
        st.sampled_from([0, 0, 0, 1, 2, 8]),
    ),
    st.builds(Stall, st.integers(1, 20 * S)),
    st.builds(DeviceStatus, devices, st.booleans()),
    st.builds(DeviceFault, devices, st.sampled_from(["a", "b"]), st.booleans()),
    st.builds(ActionDone, st.just("s"), st.just("zero"), st.just("s:1"), st.booleans()),
    st.builds(CountRequest, st.sampled_from(["c1", "c2"]), st.sampled_from(["full", "cycle"])),
    st.just(SnapshotRequest("requested")),
    st.sampled_from([BOLT, NUT, replace(BOLT, unit_mg=0), ReferenceDeleted("item", "NUT")]),
    st.builds(task, st.sampled_from(["T1", "T2"]), st.integers(1, 3), st.sampled_from(["A1", "A"])),
    st.sampled_from([ReferenceDeleted("task", "T1"), TaskCancel("T2")]),
    st.sampled_from([ANN, BOB, ReferenceDeleted("badge", "B-1"), ReferenceDeleted("badge", "B-2")]),
    st.builds(Scan, st.sampled_from(["s", "g", "r"]), st.sampled_from(["ann", "bob", "x"])),
)
Story = list[tuple[float, int, tuple[Fact, ...]]]

quiet = st.builds(lambda span: tuple(Coverage(each, span) for each in DEVICES), st.integers(0, S))
busy = st.builds(
    lambda point, epc, grams: (
        TagReport(point[0], (TagRead(point, epc, -5000),)),
        WeightReport("s", (WeightSample("s:1", grams), WeightSample("s:2", grams / 2))),
        *(Coverage(each, S // 4) for each in DEVICES),
    ),
    st.sampled_from(POINTS),
    st.sampled_from((*EPCS, "3074257bf7194e4000001a85")),
    st.sampled_from([1000.0, 900.0, 700.0]),
)
stories = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([0.0, 0.1, 0.5, 11.0]), st.integers(1, 12), st.tuples(facts)),
        st.tuples(st.just(0.25), st.sampled_from([8, 30]), busy),
        st.tuples(st.just(1.0), st.sampled_from([5, 20]), quiet),
    ),
    min_size=10,
    max_size=60,
)


def run(story: Story, crash_at: int = -1) -> tuple[Play, list[Fact]]:
    """Play the story; the process dies and starts anew before the step `crash_at`."""
    play, told = Play(ALL, site=SCANNED, items=(BOLT, NUT)), list[Fact]()
    known: dict[str, Any] = {}
    for index, (pause_s, times, told_at_once) in enumerate(story):
        if index == crash_at:
            told += play.kinds()
            play = Play(
                ALL,
                rows=play.rows,
                site=SCANNED,
                items=(BOLT, NUT, *known.values()),
                last_alive_s=play.now_s,
                now_s=play.now_s,
            )
        for _ in range(times):
            play.feed(play.now_s + pause_s, *told_at_once)
        for fact in told_at_once:
            if isinstance(fact, Task | Badge):
                known[fact.code] = fact
            elif isinstance(fact, ReferenceDeleted):
                known.pop(fact.code, None)
    return play, told + play.kinds()


def balances(told: list[Any]) -> dict[tuple[str, str], int]:
    """What movements and snapshots come to, reckoned apart from the stock rule."""
    sums: dict[tuple[str, str], int] = {}
    for fact in told:
        if isinstance(fact, Movement):
            for place, sign in ((fact.from_location, -1), (fact.to_location, 1)):
                if place != UNKNOWN_LOCATION:
                    key = (place, fact.item)
                    sums[key] = sums.get(key, 0) + sign * fact.quantity
        elif isinstance(fact, Snapshot):
            for key in [key for key in sums if key[0] == fact.location]:
                del sums[key]
            sums |= {(fact.location, line.item): line.quantity for line in fact.lines}
    return sums


def without_nothing(sums: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """A place of which something is known, such as its demand, stays known when it is empty."""
    return {place: quantity for place, quantity in sums.items() if quantity}


def kept(play: Play) -> dict[tuple[str, str], int]:
    found = {}
    for key, row in play.rows.items():
        if key.startswith("Stock/") and "quantity" in row:
            place, _, item = key.removeprefix("Stock/").partition("\t")
            found[place, item] = row["quantity"]
    return found


@settings(max_examples=120, deadline=None)
@given(stories, st.integers(0, 40))
def test_any_story_is_told_without_contradiction(story: Story, crash_at: int) -> None:
    play, told = run(story, crash_at)
    inside: dict[str, str] = {}
    for fact in told:
        if isinstance(fact, Departure):
            assert inside.pop(fact.epc) == fact.zone
        elif isinstance(fact, Arrival):
            assert inside.setdefault(fact.epc, fact.zone) == fact.zone
    standing = set()
    for fact in told:
        if isinstance(fact, Alert):
            assert fact.raised != (fact.key in standing)
            standing ^= {fact.key}
    assert without_nothing(kept(play)) == without_nothing(balances(told))
    ids = [fact.movement_id for fact in told if isinstance(fact, Movement)]
    ids += [fact.unresolved_id for fact in told if isinstance(fact, Unresolved)]
    ids += [fact.confirmation_id for fact in told if isinstance(fact, TaskConfirmation)]
    assert len(set(ids)) == len(ids)
    assert all(len(set(fact.epcs)) == len(fact.epcs) for fact in told if isinstance(fact, Movement))
    asked, proposed = dict[str, str](), set[str]()
    for fact in told:
        if isinstance(fact, Unresolved):
            asked[fact.unresolved_id] = f"unresolved:{fact.location}"
        elif isinstance(fact, Proposal):
            assert fact.proposal_id not in proposed
            proposed.add(fact.proposal_id)
        elif isinstance(fact, Dismissal) and fact.unresolved_id in proposed:
            proposed.remove(fact.unresolved_id)
        elif isinstance(fact, Dismissal):
            del asked[fact.unresolved_id]
    places = {":".join(key.split(":")[:2]) for key in standing}
    assert set(asked.values()) <= places
    assert all(fact.quantity > 0 for fact in told if isinstance(fact, Movement))
    assert all(fact.until >= fact.since for fact in told if isinstance(fact, Passage))


@settings(max_examples=40, deadline=None)
@given(stories)
def test_same_story_is_told_the_same_each_time(story: Story) -> None:
    first, second = run(story)[0], run(story)[0]
    assert first.told == second.told
    assert first.rows == second.rows


def test_of_turns_that_belong_together_the_later_word_on_a_row_counts() -> None:
    put, drop = Turn(puts=(Row("a", {}),)), Turn(deletes=("a", "b"))
    assert together(drop, put) == Turn(puts=(Row("a", {}),), deletes=("b",))
    assert together(put, drop) == Turn(puts=(Row("a", {}),), deletes=("a", "b"))  # puts first
