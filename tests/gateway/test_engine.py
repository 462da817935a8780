from collections.abc import Callable, Iterable
from typing import ClassVar

import pytest

from gateway import engine as engine_module
from gateway.engine import NEVER, Engine, RuleFailed
from gateway.model import (
    Alert,
    Attribution,
    Coverage,
    Fact,
    Heartbeat,
    InputChange,
    Item,
    Movement,
    Ns,
    OrderReference,
    ReferenceDeleted,
    Scan,
    ShowLight,
    Stall,
    TagRead,
    TagReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, Turn

Decide = Callable[[Ns, Fact | None], Turn]
Log = list[tuple[str, Ns, Fact | None]]


class Scripted:
    """A rule that does as it is told, and keeps what it was asked."""

    Settings: ClassVar[type[PluginSettings]] = PluginSettings
    schema: ClassVar[int] = 3

    def __init__(self, name: str, log: Log, decide: Decide, *consumes: type) -> None:
        self.name, self.log, self.decide = name, log, decide
        self.consumes = consumes
        self.restored: list[Row] = []

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        self.log.append((self.name, now, fact))
        return self.decide(now, fact)

    def restore(self, rows: Iterable[Row]) -> None:
        self.restored = list(rows)


def nothing(_now: Ns, _fact: Fact | None) -> Turn:
    return NOTHING


def alert(key: str, at: Ns = 0) -> Alert:
    return Alert("code", key, True, "warning", "text", at)


def build(log: Log, *rules: tuple[str, Decide, tuple[type, ...]]) -> Engine:
    return Engine([(name, Scripted(name, log, decide, *kinds)) for name, decide, kinds in rules])


SCAN = Scan("d", "x")


def test_rules_see_a_fact_in_their_order() -> None:
    log: Log = []
    engine = build(log, *[(name, nothing, (Scan,)) for name in "cab"], ("d", nothing, (Stall,)))
    assert engine.feed(5, SCAN) == ()
    assert log == [("c", 5, SCAN), ("a", 5, SCAN), ("b", 5, SCAN)]


def test_engine_knows_what_its_rules_take() -> None:
    engine = build([], ("a", nothing, (Scan,)))
    assert (engine.takes(Scan), engine.takes(Stall)) == (True, False)


def test_reads_of_a_report_that_comes_late_keep_their_own_time() -> None:
    log: Log = []
    engine = build(log, ("a", nothing, (TagReport,)), ("b", nothing, (TagReport,)))
    report = TagReport(
        "d", (TagRead("d:1", "aa", -5000, 1, 3), TagRead("d:2", "bb", None, 4, 0, 9))
    )
    engine.feed(100, report)
    engine.feed(90, report)
    assert [(name, now) for name, now, _ in log] == [("a", 100), ("b", 100)] * 2
    assert log[0][2] is report
    late = log[2][2]
    assert isinstance(late, TagReport)
    assert late == log[3][2]
    assert [read.age_ns for read in late.reads] == [13, 10]
    assert [read._replace(age_ns=0) for read in late.reads] == [
        read._replace(age_ns=0) for read in report.reads
    ]


def test_emitted_fact_goes_to_later_rules_in_the_same_turn_and_to_others_in_the_next() -> None:
    log: Log = []
    change = InputChange("d", 1, level=True)

    def middle(_now: Ns, fact: Fact | None) -> Turn:
        puts = (Row("m", {}),)
        return Turn(facts=(change,), puts=puts) if fact is SCAN else Turn(puts=(Row("again", {}),))

    def last(_now: Ns, fact: Fact | None) -> Turn:
        return Turn(puts=(Row("l", {}),)) if fact is change else NOTHING

    def first(_now: Ns, fact: Fact | None) -> Turn:
        return Turn(puts=(Row("f", {}),)) if fact is change else NOTHING

    both = (Scan, InputChange)
    engine = build(log, ("first", first, both), ("middle", middle, both), ("last", last, both))
    same, following = engine.feed(5, SCAN)
    assert [(name, fact) for name, _, fact in log] == [
        ("first", SCAN),
        ("middle", SCAN),
        ("last", SCAN),
        ("last", change),
        ("first", change),
        ("middle", change),
    ]
    assert [(name, row.key) for name, _, row in same.puts] == [("middle", "m"), ("last", "l")]
    assert [row.key for _, _, row in following.puts] == ["f", "again"]
    assert same.at == following.at == 5


def test_feedback_that_decides_nothing_leaves_no_outcome() -> None:
    log: Log = []

    def second(_now: Ns, fact: Fact | None) -> Turn:
        return Turn(facts=(Heartbeat("d"),)) if fact is SCAN else NOTHING

    engine = build(log, ("first", nothing, (Heartbeat,)), ("second", second, (Scan,)))
    assert engine.feed(1, SCAN) == []
    assert [name for name, _, _ in log] == ["second", "first"]


def test_turn_is_one_outcome_with_everything() -> None:
    log: Log = []
    lamp = ShowLight("d:1", "red")

    def one(_now: Ns, fact: Fact | None) -> Turn:
        del fact
        return Turn((alert("a"),), (Row("k", {"v": 1}),), ("gone",), (lamp,))

    def two(_now: Ns, fact: Fact | None) -> Turn:
        return Turn((alert("b"),)) if isinstance(fact, Alert) and fact.key == "a" else NOTHING

    engine = build(log, ("one", one, (Scan,)), ("two", two, (Scan, Alert)))
    [outcome] = engine.feed(9, SCAN)
    assert [event.key for event in outcome.events if isinstance(event, Alert)] == ["a", "b"]
    assert outcome.puts == (("one", 3, Row("k", {"v": 1})),)
    assert outcome.deletes == (("one", "gone"),)
    assert outcome.actions == (lamp,)
    assert outcome.at == 9


def waker(due: Ns) -> Decide:
    def decide(_now: Ns, fact: Fact | None) -> Turn:
        if fact is None:
            return Turn(facts=(alert("woken"),))
        return Turn(next_wake=due) if fact is SCAN else NOTHING

    return decide


def test_of_a_row_that_a_turn_deletes_and_puts_again_the_later_word_counts() -> None:
    def tell(_now: Ns, fact: Fact | None) -> Turn:
        return Turn(facts=(alert("a"), alert("b"), alert("c"))) if fact is SCAN else NOTHING

    def keep(_now: Ns, fact: Fact | None) -> Turn:
        row = Row("row", {"key": fact.key}) if isinstance(fact, Alert) else None
        if row is None:
            return NOTHING
        return Turn(deletes=("row", "other")) if row.value["key"] == "b" else Turn(puts=(row,))

    engine = build([], ("teller", tell, (Scan,)), ("keeper", keep, (Alert,)))
    [outcome] = engine.feed(0, SCAN)
    assert outcome.puts[-1] == ("keeper", 3, Row("row", {"key": "c"}))
    assert outcome.deletes == (("keeper", "other"),)


def test_whose_a_movement_is_stands_in_it_when_it_leaves() -> None:
    put = Movement("m1", "receipt", "observed", "BOLT", 1, "pcs", "unknown", "A", 1, 1, 990)
    order = OrderReference("erp", "production", "4711", "10")
    whose = (
        Attribution("m1", order, kind="return", reverses="m0"),
        Attribution("m1", OrderReference("erp", "production", "4712", "10"), "eva"),
        Attribution("m2", actor="li"),
    )
    engine = build(
        [],
        ("moves", lambda *_: Turn(facts=(put,)), (Scan,)),
        ("knows", lambda *_: Turn(facts=whose), (Movement,)),
    )
    [outcome] = engine.feed(1, SCAN)
    [told] = outcome.events
    assert isinstance(told, Movement)
    assert (told.order, told.actor) == (order, "eva")
    assert (told.kind, told.reverses) == ("return", "m0")


def test_wakeups_run_before_a_fact_with_their_own_due_time() -> None:
    log: Log = []
    engine = build(log, ("late", waker(30), (Scan,)), ("soon", waker(20), (Scan,)))
    engine.feed(10, SCAN)
    assert engine.next_wake == 20
    outcomes = engine.feed(100, Heartbeat("d"))
    assert log[2:] == [("soon", 20, None), ("late", 30, None)]
    assert [outcome.at for outcome in outcomes] == [20, 30]
    assert (engine.now, engine.next_wake) == (100, NEVER)


def test_wakeups_of_one_moment_run_in_the_order_of_rules() -> None:
    log: Log = []
    engine = build(log, *[(name, waker(20), (Scan,)) for name in "cab"])
    engine.feed(10, SCAN)
    engine.wake(20)
    assert [name for name, _, fact in log if fact is None] == ["c", "a", "b"]


def test_wakeup_due_with_a_fact_runs_before_it() -> None:
    log: Log = []
    engine = build(log, ("a", waker(20), (Scan, Heartbeat)))
    engine.feed(10, SCAN)
    engine.feed(20, Heartbeat("d"))
    assert [fact for _, _, fact in log] == [SCAN, None, Heartbeat("d")]


def test_wakeup_not_due_stays() -> None:
    log: Log = []
    engine = build(log, ("a", waker(20), (Scan,)))
    engine.feed(10, SCAN)
    assert engine.wake(19) == []
    assert engine.next_wake == 20


def test_later_wish_replaces_an_earlier_and_none_leaves_it() -> None:
    log: Log = []
    wishes = iter([50, None, 30])

    def decide(_now: Ns, _fact: Fact | None) -> Turn:
        return Turn(next_wake=next(wishes), puts=(Row("k", {}),))

    engine = build(log, ("a", decide, (Scan,)))
    found = []
    for moment in (1, 2, 3):
        engine.feed(moment, SCAN)
        found.append(engine.next_wake)
    assert found == [50, 50, 30]


def test_time_never_goes_back() -> None:
    log: Log = []
    engine = build(log, ("a", nothing, (Scan,)))
    for moment in (10, 7, 11, 0):
        engine.feed(moment, SCAN)
    assert [now for _, now, _ in log] == [10, 10, 11, 11]


def test_reference_fact_is_kept_though_no_rule_decides() -> None:
    engine = build([], ("a", nothing, (Item,)))
    item = Item("BOLT")
    for fact in (item, ReferenceDeleted("item", "BOLT")):
        [outcome] = engine.feed(3, fact)
        assert outcome.references == (fact,)


def test_reference_fact_stands_in_the_turn_that_it_sets_off() -> None:
    def decide(_now: Ns, _fact: Fact | None) -> Turn:
        return Turn(puts=(Row("k", {}),))

    engine = build([], ("a", decide, (Item,)))
    [outcome] = engine.feed(3, Item("BOLT"))
    assert len(outcome.references) == len(outcome.puts) == 1


def test_observation_nobody_wants_costs_no_outcome() -> None:
    engine = build([], ("a", nothing, (Scan,)))
    assert engine.feed(3, Coverage("d", 1)) == ()


def test_restore_gives_each_rule_its_rows_and_the_reference_facts() -> None:
    log: Log = []
    rules = [Scripted("a", log, nothing, Item), Scripted("b", log, nothing, Scan)]
    engine = Engine([(rule.name, rule) for rule in rules])
    engine.restore({"a": [Row("k", {"v": 1})], "gone": [Row("x", {})]}, [Item("BOLT")])
    assert rules[0].restored == [Row("k", {"v": 1})]
    assert rules[1].restored == []
    assert log == [("a", 0, Item("BOLT"))]


def test_watch_is_shown_what_rules_emit() -> None:
    shown: list[Fact] = []

    def decide(_now: Ns, _fact: Fact | None) -> Turn:
        return Turn(facts=(Heartbeat("d"), alert("a")))

    rule = Scripted("a", [], decide, Scan)
    Engine([("a", rule)], shown.append).feed(1, SCAN)
    assert shown == [Heartbeat("d"), alert("a")]


def test_bug_of_a_rule_names_it_and_keeps_the_cause() -> None:
    def broken(_now: Ns, fact: Fact | None) -> Turn:
        if fact is None or isinstance(fact, Heartbeat):
            raise ZeroDivisionError("by hand")
        return Turn(next_wake=20, facts=(Heartbeat("d"),))

    for set_off in (
        lambda engine: engine.feed(1, Heartbeat("d")),
        lambda engine: engine.feed(1, SCAN),
        lambda engine: engine.wake(20),
    ):
        engine = build([], ("fine", nothing, (Scan,)), ("broken", broken, (Scan, Heartbeat)))
        engine._set_wake(1, 15)
        with pytest.raises(RuleFailed, match="rule broken failed") as failed:
            set_off(engine)
        assert failed.value.rule == "broken"
        assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_rule_that_wants_to_be_woken_in_the_past_is_named() -> None:
    engine = build([], ("a", waker(10), (Scan,)))
    with pytest.raises(RuleFailed, match=r"rule a failed: .*in the past"):
        engine.feed(10, SCAN)


def test_rules_that_answer_each_other_for_ever_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "FEEDBACK_ROUNDS_MAX", 4)
    log: Log = []

    def answer(_now: Ns, _fact: Fact | None) -> Turn:
        return Turn(facts=(Heartbeat("d"),))

    engine = build(log, ("a", answer, (Scan, Heartbeat)))
    with pytest.raises(RuleFailed, match="answered for ever"):
        engine.feed(1, SCAN)
    assert len(log) == 5


def test_rows_that_a_rule_cannot_read_name_it() -> None:
    class Picky(Scripted):
        def restore(self, rows: Iterable[Row]) -> None:
            raise KeyError(next(iter(rows)).key)

    engine = Engine([("picky", Picky("picky", [], nothing))])
    with pytest.raises(RuleFailed, match="rule picky failed: its rows"):
        engine.restore({"picky": [Row("k", {})]}, [])
