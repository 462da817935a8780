"""Presence: which tag is in which zone.

A tag arrives on evidence and leaves on watched silence (hysteresis):

    absent --- enter_reads within enter_window, strongest zone ---> present in that zone
    present -- fewer than 2 reads in leave_window of covered time --> absent
    present -- another zone has that evidence and is switch_db stronger --> present there

Absence is measured on the zone's own clock, which only `Coverage` advances: a dead reader, an
unplugged antenna or a stalled gateway stops it, so that none of them is ever a departed tag.
After blind time every absence starts anew.

Source: evidence counting with hysteresis beats time-outs and SMURF once there are stray reads
(Jeffery et al., VLDB 2006, for the window model).
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    Arrival,
    Cause,
    Coverage,
    Departure,
    Fact,
    Ns,
    TagRead,
    TagReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

CANDIDATES_MAX = 10_000
"""Tags that are read but not present: strays and ghosts. The first noted is forgotten."""

RSSI_SMOOTHING = 8
"""Weight of the past in the running RSSI: about the last eight reads count."""

RSSI_UNKNOWN_CDBM = -7000
"""Assumed where a reader tells no RSSI: weak, so that a zone that does tell wins."""

READS_PER_S_ASSUMED = 0.25
"""Of a tag that was not read since the gateway started: one that reads badly."""

ZONE_ROW = "zone:"
TAG_ROW = "tag:"


class PresenceSettings(PluginSettings):
    """Quick or sure: smaller windows decide sooner and are wrong more often."""

    enter_reads: int = Field(3, ge=1, le=50)
    enter_window_s: float = Field(2.0, gt=0)
    confirm_s: float = Field(1.2, ge=0)
    leave_window_s: float = Field(10.0, gt=0)
    switch_db: float = Field(6.0, ge=0)
    rssi_floor_dbm: float = -80.0
    settle_s: float = Field(6.0, ge=0)


@dataclass(slots=True, eq=False)
class _Zone:
    """A zone and its own clock of covered time."""

    location: str
    antennas: dict[str, set[int]]
    covered: dict[str, Ns]
    commissioned: bool = False
    blind: bool = True
    lived: Ns = 0
    floor: Ns = 0
    resumed_at: Ns = 0
    blind_since: Ns = 0
    deadlines: list[tuple[Ns, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Tag:
    """A tag that is present. `last` and `previous` are its reads on the zone's clock."""

    zone: _Zone
    rssi: int
    last: Ns
    previous: Ns
    arrived: Ns
    seen_at: Ns
    reads: int = 0


@dataclass(slots=True)
class _Candidate:
    """Evidence for one tag in one zone where it is not (yet) present."""

    first_at: Ns
    times: deque[Ns]
    rssi: int
    reads: int = 0


class Presence:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = PresenceSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (TagReport, Coverage)
    schema: ClassVar[int] = 1

    def __init__(self, settings: PresenceSettings, context: RuleContext) -> None:
        self._enter_reads = settings.enter_reads
        self._enter_ns = int(settings.enter_window_s * NS_PER_S)
        self._confirm_ns = int(settings.confirm_s * NS_PER_S)
        self._leave_ns = int(settings.leave_window_s * NS_PER_S)
        self._settle_ns = int(settings.settle_s * NS_PER_S)
        self._switch_cdb = int(settings.switch_db * 100)
        self._floor_cdbm = int(settings.rssi_floor_dbm * 100)
        self._last_alive = context.last_alive or 0
        self._tags: dict[str, _Tag] = {}
        self._candidates: dict[str, dict[str, _Candidate]] = {}
        self._zones: dict[str, _Zone] = {}
        self._points: dict[str, _Zone] = {}
        self._devices: dict[str, list[_Zone]] = {}
        for wired in context.site.zones:
            zone = _Zone(wired.location, {}, {}, blind_since=self._last_alive)
            self._zones[wired.location] = zone
            for point in wired.antennas:
                device, _, antenna = point.rpartition(":")
                zone.antennas.setdefault(device, set()).add(int(antenna))
                zone.covered[device] = 0
                self._points[point] = zone
            for device in zone.antennas:
                self._devices.setdefault(device, []).append(zone)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back which tags are where; their absence clocks start anew."""
        for row in rows:
            if row.key.startswith(ZONE_ROW):
                zone = self._zones.get(row.key.removeprefix(ZONE_ROW))
                if zone is not None:
                    zone.commissioned = True
                continue
            zone = self._zones.get(str(row.value["zone"]))
            if zone is not None:
                epc = row.key.removeprefix(TAG_ROW)
                tag = _Tag(zone, RSSI_UNKNOWN_CDBM, 0, 0, 0, self._last_alive)
                self._tags[epc] = tag
                heapq.heappush(zone.deadlines, (self._leave_ns, epc))

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Take reads as evidence of presence, coverage as evidence of absence."""
        if type(fact) is TagReport:
            return self._reads(now, fact) if fact.device in self._devices else NOTHING
        if type(fact) is Coverage:
            return self._cover(now, fact) if fact.device in self._devices else NOTHING
        return NOTHING

    def _reads(self, now: Ns, report: TagReport) -> Turn:
        points, tags, floor = self._points, self._tags, self._floor_cdbm
        turn = NOTHING
        for read in report.reads:
            zone = points.get(read[0])
            if zone is None:
                continue
            rssi = read[2]
            if rssi is None:
                rssi = RSSI_UNKNOWN_CDBM
            elif rssi < floor:
                continue
            tag = tags.get(read[1])
            if tag is not None and tag.zone is zone:
                seen_at = now - read[4]
                if seen_at > tag.seen_at:
                    tag.seen_at = seen_at
                tag.rssi += (rssi - tag.rssi) // RSSI_SMOOTHING
                count = read[3]
                tag.reads += count
                tag.previous = tag.last if count == 1 else zone.lived
                tag.last = zone.lived
            else:
                turn = self._elsewhere(now, read, zone, turn)
        return turn

    def _elsewhere(self, now: Ns, read: TagRead, zone: _Zone, turn: Turn) -> Turn:
        """Weigh a read in a zone where the tag is not: is it an arrival, a switch, a stray?"""
        candidate = self._note(now - read.age_ns, read, zone)
        times = candidate.times
        if (
            len(times) < self._enter_reads
            or times[-1] - times[0] > self._enter_ns
            or times[-1] - candidate.first_at < self._confirm_ns
        ):
            return turn
        tag = self._tags.get(read.epc)
        if tag is not None:
            silent = tag.zone.lived - tag.last > self._leave_ns // 2
            if not silent and candidate.rssi < tag.rssi + self._switch_cdb:
                return turn
        elif any(
            other.rssi > candidate.rssi and times[-1] - other.times[-1] <= self._enter_ns
            for other in self._candidates[read.epc].values()
        ):
            return turn
        return self._arrive(read.epc, zone, candidate, turn)

    def _note(self, at: Ns, read: TagRead, zone: _Zone) -> _Candidate:
        places = self._candidates.setdefault(read.epc, {})
        rssi = RSSI_UNKNOWN_CDBM if read.rssi_cdbm is None else read.rssi_cdbm
        candidate = places.get(zone.location)
        if candidate is None or at - candidate.times[-1] > self._enter_ns:
            candidate = _Candidate(at - read.span_ns, deque(maxlen=self._enter_reads), rssi)
            places[zone.location] = candidate
            if len(self._candidates) > CANDIDATES_MAX:
                del self._candidates[next(iter(self._candidates))]
        for index in range(min(read.seen_count, self._enter_reads), 0, -1):
            candidate.times.append(at - read.span_ns * (index - 1) // max(1, read.seen_count - 1))
        candidate.rssi += (rssi - candidate.rssi) // RSSI_SMOOTHING
        candidate.reads += read.seen_count
        return candidate

    def _arrive(self, epc: str, zone: _Zone, candidate: _Candidate, turn: Turn) -> Turn:
        facts: list[Fact] = list(turn.facts)
        old = self._tags.pop(epc, None)
        if old is not None:
            facts.append(replace(self._departure(epc, old, "live"), to_zone=zone.location))
        cause: Cause = "live"
        if zone.blind or candidate.first_at - zone.resumed_at < self._settle_ns:
            cause = "found_after_gap" if zone.commissioned else "first_start"
        facts.append(
            Arrival(
                zone=zone.location,
                epc=epc,
                since=candidate.first_at,
                reads=candidate.reads,
                rssi_cdbm=candidate.rssi,
                confidence_permille=min(990, 850 + 20 * candidate.reads),
                cause=cause,
                from_zone=old.zone.location if old else "",
            )
        )
        last = candidate.times[-1]
        tag = _Tag(zone, candidate.rssi, zone.lived, zone.lived, zone.lived, last, candidate.reads)
        self._tags[epc] = tag
        self._candidates[epc].pop(zone.location, None)
        if not self._candidates[epc]:
            del self._candidates[epc]
        heapq.heappush(zone.deadlines, (zone.lived + self._leave_ns, epc))
        row = Row(TAG_ROW + epc, {"zone": zone.location})
        return Turn(facts=tuple(facts), puts=(*turn.puts, row), deletes=turn.deletes)

    def _cover(self, now: Ns, coverage: Coverage) -> Turn:
        facts: list[Fact] = []
        deletes: list[str] = []
        puts: list[Row] = []
        for zone in self._devices[coverage.device]:
            if not self._advance(now, zone, coverage):
                continue
            if not zone.commissioned and now - zone.resumed_at >= self._settle_ns:
                zone.commissioned = True
                puts.append(Row(ZONE_ROW + zone.location, {"commissioned": 1}))
            for epc in self._expired(zone):
                tag = self._tags.pop(epc)
                gap = tag.seen_at <= zone.resumed_at
                facts.append(self._departure(epc, tag, "found_after_gap" if gap else "live"))
                deletes.append(TAG_ROW + epc)
        if not (facts or puts):
            return NOTHING
        return Turn(facts=tuple(facts), puts=tuple(puts), deletes=tuple(deletes))

    def _advance(self, now: Ns, zone: _Zone, coverage: Coverage) -> bool:
        """Move the zone's clock on by what is covered; False while it stands still."""
        antennas = zone.antennas[coverage.device]
        if not antennas.isdisjoint(coverage.blind_antennas) or 0 in coverage.blind_antennas:
            zone.blind = True
            return False
        if coverage.resumed or zone.blind:
            zone.blind = False
            top = max(zone.covered.values())
            zone.covered = dict.fromkeys(zone.covered, top)
            zone.lived = zone.floor = top
            zone.resumed_at = now
            return False
        zone.covered[coverage.device] += coverage.span_ns
        zone.lived = min(zone.covered.values())
        return True

    def _expired(self, zone: _Zone) -> list[str]:
        """Tags whose watched silence has lasted; a deadline that reads moved on is put off."""
        expired: list[str] = []
        while zone.deadlines and zone.deadlines[0][0] <= zone.lived:
            _, epc = heapq.heappop(zone.deadlines)
            tag = self._tags.get(epc)
            if tag is None or tag.zone is not zone:
                continue
            due = max(tag.previous, zone.floor) + self._leave_ns
            if due <= zone.lived:
                expired.append(epc)
            else:
                heapq.heappush(zone.deadlines, (due, epc))
        return expired

    def _departure(self, epc: str, tag: _Tag, cause: Cause) -> Departure:
        """The silence is as telling as the tag was talkative."""
        lived_s = max(1.0, (tag.last - tag.arrived) / NS_PER_S)
        rate = tag.reads / lived_s if tag.reads else READS_PER_S_ASSUMED
        misses = math.exp(-rate * self._leave_ns / NS_PER_S)
        return Departure(
            zone=tag.zone.location,
            epc=epc,
            last_seen=tag.seen_at,
            reads=tag.reads,
            rssi_cdbm=tag.rssi,
            confidence_permille=min(990, int(1000 * (1 - misses))),
            cause=cause,
        )
