"""Movement: one act, one movement, whatever senses saw it.

A pick from a weighed and tagged place is seen twice: as a weight step at once, and as a tag that
falls silent seconds later. Whichever comes first waits for the other:

    step of a tagged item --- all its tags --> movement by weight and tags
                          --- tag_wait_s ----> movement by weight, and an alert: senses disagree
    tag of a weighed item --- its step ------> (joins that movement)
                          --- step_wait_s ---> unresolved, and an alert: senses disagree

Where the other sense is blind, because its device is dead, waiting proves nothing: the one decides
alone and nobody is called, and `Lone` keeps it from being told again by the other (`rules.alone`).
What stays unresolved is closed by what explains it later (`rules.unsettled`).

A place with one sense decides by that sense at once. Where tags are read seldom, a departure is
proven late: `ReadPace` says how late, and steps there wait longer, but no longer than
`tag_wait_max_s`: stock must be true within seconds, and the tag may join later. What waits is
durable, because the rule that told it has moved on. Stock of the very first start is a Snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Arrival,
    Cell,
    CountChange,
    Coverage,
    Departure,
    Fact,
    Item,
    Movement,
    Ns,
    Passage,
    ReadPace,
    ReferenceDeleted,
    Stall,
    Unresolved,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.alone import Alone, Lone
from rules.catalogue import Catalogue
from rules.disagreement import Disagreement
from rules.first_start import FirstStart
from rules.senses import Senses
from rules.telling import Telling
from rules.turns import together
from rules.unsettled import Unsettled
from rules.waiting import UNWATCHED_MAX_NS, Waiting, WaitingStep, WaitingTag

PACE_MARGIN_NS = 3 * NS_PER_S
"""How much later than a tag's leave window its Departure may come: coverage comes in spans."""


class MovementSettings(PluginSettings):
    """How long one sense waits for the other."""

    tag_wait_s: float = Field(13.0, gt=0)
    tag_wait_max_s: float = Field(20.0, gt=0)
    step_wait_s: float = Field(8.0, gt=0)
    first_wait_s: float = Field(3.0, gt=0)


class MovementRule:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = MovementSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        CountChange,
        Arrival,
        Departure,
        ReadPace,
        Passage,
        Item,
        Movement,
        ReferenceDeleted,
        Coverage,
        Stall,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: MovementSettings, context: RuleContext) -> None:
        self._tag_wait_ns = int(settings.tag_wait_s * NS_PER_S) + context.lateness_max_ns
        self._tag_wait_max_ns = int(settings.tag_wait_max_s * NS_PER_S) + context.lateness_max_ns
        self._step_wait_ns = int(settings.step_wait_s * NS_PER_S) + context.lateness_max_ns
        self._pace_margin_ns = PACE_MARGIN_NS + context.lateness_max_ns
        self._catalogue = Catalogue()
        self._telling = Telling(context.site, context.identify, self._catalogue)
        self._cells = {cell.cell: cell for cell in context.site.cells}
        self._weighed = {(cell.zone, cell.item) for cell in context.site.cells if cell.zone}
        self._portals = {portal.portal: portal for portal in context.site.portals}
        self._zone_devices = {
            zone.location: {point.rpartition(":")[0] for point in zone.antennas}
            for zone in context.site.zones
        }
        self._senses = Senses(context.site)
        self._lone = Lone(context.last_alive or 0)
        self._paces: dict[str, dict[str, Ns]] = {}
        self._waiting = Waiting(context.boot, context.last_alive or 0)
        self._unsettled = Unsettled(context.boot, context.last_alive or 0)
        self._disagreement = Disagreement()
        first_wait_ns = int(settings.first_wait_s * NS_PER_S)
        self._first = FirstStart(context.site, first_wait_ns, context.identify, self._catalogue.uom)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back what waited, which alerts stand, and the stock found on the first start."""
        for row in rows:
            books = (self._disagreement, self._first, self._unsettled, self._lone)
            if not any(book.restore(row) for book in books):
                self._waiting.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Join what belongs together; decide what has waited long enough."""
        turn = self._decide(now, fact)
        moved = [fact for fact in turn.facts if type(fact) is Movement and fact.epcs]
        turn = together(turn, *(self._unsettled.moved(now, movement.epcs) for movement in moved))
        if turn.next_wake is not None and turn.next_wake <= now:
            return turn._replace(next_wake=now + 1)
        return turn

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is CountChange:
            return self._on_count(now, fact)
        if type(fact) is Arrival or type(fact) is Departure:
            return self._on_tag(now, fact)
        if type(fact) is ReadPace:
            return self._on_pace(now, fact)
        if type(fact) is Passage:
            return self._on_passage(now, fact)
        if type(fact) is Item:
            self._catalogue.put(fact)
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._catalogue.remove(fact.code)
        elif type(fact) is Stall:
            self._waiting.put_off(fact.span_ns)
            self._senses.put_off(fact.span_ns)
            self._lone.put_off(fact.span_ns)
            return self._wake()
        elif type(fact) is Coverage:
            return self._on_coverage(now, fact)
        elif fact is None:
            return self._overdue(now)
        return NOTHING

    def _on_count(self, now: Ns, change: CountChange) -> Turn:
        cell = self._cells[change.cell]
        item = self._catalogue.get(change.item)
        if change.step.cause == "first_start" and (change.confidence_permille or not change.item):
            return self._first.count(now, cell, change)
        unit_mg = item.unit_mg if item else 0
        if change.quantity == 0 or item is None:
            unresolved = self._telling.unresolved_step(now, change)
            turn = self._unsettled.weighed(now, change, unit_mg, unresolved.unresolved_id)
            return turn if turn.facts else turn._replace(facts=(unresolved,))
        return together(
            self._on_pieces(now, cell, item, change),
            self._unsettled.weighed(now, change, unit_mg),
        )

    def _on_pieces(self, now: Ns, cell: Cell, item: Item, change: CountChange) -> Turn:
        waiting = WaitingStep.of(change, cell.zone or "", now, self._tag_wait(cell.zone or ""))
        if not (item.epc_prefixes and cell.zone):
            return Turn(facts=(self._telling.step(now, replace(waiting, zone="")),))
        known = self._lone.in_step(change)
        if known:
            told = Turn(deletes=tuple(act.key for act in known))
            told = together(told, self._unsettled.moved(now, [act.epc for act in known]))
            left = change.quantity - sum(act.quantity for act in known)
            if left == 0:
                return together(told, self._disagreement.gone(now, waiting.zone, item.code))
            return together(told, self._on_step(now, replace(waiting, quantity=left)))
        return self._on_step(now, waiting)

    def _on_step(self, now: Ns, waiting: WaitingStep) -> Turn:
        joined, deletes = self._waiting.join_tags(waiting)
        if joined.complete:
            return self._agreed(now, joined, deletes)
        row = self._waiting.add(joined)
        return Turn(puts=(row,), deletes=deletes, next_wake=self._next_due())

    def _on_tag(self, now: Ns, fact: Arrival | Departure) -> Turn:
        item = self._catalogue.of_tag(fact.epc)
        if type(fact) is Departure:
            self._paces.get(fact.zone, {}).pop(fact.epc, None)
            forgotten = self._first.forget(fact)
            if forgotten is not None:
                return forgotten
        if item is None:
            if type(fact) is Departure and fact.to_zone:
                return NOTHING  # its Arrival in the same turn tells of it
            back = self._unsettled.turned_back(now, fact)
            return back or self._unresolved(
                now,
                self._telling.unknown_tag(now, fact),
                fact.zone,
                arriving=isinstance(fact, Arrival),
            )
        weighed = (fact.zone, item.code) in self._weighed
        if fact.cause == "first_start":
            if weighed:
                return NOTHING
            return self._first.tag(now, fact, item.code)._replace(next_wake=self._next_due())
        tag = WaitingTag.of(fact, item.code, now + self._step_wait_ns)
        if not weighed:
            return self._tag_alone(now, fact, tag)
        undone = self._lone.undone_by(tag)
        if undone is not None:
            movement = self._telling.tag_for_scale(now, tag, self._cells[undone.cell].location)
            return Turn(facts=(movement,), deletes=(undone.key,))
        back = self._unsettled.turned_back(now, fact)
        returning = back is not None or self._waiting.undone_by(tag)
        return together(
            back or NOTHING, self._join_step(now, replace(tag, returning=returning), _since(fact))
        )

    def _join_step(self, now: Ns, tag: WaitingTag, since: Ns) -> Turn:
        """A tag that may have gone from `since` on looks for its step."""
        joined = self._waiting.join_step(tag)
        if joined is None:
            told = self._lone.joins(tag, since)
            if told is not None:
                return told
            row = self._waiting.add(tag)
            return Turn(puts=(row,), next_wake=self._next_due())
        if joined.complete:
            self._waiting.drop(joined)
            return self._agreed(now, joined, (joined.key,))
        return Turn(puts=(self._waiting.row(joined),))

    def _tag_alone(self, now: Ns, fact: Arrival | Departure, tag: WaitingTag) -> Turn:
        """Only antennas watch this item here: the tag is the movement."""
        other = fact.to_zone if isinstance(fact, Departure) else fact.from_zone
        moved = bool(other) and (other, tag.item) not in self._weighed
        if moved and isinstance(fact, Departure):
            return NOTHING  # its Arrival in the same turn is the transfer
        end = other if moved else UNKNOWN_LOCATION
        return Turn(facts=(self._telling.tag(now, fact, tag, end),))

    def _on_passage(self, now: Ns, passage: Passage) -> Turn:
        if passage.direction == "turned_back":
            return NOTHING
        portal = self._portals[passage.portal]
        told = self._telling.passage(now, passage, portal)
        if isinstance(told, Unresolved):
            return self._unresolved(now, told, "", arriving=passage.direction == "in")
        return Turn(facts=(told,))

    def _unresolved(self, now: Ns, told: Unresolved, zone: str, *, arriving: bool) -> Turn:
        """Tell it, and keep in mind what would close it; `zone` is "" if no way back would."""
        [epc] = told.epcs
        turn = self._unsettled.tag(now, told.unresolved_id, epc, zone, arriving=arriving)
        return turn._replace(facts=(told,))

    def _on_pace(self, now: Ns, pace: ReadPace) -> Turn:
        """Tags of that zone are missed later or sooner than was thought."""
        paces = self._paces.setdefault(pace.zone, {})
        paces[pace.epc] = pace.leave_ns
        if pace.leave_ns + self._pace_margin_ns <= self._tag_wait_ns:
            del paces[pace.epc]
            return NOTHING
        self._waiting.extend(pace.zone, now, self._tag_wait(pace.zone))
        return self._wake()

    def _tag_wait(self, zone: str) -> Ns:
        """How long a step waits for its tags: for the slowest tag of the zone, up to a bound."""
        return min(self._slowest(zone), max(self._tag_wait_ns, self._tag_wait_max_ns))

    def _slowest(self, zone: str) -> Ns:
        """How late the departure of the slowest tag of the zone can be proven."""
        slowest = max(self._paces.get(zone, {}).values(), default=0)
        return max(self._tag_wait_ns, slowest + self._pace_margin_ns if slowest else 0)

    def _on_coverage(self, now: Ns, coverage: Coverage) -> Turn:
        """A device that comes back gets the whole time to tell what it finds."""
        bounded = self._waiting.bound(now)
        if not self._senses.hear(now, coverage):
            return self._wake() if bounded else NOTHING
        device = coverage.device
        cells = {cell for cell in self._cells if cell.rpartition(":")[0] == device}
        if cells:
            due = now + self._step_wait_ns
            weighed = [self._cells[cell] for cell in cells]
            places = {(cell.zone or "", cell.item or "") for cell in weighed}
            self._waiting.renew_tags(places, due)
            self._lone.back(due, cells=cells)
        for zone in [zone for zone, devs in self._zone_devices.items() if device in devs]:
            due = now + self._tag_wait(zone)
            self._waiting.renew(zone, due)
            self._lone.back(due, zone=zone)
            self._first.renew(now, zone)
        return self._wake()

    def _overdue(self, now: Ns) -> Turn:
        turns: list[Turn] = []
        for step in self._waiting.overdue_steps(now):
            told = Turn(facts=(self._telling.step(now, step),), deletes=(step.key,))
            if self._senses.zone_blind(now, step.zone):
                turns += [told, self._lone.by_step(now, step)]
            elif self._slowest(step.zone) > self._tag_wait(step.zone):
                turns += [told, self._lone.by_step(now, step)]
                self._lone.back(now + self._slowest(step.zone), zone=step.zone)
            else:
                turns += [told, self._disagreement.found(now, step.zone, step.item)]
        turns += [self._overdue_tag(now, tag) for tag in self._waiting.overdue_tags(now)]
        turns += [self._unconfirmed(now, act) for act in self._lone.overdue(now)]
        turn = together(*turns, self._first.overdue(now))
        return turn._replace(next_wake=self._next_due())

    def _overdue_tag(self, now: Ns, tag: WaitingTag) -> Turn:
        """No step came for it: its scale is blind, or says that nothing moved."""
        gone = Turn(deletes=(tag.key,))
        if tag.returning:
            return gone
        blind = [
            cell
            for cell in self._cells.values()
            if (cell.zone, cell.item) == (tag.zone, tag.item)
            and self._senses.silent(now, cell.cell.rpartition(":")[0])
        ]
        if len(blind) == 1:
            movement = self._telling.tag_for_scale(now, tag, blind[0].location)
            turn = self._lone.by_tag(now, tag, blind[0].cell)
            return together(gone, turn._replace(facts=(movement,)))
        if blind and now < tag.at + UNWATCHED_MAX_NS:  # which cell, a scale can tell yet
            self._waiting.add(replace(tag, due=now + self._step_wait_ns))
            return NOTHING
        reason = "scale_blind" if blind else "senses_disagree"
        told = self._telling.unresolved_tag(now, tag, reason)
        turn = together(gone, self._unresolved(now, told, tag.zone, arriving=tag.arriving))
        return turn if blind else together(turn, self._disagreement.found(now, tag.zone, tag.item))

    def _unconfirmed(self, now: Ns, act: Alone) -> Turn:
        """The other sense is back, and does not say what one decided alone."""
        if (
            self._senses.silent(now, act.cell.rpartition(":")[0])
            if act.epc
            else self._senses.zone_blind(now, act.zone)
        ):
            return NOTHING
        found = self._disagreement.found(now, act.zone, act.item)
        if not act.epc:
            return together(self._lone.drop(act), found)
        told = self._unresolved(now, self._telling.doubted(now, act), "", arriving=False)
        return together(self._lone.doubt(act), told, found)

    def _agreed(self, now: Ns, step: WaitingStep, deletes: Sequence[str]) -> Turn:
        told = Turn(facts=(self._telling.step(now, step),), deletes=tuple(deletes))
        return together(told, self._disagreement.gone(now, step.zone, step.item))

    def _next_due(self) -> Ns | None:
        dues = (self._first.next_due(), self._waiting.next_due(), self._lone.next_due())
        return min((due for due in dues if due is not None), default=None)

    def _wake(self) -> Turn:
        due = self._next_due()
        return NOTHING if due is None else Turn(next_wake=due)


def _since(fact: Arrival | Departure) -> Ns:
    """The earliest moment at which the tag may have come or gone."""
    if isinstance(fact, Departure):
        return fact.last_seen
    return fact.since if fact.unwatched_since is None else fact.unwatched_since
