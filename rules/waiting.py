"""What one sense has seen and the other has not yet confirmed: steps that wait for their tags,
and tags that wait for their step. Pure bookkeeping for the movement rule.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from gateway.model import NS_PER_S, Arrival, Cause, CountChange, Departure, Evidence, Ns
from gateway.ports import Row

STEP_ROW = "step:"
TAG_ROW = "tag:"

WAITING_MAX = 100_000
"""Acts in flight at once: every known tag of the largest site coming or going in one window. Of
more, the oldest are decided on what is known."""

UNTIL_WATCHED: Ns = 1 << 61
"""The end of a wait that was restored and whose device has not been watched since."""

UNWATCHED_MAX_NS = 300 * NS_PER_S
"""How long such a wait lasts once other devices are back: longer than a reader takes to boot after
a power cut. A reader that stays away must not keep a decided step from the core for ever."""


@dataclass(frozen=True, slots=True)
class WaitingStep:
    """A weight step of `quantity` tagged pieces, and the tags that joined it so far."""

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

    @classmethod
    def of(cls, change: CountChange, zone: str, now: Ns, wait_ns: Ns) -> Self:
        """Begin to wait, now and for `wait_ns`, for the tags of a count change."""
        step = change.step
        return cls(
            cell=change.cell,
            zone=zone,
            item=change.item,
            quantity=change.quantity,
            at=step.since,
            decided_at=now,
            due=now + wait_ns,
            cause=step.cause,
            confidence_permille=change.confidence_permille,
            before_mg=round(step.before_g * 1000),
            after_mg=round(step.after_g * 1000),
            sd_mg=round(step.sd_g * 1000),
            known_at=now,
        )

    @property
    def complete(self) -> bool:
        """Whether every piece has its tag."""
        return len(self.epcs) >= abs(self.quantity)

    @property
    def key(self) -> str:
        """The key of its durable row."""
        return f"{STEP_ROW}{self.cell}:{self.decided_at}"

    def wants(self, tag: WaitingTag) -> bool:
        """Whether that tag can be one of its pieces."""
        return (
            not self.complete
            and tag.epc not in self.epcs
            and (self.zone, self.item) == (tag.zone, tag.item)
            and (self.quantity > 0) == tag.arriving
        )

    def joined(self, tag: WaitingTag) -> Self:
        """The step with one more tag."""
        return replace(
            self,
            epcs=tuple(sorted((*self.epcs, tag.epc))),
            reads=self.reads + tag.reads,
            rssi_cdbm=max(tag.rssi_cdbm, self.rssi_cdbm or tag.rssi_cdbm),
        )

    def confidence(self) -> int:
        """Two senses that agree leave a tenth of the doubt; missing tags add to it."""
        if not self.zone:
            return self.confidence_permille
        if self.complete:
            return min(998, 1000 - (1000 - self.confidence_permille) // 10)
        return self.confidence_permille * 9 // 10

    def evidence(self) -> Evidence:
        """What the movement rests on."""
        return Evidence(
            reads=self.reads or None,
            rssi_cdbm=self.rssi_cdbm or None,
            weight_before_mg=self.before_mg,
            weight_after_mg=self.after_mg,
            sd_mg=self.sd_mg,
        )


@dataclass(frozen=True, slots=True)
class WaitingTag:
    """A tag that came or went where that item is weighed, and no step told of it yet.

    One that is `returning` undoes an act that no step told of either: it may do without.
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
    returning: bool = False

    @classmethod
    def of(cls, fact: Arrival | Departure, item: str, due: Ns) -> Self:
        """Begin to wait for the weight step of a tag, until `due`."""
        arriving = isinstance(fact, Arrival)
        return cls(
            epc=fact.epc,
            zone=fact.zone,
            item=item,
            arriving=arriving,
            at=fact.since if isinstance(fact, Arrival) else fact.last_seen,
            due=due,
            cause=fact.cause,
            reads=fact.reads,
            rssi_cdbm=fact.rssi_cdbm,
            confidence_permille=fact.confidence_permille,
        )

    @property
    def key(self) -> str:
        """The key of its durable row."""
        return TAG_ROW + self.epc


class Waiting:
    """All that waits. `boot` is this boot; `last_alive` stands for any moment of an earlier one."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._steps: dict[str, WaitingStep] = {}
        self._tags: dict[str, WaitingTag] = {}
        self._unbounded = False  # whether restored waits have no end yet

    def restore(self, row: Row) -> None:
        """Take back what an earlier run waited for; it waits on until its device is watched."""
        value: dict[str, Any] = {**row.value, "due": UNTIL_WATCHED}
        self._unbounded = True
        earlier = value.pop("boot") != self._boot
        if earlier:
            value["at"] = self._last_alive
        if row.key.startswith(STEP_ROW):
            value["epcs"] = tuple(value["epcs"])
            if earlier:
                value["known_at"] = self._last_alive
            self._steps[row.key] = WaitingStep(**value)
        else:
            self._tags[row.key] = WaitingTag(**value)

    def row(self, waiting: WaitingStep | WaitingTag) -> Row:
        """The durable form of what waits."""
        return Row(waiting.key, {**asdict(waiting), "boot": self._boot})

    def join_tags(self, step: WaitingStep) -> tuple[WaitingStep, tuple[str, ...]]:
        """Give a new step the tags that waited for it; tell the keys of those."""
        taken: list[str] = []
        for key, tag in self._tags.items():
            if step.wants(tag):
                step = step.joined(tag)
                taken.append(key)
        for key in taken:
            del self._tags[key]
        return step, tuple(taken)

    def join_step(self, tag: WaitingTag) -> WaitingStep | None:
        """Give a new tag to the oldest step that waits for it, if any does."""
        for key, step in self._steps.items():
            if step.wants(tag):
                joined = step.joined(tag)
                self._steps[key] = joined
                return joined
        return None

    def undone_by(self, tag: WaitingTag) -> bool:
        """Whether that tag waits already for having gone the other way there."""
        old = self._tags.get(tag.key)
        return old is not None and (old.zone, old.arriving) == (tag.zone, not tag.arriving)

    def add(self, waiting: WaitingStep | WaitingTag) -> Row:
        """Let it wait; return its durable row."""
        if len(self._steps) + len(self._tags) >= WAITING_MAX:
            self._hurry()
        if isinstance(waiting, WaitingStep):
            self._steps[waiting.key] = waiting
        else:
            self._tags[waiting.key] = waiting
        return self.row(waiting)

    def _hurry(self) -> None:
        """End the wait of one: steps first, because they are told in any case."""
        for key, step in self._steps.items():
            if step.due > 0:
                self._steps[key] = replace(step, due=0)
                return
        for key, tag in self._tags.items():
            if tag.due > 0:
                self._tags[key] = replace(tag, due=0)
                return

    def drop(self, step: WaitingStep) -> None:
        """The step waits no longer."""
        del self._steps[step.key]

    def overdue_steps(self, now: Ns) -> list[WaitingStep]:
        """Take out the steps that have waited long enough."""
        overdue = [step for step in self._steps.values() if step.due <= now]
        for step in overdue:
            del self._steps[step.key]
        return overdue

    def overdue_tags(self, now: Ns) -> list[WaitingTag]:
        """Take out the tags that have waited long enough."""
        overdue = [tag for tag in self._tags.values() if tag.due <= now]
        for tag in overdue:
            del self._tags[tag.key]
        return overdue

    def next_due(self) -> Ns | None:
        """When the next wait is over; None if none ends by itself."""
        dues = [step.due for step in self._steps.values()]
        dues += [tag.due for tag in self._tags.values()]
        return min((due for due in dues if due < UNTIL_WATCHED), default=None)

    def put_off(self, span_ns: Ns) -> None:
        """Add a time in which nobody watched to every wait."""
        for key, step in self._steps.items():
            self._steps[key] = replace(step, due=_later(step.due, span_ns))
        for key, tag in self._tags.items():
            self._tags[key] = replace(tag, due=_later(tag.due, span_ns))

    def bound(self, now: Ns) -> bool:
        """Some device is watched again: bound the restored waits. False if there are none."""
        unbounded, self._unbounded = self._unbounded, False
        if unbounded:
            due = now + UNWATCHED_MAX_NS
            for key, step in self._steps.items():
                self._steps[key] = replace(step, due=min(step.due, due))
            for key, tag in self._tags.items():
                self._tags[key] = replace(tag, due=min(tag.due, due))
        return unbounded

    def renew(self, zone: str, due: Ns) -> None:
        """Begin every wait in the zone anew, until `due`."""
        for key, step in self._steps.items():
            if step.zone == zone:
                self._steps[key] = replace(step, due=due)
        for key, tag in self._tags.items():
            if tag.zone == zone:
                self._tags[key] = replace(tag, due=due)

    def renew_tags(self, places: set[tuple[str, str]], due: Ns) -> None:
        """Let the tags of these zones and items wait until `due`, for their scale is back."""
        for key, tag in self._tags.items():
            if (tag.zone, tag.item) in places:
                self._tags[key] = replace(tag, due=due)

    def extend(self, zone: str, now: Ns, wait_ns: Ns) -> None:
        """Let the steps in the zone wait for `wait_ns` at least since each was known."""
        for key, step in self._steps.items():
            due = min(step.known_at, now) + wait_ns
            if step.zone == zone and step.due < due:
                self._steps[key] = replace(step, due=due)


def _later(due: Ns, span_ns: Ns) -> Ns:
    return due if due >= UNTIL_WATCHED else due + span_ns
