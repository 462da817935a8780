"""Portal: which way a tag went through a gate.

One episode per tag, from its first read at the gate until it has been silent for `quiet_s`:

    silent --- read ---> in view --- quiet_s without a read ---> judged, silent
                         in view --- longer than static_after_s ---> static until silent

The direction is the order in which the two sides saw it: the centroid of its reads in time,
weighted by received power, per side. A tag that only one side saw well, or that came near and
left on the side where it came from, turned back. One that stands beside the gate is static and
passes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import Field

from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Coverage,
    Fact,
    Ns,
    Passage,
    Stall,
    TagRead,
    TagReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

EPISODES_MAX = 10_000
"""Tags in view of all gates at once; the one that began first is judged early."""

RSSI_UNKNOWN_CDBM = -6000
"""Assumed where a reader tells no RSSI: every read then weighs the same."""

Direction = Literal["in", "out", "turned_back", "uncertain"]


class PortalSettings(PluginSettings):
    """Quick or sure: a longer quiet time decides later, and joins what a shadow cut in two."""

    quiet_s: float = Field(1.5, gt=0)
    static_after_s: float = Field(20.0, gt=0)
    reads_min: int = Field(3, ge=2)
    order_gap_ms: int = Field(120, ge=0)
    rise_db: float = Field(4.0, ge=0)


@dataclass(slots=True)
class _Side:
    """What one side of the gate saw of a tag; times are relative to the episode's start."""

    reads: int = 0
    weight: float = 0.0
    moment: float = 0.0
    peak: int = -20000

    def centroid(self) -> float:
        return self.moment / self.weight


@dataclass(slots=True)
class _Episode:
    """One tag in view of one gate."""

    portal: str
    epc: str
    since: Ns
    until: Ns
    weakest: int = 0
    sides: tuple[_Side, _Side] = field(default_factory=lambda: (_Side(), _Side()))
    first_side: int = 0
    last_side: int = 0


class Portal:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = PortalSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (TagReport, Coverage, Stall)
    schema: ClassVar[int] = 1

    def __init__(self, settings: PortalSettings, context: RuleContext) -> None:
        self._quiet_ns = int(settings.quiet_s * NS_PER_S)
        self._static_ns = int(settings.static_after_s * NS_PER_S)
        self._order_gap_ns = settings.order_gap_ms * NS_PER_MS
        self._rise_cdb = int(settings.rise_db * 100)
        self._reads_min = settings.reads_min
        self._points: dict[str, tuple[str, int]] = {}
        self._devices: set[str] = set()
        for portal in context.site.portals:
            for side, points in enumerate((portal.outer, portal.inner)):
                for point in points:
                    self._points[point] = (portal.portal, side)
                    self._devices.add(point.rpartition(":")[0])
        self._episodes: dict[tuple[str, str], _Episode] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Nothing is declared before a tag has passed: there are no rows."""
        assert not list(rows)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Collect reads into episodes; judge an episode once its tag is silent."""
        if type(fact) is TagReport:
            return self._reads(now, fact) if fact.device in self._devices else NOTHING
        if fact is None:
            return self._judge_silent(now)
        if type(fact) is Stall:
            return self._put_off(now + fact.span_ns)
        if type(fact) is Coverage and fact.resumed and fact.device in self._devices:
            return self._put_off(now)
        return NOTHING

    def _reads(self, now: Ns, report: TagReport) -> Turn:
        idle = not self._episodes
        for read in report.reads:
            place = self._points.get(read[0])
            if place is not None:
                self._note(now - read[4], read, place)
        if idle and self._episodes:
            return Turn(next_wake=now + self._quiet_ns)
        return NOTHING

    def _note(self, at: Ns, read: TagRead, place: tuple[str, int]) -> None:
        portal, side_index = place
        episode = self._episodes.get((portal, read.epc))
        rssi = RSSI_UNKNOWN_CDBM if read.rssi_cdbm is None else read.rssi_cdbm
        if episode is None:
            if len(self._episodes) >= EPISODES_MAX:
                del self._episodes[next(iter(self._episodes))]
            episode = _Episode(portal, read.epc, at, at, weakest=rssi, first_side=side_index)
            self._episodes[portal, read.epc] = episode
        side = episode.sides[side_index]
        weight = 10.0 ** (rssi / 1000) * read.seen_count
        side.reads += read.seen_count
        side.weight += weight
        side.moment += weight * (at - episode.since - read.span_ns / 2)
        side.peak = max(side.peak, rssi)
        episode.weakest = min(episode.weakest, rssi)
        episode.until = max(episode.until, at)
        episode.last_side = side_index

    def _judge_silent(self, now: Ns) -> Turn:
        facts: list[Fact] = []
        due = NS_PER_S << 32
        for key, episode in list(self._episodes.items()):
            if episode.until + self._quiet_ns <= now:
                del self._episodes[key]
                facts.extend(self._judge(episode))
            else:
                due = min(due, episode.until + self._quiet_ns)
        return Turn(facts=tuple(facts), next_wake=due if self._episodes else None)

    def _put_off(self, until: Ns) -> Turn:
        """Nobody watched until then: no tag fell silent meanwhile."""
        for episode in self._episodes.values():
            episode.until = max(episode.until, until)
        return Turn(next_wake=until + self._quiet_ns) if self._episodes else NOTHING

    def _judge(self, episode: _Episode) -> list[Passage]:
        outer, inner = episode.sides
        reads = outer.reads + inner.reads
        if reads < self._reads_min or episode.until - episode.since > self._static_ns:
            return []
        direction, confidence = self._direction(episode)
        return [
            Passage(
                portal=episode.portal,
                epc=episode.epc,
                direction=direction,
                since=episode.since,
                until=episode.until,
                reads=reads,
                rssi_cdbm=max(outer.peak, inner.peak),
                confidence_permille=confidence,
            )
        ]

    def _direction(self, episode: _Episode) -> tuple[Direction, int]:
        outer, inner = episode.sides
        if max(outer.peak, inner.peak) - episode.weakest < self._rise_cdb:
            return "uncertain", 500
        if not (outer.reads and inner.reads):
            return "turned_back", 700
        gap = inner.centroid() - outer.centroid()
        if abs(gap) < self._order_gap_ns:
            return "uncertain", 500
        direction: Direction = "in" if gap > 0 else "out"
        crossed = episode.first_side != episode.last_side
        share = min(outer.reads, inner.reads) / (outer.reads + inner.reads)
        return direction, min(990, (900 if crossed else 800) + int(180 * share))
