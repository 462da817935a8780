"""Portal: which way a tag went through a gate.

One episode per tag, from its first read at the gate until it has been silent for `quiet_s`:

    silent --- read ---> in view --- quiet_s of watched silence ---> judged, silent
                         in view --- longer than static_after_s ---> static
                         static ---- quiet_s of watched silence ---> silent
                         static ---- stronger than it stood -------> in view

The direction is the order in which the two sides saw it: the centroid of its reads in time,
weighted by received power, per side. A tag that only one side saw, or that left on the side where
it came from, turned back. One that stands beside the gate is static and passes nothing. When a
side sees it `rise_db` stronger than it has of late, it begins to move, and its episode begins anew
with the last read of the side where it stood. Then it passes only away from that side, and only if
the other side has seen it as often as a passage needs: shadows, strays and a tag that is carried
off on its own side book nothing. Without RSSI only a side that had not seen it tells that it moves.

Silence counts only while `Coverage` shows the gate's readers watching, and waits for reads that
may come late. What a reader missed in blind time is not held against the tag: one side alone is
then no proof that it turned back, and the passage is uncertain.
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
    TagRead,
    TagReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

EPISODES_MAX = 10_000
"""Tags in view of all gates at once; the one that began first, most likely static, is forgotten."""

RSSI_UNKNOWN_CDBM = -6000
"""Assumed where a reader tells no RSSI: every read then weighs the same."""

PARTNER_WAIT_NS = 10 * NS_PER_S
"""What a gate waits for the one of its readers that does not answer; then it counts as blind."""

TURN_SHARE = 8
"""Out and back the two sides' centroids lie within this part of the episode; through, far apart."""

STOOD_CONFIDENCE_MAX = 800
"""Of a passage that began with standing: its beginning is an inference from a level."""

STOOD_MARGIN_CDB = 1000
"""A side that did not see the tag stand must see it this near to how strongly the other did."""

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
    last: float = 0.0
    last_rssi: int = 0

    def add(self, moment: float, rssi: int, reads: int) -> None:
        weight = 10.0 ** (rssi / 1000) * reads
        self.reads += reads
        self.weight += weight
        self.moment += weight * moment
        self.peak = max(self.peak, rssi)
        self.last, self.last_rssi = moment, rssi

    def centroid(self) -> float:
        return self.moment / self.weight


@dataclass(slots=True)
class _Episode:
    """One tag in view of one gate. `silent_from` is its last read, or the end of blind time.

    While it is static, `sides` began at `sides_from` and `stood` are those before; `home` is the
    side where it stood before it moved.
    """

    gate: _Gate
    epc: str
    origin: Ns
    since: Ns
    until: Ns
    silent_from: Ns
    first_side: int
    last_side: int
    weakest: int = 0
    no_rssi: bool = False
    blind: bool = False
    sides: tuple[_Side, _Side] = field(default_factory=lambda: (_Side(), _Side()))
    sides_from: Ns = 0
    stood: tuple[_Side, _Side] | None = None
    home: int | None = None


@dataclass(slots=True)
class _Gate:
    """One portal; `watched` is until when each of its readers was demonstrably read."""

    portal: str
    antennas: dict[str, set[int]] = field(default_factory=dict)
    watched: dict[str, Ns] = field(default_factory=dict)


class Portal:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = PortalSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (TagReport, Coverage)
    schema: ClassVar[int] = 1

    def __init__(self, settings: PortalSettings, context: RuleContext) -> None:
        self._quiet_ns = int(settings.quiet_s * NS_PER_S) + context.lateness_max_ns
        self._static_ns = int(settings.static_after_s * NS_PER_S)
        self._order_gap_ns = settings.order_gap_ms * NS_PER_MS
        self._rise_cdb = int(settings.rise_db * 100)
        self._reads_min = settings.reads_min
        self._points: dict[str, tuple[_Gate, int]] = {}
        self._devices: dict[str, list[_Gate]] = {}
        self._episodes: dict[tuple[str, str], _Episode] = {}
        for portal in context.site.portals:
            gate = _Gate(portal.portal)
            for side, points in enumerate((portal.outer, portal.inner)):
                for point in points:
                    device, _, antenna = point.rpartition(":")
                    self._points[point] = (gate, side)
                    gate.antennas.setdefault(device, set()).add(int(antenna))
                    gate.watched[device] = 0
            for device in gate.antennas:
                self._devices.setdefault(device, []).append(gate)

    def restore(self, rows: Iterable[Row]) -> None:
        """Nothing is declared before a tag has passed: there are no rows."""
        assert not list(rows)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Collect reads into episodes; judge an episode once its tag is silent."""
        if type(fact) is TagReport:
            if fact.device in self._devices:
                for read in fact.reads:
                    place = self._points.get(read[0])
                    if place is not None:
                        self._note(now - read[4], read, place)
        elif type(fact) is Coverage and fact.device in self._devices:
            facts: list[Fact] = []
            for gate in self._devices[fact.device]:
                facts.extend(self._watch(now, gate, fact))
            if facts:
                return Turn(facts=tuple(facts))
        return NOTHING

    def _note(self, at: Ns, read: TagRead, place: tuple[_Gate, int]) -> None:
        gate, side_index = place
        key = (gate.portal, read.epc)
        episode = self._episodes.get(key)
        begun = at - read.span_ns
        if episode is None:
            if len(self._episodes) >= EPISODES_MAX:
                del self._episodes[next(iter(self._episodes))]
            episode = _Episode(gate, read.epc, begun, begun, at, at, side_index, side_index)
            self._episodes[key] = episode
        rssi = read.rssi_cdbm
        if rssi is None:
            rssi = RSSI_UNKNOWN_CDBM
            episode.no_rssi = True
        if at - episode.since > self._static_ns:
            self._stand(at, episode, side_index, rssi)
        middle = at - episode.origin - read.span_ns / 2
        episode.sides[side_index].add(middle, rssi, read.seen_count)
        episode.weakest = min(episode.weakest, rssi)
        if begun < episode.since:
            episode.since, episode.first_side = begun, side_index
        if at >= episode.until:
            episode.until, episode.last_side = at, side_index
            episode.silent_from = max(episode.silent_from, at)

    def _stand(self, at: Ns, episode: _Episode, side_index: int, rssi: int) -> None:
        """Compare a read of a static tag with how it stood; forget what is long ago."""
        stood = episode.stood
        if stood is None or at - episode.sides_from > self._static_ns // 2:
            episode.stood, episode.sides_from = episode.sides, at
            episode.sides, episode.home = (_Side(), _Side()), None
            return
        home = int(stood[1].weight > stood[0].weight)
        level = max(stood[side_index].peak + self._rise_cdb, stood[home].peak - STOOD_MARGIN_CDB)
        if rssi < level:
            return
        last = episode.sides[home] if episode.sides[home].reads else stood[home]
        episode.sides, episode.stood, episode.home = (_Side(), _Side()), None, home
        episode.sides[home].add(last.last, last.last_rssi, 1)
        episode.since = episode.until = episode.origin + int(last.last)
        episode.first_side = episode.last_side = home
        episode.weakest, episode.blind = last.last_rssi, False

    def _watch(self, now: Ns, gate: _Gate, coverage: Coverage) -> list[Fact]:
        """Judge the tags that were silent while the gate was watched."""
        device = coverage.device
        gate.watched[device] = now
        blind = coverage.resumed or 0 in coverage.blind_antennas
        blind = blind or not gate.antennas[device].isdisjoint(coverage.blind_antennas)
        watched = min(gate.watched.values()) - self._quiet_ns
        patience = now - self._quiet_ns - PARTNER_WAIT_NS
        facts: list[Fact] = []
        for key, episode in list(self._episodes.items()):
            if episode.gate is not gate:
                continue
            if blind:
                episode.blind = True
            if coverage.resumed:
                episode.silent_from = now
            elif episode.silent_from <= watched:
                del self._episodes[key]
                facts.extend(self._judge(episode))
            elif episode.silent_from <= patience:
                episode.blind = True
                del self._episodes[key]
                facts.extend(self._judge(episode))
        return facts

    def _judge(self, episode: _Episode) -> list[Passage]:
        outer, inner = episode.sides
        reads = outer.reads + inner.reads
        if reads < self._reads_min or episode.until - episode.since > self._static_ns:
            return []
        direction, confidence = self._direction(episode)
        if episode.home is not None:
            ways = ("uncertain", "out" if episode.home else "in")
            if direction not in ways or episode.sides[1 - episode.home].reads < self._reads_min:
                return []
            confidence = min(confidence, STOOD_CONFIDENCE_MAX)
        return [
            Passage(
                portal=episode.gate.portal,
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
        rise = max(outer.peak, inner.peak) - episode.weakest
        if rise < self._rise_cdb and not episode.no_rssi:
            return "uncertain", 500
        if not (outer.reads and inner.reads):
            return ("uncertain", 500) if episode.blind else ("turned_back", 700)
        gap = inner.centroid() - outer.centroid()
        crossed = episode.first_side != episode.last_side
        if not crossed and abs(gap) < (episode.until - episode.since) / TURN_SHARE:
            return ("uncertain", 500) if episode.blind else ("turned_back", 700)
        if abs(gap) < self._order_gap_ns:
            return "uncertain", 500
        direction: Direction = "in" if gap > 0 else "out"
        share = min(outer.reads, inner.reads) / (outer.reads + inner.reads)
        return direction, min(990, (900 if crossed else 800) + int(180 * share))
