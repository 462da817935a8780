"""Presence: which tag is in which zone.

A tag arrives on evidence and leaves on watched silence (hysteresis):

    absent --- enter_reads within enter_window, strongest zone ---> present in that zone
    present -- fewer than 2 reads in its leave window, covered ---> absent
    present -- another zone has that evidence and is switch_db stronger --> present there

Of zones that see an absent tag the strongest gets it; one that has only stray reads is waited for
no longer than it would need for its own evidence.

Absence is measured on the zone's own clock of covered time (`rules.watched_zone`): a dead reader,
an unplugged antenna or a stalled gateway stops it, so that none of them is ever a departed tag.
After blind time every absence starts anew.

The leave window of a tag grows with its own mean gap between reads (`rules.pace`), from
`leave_window_s`; `ReadPace` tells whoever waits for a departure. The window stands in the tag's
row, so that a restart does not take a seldom read tag for gone. In session 1 set `enter_window_s`
to 10, or arrivals come late.

Source: the window model of Jeffery et al. (VLDB 2006), with evidence counted and hysteresis.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Arrival,
    Cause,
    Coverage,
    Departure,
    Fact,
    Ns,
    ReadPace,
    TagRead,
    TagReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.pace import Pace
from rules.watched_zone import NEVER, WatchedZone

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


@dataclass(slots=True)
class _Tag:
    """A tag that is present. All times but `seen_at` are on the zone's clock; `last` and `previous`
    are its reads, `due` is when its silence is looked at.
    """

    zone: WatchedZone
    rssi: int
    last: Ns
    previous: Ns
    arrived: Ns
    seen_at: Ns
    pace: Pace
    reads: int = 0
    due: Ns = 0


@dataclass(slots=True)
class _Candidate:
    """Evidence for one tag in one zone where it is not (yet) present; enough since `ready_at`."""

    first_at: Ns
    times: deque[Ns]
    rssi: int
    reads: int = 0
    ready_at: Ns = NEVER


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
        self._zones: dict[str, WatchedZone] = {}
        self._points: dict[str, WatchedZone] = {}
        self._devices: dict[str, list[WatchedZone]] = {}
        for wired in context.site.zones:
            zone = WatchedZone(wired.location)
            self._zones[wired.location] = zone
            for point in wired.antennas:
                device, _, antenna = point.rpartition(":")
                zone.wire(device, int(antenna), self._last_alive)
                self._points[point] = zone
            for device in zone.antennas:
                self._devices.setdefault(device, []).append(zone)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back which tags are where; their absence clocks start anew."""
        for row in rows:
            of_zone = row.key.startswith(ZONE_ROW)
            place = row.key.removeprefix(ZONE_ROW) if of_zone else str(row.value["zone"])
            zone = self._zones.get(place)
            if zone is not None and of_zone:
                zone.known_from = -NEVER
            elif zone is not None:
                epc = row.key.removeprefix(TAG_ROW)
                leave_ms = row.value.get("leave_ms", 0)
                assert isinstance(leave_ms, int)
                pace = Pace.kept(self._leave_ns, leave_ms * NS_PER_MS)
                tag = _Tag(zone, RSSI_UNKNOWN_CDBM, 0, 0, 0, self._last_alive, pace)
                self._tags[epc] = tag
                _look_at(tag, epc, pace.leave)
                if pace.leave > pace.usual:
                    zone.restored_slow.append(epc)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Take reads as evidence of presence, coverage as evidence of absence."""
        if type(fact) is TagReport:
            return self._reads(now, fact) if fact.device in self._devices else NOTHING
        if type(fact) is Coverage:
            return self._cover(now, fact) if fact.device in self._devices else NOTHING
        return NOTHING

    def _reads(self, now: Ns, report: TagReport) -> Turn:
        points, tags, floor, turn = self._points, self._tags, self._floor_cdbm, NOTHING
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
                if tag.reads:
                    tag.rssi += (rssi - tag.rssi) // RSSI_SMOOTHING
                else:
                    tag.rssi = rssi
                count = read[3]
                tag.reads += count
                tag.previous = tag.last if count == 1 else zone.lived
                tag.last = zone.lived
            else:
                turn = self._elsewhere(now, read, zone, turn)
        return turn

    def _elsewhere(self, now: Ns, read: TagRead, zone: WatchedZone, turn: Turn) -> Turn:
        """Weigh a read in a zone where the tag is not: is it an arrival, a switch, a stray?"""
        candidate = self._note(now - read.age_ns, read, zone)
        times = candidate.times
        if len(times) < self._enter_reads or times[-1] - times[0] > self._enter_ns:
            candidate.ready_at = NEVER
            return turn
        candidate.ready_at = min(candidate.ready_at, times[-1])
        if times[-1] - candidate.first_at < self._confirm_ns:
            return turn
        tag = self._tags.get(read.epc)
        if tag is not None:
            silent = tag.zone.lived - max(tag.last, tag.zone.floor) > tag.pace.leave // 2
            stronger = tag.reads > 0 and candidate.rssi >= tag.rssi + self._switch_cdb
            held_back = times[-1] < tag.seen_at - self._enter_ns
            if held_back or not (silent or stronger):
                return turn
        elif self._outdone(candidate, self._candidates[read.epc].values()):
            return turn
        return self._arrive(read.epc, zone, candidate, turn)

    def _outdone(self, candidate: _Candidate, others: Iterable[_Candidate]) -> bool:
        """Whether a stronger zone has as good evidence, or may yet come to it in its own time."""
        seen_at = candidate.times[-1]
        recent = seen_at - self._enter_ns
        patient = seen_at - candidate.ready_at < self._confirm_ns + self._enter_ns
        return any(
            other.rssi > candidate.rssi
            and other.times[-1] >= recent
            and (patient or (len(other.times) == self._enter_reads and other.times[0] >= recent))
            for other in others
        )

    def _note(self, at: Ns, read: TagRead, zone: WatchedZone) -> _Candidate:
        """Add a read to the evidence; one that comes late counts as seen with the last."""
        places = self._candidates.setdefault(read.epc, {})
        rssi = RSSI_UNKNOWN_CDBM if read.rssi_cdbm is None else read.rssi_cdbm
        candidate = places.get(zone.location)
        if candidate is None or at - read.span_ns - candidate.times[-1] > self._enter_ns:
            candidate = _Candidate(at - read.span_ns, deque(maxlen=self._enter_reads), rssi)
            places[zone.location] = candidate
            if len(self._candidates) > CANDIDATES_MAX:
                del self._candidates[next(iter(self._candidates))]
        times = candidate.times
        for index in range(min(read.seen_count, self._enter_reads), 0, -1):
            moment = at - read.span_ns * (index - 1) // max(1, read.seen_count - 1)
            times.append(max(moment, times[-1]) if times else moment)
        candidate.rssi += (rssi - candidate.rssi) // RSSI_SMOOTHING
        candidate.reads += read.seen_count
        return candidate

    def _arrive(self, epc: str, zone: WatchedZone, candidate: _Candidate, turn: Turn) -> Turn:
        old = self._tags.pop(epc, None)
        cause: Cause = "live"
        if zone.blind_devices or candidate.first_at - zone.resumed_at < self._settle_ns:
            cause = "found_after_gap"
        if old is None and candidate.first_at < zone.known_from:
            cause = "first_start"
            zone.found_at = zone.lived
        facts: list[Fact] = list(turn.facts)
        if old is not None:
            facts.append(replace(self._departure(epc, old, cause), to_zone=zone.location))
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
                unwatched_since=zone.unwatched_from() if cause == "found_after_gap" else None,
            )
        )
        tag = self._place(epc, zone, candidate)
        if tag.pace.leave > tag.pace.usual:
            facts.append(ReadPace(zone.location, epc, tag.pace.leave))
        return Turn(tuple(facts), (*turn.puts, _row(epc, tag)), turn.deletes)

    def _place(self, epc: str, zone: WatchedZone, candidate: _Candidate) -> _Tag:
        """The tag is in the zone from now on."""
        lived, last = zone.lived, candidate.times[-1]
        pace = Pace.first(self._leave_ns, lived, last - candidate.first_at, candidate.reads)
        tag = _Tag(zone, candidate.rssi, lived, lived, lived, last, pace, candidate.reads)
        self._tags[epc] = tag
        _look_at(tag, epc, lived + self._leave_ns)
        del self._candidates[epc][zone.location]
        if not self._candidates[epc]:
            del self._candidates[epc]
        return tag

    def _cover(self, now: Ns, coverage: Coverage) -> Turn:
        facts: list[Fact] = []
        puts: list[Row] = []
        deletes: list[str] = []
        for zone in self._devices[coverage.device]:
            if not zone.advance(now, coverage):
                facts.extend(self._restored_paces(zone))
                continue
            if zone.known_from == NEVER and zone.settled(self._settle_ns):
                zone.known_from = now
                puts.append(Row(ZONE_ROW + zone.location, {"commissioned": 1}))
            for epc, tag in self._due(zone):
                if _silence_end(tag) <= zone.lived:
                    del self._tags[epc]
                    gap = tag.seen_at <= zone.resumed_at
                    facts.append(self._departure(epc, tag, "found_after_gap" if gap else "live"))
                    deletes.append(TAG_ROW + epc)
                    continue
                if tag.pace.measure(zone.lived, zone.floor, tag.reads):
                    facts.append(ReadPace(zone.location, epc, tag.pace.leave))
                    puts.append(_row(epc, tag))
                _look_at(tag, epc, _silence_end(tag))
        if not (facts or puts):
            return NOTHING
        return Turn(facts=tuple(facts), puts=tuple(puts), deletes=tuple(deletes))

    def _due(self, zone: WatchedZone) -> Iterator[tuple[str, _Tag]]:
        """Tags of the zone whose silence is to be looked at."""
        deadlines = zone.deadlines
        while deadlines and deadlines[0][0] <= zone.lived:
            due, epc = heapq.heappop(deadlines)
            tag = self._tags.get(epc)
            if tag is not None and tag.zone is zone and tag.due == due:
                yield epc, tag

    def _restored_paces(self, zone: WatchedZone) -> Iterator[ReadPace]:
        """What an earlier run measured, told anew before anybody waits."""
        for epc in zone.restored_slow:
            tag = self._tags.get(epc)
            if tag is not None and tag.zone is zone:
                yield ReadPace(zone.location, epc, tag.pace.leave)
        zone.restored_slow.clear()

    def _departure(self, epc: str, tag: _Tag, cause: Cause) -> Departure:
        """The silence is as telling as the tag was talkative."""
        lived_s = max(1.0, (tag.last - tag.arrived) / NS_PER_S)
        rate = tag.reads / lived_s if tag.reads else READS_PER_S_ASSUMED
        misses = math.exp(-rate * tag.pace.leave / NS_PER_S)
        return Departure(
            zone=tag.zone.location,
            epc=epc,
            last_seen=tag.seen_at,
            reads=tag.reads,
            rssi_cdbm=tag.rssi,
            confidence_permille=min(990, int(1000 * (1 - misses))),
            cause=cause,
        )


def _silence_end(tag: _Tag) -> Ns:
    """When the tag's silence will have lasted: fewer than 2 reads in its leave window."""
    return max(tag.previous, tag.zone.floor) + tag.pace.leave


def _look_at(tag: _Tag, epc: str, due: Ns) -> None:
    tag.due = due
    heapq.heappush(tag.zone.deadlines, (due, epc))


def _row(epc: str, tag: _Tag) -> Row:
    leave = tag.pace.leave
    if leave == tag.pace.usual:
        return Row(TAG_ROW + epc, {"zone": tag.zone.location})
    return Row(TAG_ROW + epc, {"zone": tag.zone.location, "leave_ms": leave // NS_PER_MS})
