"""What the movement rule tells of an act: the event with its evidence, places and moments.

Part of the movement rule; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.model import (
    UNKNOWN_LOCATION,
    Amendment,
    Arrival,
    Departure,
    Evidence,
    Movement,
    MovementKind,
    Ns,
    Passage,
    Portal,
    Site,
    StepHeld,
    TagsFollow,
    Unresolved,
)
from gateway.ports import Identify
from rules.act import WaitingStep, WaitingTag
from rules.alone import BEFORE_ALL, Alone
from rules.catalogue import Catalogue
from rules.degraded import TAGS_ALONE_PERMILLE, WEIGHT_ALONE_PERMILLE, less_sure

BOTH_MAX = 998
"""No two senses are surer."""


class Telling:
    """Makes events out of what was seen."""

    def __init__(self, site: Site, identify: Identify, catalogue: Catalogue) -> None:
        self._identify = identify
        self._catalogue = catalogue
        self._locations = {cell.cell: cell.location for cell in site.cells}

    def identity(self, step: WaitingStep) -> str:
        """Under which id a step is told."""
        return self._identify("step", step.cell, *step.moment)

    def step(self, now: Ns, step: WaitingStep) -> Movement:
        """Pieces went onto a cell or from it."""
        source, target = self._locations[step.cell], UNKNOWN_LOCATION
        if step.quantity > 0:
            source, target = target, source
        gap = step.cause == "found_after_gap"
        return Movement(
            movement_id=self.identity(step),
            kind=kind_of(source, target),
            reason=_reason(step.cause),
            item=step.item,
            quantity=abs(step.quantity),
            uom=self._catalogue.uom(step.item),
            from_location=source,
            to_location=target,
            at_event=step.known_at if gap else step.at,
            at_decided=now,
            confidence_permille=by_weight(step),
            evidence=step.evidence(),
            epcs=step.epcs,
            at_since=step.at if gap else None,
        )

    def held(self, step: WaitingStep, quantity: int) -> StepHeld:
        """A step waits to be told: so many pieces by weight alone, below 0 if they left."""
        identity = self.identity(step)
        uom, place = self._catalogue.uom(step.item), self._locations[step.cell]
        return StepHeld(identity, step.item, quantity, uom, place, step.at)

    def step_alone(self, now: Ns, step: WaitingStep) -> Movement:
        """The same where tags should have told of it, but are not read."""
        told = self.step(now, step)
        confidence = less_sure(told.confidence_permille, WEIGHT_ALONE_PERMILLE)
        return replace(told, confidence_permille=confidence)

    def tags(self, step: WaitingStep, epcs: Iterable[str], *, arriving: bool) -> TagsFollow:
        """Tags of a step that is told have shown."""
        identity = self.identity(step)
        place = self._locations[step.cell]
        return TagsFollow(identity, step.item, place, tuple(epcs), arriving)

    def pieces(self, step: WaitingStep) -> Amendment:
        """Which pieces a step was of that is told, as is known by now."""
        identity = self.identity(step)
        return Amendment("tags_followed", amends_movement=identity, epcs=step.epcs)

    def others(self, now: Ns, step: WaitingStep, tags: Sequence[WaitingTag]) -> Movement:
        """Pieces of another item than is planned there went onto a cell or from it; tags say so,
        and their weight fits.
        """
        item = tags[0].item
        pieces = replace(step, item=item, quantity=0, epcs=(), reads=0, rssi_cdbm=0)
        for tag in tags:
            pieces = pieces.joined(tag)
        count = len(tags) if step.arriving else -len(tags)
        told = self.step(now, replace(pieces, quantity=count))
        identity = self._identify("step", step.cell, *step.moment, item)
        return replace(told, movement_id=identity)

    def tag(self, now: Ns, fact: Arrival | Departure, tag: WaitingTag, other: str) -> Movement:
        """A tag came from `other` or left for it, where only antennas watch its item."""
        source, target = tag.zone, UNKNOWN_LOCATION
        at_event, at_since = tag.at, None
        if tag.arriving:
            source, target = other, tag.zone
        if fact.cause == "found_after_gap":
            at_since = fact.unwatched_since if isinstance(fact, Arrival) else fact.last_seen
            at_event = tag.at if tag.arriving else now
        told = self._tag(now, tag, (source, target), (at_event, at_since))
        return replace(told, kind="adjustment") if fact.cause == "misplaced" else told

    def tag_for_scale(self, now: Ns, tag: WaitingTag, location: str) -> Movement:
        """A tag came or left where a scale should have told of it, but was blind."""
        ends = (UNKNOWN_LOCATION, location) if tag.arriving else (location, UNKNOWN_LOCATION)
        confidence = less_sure(tag.confidence_permille, TAGS_ALONE_PERMILLE)
        doubtful = replace(tag, confidence_permille=confidence)
        return self._tag(now, doubtful, ends, (tag.at, None))

    def _tag(
        self, now: Ns, tag: WaitingTag, ends: tuple[str, str], at: tuple[Ns, Ns | None]
    ) -> Movement:
        return Movement(
            movement_id=self._identify("tag", tag.epc, tag.zone, now),
            kind=kind_of(*ends),
            reason=_reason(tag.cause),
            item=tag.item,
            quantity=1,
            uom=self._catalogue.uom(tag.item),
            from_location=ends[0],
            to_location=ends[1],
            at_event=at[0],
            at_decided=now,
            confidence_permille=tag.confidence_permille,
            evidence=Evidence(reads=tag.reads, rssi_cdbm=tag.rssi_cdbm),
            epcs=(tag.epc,),
            at_since=at[1],
        )

    def passage(self, now: Ns, passage: Passage, portal: Portal) -> Movement | Unresolved:
        """A tag went through a portal, or it is not clear what did, or which way."""
        item = self._catalogue.of_tag(passage.epc)
        evidence = Evidence(reads=passage.reads, rssi_cdbm=passage.rssi_cdbm)
        identity = self._identify("portal", portal.portal, passage.epc, passage.since)
        middle = (passage.since + passage.until) // 2
        if item is None or passage.direction == "uncertain":
            reason = "unknown_epc" if item is None else "direction_uncertain"
            candidates = (item.code,) if item else ()
            told = (portal.inside, candidates, middle, now, evidence, (passage.epc,))
            return Unresolved(identity, reason, *told)
        source, target = portal.outside, portal.inside
        if passage.direction == "out":
            source, target = target, source
        return Movement(
            movement_id=identity,
            kind=kind_of(source, target),
            reason="observed",
            item=item.code,
            quantity=1,
            uom=item.uom,
            from_location=source,
            to_location=target,
            at_event=middle,
            at_decided=now,
            confidence_permille=passage.confidence_permille,
            evidence=evidence,
            epcs=(passage.epc,),
        )

    def unresolved_step(
        self, now: Ns, step: WaitingStep, reason: str = "", *, candidates: tuple[str, ...] = ()
    ) -> Unresolved:
        """A cell's weight changed, and by how many pieces of what is not known; `candidates` are
        the items where there are several.
        """
        candidates = candidates or ((step.item,) if step.item else ())
        known = candidates and all(self._catalogue.get(item) for item in candidates)
        return Unresolved(
            self.identity(step),
            reason or ("count_not_resolvable" if known else "unknown_item"),
            self._locations[step.cell],
            candidates,
            step.at,
            now,
            step.evidence(),
        )

    def unknown_tag(self, now: Ns, fact: Arrival | Departure) -> Unresolved:
        """A tag came or left, and it is of no item."""
        at = fact.last_seen if isinstance(fact, Departure) else fact.since
        identity = self._identify("tag", fact.epc, fact.zone, now)
        evidence = Evidence(reads=fact.reads, rssi_cdbm=fact.rssi_cdbm)
        return Unresolved(identity, "unknown_epc", fact.zone, (), at, now, evidence, (fact.epc,))

    def unresolved_tag(self, now: Ns, tag: WaitingTag, reason: str) -> Unresolved:
        """A tag came or left, and the scale does not say so."""
        identity = self._identify("tag", tag.epc, tag.zone, now)
        evidence = Evidence(reads=tag.reads, rssi_cdbm=tag.rssi_cdbm)
        told = (tag.zone, (tag.item,), tag.at, now, evidence, (tag.epc,))
        return Unresolved(identity, reason, *told)

    def doubted(self, now: Ns, act: Alone) -> Unresolved:
        """A tag has decided for a blind scale, and the scale is back and does not say so."""
        identity = self._identify("alone", act.epc, act.zone, now)
        at = now if act.decided_at == BEFORE_ALL else act.decided_at
        told = (act.zone, (act.item,), at, now, Evidence(), (act.epc,))
        return Unresolved(identity, "senses_disagree", *told)


def by_weight(step: WaitingStep) -> int:
    """Two senses that agree leave a tenth of the doubt; tags that are still to come add none."""
    if len(step.epcs) < abs(step.quantity):
        return step.confidence_permille
    return min(BOTH_MAX, 1000 - (1000 - step.confidence_permille) // 10)


def kind_of(source: str, target: str) -> MovementKind:
    """What kind of movement goes from one place to another."""
    if source == UNKNOWN_LOCATION:
        return "receipt"
    return "issue" if target == UNKNOWN_LOCATION else "transfer"


def _reason(cause: str) -> str:
    return cause if cause in ("found_after_gap", "misplaced") else "observed"
