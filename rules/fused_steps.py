"""The weight's side of a place with both senses: steps that find their tags (`rules.movement`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.model import (
    NS_PER_S,
    Cell,
    CountChange,
    Fact,
    Ns,
    StepExpectsTags,
    StepHeld,
    TagsFollow,
    WeightStep,
)
from gateway.ports import NOTHING, Turn
from rules.act import WaitingStep, WaitingTag
from rules.odd_steps import OddSteps, of_other, of_own
from rules.recent_steps import RecentSteps
from rules.shelf import Shelf
from rules.step_tags import StepTags
from rules.turns import together
from rules.unsettled import Weighed
from rules.waiting import UNTIL_WATCHED
from rules.waits import ARRIVE_MAX_NS, TELL_MAX_NS, UNEXPLAINED_NS

PUT_BACK_NS = 20 * NS_PER_S
"""Who takes a thing to look at it lays it back within this time, and its tag may not be missed."""


class FusedSteps:
    """See the module."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._waiting = shelf.waiting
        self._among = StepTags(shelf.waiting)
        self._odd = OddSteps(shelf)
        self.recent = RecentSteps()

    def counted(self, now: Ns, cell: Cell, change: CountChange) -> Turn:
        """A cell of such a place has changed, by whole pieces or not."""
        step = WaitingStep.of(change, cell.zone or "", now, now)
        self._odd.counted(step)
        known = self._shelf.lone.in_step(change)
        if not known:
            return self._begin(now, step)
        told = Turn(deletes=tuple(act.key for act in known))
        told = together(told, self._shelf.unsettled.moved(now, [act.epc for act in known]))
        left = change.quantity - sum(act.quantity for act in known)
        if left == 0:
            return together(told, self._shelf.agree(now, step.zone, step.item))
        return together(told, self._begin(now, replace(step, quantity=left)))

    def join(self, now: Ns, tag: WaitingTag, *, late: bool = False) -> Turn | None:
        """Give a tag to the step that lies nearest, if any wants it. One that is `late` has waited
        for a step of its own. What was told to lack a tag does not lack one that was read in
        another zone, since when nobody knows.
        """
        wanting = [
            step
            for step in self._waiting.steps()
            if step.wants(tag)
            and step.causes(tag, now)
            and (late or not step.late(tag))
            and not (step.alerted and tag.arriving and tag.elsewhere)
        ]
        if not wanting:
            return None
        step = min(wanting, key=lambda each: each.apart_ns(tag))
        return self._joined(now, step, step.joined(tag))

    def explain(self, now: Ns, tag: WaitingTag) -> Turn | None:
        """A tag of another item waits: is it what a step weighed?"""
        for step in list(self._waiting.steps()):
            if not step.told and of_other(step, tag):
                turn = self._decided(now, step, (step.key,))
                if turn is not None:
                    self._waiting.drop(step)
                    return turn
        return self._odd.light(now, self._among.unmatched(), tag)

    def beside(self, now: Ns, tag: WaitingTag) -> bool:
        """Whether any step may be of pieces of another item, that tag among them."""
        waiting = (step for step in self._waiting.steps() if not step.told)
        return any(of_other(step, tag) for step in waiting) or bool(self._odd.beside(now, tag))

    def weighed(self, now: Ns, cell: Cell, step: WeightStep) -> None:
        """A cell of such a place has changed, by what may be less than a piece of its own."""
        change = CountChange(cell.cell, cell.item or "", 0, 0, 0, step)
        self._odd.weighed(WaitingStep.of(change, cell.zone or "", now, now))

    def mislabelled(self, now: Ns, tag: WaitingTag) -> Turn | None:
        """A tag of another item came, and no step weighs as much: it is on a piece that lacks its
        own. Where its item is planned beside, it is so only if that piece will get none.
        """
        for step in self._waiting.steps():
            lacks = (
                step.arriving and step.wanting and (step.alerted or (step.told and tag.stranger))
            )
            if lacks and of_other(step, tag) and tag.at <= step.known_at + ARRIVE_MAX_NS:
                turn = self._odd.mislabelled(step, tag)
                joined = self._joined(now, step, step.joined(tag))
                found = self._shelf.disagreement.found(now, step.zone, step.item)
                return together(turn, joined, found)
        return None

    def cross_read(self, now: Ns, tag: WaitingTag) -> Turn | None:
        """A tag of an item that is planned elsewhere came: a step there that lacks one has it, and
        an antenna of another zone reads it better.
        """
        for step in self._waiting.steps():
            there = replace(tag, zone=step.zone, stranger=False)
            lately = tag.at <= step.known_at + ARRIVE_MAX_NS
            if step.arriving and lately and step.wants(there):
                return self._joined(now, step, step.joined(tag))
        return None

    def not_gone(self, now: Ns, tag: WaitingTag) -> Turn | None:
        """A tag that was taken for a piece of a step stands there still: it was another; unless a
        step that lies nearer brought it back.
        """
        took = self.recent.took(now, tag)
        waiting = next((step for step in self._waiting.steps() if step.took(tag)), None)
        step = took or waiting
        if step is None or self._among.nearer(tag, step):
            return None
        there = self._shelf.telling.tags(step, (tag.epc,), arriving=True)
        if took is None:
            parted = step.parted(tag.epc)
            facts = (there, self._shelf.telling.pieces(parted)) if step.told else ()
            return self._changed(step, parted, facts)
        step = self.recent.without(step, tag)
        due = now + self._shelf.waits.tags_ns(tag.zone, arriving=False)
        step, deletes = self._among.filled(now, replace(step, due=due), self._waiting.tags())
        pieces = self._shelf.telling.pieces(step)
        told = Turn(facts=(there, *self._shown(step, step.epcs), pieces), deletes=deletes)
        return together(told, self._begin(now, step))

    def overdue(self, now: Ns, step: WaitingStep) -> Turn:
        """It has waited long enough."""
        if step.alerted:
            return together(Turn(deletes=(step.key,)), self._shelf.agree(now, step.zone, step.item))
        if step.told:
            return self._tags_over(now, step)
        return self._hold_over(now, step)

    def _begin(self, now: Ns, step: WaitingStep) -> Turn:
        older = together(*self._older_first(now, step))
        step, deletes = self._among.filled(
            now, step, [tag for tag in self._waiting.tags() if not tag.spare]
        )
        turn = self._decided(now, step, deletes)
        return together(older, turn or self._waits(now, step, deletes))

    def _older_first(self, now: Ns, step: WaitingStep) -> Iterable[Turn]:
        """More tags wait than the step wants: the first of them are of an older one that lacks
        them. So are those that came nearer to that one.
        """
        tags = sorted(filter(step.wants, self._among.unmatched()), key=lambda each: each.at)
        surplus = tags[: max(0, len(tags) - step.wanting)]
        nearer = [tag for tag in tags if tag.arriving and self._among.nearer(tag, step)]
        for tag in [*surplus, *(tag for tag in nearer if tag not in surplus)]:
            turn = self.join(now, tag, late=True)
            if turn is not None:
                yield turn
                yield Turn(deletes=self._waiting.drop(tag))

    def _waits(self, now: Ns, step: WaitingStep, deletes: Sequence[str]) -> Turn:
        """It is told later, when its tags have come or its time is over."""
        doubtful = self._odd.doubtful(step)
        if not (step.quantity or step.arriving or doubtful):
            return together(Turn(deletes=tuple(deletes)), self._unresolved(now, step))
        if not step.told:
            doubtful = doubtful or step.quantity == 0
            step = replace(step, due=now + self._shelf.hold_ns(now, step, doubtful=doubtful))
        row = self._waiting.add(step)
        facts: tuple[Fact, ...] = (*self._expects(now, step), *self._held(step))
        return Turn(facts, (row,), tuple(deletes))

    def _held(self, step: WaitingStep) -> Iterable[StepHeld]:
        if step.quantity and not step.told:
            yield self._shelf.telling.held(step, step.quantity)

    def _expects(self, now: Ns, step: WaitingStep) -> Iterable[StepExpectsTags]:
        item = self._shelf.catalogue.get(step.item)
        if item is not None and step.wanting and not self._shelf.senses.zone_blind(now, step.zone):
            yield step.expects(item.pattern)

    def _joined(self, now: Ns, step: WaitingStep, joined: WaitingStep) -> Turn:
        fresh = [epc for epc in joined.epcs if epc not in step.epcs]
        joined, named = self._named(joined, fresh, at_once=joined.complete or joined.alerted)
        changed = together(self._changed(step, joined, self._shown(step, fresh)), named)
        turn = self._decided(now, joined, (step.key,))
        if turn is None:
            return changed
        self._waiting.drop(step)
        return together(changed._replace(puts=changed.puts[1:]), turn)

    def _changed(self, step: WaitingStep, changed: WaitingStep, facts: tuple[Fact, ...]) -> Turn:
        """It waits as it is now; what it was found to lack is known to have no tag."""
        row = self._waiting.add(changed)
        lacking = changed.wanting - step.wanting if step.alerted else 0
        return together(Turn(facts=facts, puts=(row,)), self._shelf.tagless.lacking(step, lacking))

    def _shown(self, step: WaitingStep, epcs: Sequence[str]) -> tuple[TagsFollow, ...]:
        """Tell which tags belong to a movement that is told."""
        if not (step.told and epcs):
            return ()
        return (self._shelf.telling.tags(step, epcs, arriving=step.arriving),)

    def _named(
        self, step: WaitingStep, fresh: Sequence[str], *, at_once: bool
    ) -> tuple[WaitingStep, Turn]:
        """Tell the core of all pieces of a movement when no more are to come soon."""
        unnamed = step.told and (bool(fresh) or step.unnamed)
        if not (unnamed and at_once):
            return replace(step, unnamed=unnamed), NOTHING
        return replace(step, unnamed=False), Turn(facts=(self._shelf.telling.pieces(step),))

    def _decided(self, now: Ns, step: WaitingStep, deletes: Sequence[str]) -> Turn | None:
        """Tell what its tags explain; None as long as they do not."""
        if step.complete:
            return together(Turn(deletes=tuple(deletes)), self._agreed(now, step))
        if step.told:
            return None
        tags = [tag for tag in self._waiting.tags() if of_other(step, tag)]
        strangers = self._shelf.explanation.strangers(step, tags)
        if strangers is None:
            return None
        gone = (*deletes, *self._waiting.drop(*strangers))
        return together(Turn(deletes=gone), self._odd.told(now, step, strangers))

    def _agreed(self, now: Ns, step: WaitingStep) -> Turn:
        told = NOTHING if step.told else self._by_weight(now, step)
        self.recent.remember(now, replace(step, told=True))
        left = self._shelf.oddities.gone(step.epcs) if not step.arriving else NOTHING
        return together(told, left, self._shelf.agree(now, step.zone, step.item))

    def ordered(self, movement_id: str) -> None:
        """A task asked that movement: order and weight agree, and a tag that is not read is no
        reason to call anybody. It is written down with the next change of the step.
        """
        for step in self._waiting.steps():
            if step.told and self._shelf.telling.identity(step) == movement_id:
                self._waiting.add(replace(step, ordered=True))
                return

    def _by_weight(self, now: Ns, step: WaitingStep) -> Turn:
        """Tell it, after those that the same cell weighed before: what is put back was taken. One
        that may be of another item waits for its tags all the same.
        """
        older = [
            each
            for each in self._waiting.steps()
            if each.cell == step.cell
            and not each.told
            and each.known_at < step.known_at
            and each.quantity
            and not self._odd.doubtful(each)
        ]
        self._waiting.drop(*older)
        before = [self._hold_over(now, each) for each in older]
        return together(*before, Turn(facts=(self._shelf.told(now, step),)))

    def _hold_over(self, now: Ns, step: WaitingStep) -> Turn:
        """It is told now, by what is known."""
        step, back = self._among.without_returned(step)
        step, deletes = self._among.filled(now, step, self._among.unmatched())
        deletes = (*deletes, *back, step.key)
        turn = self._decided(now, step, deletes)
        if turn is not None:
            return turn
        gone = Turn(deletes=deletes)
        taken_away = self._odd.taken_away(now, step)
        if taken_away is not None:
            return together(gone, taken_away)
        if step.quantity == 0:
            if not self._shelf.explanation.by_tags(step):
                return together(gone, self._unresolved(now, step))
            return together(gone, self._agreed(now, of_own(step, len(step.epcs))))
        alone = self._shelf.senses.weight_alone(now, step.cell, step.zone)
        if not (step.epcs or alone) and self._odd.doubtful(step):
            found = self._shelf.disagreement.found(now, step.zone, step.item)
            return together(gone, self._unresolved(now, step, "item_uncertain"), found)
        told = together(Turn(deletes=deletes[:-1]), self._by_weight(now, step))
        due = UNTIL_WATCHED
        if not self._shelf.senses.zone_blind(now, step.zone):
            wait_ns = self._shelf.waits.tags_ns(step.zone, arriving=step.arriving)
            due = max(now, step.known_at + wait_ns)
        step = replace(step, told=True, due=due)
        row = self._waiting.add(step)
        mislabelled = list(self._mislabels(now, step))
        if due > now or mislabelled:
            return together(told, Turn(puts=(row,)), *mislabelled)
        self._waiting.drop(step)
        return together(told, self._tags_over(now, step))

    def _mislabels(self, now: Ns, step: WaitingStep) -> Iterable[Turn]:
        """Tags of other items that came with a step which lacks as many."""
        for tag in [tag for tag in self._waiting.tags() if tag.stranger and of_other(step, tag)]:
            turn = self.mislabelled(now, tag)
            if turn is not None:
                yield Turn(deletes=self._waiting.drop(tag))
                yield turn

    def _tags_over(self, now: Ns, step: WaitingStep) -> Turn:
        """The time of its tags is over: the senses agree, or they do not."""
        if self._shelf.senses.zone_blind(now, step.zone):
            return Turn(puts=(self._waiting.add(replace(step, due=UNTIL_WATCHED)),))
        claimed = self._among.claimed(step)
        if now < claimed <= step.known_at + TELL_MAX_NS:
            return Turn(puts=(self._waiting.add(replace(step, due=claimed)),))
        spares = [
            tag
            for tag in self._waiting.tags()
            if (tag.zone, tag.item, tag.arriving) == (step.zone, step.item, step.arriving)
            and not (tag.stranger or step.after(tag))
        ][: step.wanting]
        for tag in spares:
            step = step.joined(tag)
        fresh = [tag.epc for tag in spares]
        step, named = self._named(step, fresh, at_once=True)
        shown = together(Turn(facts=self._shown(step, fresh)), named)
        deletes = (step.key, *self._waiting.drop(*spares))
        step, turn = self._put_back(now, step)
        if not (step.complete or step.arriving):
            step, known = self._tagless(now, step)
            turn = together(turn, known)
        if self._shelf.settling.excuses(step):
            turn = together(turn, self._shelf.tagless.lacking(step, step.wanting))
            step = replace(step, excused=step.excused + step.wanting)
        if step.complete:
            return together(shown, Turn(deletes=deletes), turn, self._agreed(now, step))
        step = replace(step, alerted=True, due=now + UNEXPLAINED_NS)
        found = NOTHING
        if not step.ordered:
            found = self._shelf.disagreement.found(now, step.zone, step.item)
        kept = Turn(puts=(self._waiting.add(step),), deletes=deletes[1:])
        return together(shown, kept, turn, found, self._shelf.tagless.lacking(step, step.wanting))

    def _tagless(self, now: Ns, step: WaitingStep) -> tuple[WaitingStep, Turn]:
        """What was taken is of the pieces there that have no tag: then nothing is odd about it, nor
        any longer about the putting of those that were told of. The others are taken first: what
        was told stands for as long as it may be so.
        """
        known = self._shelf.tagless.among(step.zone, step.item, step.wanting)
        step = replace(step, excused=step.excused + known)
        puts = [
            put
            for put in self._waiting.steps()
            if put.alerted and put.arriving and (put.zone, put.item) == (step.zone, step.item)
        ]
        told = sum(put.wanting for put in puts)
        quiet = max(0, self._shelf.tagless.among(step.zone, step.item, known + told) - told)
        turn, known = self._shelf.tagless.add(step.zone, step.item, -quiet), known - quiet
        for put in puts:
            both = min(known, put.wanting)
            if both:
                known -= both
                excused = replace(put, excused=put.excused + both)
                turn = together(turn, self._joined(now, put, excused))
        return step, turn

    def _put_back(self, now: Ns, step: WaitingStep) -> tuple[WaitingStep, Turn]:
        """What was taken and put back, or the other way round, before its tag was missed needs
        none.
        """
        turn = NOTHING
        for other in list(self._waiting.steps()):
            both = min(step.wanting, other.wanting) if other.cell == step.cell else 0
            apart_ns = abs(other.known_at - step.known_at)
            if not both or not other.told or other.arriving == step.arriving:
                continue
            if apart_ns > PUT_BACK_NS:
                continue
            step = replace(step, excused=step.excused + both)
            excused = replace(other, excused=other.excused + both)
            turn = together(turn, self._joined(now, other, excused))
        return step, turn

    def _unresolved(self, now: Ns, step: WaitingStep, reason: str = "") -> Turn:
        """It is not known what it was."""
        item = self._shelf.catalogue.get(step.item)
        unresolved = self._shelf.telling.unresolved_step(now, step, reason)
        unit_mg = item.unit_mg if item else 0
        weighed = Weighed(step.cell, step.after_mg - step.before_mg, 0, unit_mg)
        turn = self._shelf.unsettled.weighed(now, weighed, unresolved.unresolved_id)
        return turn if turn.facts else turn._replace(facts=(unresolved,))
