"""The deterministic heart: facts in, outcomes out, in event time.

Rules of the file:

* Time is an argument. A wake-up due before a fact runs before it, with its own due time.
* Time never runs backwards: a fact older than the last turn counts as happening now. The reads in
  a report that is late keep their own time: they are so much older.
* One fact is one turn. Rules run in their fixed order; a fact that a rule emits goes to later
  rules in the same turn, and to itself and earlier ones in the next.
* Whose a movement is (`Attribution`) is written into it in its own turn, before it is booked.
* A turn is an `Outcome`, all or nothing; a turn that decided nothing leaves none.
* A rule that fails ends the process: `RuleFailed` names it. The engine is of no use afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from gateway.model import (
    Action,
    Attribution,
    Event,
    Fact,
    Movement,
    Ns,
    Reference,
    TagReport,
)
from gateway.outcome import Outcome
from gateway.ports import NOTHING, Row, Rule, Turn

NEVER: Ns = 1 << 62
"""Later than any boot lasts."""

FEEDBACK_ROUNDS_MAX = 16
"""Turns that one fact may set off by feedback; more is two rules answering each other for ever."""

EVENT_TYPES: frozenset[type] = frozenset(get_args(Event))
REFERENCE_TYPES: frozenset[type] = frozenset(get_args(Reference))


class RuleFailed(Exception):  # noqa: N818 - it is a bug of that rule, told by its name
    """A bug in a rule; the cause is chained."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"rule {rule} failed: {reason}")
        self.rule = rule


@dataclass(slots=True)
class _Draft:
    """A turn while it is being made."""

    events: list[Event] = field(default_factory=list)
    tellers: list[str] = field(default_factory=list)
    puts: list[tuple[str, int, Row]] = field(default_factory=list)
    deletes: dict[tuple[str, str], None] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def declare(self, name: str, schema: int, turn: Turn) -> None:
        """Take the rows of one step. It may put what an earlier step of its rule has deleted."""
        for row in turn.puts:
            self.deletes.pop((name, row.key), None)
            self.puts.append((name, schema, row))
        self.deletes.update(((name, key), None) for key in turn.deletes)

    def attribute(self, whose: Attribution) -> None:
        """Write into a movement of this turn whose it is; what an earlier rule said stays."""
        for index, event in enumerate(self.events):
            if type(event) is Movement and event.movement_id == whose.movement_id:
                self.events[index] = replace(
                    event,
                    order=event.order or whose.order,
                    actor=event.actor or whose.actor,
                    kind=whose.kind or event.kind,
                    reverses=event.reverses or whose.reverses,
                )

    def outcome(self, at: Ns) -> Outcome | None:
        if not (self.events or self.puts or self.deletes or self.actions or self.references):
            return None
        return Outcome(
            at,
            tuple(self.events),
            tuple(self.puts),
            tuple(self.deletes),
            tuple(self.actions),
            tuple(self.references),
            tellers=tuple(self.tellers),
        )


class Engine:
    """Runs the rules. `rules` are (name, rule) in the order in which they see a fact.

    `watch` is shown every fact that a rule emits; it must not fail, and decides nothing.
    """

    def __init__(
        self, rules: Sequence[tuple[str, Rule]], watch: Callable[[Fact], None] | None = None
    ) -> None:
        self.now: Ns = 0
        self._watch = watch
        self.next_wake: Ns = NEVER
        self._names = [name for name, _ in rules]
        self._rules = [rule for _, rule in rules]
        self._steps = [rule.step for rule in self._rules]
        self._wakes: list[Ns] = [NEVER] * len(rules)
        self._routes: dict[type, tuple[int, ...]] = {}
        for index, rule in enumerate(self._rules):
            for kind in rule.consumes:
                self._routes[kind] = (*self._routes.get(kind, ()), index)
        self._feedback: list[tuple[int, Fact]] = []

    def restore(self, rows: dict[str, list[Row]], references: Iterable[Reference]) -> None:
        """Give the rules their durable rows, then the reference facts; once, before any feed."""
        for name, rule in zip(self._names, self._rules, strict=True):
            try:
                rule.restore(rows.get(name, []))
            except Exception as error:
                raise RuleFailed(name, f"its rows: {error!r}") from error
        for reference in references:
            for index in self._routes.get(type(reference), ()):
                if self._step(index, reference) is not NOTHING:
                    raise RuleFailed(self._names[index], "it decided on a fact known already")

    def takes(self, kind: type[Fact]) -> bool:
        """Whether a rule takes facts of this kind."""
        return kind in self._routes

    def feed(self, at: Ns, fact: Fact) -> Sequence[Outcome]:
        """Take one fact that happened at `at`; first run the wake-ups due before it."""
        before = self.wake(at) if self.next_wake <= at else ()
        if at >= self.now:
            self.now = at
        elif type(fact) is TagReport:
            fact = _aged(fact, self.now - at)
        route = self._routes.get(type(fact), ())
        for position, index in enumerate(route):
            turn = self._step(index, fact)
            if turn is not NOTHING:
                pending = {later: [fact] for later in route[position + 1 :]}
                draft = _Draft()
                self._absorb(index, turn, pending, draft)
                return self._finish(before, pending, draft, fact)
        if type(fact) in REFERENCE_TYPES:
            return self._finish(before, {}, _Draft(), fact)
        return before

    def _step(self, index: int, fact: Fact | None) -> Turn:
        try:
            return self._steps[index](self.now, fact)
        except Exception as error:
            raise RuleFailed(self._names[index], repr(error)) from error

    def wake(self, now: Ns) -> Sequence[Outcome]:
        """Run every wake-up that is due at `now`, each with its own due time."""
        outcomes: list[Outcome] = []
        while self.next_wake <= now:
            index = self._wakes.index(self.next_wake)
            self.now = max(self.now, self.next_wake)
            self._set_wake(index, NEVER)
            draft = _Draft()
            pending: dict[int, list[Fact]] = {}
            self._absorb(index, self._step(index, None), pending, draft)
            outcomes.extend(self._finish((), pending, draft, None))
        return outcomes

    def _finish(
        self,
        before: Sequence[Outcome],
        pending: dict[int, list[Fact]],
        draft: _Draft,
        fact: Fact | None,
    ) -> Sequence[Outcome]:
        """End the turn, then run the turns that its feedback sets off."""
        if type(fact) in REFERENCE_TYPES:
            draft.references.append(fact)  # type: ignore[arg-type] # the set above says so
        outcomes = [*before, self._run(pending, draft)]
        for _ in range(FEEDBACK_ROUNDS_MAX):
            if not self._feedback:
                return [outcome for outcome in outcomes if outcome is not None]
            pending = {}
            for index, told in self._feedback:
                pending.setdefault(index, []).append(told)
            self._feedback = []
            outcomes.append(self._run(pending, _Draft()))
        index, told = self._feedback[0]
        raise RuleFailed(self._names[index], f"it is answered for ever: {told}")

    def _run(self, pending: dict[int, list[Fact]], draft: _Draft) -> Outcome | None:
        """Give every rule, in order, what is pending for it."""
        while pending:
            index = min(pending)
            for fact in pending.pop(index):
                turn = self._step(index, fact)
                if turn is not NOTHING:
                    self._absorb(index, turn, pending, draft)
        return draft.outcome(self.now)

    def _absorb(
        self, index: int, turn: Turn, pending: dict[int, list[Fact]], draft: _Draft
    ) -> None:
        """Take what one step decided into the turn."""
        name, schema = self._names[index], self._rules[index].schema
        draft.declare(name, schema, turn)
        draft.actions.extend(turn.actions)
        if turn.next_wake is not None:
            if turn.next_wake <= self.now:
                raise RuleFailed(name, "it wants to be woken in the past")
            self._set_wake(index, turn.next_wake)
        for fact in turn.facts:
            if self._watch is not None:
                self._watch(fact)
            if type(fact) in EVENT_TYPES:
                draft.events.append(fact)  # type: ignore[arg-type] # the set above says so
                draft.tellers.append(name)
            elif type(fact) is Attribution:
                draft.attribute(fact)
            for consumer in self._routes.get(type(fact), ()):
                if consumer > index:
                    pending[consumer] = [*pending.get(consumer, ()), fact]
                else:
                    self._feedback.append((consumer, fact))

    def _set_wake(self, index: int, at: Ns) -> None:
        self._wakes[index] = at
        self.next_wake = min(self._wakes)


def _aged(report: TagReport, late_ns: Ns) -> TagReport:
    """The report as of a moment that much later than its own."""
    reads = (read._replace(age_ns=read.age_ns + late_ns) for read in report.reads)
    return TagReport(report.device, tuple(reads))
