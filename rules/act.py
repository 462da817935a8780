"""The two halves of an act at a place with both senses: a weight step, and a tag that came or left.

A step knows how many at once, a tag which, some seconds later. Both are intervals: the weight went
between two plateaus, the tag between its last read and the moment at which it was missed. They
belong together where these meet. Part of the movement rule; pure values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from gateway.model import (
    NS_PER_S,
    Arrival,
    Cause,
    CountChange,
    Departure,
    EpcPattern,
    Evidence,
    Ns,
    StepExpectsTags,
)

STEP_ROW = "step:"
TAG_ROW = "tag:"

AFTER_NS = 1 * NS_PER_S
"""A tag that is read at its level so long after the new plateau stands there still. Sooner, a tag
in the hand may be read at that level by chance.
"""

BEFORE_NS = 60 * NS_PER_S
"""Longest silence of a tag before the act that took it: twice as long as one is readable at all."""

PLATEAU_NS = 1 * NS_PER_S
"""A step is known so long after the weight has come to rest."""

EARLY_NS = 10 * NS_PER_S
"""How long before a step its tag may have been found standing: a thing is held above its place."""

EARLY_WEIGHT = 3
"""A second before its step is as unlikely for a tag that came as so many after it."""

LATE_NS = 3 * NS_PER_S
"""A tag that came to stand so long after a step belongs to a later one, should there be one."""


@dataclass(frozen=True, slots=True)
class WaitingTag:
    """A tag that came or went where things are weighed, at `at` as far as it knows; it may have
    been from `since` on, and was told at `told_at`.

    `item` is what the piece is. One that is a `stranger` is not planned on any cell of the zone;
    one that is `spare` has no step of its own, as the scale says, and stands in only where a step
    finds no other.
    """

    epc: str
    zone: str
    item: str
    arriving: bool
    at: Ns
    due: Ns
    cause: Cause
    reads: int
    rssi_cdbm: int
    confidence_permille: int
    since: Ns = 0
    told_at: Ns = 0
    stranger: bool = False
    spare: bool = False
    elsewhere: str = ""

    @classmethod
    def of(cls, fact: Arrival | Departure, item: str, now: Ns, due: Ns) -> Self:
        """Begin to wait for the weight step of a tag, until `due`."""
        if isinstance(fact, Arrival):
            at, other = fact.since, fact.from_zone
            since = at if fact.unwatched_since is None else fact.unwatched_since
        else:
            at = since = fact.last_seen
            other = fact.to_zone
        return cls(
            epc=fact.epc,
            zone=fact.zone,
            item=item,
            arriving=isinstance(fact, Arrival),
            at=at,
            due=due,
            cause=fact.cause,
            reads=fact.reads,
            rssi_cdbm=fact.rssi_cdbm,
            confidence_permille=fact.confidence_permille,
            since=since,
            told_at=now,
            elsewhere=other,
        )

    @property
    def key(self) -> str:
        """The key of its durable row. A tag may be missed in one zone and found in another."""
        return TAG_ROW + self.epc if self.arriving else f"{TAG_ROW}{self.epc}:out"


@dataclass(frozen=True, slots=True)
class WaitingStep:
    """A weight step of `quantity` tagged pieces, and the tags that joined it so far.

    `quantity` 0 is one that does not resolve by weight alone. What is `told` waits for its tags
    only to see whether the senses agree; `excused` pieces need none, and where it is `alerted`,
    they do not. Of one that is `unnamed` the core does not know yet all tags that joined it since.
    One that is `ordered` is what a task asked.
    """

    cell: str
    zone: str
    item: str
    quantity: int
    at: Ns
    decided_at: Ns
    due: Ns
    cause: Cause
    confidence_permille: int
    before_mg: int
    after_mg: int
    sd_mg: int
    known_at: Ns
    epcs: tuple[str, ...] = ()
    reads: int = 0
    rssi_cdbm: int = 0
    told: bool = False
    alerted: bool = False
    excused: int = 0
    part: int = 0
    unnamed: bool = False
    ordered: bool = False

    @classmethod
    def of(cls, change: CountChange, zone: str, now: Ns, due: Ns) -> Self:
        """Begin to wait for the tags of a count change, until `due`."""
        step = change.step
        return cls(
            cell=change.cell,
            zone=zone,
            item=change.item,
            quantity=change.quantity,
            at=step.since,
            decided_at=now,
            due=due,
            cause=step.cause,
            confidence_permille=change.confidence_permille,
            before_mg=round(step.before_g * 1000),
            after_mg=round(step.after_g * 1000),
            sd_mg=round(step.sd_g * 1000),
            known_at=now,
            part=change.part,
        )

    @property
    def arriving(self) -> bool:
        """Whether something was put there."""
        return self.after_mg > self.before_mg if self.quantity == 0 else self.quantity > 0

    @property
    def wanting(self) -> int:
        """How many pieces have no tag yet."""
        return max(0, abs(self.quantity) - len(self.epcs) - self.excused)

    @property
    def complete(self) -> bool:
        """Whether every piece has its tag."""
        return self.quantity != 0 and self.wanting == 0

    @property
    def key(self) -> str:
        """The key of its durable row."""
        return STEP_ROW + ":".join((self.cell, *map(str, self.moment)))

    @property
    def moment(self) -> tuple[int, ...]:
        """When it was decided, and which part of what the cell told then, from the second on."""
        return (self.decided_at, self.part) if self.part else (self.decided_at,)

    def wants(self, tag: WaitingTag) -> bool:
        """Whether that tag can be one of its pieces."""
        if self.complete or tag.epc in self.epcs or tag.stranger:
            return False
        return self.item == tag.item and self.meets(tag)

    def meets(self, tag: WaitingTag) -> bool:
        """Whether that tag went the same way there at that time."""
        if (self.zone, self.arriving) != (tag.zone, tag.arriving):
            return False
        if tag.arriving:
            found_later = tag.since == tag.at or tag.since <= self.known_at
            return found_later and tag.at >= self.at - EARLY_NS
        if tag.since > self.known_at + AFTER_NS or 0 < tag.told_at < self.at:
            return False
        watched = tag.cause == self.cause == "live"
        return tag.since >= self.at - BEFORE_NS or not watched

    def causes(self, tag: WaitingTag, now: Ns) -> bool:
        """Whether a tag fell silent because of it: it has been so for longer since than before.
        Else it was in somebody's shadow when the step came, and is no likelier gone than others.
        """
        if tag.arriving or not tag.told_at or "found_after_gap" in (tag.cause, self.cause):
            return True
        return self.at - tag.since <= now - self.known_at + PLATEAU_NS

    def late(self, tag: WaitingTag) -> bool:
        """Whether a step of its own may yet come for that tag."""
        return tag.arriving and tag.since > self.known_at + LATE_NS

    def after(self, tag: WaitingTag) -> bool:
        """Whether a tag that is found stood there before anything was put down."""
        return tag.arriving and tag.at + PLATEAU_NS < self.at

    def apart_ns(self, tag: WaitingTag) -> Ns:
        """How far the two lie apart: a thing may well be found late, but seldom stands where it is
        not weighed yet.
        """
        before = self.at - tag.at
        return max(before * EARLY_WEIGHT if tag.arriving else before, tag.since - self.known_at, 0)

    def took(self, tag: WaitingTag) -> bool:
        """Whether a tag that is found there was taken for one of its pieces that went."""
        return tag.epc in self.epcs and self.zone == tag.zone and not self.arriving

    def expects(self, pattern: EpcPattern) -> StepExpectsTags:
        """What it says of tags that are not read yet, or not missed."""
        return StepExpectsTags(
            zone=self.zone,
            pattern=pattern,
            arriving=self.arriving,
            count=self.wanting,
            since=self.at,
            until=self.known_at,
        )

    def joined(self, tag: WaitingTag) -> Self:
        """The step with one more tag."""
        return replace(
            self,
            epcs=tuple(sorted((*self.epcs, tag.epc))),
            reads=self.reads + tag.reads,
            rssi_cdbm=max(tag.rssi_cdbm, self.rssi_cdbm or tag.rssi_cdbm),
        )

    def parted(self, epc: str) -> Self:
        """The step without a tag that stands there still."""
        return replace(self, epcs=tuple(each for each in self.epcs if each != epc))

    def evidence(self) -> Evidence:
        """What the movement rests on."""
        return Evidence(
            reads=self.reads or None,
            rssi_cdbm=self.rssi_cdbm or None,
            weight_before_mg=self.before_mg,
            weight_after_mg=self.after_mg,
            sd_mg=self.sd_mg,
        )
