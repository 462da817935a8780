"""Commissioning: what is there at the beginning, and what comes with tags that nobody knows. Both
are proposed, and hold once a person or the core says so.

    first stock of a place is stated ----------> proposed for confirmation (`first_stock`)
    that is refused ---------------------------> the place is counted
    unknown tags came, and then none for QUIET_NS
      and one open receipt there asks as many,
      or one is told later --------------------> they are proposed as its item (`binding`)
    an item is scanned there ------------------> they are proposed as that item
    that is approved --------------------------> they are of that item (`TagsBound`)

A tag that is bound is booked as it came: it was kept aside until an item claims it. At a place
where the item is weighed as well, tags are not bound: its pieces are counted by weight there. Which
tags are unknown is evidence and is seen anew; what is proposed is durable.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Approval,
    Arrival,
    Badge,
    CountRequest,
    Departure,
    Fact,
    Item,
    Ns,
    Passage,
    Proposal,
    ProposalLine,
    ReferenceDeleted,
    Scan,
    Snapshot,
    TagsBound,
    Task,
    TaskConfirmation,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.badges import Badges
from rules.catalogue import Catalogue
from rules.proposals import Proposals
from rules.scan_place import ScanPlaces
from rules.turns import together

QUIET_NS = 10 * NS_PER_S
"""The tags of a pallet show within seconds of one another."""

UNKNOWN_MAX = 1_000
"""Unknown tags that are followed at a time: a pallet of what nobody told of."""

FIRST_START = "first_start"

FIRST_TEXT = (
    "this is what lay there at first: approved, it is confirmed; refused, the place is counted. "
    "Look there before you answer"
)
BIND_TEXT = (
    "approved, these tags are of that item and are booked as they came; refused, they stay "
    "unknown. Look what carries them before you answer"
)


class CommissionSettings(PluginSettings):
    """Nothing is to be set."""


class Commission:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = CommissionSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        Item,
        Badge,
        Task,
        ReferenceDeleted,
        TaskConfirmation,
        Arrival,
        Departure,
        Passage,
        Scan,
        Snapshot,
        Approval,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: CommissionSettings, context: RuleContext) -> None:
        del settings
        self._identify = context.identify
        self._catalogue, self._badges = Catalogue(), Badges()
        self._places = ScanPlaces(context.site)
        self._inside = {gate.portal: gate.inside for gate in context.site.portals}
        self._weighed = {
            (place, item)
            for cell in context.site.cells
            for place in (cell.location, cell.zone)
            for item in cell.planned
        }
        self._proposals = Proposals()
        self._receipts: dict[str, Task] = {}
        self._unknown: dict[str, str] = {}
        self._looking: dict[str, Ns] = {}
        self._refused: dict[str, None] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back what waits for an answer."""
        for row in rows:
            if not self._proposals.restore(row):
                self._catalogue.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Propose what is new; carry out what is approved."""
        turn = self._decide(now, fact)
        if turn is NOTHING:
            return turn
        due = min(self._looking.values(), default=None)
        return turn._replace(next_wake=None if due is None else max(due + QUIET_NS, now + 1))

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is Arrival:
            return self._came(now, fact.epc, fact.zone)
        if type(fact) is Departure:
            self._unknown.pop(fact.epc, None)
        elif type(fact) is Passage:
            if fact.direction == "in":
                return self._came(now, fact.epc, self._inside[fact.portal])
            self._unknown.pop(fact.epc, None)
        elif type(fact) is Scan:
            return self._scanned(now, fact)
        elif type(fact) is Snapshot:
            return self._stated(now, fact)
        elif type(fact) is Approval:
            return self._answered(now, fact)
        elif fact is None:
            return self._settled(now)
        elif type(fact) is Task:
            return self._ordered(now, fact)
        else:
            self._learn(fact)
        return NOTHING

    def _learn(self, fact: Fact) -> None:
        if type(fact) is Item:
            self._catalogue.put(fact)
        elif type(fact) is Badge:
            self._badges.put(fact)
        elif type(fact) is TaskConfirmation:
            self._receipts.pop(fact.task, None)
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._catalogue.remove(fact.code)
        elif type(fact) is ReferenceDeleted and fact.kind == "badge":
            self._badges.remove(fact.code)
        elif type(fact) is ReferenceDeleted and fact.kind == "task":
            self._receipts.pop(fact.code, None)

    def _ordered(self, now: Ns, task: Task) -> Turn:
        """What came before its order is told is looked at then."""
        if task.kind != "receipt":
            return NOTHING
        self._receipts[task.code] = task
        if task.to_location not in self._unknown.values():
            return NOTHING
        self._looking[task.to_location] = now
        return WAKE

    def _came(self, now: Ns, epc: str, place: str) -> Turn:
        known = epc in self._badges.worn or self._catalogue.of_tag(epc) is not None
        if known or epc in self._refused or place == UNKNOWN_LOCATION:
            return NOTHING
        if epc not in self._unknown and len(self._unknown) >= UNKNOWN_MAX:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[epc] = place
        self._looking[place] = now
        return WAKE

    def _settled(self, now: Ns) -> Turn:
        """Of each place to which no unknown tag came for a while: whose they may be."""
        turns = []
        for place in [place for place, at in self._looking.items() if at + QUIET_NS <= now]:
            del self._looking[place]
            count = len(self._here(place))
            fitting = [
                task
                for task in self._receipts.values()
                if task.to_location == place and task.quantity >= count and not task.serials
            ]
            if len(fitting) == 1:
                turns.append(self._bind(now, place, fitting[0].item, fitting[0].quantity))
        return together(*turns, WAKE)

    def _scanned(self, now: Ns, scan: Scan) -> Turn:
        if self._places.take(now, scan) is not None:
            return NOTHING
        place, item = self._places.of(now, scan.device), self._catalogue.scanned(scan)
        if place is None or item is None:
            return NOTHING
        return self._bind(now, place, item.code, 0)

    def _bind(self, now: Ns, place: str, item: str, expected: int) -> Turn:
        """Propose that the unknown tags there are of that item."""
        epcs = self._here(place)
        told = self._catalogue.get(item)
        if not epcs or told is None or told.is_bulk or (place, item) in self._weighed:
            return NOTHING
        for epc in epcs:
            del self._unknown[epc]
        line = ProposalLine(item, expected, len(epcs), told.base_uom, "unknown_epc", epcs)
        code = self._identify("binding", place, now)
        return self._proposals.propose(Proposal(code, "binding", place, (line,), BIND_TEXT, now))

    def _stated(self, now: Ns, snapshot: Snapshot) -> Turn:
        lines = tuple(
            ProposalLine(line.item, 0, line.quantity, line.uom, FIRST_START, line.epcs)
            for line in snapshot.lines
        )
        if snapshot.reason != FIRST_START or not lines:
            return NOTHING
        code = self._identify("first_stock", snapshot.snapshot_id)
        told = Proposal(code, "first_stock", snapshot.location, lines, FIRST_TEXT, now)
        return self._proposals.propose(told)

    def _answered(self, now: Ns, approval: Approval) -> Turn:
        answered = self._proposals.answered(now, approval)
        if answered is None:
            return NOTHING
        proposal, closed = answered
        if proposal.kind == "binding":
            line = proposal.lines[0]
            if approval.approved:
                bound = TagsBound(line.item, line.epcs)
                return together(self._catalogue.bind(bound), Turn(facts=(bound,)), closed)
            self._refused.update(dict.fromkeys(line.epcs))
            while len(self._refused) > UNKNOWN_MAX:
                del self._refused[next(iter(self._refused))]
        elif not approval.approved:
            place, actor = (proposal.location,), approval.actor
            count = CountRequest(proposal.proposal_id, "cycle", place, "command", actor)
            return together(closed, Turn(facts=(count,)))
        return closed

    def _here(self, place: str) -> tuple[str, ...]:
        """The unknown tags there that no item claims by now."""
        found = [epc for epc, where in self._unknown.items() if where == place]
        return tuple(epc for epc in found if self._catalogue.of_tag(epc) is None)


WAKE = Turn(next_wake=0)
"""Nothing is decided, but something waits."""
