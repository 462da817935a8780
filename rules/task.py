"""Task: whose each movement is, what becomes of each task, and who must be called.

    task told --------------> queued, active when it has its turn    (`rules.task_book`)
    movement ---------------> counts for a task, or takes back       (`rules.task_match`)
                              is written into the movement: whose it is
    nothing more happens ---> confirmed, with what is not as asked   (`rules.task_verdict`)
    after that -------------> what is put back is a return           (`rules.task_acts`)
    anything else ----------> an alert that says what to do          (`rules.task_guard`)
    a step is weighed ------> the same alert, before it is told      (`rules.task_foresight`)

The rule runs after movements are told and before they are booked. What it knows is durable with
the movement that changed it, so a restart tells nothing twice and forgets nothing. What fell due
while nobody watched is due a little later: what was done meanwhile is found first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    Amendment,
    Attribution,
    Coverage,
    Dismissal,
    Fact,
    InputChange,
    Item,
    Movement,
    Ns,
    ReferenceDeleted,
    SenseChange,
    Stall,
    StepHeld,
    Task,
    TaskCancel,
    TaskState,
    Unresolved,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.task_acts import Act, Acts, act_of
from rules.task_alerts import TaskAlerts
from rules.task_book import TaskBook
from rules.task_doors import Doors
from rules.task_foresight import Foresight
from rules.task_guard import Guard
from rules.task_match import Deed, Match, Matching
from rules.task_open import QUESTIONS_MAX, TASK_ROW, OpenTask, noise_of
from rules.task_place import Places
from rules.task_progress import told_progress
from rules.task_senses import TaskSenses
from rules.task_verdict import Ending, Pauses, confirmation, due, due_at_door, verdict
from rules.turns import together

GAP_NS = 15 * NS_PER_S
"""By then is told what was found after a restart."""

NEVER: Ns = 1 << 62
"""A task waits for what becomes of a step that is held, and is woken by that."""

ACTS = ("count_not_resolvable", "unknown_item", "item_uncertain")
"""Of what is unresolved, what a scale told: somebody did something there."""


class TaskSettings(PluginSettings):
    """How long a task waits: `quiet_s` after all that was asked is done, for what is put back, and
    `quiet_tags_s` where only tags tell it, some of them so much later than others; `tags_s` for the
    EPCs of pieces of which certain ones are asked. What is put back within `return_s` of its issue
    is a return.

    In `demand_order` are the locations, or zones, that nothing may leave without an order ("*" for
    all that are watched): there it is an alert.
    """

    quiet_s: float = Field(3.0, gt=0)
    quiet_tags_s: float = Field(15.0, gt=0)
    tags_s: float = Field(30.0, gt=0)
    return_s: float = Field(86_400.0, gt=0)
    demand_order: tuple[str, ...] = ()


class TaskRule:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = TaskSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        Task,
        ReferenceDeleted,
        TaskCancel,
        Item,
        Movement,
        Amendment,
        Unresolved,
        Dismissal,
        Attribution,
        Coverage,
        Stall,
        StepHeld,
        SenseChange,
        InputChange,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: TaskSettings, context: RuleContext) -> None:
        last_alive = context.last_alive or 0
        self._identify = context.identify
        pauses_s = (settings.quiet_s, settings.quiet_tags_s, settings.tags_s)
        self._pauses = Pauses(*(int(pause_s * NS_PER_S) for pause_s in pauses_s))
        self._return_ns = int(settings.return_s * NS_PER_S)
        self._places = Places(context.site)
        self._book = TaskBook(self._places, context.boot, last_alive)
        self._acts = Acts(context.boot, last_alive)
        self._alerts = TaskAlerts(context.boot, last_alive)
        self._guard = Guard(self._alerts, self._places, settings.demand_order)
        self._doors = Doors(context.site)
        self._senses = TaskSenses(self._places, self._book)
        self._matching = Matching(self._places, self._book, self._acts)
        self._foresight = Foresight(
            self._book, self._acts, self._matching, self._guard, context.boot
        )
        self._uoms: dict[str, str] = {}
        self._watching = False

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back tasks, acts and alerts; the tasks themselves are told after that."""
        kept = list(rows)
        self._book.restore(kept)
        self._acts.restore(kept)
        self._alerts.restore(kept)
        self._foresight.restore(kept)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Find whose a movement is; close what nothing more happens to."""
        turn = self._decide(now, fact)
        if turn is NOTHING:
            return turn
        turn = told_progress(turn, self._book, self._acts, self._places)
        return turn._replace(next_wake=self._next_wake(now))

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is Coverage:
            return NOTHING if self._watching else self._watch(now)
        if type(fact) is Movement:
            return self._moved(now, fact)
        if type(fact) is Amendment:
            return self._named(now, fact)
        if type(fact) is Attribution:
            return self._worked(fact)
        if type(fact) is Task:
            return self._told(now, fact)
        if type(fact) is ReferenceDeleted:
            return self._deleted(now, fact)
        if type(fact) is TaskCancel:
            opened = self._book.get(fact.code)
            return self._close(now, opened, "cancelled", fact.actor) if opened else NOTHING
        if type(fact) is Unresolved:
            over = self._foresight.over(now, fact.unresolved_id)
            return together(over, self._asked(now, fact))
        if type(fact) is StepHeld:
            return self._foresight.held(now, fact)
        if type(fact) is Dismissal:
            return self._answered(fact.unresolved_id)
        if type(fact) is SenseChange:
            return self._senses.changed(fact)
        if type(fact) is Item:
            self._uoms[fact.code] = fact.base_uom
            self._senses.item(fact)
        elif type(fact) is Stall:
            return self._stalled(fact.span_ns)
        elif type(fact) is InputChange:
            return Turn(next_wake=0) if self._doors.moved(now, fact) else NOTHING
        elif fact is None:
            return self._overdue(now)
        return NOTHING

    def _watch(self, now: Ns) -> Turn:
        """The first that is watched in this run: time goes on, from here for what is overdue."""
        self._watching = True
        turns = []
        for code in self._book.orphans():
            turns += [Turn(deletes=(TASK_ROW + code,)), self._acts.close(code, returnable=True)]
        for opened in self._book.in_work():
            if self._due(opened) <= now:
                opened.held = now + GAP_NS
        turns.append(self._foresight.begin(now))
        return together(Turn(next_wake=0), *turns, self._book.activate_all())

    def _told(self, now: Ns, task: Task) -> Turn:
        """A task is told; before anything is watched, it may be known already.

        One in work that asks another item or place now is another: what was done is confirmed.
        """
        if self._book.full(task):
            return NOTHING if now == 0 else self._guard.full(now, task.code, full=True)
        old = self._book.get(task.code)
        ended = NOTHING
        if old is not None and old.work.state == "picking" and self._book.is_other(old, task):
            ended = self._close(now, old, "cancelled")
            ended = together(ended, self._book.forget(task.code))
        opened = self._book.take(task)
        if opened is None or now == 0:
            return NOTHING
        looked = NOTHING
        if opened.work.state == "picking":
            looked = self._foresight.look(now, opened, task.from_location)
        return together(ended, self._book.keep(opened), self._book.activate(opened), looked)

    def _deleted(self, now: Ns, deleted: ReferenceDeleted) -> Turn:
        if deleted.kind == "item":
            self._uoms.pop(deleted.code, None)
        if deleted.kind != "task":
            return NOTHING
        opened = self._book.get(deleted.code)
        closed = self._close(now, opened, "cancelled") if opened else NOTHING
        forgotten = self._book.forget(deleted.code)
        kept = tuple(row for row in closed.puts if row.key != TASK_ROW + deleted.code)
        if opened is not None and not opened.kept:
            forgotten = NOTHING
        cleared = self._alerts.taken_back(now, deleted.code) if opened else NOTHING
        return together(closed._replace(puts=kept) if closed.puts else closed, forgotten, cleared)

    def _moved(self, now: Ns, movement: Movement) -> Turn:
        """A movement is told; what was foreseen of it counts by itself now."""
        foreseen = self._foresight.taken(movement.movement_id)
        if foreseen is None:
            return self._counts(now, movement)
        counted = self._counts(now, movement, foreseen.known)
        return together(counted, self._foresight.settled(now, foreseen))

    def _counts(self, now: Ns, movement: Movement, known: int = 0) -> Turn:
        """So many pieces of it are `known` to have left without an order."""
        if movement.kind == "adjustment":
            return NOTHING
        deed = self._matching.deed(movement)
        turn = NOTHING
        if known and (deed.match or deed.act):
            turn = self._guard.less(now, movement.from_location, movement.item, known)
        if deed.match is not None:
            return together(turn, self._count(now, deed, deed.match, movement))
        if deed.act is None:
            return self._guard.loose(now, movement, known=known)
        if deed.back:
            return together(turn, self._returned(now, deed.act, movement))
        return together(turn, Turn(facts=(Attribution(movement.movement_id, deed.act.order),)))

    def _count(self, now: Ns, deed: Deed, match: Match, movement: Movement) -> Turn:
        """It counts for a task."""
        opened, quantity = match.opened, match.sign * movement.quantity
        deed.count(movement)
        opened.acted(now, movement.at_event)
        if deed.stray:
            return self._kept(now, opened, match.place)
        opened.work.noise += noise_of(movement)
        act = act_of(now, movement, opened, match.place, quantity)
        added = Turn(
            facts=(Attribution(movement.movement_id, opened.task.order),),
            puts=(self._acts.add(act),),
        )
        back = NOTHING
        if quantity < 0:
            back = self._acts.take_back(act, -quantity, movement.epcs)
        return together(added, back, self._kept(now, opened, match.place))

    def _returned(self, now: Ns, act: Act, movement: Movement) -> Turn:
        """What a closed task has taken comes back."""
        whose = Attribution(movement.movement_id, act.order)
        if movement.reverses is None and movement.kind == "receipt":
            whose = Attribution(
                movement.movement_id, act.order, kind="return", reverses=act.movement_id
            )
        back = self._acts.take_back(act, movement.quantity, movement.epcs)
        less = self._alerts.less(now, f"over_issue:{act.task}", movement.quantity)
        return together(Turn(facts=(whose,)), back, less)

    def _named(self, now: Ns, amendment: Amendment) -> Turn:
        """Which pieces a movement was of is known by now."""
        act = self._acts.get(amendment.amends_movement or "")
        if act is None or amendment.epcs is None:
            return NOTHING
        named = self._acts.name(act.movement_id, amendment.epcs)
        opened = None if act.closed else self._book.get(act.task)
        if opened is None:
            return named
        return together(named, self._foresight.look(now, opened, act.place))

    def _worked(self, whose: Attribution) -> Turn:
        """Another rule knows who it was."""
        act = self._acts.get(whose.movement_id) if whose.actor else None
        opened = None if act is None or act.closed else self._book.get(act.task)
        if opened is None or opened.work.actor == whose.actor:
            return NOTHING
        opened.work.actor = whose.actor
        return self._book.keep(opened)

    def _asked(self, now: Ns, unresolved: Unresolved) -> Turn:
        """Something happened at the place of a task, and it may be an act for it."""
        seen = unresolved.reason in ACTS
        turns = []
        for opened in list(self._book.in_area(self._places.area(unresolved.location))):
            item, work = opened.task.item, opened.work
            here = self._places.same(unresolved.location, opened.course.counted)
            may_be = item in unresolved.candidates or not unresolved.candidates
            in_turn = work.state == "picking" or (seen and work.state == "active")
            fresh = unresolved.unresolved_id not in work.questions
            if here and may_be and in_turn and fresh and len(work.questions) < QUESTIONS_MAX:
                work.questions.append(unresolved.unresolved_id)
                opened.acted(now, unresolved.at_event)
                turns.append(self._book.keep(opened))
        return together(*turns)

    def _answered(self, unresolved_id: str) -> Turn:
        turns = []
        for opened in self._book.in_work():
            if unresolved_id in opened.work.questions:
                opened.work.questions.remove(unresolved_id)
                turns.append(self._book.keep(opened))
        return together(*turns)

    def _kept(self, now: Ns, opened: OpenTask, place: str) -> Turn:
        """Its work has changed by an act there."""
        return together(self._book.keep(opened), self._foresight.look(now, opened, place))

    def _close(self, now: Ns, opened: OpenTask, state: TaskState | None, actor: str = "") -> Turn:
        """Confirm what became of a task; by itself unless a `state` is told."""
        code = opened.task.code
        epcs, acts = self._acts.epcs(code), self._acts.of(code)
        exception = None
        if state is None:
            state, exception = verdict(opened, epcs, blind=self._senses.blind(opened))
        identity = self._identify("task", code, now)
        ending = Ending(identity, state, exception, now, actor or None)
        uom = self._uoms.get(opened.task.item, "pcs")
        told = Turn(facts=(confirmation(opened, ending, acts, epcs, uom),))
        return together(
            told,
            self._book.close(opened, state),
            self._acts.close(code, returnable=opened.course.outward),
            self._guard.closed(now, opened, state),
            self._guard.full(now, code, full=False),
            self._book.activate(opened),
        )

    def _stalled(self, span_ns: Ns) -> Turn:
        """Nothing can be told of that time: pauses are longer by it."""
        stalled = self._book.in_work()
        for opened in stalled:
            opened.held = self._due(opened) + span_ns
        return Turn(next_wake=0) if stalled else NOTHING

    def _overdue(self, now: Ns) -> Turn:
        over = [opened for opened in self._book.in_work() if self._due(opened) <= now]
        return together(
            *(self._close(now, opened, None) for opened in over),
            self._acts.overdue(now - self._return_ns),
            self._alerts.overdue(now),
            Turn(next_wake=0),
        )

    def _due(self, opened: OpenTask) -> Ns:
        if self._foresight.waits_for(opened.task.code):
            return NEVER
        named = len(self._acts.epcs(opened.task.code)) if opened.task.serials else 0
        weighed = self._places.weighed(opened.course.counted)
        by_acts = due(opened, named, self._pauses, weighed=weighed)
        closed = self._doors.closed_after(opened)
        return (
            by_acts if closed is None else min(by_acts, due_at_door(opened, closed, self._pauses))
        )

    def _next_wake(self, now: Ns) -> Ns | None:
        dues = [self._due(opened) for opened in self._book.in_work()]
        oldest = self._acts.oldest()
        if oldest is not None:
            dues.append(oldest + self._return_ns)
        dues += [alert for alert in (self._alerts.next_due(),) if alert is not None]
        return max(min(dues), now + 1) if dues else None
