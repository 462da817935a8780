"""Who was seen where, and when: what the person rule looks up when something moved.

    scanned at a place ------- there from then on, for present_s after the last scan, and after what
                               moved there in his name
    badge tag at a gate ------ there while it is read, and for passing_s after

Where badge tags are read in zones, `rules.trails` knows. Only the actor's name or pseudonym is
kept, and no longer than it can matter or `keep_s`. Scans are durable, reads are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import Field

from gateway.model import NS_PER_S, Ns
from gateway.ports import PluginSettings, Row

SIGHT_ROW = "sight:"

LEAD_NS = 3 * NS_PER_S
"""A tag may be read so much later than its bearer came: he walks behind what he pushes, and his
body shades the badge until he turns."""

SCAN_LEAD_NS = NS_PER_S
"""A weight tells when something happened to a second: who scans and takes at once was there."""

DECIDED_NS = 120 * NS_PER_S
"""A movement is told at most so long after it happened: longer than any wait for the other sense.
"""

GATE_READS_MIN = 2
"""One read may be a stray."""

SIGHTS_MAX = 10_000
"""Some hundred people at each of a hundred places. Of more, the oldest sight goes."""

SightKind: TypeAlias = Literal["scan", "gate"]


class PersonSettings(PluginSettings):
    """How long a sight counts: `present_s` after a scan and what moved in his name since,
    `passing_s` after a tag was last read at a gate. `keep_s` bounds how long a person is
    remembered at all: a shift.

    `demanded` are the locations at which nothing may move without a badge; that of a zone stands
    for all cells in it. With `pseudonym` only a keyed hash of the actor leaves the rule.
    """

    present_s: float = Field(30.0, gt=0, le=3600)
    passing_s: float = Field(10.0, gt=0, le=600)
    keep_s: float = Field(28_800.0, ge=60)
    demanded: tuple[str, ...] = ()
    pseudonym: bool = False


@dataclass(slots=True)
class Sight:
    """One actor at one place."""

    kind: SightKind
    place: str
    actor: str
    since: Ns
    last: Ns
    reads: int = 1

    @property
    def key(self) -> str:
        """Its durable key: no two alike."""
        return f"{SIGHT_ROW}{self.kind}\t{self.place}\t{self.actor}"


@dataclass(frozen=True, slots=True)
class Present:
    """Who was at a place: `there` for certain, or `maybe`."""

    there: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)


class Sights:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, settings: PersonSettings, boot: str, last_alive: Ns) -> None:
        self._present_ns = int(settings.present_s * NS_PER_S)
        self._passing_ns = int(settings.passing_s * NS_PER_S)
        self._keep_ns = int(settings.keep_s * NS_PER_S)
        self._boot = boot
        self._last_alive = last_alive
        self._sights: dict[str, Sight] = {}
        self._at: dict[str, dict[str, Sight]] = {}
        self._old: list[str] = []

    def restore(self, row: Row) -> None:
        """Take back a sight of an earlier run; those of schema 1 in a zone are of no use."""
        value: Any = row.value
        kind, place, actor = row.key.removeprefix(SIGHT_ROW).split("\t")
        if kind != "scan":
            self._old.append(row.key)
            return
        since, last = value["since"], value["last"]
        if value["boot"] != self._boot:
            since = last = self._last_alive
        self._keep(Sight("scan", place, actor, since, last))

    def scanned(self, now: Ns, place: str, actor: str) -> tuple[Row, ...]:
        """He scanned his badge there; so he is where he scanned before no longer."""
        gone = [
            sight
            for sight in self._sights.values()
            if sight.kind == "scan" and sight.actor == actor and sight.place != place
        ]
        for sight in gone:
            sight.last = min(sight.last, now - self._present_ns)
        return (
            *(self._row(sight) for sight in gone),
            *self._seen(Sight("scan", place, actor, now, now)),
        )

    def worked(self, at: Ns, places: Iterable[str], actor: str) -> tuple[Row, ...]:
        """Something moved at these places in his name: where he scanned, he is still there."""
        keys = (Sight("scan", place, actor, at, at).key for place in places)
        known = [self._sights[key] for key in keys if key in self._sights]
        for sight in known:
            sight.last = max(sight.last, at)
        return tuple(self._row(sight) for sight in known)

    def passing(self, at: Ns, gate: str, actor: str) -> bool:
        """His badge was read at a gate; whether that is news."""
        sight = Sight("gate", gate, actor, at, at)
        known = self._sights.get(sight.key)
        if known is not None and at - known.last <= self._passing_ns:
            known.last = max(known.last, at)
            known.reads += 1
            return False
        self._keep(sight)
        return True

    def present(self, at: Ns, place: str) -> Present:
        """Who was there at that moment."""
        found = Present()
        for sight in self._at.get(place, {}).values():
            lead_ns = SCAN_LEAD_NS if sight.kind == "scan" else LEAD_NS
            if at < sight.since - lead_ns:
                continue
            if sight.kind == "gate" and sight.reads < GATE_READS_MIN:
                continue
            if at <= sight.last + self._counts_ns(sight):
                found.there.add(sight.actor)
        return found

    def forget(self, actor: str) -> tuple[str, ...]:
        """Forget him everywhere; the keys of the durable rows that go."""
        return self._drop([sight for sight in self._sights.values() if sight.actor == actor])

    def overdue(self, now: Ns) -> tuple[str, ...]:
        """Forget what can matter no more; the keys of the durable rows that go."""
        old, self._old = self._old, []
        gone = self._drop([each for each in self._sights.values() if self._end(each) <= now])
        return (*old, *gone)

    def next_due(self) -> Ns | None:
        """When the next is to be forgotten."""
        if self._old:
            return 0
        return min((self._end(sight) for sight in self._sights.values()), default=None)

    def _counts_ns(self, sight: Sight) -> Ns:
        return self._passing_ns if sight.kind == "gate" else self._present_ns

    def _end(self, sight: Sight) -> Ns:
        return min(sight.since + self._keep_ns, sight.last + self._counts_ns(sight) + DECIDED_NS)

    def _seen(self, sight: Sight) -> tuple[Row, ...]:
        """A new sight, or one that goes on."""
        known = self._sights.get(sight.key)
        if known is not None and sight.last - known.last <= self._present_ns:
            sight.since = known.since
        self._keep(sight)
        return (self._row(sight),)

    def _keep(self, sight: Sight) -> None:
        if sight.key not in self._sights and len(self._sights) >= SIGHTS_MAX:
            self._drop([next(iter(self._sights.values()))])
        self._sights[sight.key] = sight
        self._at.setdefault(sight.place, {})[sight.key] = sight

    def _drop(self, sights: list[Sight]) -> tuple[str, ...]:
        return tuple(self._dropped(sights))

    def _dropped(self, sights: list[Sight]) -> Iterator[str]:
        for sight in sights:
            del self._sights[sight.key]
            here = self._at[sight.place]
            del here[sight.key]
            if not here:
                del self._at[sight.place]
            if sight.kind != "gate":
                yield sight.key

    def _row(self, sight: Sight) -> Row:
        return Row(sight.key, {"since": sight.since, "last": sight.last, "boot": self._boot})
