"""Movement: one act, one movement, whatever senses saw it.

    weight only, or an item without tags --- its count ------> movement by weight
    tags only ------------------------------ its Arrival, Departure --> movement by tag
    both, in one zone ----------------------> `rules.fused_steps`, `rules.fused_tags`
    gate ---------------------------------- its Passage -----> movement by tag

A pick from a weighed and tagged place is seen twice: as a weight step at once, and as a tag that
falls silent seconds later. It is told as soon as both agree, or by weight after a short wait:

    step ------- all its tags --------------------------------> movement by weight and tags
         ------- hold_s --------------------------------------> movement by weight; tags join later
         ------- tags of other items that weigh as much ------> movement of these, and an alert
         ------- told, and its tags' time is over ------------> senses disagree, but where a task
                                                                asked just that
    tag came --- its step ------------------------------------> (joins that movement)
             --- no step -------------------------------------> unresolved, and an alert
    tag went --- its step ------------------------------------> (joins that movement)
             --- no step for missing_s, whatever shades it ---> unresolved, and an alert

A tag by itself moves nothing there while the scale is watched, nor does a stray read of one that is
planned on another cell. Where the other sense is blind, because its device is dead, waiting proves
nothing: the one decides alone and nobody is called; `rules.alone` keeps what a tag decided from
being told again, and a step waits for its tags until the zone is watched again.

What is unresolved is an alert (`rules.open_alerts`) until what explains it later closes it
(`rules.unsettled`); a tag that turns out never to have left is booked back by a reversal
(`rules.reversal`). What waits is durable, because the rule that told it has moved on. Stock of the
first start is a Snapshot; while its tags are found, senses need not agree (`rules.settling`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Arrival,
    Attribution,
    Badge,
    Cell,
    CountChange,
    Coverage,
    Departure,
    Dismissal,
    Fact,
    Item,
    Movement,
    Ns,
    Passage,
    ReadPace,
    ReferenceDeleted,
    Scan,
    SenseChange,
    Stall,
    StillStands,
    TagsBound,
    ToldWrong,
    Unresolved,
    WeightStep,
    ZoneLearned,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.act import WaitingStep, WaitingTag
from rules.correction import Correction
from rules.first_start import FirstStart
from rules.fused_steps import FusedSteps
from rules.fused_tags import FusedTags
from rules.scan_desk import ScanDesk
from rules.shelf import Shelf
from rules.turns import together
from rules.unknown_tags import UnknownTags
from rules.unsettled import Weighed
from rules.waits import MovementSettings, Waits


class MovementRule:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = MovementSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        WeightStep,
        CountChange,
        Arrival,
        Departure,
        ReadPace,
        ZoneLearned,
        Passage,
        Item,
        Badge,
        Movement,
        Attribution,
        ReferenceDeleted,
        Coverage,
        SenseChange,
        Stall,
        StillStands,
        TagsBound,
        ToldWrong,
        Scan,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: MovementSettings, context: RuleContext) -> None:
        self._waits = Waits(settings, context.lateness_max_ns)
        self._shelf = Shelf(context, self._waits)
        self._steps = FusedSteps(self._shelf)
        self._tags = FusedTags(self._shelf, self._steps)
        self._catalogue = self._shelf.catalogue
        self._telling = self._shelf.telling
        self._unsettled = self._shelf.unsettled
        self._correction = Correction(self._shelf, context.identify)
        self._unknown = UnknownTags(self._shelf)
        self._portals = {portal.portal: portal for portal in context.site.portals}
        self._zone_devices = {
            zone.location: {point.rpartition(":")[0] for point in zone.antennas}
            for zone in context.site.zones
        }
        self._badges = self._shelf.badges
        self._scans = ScanDesk(self._shelf, context.identify)
        first_wait_ns = int(settings.first_wait_s * NS_PER_S)
        self._first = FirstStart(first_wait_ns, context.identify, self._catalogue.uom)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back what waited, which alerts stand, and the stock found on the first start."""
        shelf = self._shelf
        books = (
            shelf.disagreement,
            self._first,
            shelf.unsettled,
            shelf.open_alerts,
            shelf.reversals,
            shelf.lone,
            shelf.oddities,
            shelf.tagless,
            shelf.quarantine,
            shelf.catalogue,
        )
        for row in rows:
            if not any(book.restore(row) for book in books):
                shelf.waiting.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Join what belongs together; decide what has waited long enough."""
        claimed = self._claimed(now) if type(fact) in SENSED else NOTHING
        turn = together(claimed, self._decide(now, fact))
        if turn is NOTHING:
            return turn
        turn = turn._replace(facts=self._scans.named(now, turn.facts))
        moved = [fact for fact in turn.facts if type(fact) is Movement and fact.epcs]
        turn = together(turn, *(self._unsettled.moved(now, movement.epcs) for movement in moved))
        turn = together(turn, self._shelf.open_alerts.told(now, turn.facts))
        dues = (self._first.next_due(), self._shelf.due())
        due = min((due for due in dues if due is not None), default=None)
        return turn._replace(next_wake=None if due is None else max(due, now + 1))

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is CountChange:
            return self._on_count(now, fact)
        if type(fact) is Arrival or type(fact) is Departure:
            if fact.epc in self._badges.worn:
                return NOTHING  # a person is no stock
            told = self._on_tag(now, fact)
            if type(fact) is Arrival and fact.refutes and fact.from_zone == fact.zone:
                return together(self._shelf.reversals.not_passed(now, fact), told)
            return told
        if type(fact) is WeightStep:
            return self._on_weight(now, fact)
        if type(fact) is ReadPace:
            return self._on_pace(fact)
        if type(fact) is ZoneLearned:
            self._shelf.settling.known(now, fact.zone)
        elif type(fact) is Passage and fact.epc not in self._badges.worn:
            return self._on_passage(now, fact)
        if type(fact) is StillStands:
            return self._shelf.reversals.not_passed(now, fact)
        if type(fact) is ToldWrong:
            return self._correction.taken_back(now, fact)
        if type(fact) is Scan:
            return self._scans.scanned(now, fact)
        if type(fact) is Item or type(fact) is Badge or type(fact) is ReferenceDeleted:
            self._shelf.learn(fact)
        elif type(fact) is TagsBound:
            return self._catalogue.bind(fact)
        elif type(fact) is Attribution and fact.order is not None:
            self._steps.ordered(fact.movement_id)
        elif type(fact) is Stall:
            self._shelf.put_off(fact.span_ns)
            return WAKE
        elif type(fact) is Coverage:
            return self._on_coverage(now, fact)
        elif type(fact) is SenseChange and self._shelf.senses.changed(fact):
            self._shelf.weighed_again(now, {fact.point})
            return WAKE
        elif fact is None:
            return self._overdue(now)
        return NOTHING

    def _on_weight(self, now: Ns, step: WeightStep) -> Turn:
        """If it is counted, that follows in the same turn."""
        cell = self._shelf.cells[step.cell]
        single = cell.planned[0] if len(cell.planned) == 1 else ""
        if step.cause != "first_start" and self._shelf.planned(cell.zone or "", single):
            self._steps.weighed(now, cell, step)
        return NOTHING

    def _on_count(self, now: Ns, change: CountChange) -> Turn:
        cell = self._shelf.cells[change.cell]
        item = self._catalogue.get(change.item)
        if change.step.cause == "first_start":
            first = self._first_count(now, cell, change)
            if first is not None:
                return first
        step = WaitingStep.of(change, "", now, now)
        weighed = Weighed.of(change, item)
        both = item is not None and bool(item.pattern) and bool(cell.zone)
        both = both and len(cell.planned) == 1
        live = change.step.cause != "first_start"
        if change.quantity == 0 and both and live and not self._unsettled.open(change.cell):
            return self._steps.counted(now, cell, change)
        if change.quantity == 0 or item is None:
            unresolved = self._telling.unresolved_step(now, step, candidates=change.candidates)
            old = self._unsettled.old(now, change.cell)
            turn = self._unsettled.weighed(now, weighed, unresolved.unresolved_id)
            if turn.facts and not old:
                return turn
            back = (Dismissal(unresolved.unresolved_id, "returned", now),) if turn.facts else ()
            return turn._replace(facts=(unresolved, *turn.facts, *back))
        if both:
            told = self._steps.counted(now, cell, change)
        else:
            told = Turn(facts=(self._telling.step(now, step),))
        return together(told, self._unsettled.weighed(now, weighed))

    def _first_count(self, now: Ns, cell: Cell, change: CountChange) -> Turn | None:
        """What lay there at first; None if the count of one item is to be told as any other."""
        unsure = change.quantity and change.on_hand is None
        if unsure and change.step.after_g > change.step.before_g:
            return self._unsure(now, cell, change)
        if change.confidence_permille or not (change.item or change.candidates):
            stated = self._first.count(now, cell, change)
            settled = self._unsettled.stated(now, cell.cell)
            return together(stated, settled, self._untagged(cell, change))
        if not change.candidates:
            return None
        step = WaitingStep.of(change, "", now, now)
        told = self._telling.unresolved_step(now, step, candidates=change.candidates)
        turn = self._unsettled.unstated(now, cell.cell, told.unresolved_id)
        return turn._replace(facts=(told,))

    def _unsure(self, now: Ns, cell: Cell, change: CountChange) -> Turn:
        """What lay there at first is the likeliest number, and stays open until it is stated."""
        step = WaitingStep.of(change, "", now, now)
        told = self._telling.unresolved_step(now, step)
        opened = self._unsettled.unstated(now, cell.cell, told.unresolved_id)
        cells, zones = self._shelf.cells.values(), self._shelf.site.zones
        here = [place.location for place in cells] + [zone.location for zone in zones]
        turn = together(Turn(facts=(told,)), opened, self._untagged(cell, change))
        if here.count(cell.location) > 1:
            return turn  # a statement of the others would take it away
        return together(turn, self._first.estimate(now, cell, change))

    def _untagged(self, cell: Cell, change: CountChange) -> Turn:
        """So many pieces lie there, and their tags are still to show."""
        zone = cell.zone or ""
        if not self._shelf.planned(zone, change.item):
            return NOTHING
        return self._shelf.tagless.add(zone, change.item, change.quantity)

    def _on_tag(self, now: Ns, fact: Arrival | Departure) -> Turn:
        item = self._catalogue.of_tag(fact.epc)
        if fact.cause == "first_start":
            self._shelf.settling.found(fact.zone)
        if type(fact) is Departure:
            self._waits.departed(fact.zone, fact.epc)
            forgotten = None if fact.to_zone else self._first.forget(fact)
            if forgotten is not None:
                return forgotten
        if item is None:
            return self._unknown.moved(now, fact)
        found = self._first.elsewhere(now, fact, item.code) if type(fact) is Arrival else None
        if found is not None:
            return found
        fused = self._tags.told(now, fact, item)
        if fused is not None:
            return fused
        if fact.cause == "first_start":
            return self._first.tag(now, fact, item.code)
        return self._tag_alone(now, fact, WaitingTag.of(fact, item.code, now, now))

    def _claimed(self, now: Ns) -> Turn:
        """What was kept aside comes, or passes, now that it is known what it is."""
        turns = []
        for fact in self._unknown.claimed():
            turns.append(self._shelf.quarantine.let_go(now, fact.epc))
            if fact.epc in self._badges.worn:
                continue
            if isinstance(fact, Passage):
                turns.append(self._on_passage(now, fact))
            else:
                turns.append(self._on_tag(now, fact))
        return together(*turns)

    def _tag_alone(self, now: Ns, fact: Arrival | Departure, tag: WaitingTag) -> Turn:
        """Only antennas watch this item here: the tag is the movement."""
        moved = bool(tag.elsewhere) and not self._shelf.planned(tag.elsewhere, tag.item)
        if moved and isinstance(fact, Departure):
            return NOTHING  # its Arrival in the same turn is the transfer
        sure = tag.confidence_permille >= self._waits.sure_permille
        place = tag.elsewhere or UNKNOWN_LOCATION
        refuted = None
        if isinstance(fact, Arrival):
            refuted = self._shelf.reversals.refuted(now, fact, place)
            if refuted is not None and (sure or place == tag.zone):
                told = self._shelf.reversals.taken_back(now, refuted, fact)
                return together(told, self._instead(now, fact, tag, place))
        booked = refuted.to_location if refuted else self._unsettled.booked(tag.epc)
        back = None if booked else self._unsettled.turned_back(now, fact)
        if back is not None:
            return back
        if booked == (tag.zone if tag.arriving else UNKNOWN_LOCATION):
            return self._unsettled.as_booked(now, tag.epc)
        closed = None
        if moved and not booked:  # it was never booked there, if that was unresolved
            closed = self._unsettled.returned(now, tag.epc, tag.elsewhere, arriving=False)
        source = booked or (tag.elsewhere if moved and closed is None else UNKNOWN_LOCATION)
        if not tag.arriving:
            source = booked or tag.zone
        return together(closed or NOTHING, self._tag_moved(now, fact, tag, source))

    def _tag_moved(self, now: Ns, fact: Arrival | Departure, tag: WaitingTag, source: str) -> Turn:
        """It went from `source`, where it is in the books; too unsure, and it stays there."""
        if tag.confidence_permille < self._waits.sure_permille:
            told = self._telling.unresolved_tag(now, tag, "unsure")
            kept = self._unsettled.kept_back(now, told, source, arriving=tag.arriving)
            return kept._replace(facts=(told,))
        if not tag.arriving:
            tag = replace(tag, zone=source)
        movement = self._telling.tag(now, fact, tag, source if tag.arriving else UNKNOWN_LOCATION)
        return self._shelf.reversals.note(movement)

    def _instead(self, now: Ns, arrival: Arrival, tag: WaitingTag, place: str) -> Turn:
        """What a tag has done that did not do what was told of it; nothing if it never left."""
        if place == arrival.zone:
            return NOTHING
        return self._shelf.reversals.note(self._telling.tag(now, arrival, tag, place))

    def _on_passage(self, now: Ns, passage: Passage) -> Turn:
        if passage.direction == "turned_back":
            return NOTHING
        portal = self._portals[passage.portal]
        kept = self._unknown.passed(now, passage, portal)
        if kept is not None:
            return kept
        if passage.confidence_permille < self._waits.sure_permille:
            passage = replace(passage, direction="uncertain")
        told = self._telling.passage(now, passage, portal)
        if isinstance(told, Unresolved):
            return self._unknown.unresolved(now, told, "", arriving=passage.direction == "in")
        return self._shelf.reversals.passed(told)

    def _on_pace(self, pace: ReadPace) -> Turn:
        """Tags of that zone are missed later or sooner than was thought."""
        if not self._waits.pace(pace):
            return NOTHING
        wait_ns = self._waits.tags_ns(pace.zone, arriving=False)
        self._shelf.waiting.extend(pace.zone, wait_ns)
        return WAKE

    def _on_coverage(self, now: Ns, coverage: Coverage) -> Turn:
        """A device that comes back gets the whole time to tell what it finds."""
        bounded = self._shelf.waiting.bound(now)
        if not self._shelf.senses.hear(now, coverage):
            return WAKE if bounded else NOTHING
        device = coverage.device
        cells = {cell for cell in self._shelf.cells if cell.rpartition(":")[0] == device}
        if cells:
            self._shelf.weighed_again(now, cells)
        for zone in [zone for zone, devs in self._zone_devices.items() if device in devs]:
            self._shelf.waiting.renew(zone, lambda each: self._waits.anew(now, each))
            self._first.renew(now, zone)
        return WAKE

    def _overdue(self, now: Ns) -> Turn:
        steps, tags = self._shelf.waiting.overdue(now)
        turns = [self._steps.overdue(now, step) for step in steps]
        turns += [self._tags.overdue(now, tag) for tag in tags]
        turns += [self._tags.unconfirmed(now, act) for act in self._shelf.lone.overdue(now)]
        turns += [self._shelf.open_alerts.overdue(now), self._shelf.quarantine.overdue(now)]
        return together(*turns, self._first.overdue(now), WAKE)


SENSED = frozenset((Arrival, Departure, Passage, Coverage))
"""With these, what was kept aside is looked up again where the items have changed."""

WAKE = Turn(next_wake=0)
"""Nothing is decided, but a wait may end sooner or later than was wished before."""
