"""Presence: which tag is in which zone.

A tag that stands has a steady level (RSSI) at each antenna, one that is carried has not: evidence
is reads at one level (`rules.run`), and a change of level is what betrays an act.

    absent --- stands here, no stronger zone has as good a run ------> present in that zone
    present -- silent for the window of its zone (`rules.silence`) --> absent
    present -- read on its way, and then silent (`rules.standing`) --> absent, sooner
    present -- stands elsewhere since it last stood here ------------> present there
    present -- stands in its zone at another level ------------------> present
    absent --- read again as it stood, or set down soon after -------> it had not left

A level that is read elsewhere while the tag stands is that of a stray: it moves nothing, however
steady (`rules.astray`). Where a reader tells no level, many reads in a short time stand in for a
steady one.

Absence is measured on the zone's own clock of covered time (`rules.watched_zone`): a dead reader,
an unplugged antenna or a stalled gateway stops it, so that none of them is ever a departed tag.
After blind time every absence starts anew.

A tag that is read more seldom than others has a longer window (`rules.pace`); `ReadPace` tells
whoever waits for a departure. What holds the window stands in the tag's row, so that a restart does
not take a seldom read tag for gone. `sure` is the knob between quick and sure.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
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
    Passage,
    ReadPace,
    StepExpectsTags,
    StillStands,
    TagReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.antenna import ZoneAntenna
from rules.astray import Astray, Found
from rules.gone import GONE_ROW, GoneRows
from rules.learned import LEARNED_EVERY, LEARNED_ROW, learned_fact, learned_row, take_back
from rules.pace import KEPT_NS, STEPS_NS, Pace
from rules.passed import LOOK_NS, Passed
from rules.run import RSSI_SMOOTHING, RSSI_UNKNOWN_CDBM, Run, sure_nats_of
from rules.silence import Silences
from rules.standing import Standing
from rules.trust import in_arrival, in_departure
from rules.turns import together
from rules.watched_zone import NEVER, WatchedZone

LATE_FOUND_NS = 300 * NS_PER_S
"""So long after a zone was first watched, what is read badly there is still found for the first
time rather than brought.
"""

MISSED_MAX = 15
"""What would have been read so often since its zone was first watched, at the pace at which it is
read now, was not there: a shadow lasts no longer, and what has come since is no stock of the start.
"""

TEACHES_PERMILLE = 500
"""What stands there less surely, or stood there already, does not teach what is usual there: a tag
that comes and goes a hundred times would.
"""

ZONE_ROW = "zone:"
TAG_ROW = "tag:"


class PresenceSettings(PluginSettings):
    """`sure`: 0 decides soonest and is wrong most often, 1 latest and most seldom.

    A zone may have its own. `still_db` is how far the level of a tag that stands may stray.
    """

    sure: float = Field(0.5, ge=0, le=1)
    still_db: float = Field(1.5, gt=0)
    rssi_floor_dbm: float = -100.0
    settle_s: float = Field(6.0, ge=0)


class Presence:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = PresenceSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        TagReport,
        Coverage,
        StepExpectsTags,
        Passage,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: PresenceSettings, context: RuleContext) -> None:
        self._settle_ns = int(settings.settle_s * NS_PER_S)
        self._still_cdb = int(settings.still_db * 100)
        self._floor_cdbm = int(settings.rssi_floor_dbm * 100)
        self._last_alive = context.last_alive or 0
        self._tags: dict[str, Standing] = {}
        self._astray = Astray(self._still_cdb)
        self._gone_rows = GoneRows(context.boot)
        self._passed = Passed(self._still_cdb)
        self._zones: dict[str, WatchedZone] = {}
        self._points: dict[str, ZoneAntenna] = {}
        self._devices: dict[str, list[WatchedZone]] = {}
        for wired in context.site.zones:
            sure = settings.sure if wired.sure is None else wired.sure
            zone = WatchedZone(wired.location, Silences.of(sure), sure_nats_of(sure))
            self._zones[wired.location] = zone
            for point in wired.antennas:
                device, _, antenna = point.rpartition(":")
                zone.wire(device, int(antenna), self._last_alive)
                self._points[point] = ZoneAntenna(point, zone)
            for device in zone.antennas:
                self._devices.setdefault(device, []).append(zone)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back which tags are where; their absence clocks start anew."""
        antennas = {antenna.zone.location: antenna for antenna in self._points.values()}
        rows = list(rows)
        for row in rows:
            zone = self._zones.get(row.key.removeprefix(LEARNED_ROW))
            if zone is not None and row.key.startswith(LEARNED_ROW):
                take_back(row.value, zone.silences, self._points)
        for row in rows:
            if row.key.startswith(LEARNED_ROW):
                continue
            if row.key.startswith(GONE_ROW):
                gone = self._gone_rows.restore(row, self._points)
                if gone is not None:
                    self._astray.keep_in_mind(*gone)
                continue
            of_zone = row.key.startswith(ZONE_ROW)
            place = row.key.removeprefix(ZONE_ROW) if of_zone else str(row.value["zone"])
            antenna = antennas.get(place)
            if antenna is not None and of_zone:
                antenna.zone.known_from = -NEVER
            elif antenna is not None:
                leave_ms = row.value.get("leave_ms", 0)
                assert isinstance(leave_ms, int)
                self._restore(row.key.removeprefix(TAG_ROW), antenna, leave_ms * NS_PER_MS)

    def _restore(self, epc: str, antenna: ZoneAntenna, leave_ns: Ns) -> None:
        zone = antenna.zone
        pace = Pace(zone.silences.gap_ns, max(STEPS_NS[0], leave_ns), kept=leave_ns)
        tag = Standing(antenna, RSSI_UNKNOWN_CDBM, 0, 0, self._last_alive, pace)
        self._tags[epc] = tag
        _look_at(tag, epc, max(leave_ns or KEPT_NS[0], tag.silence_end()))
        if leave_ns:
            zone.restored_slow.append(epc)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Take reads as evidence of presence, coverage as evidence of absence."""
        if type(fact) is TagReport:
            return self._reads(now, fact) if fact.device in self._devices else NOTHING
        if type(fact) is Coverage:
            return self._cover(now, fact) if fact.device in self._devices else NOTHING
        if type(fact) is StepExpectsTags:
            self._expect(now, fact)
        elif type(fact) is Passage:
            self._has_passed(fact)
        return NOTHING

    def _has_passed(self, passage: Passage) -> None:
        """What stands in a zone and is told to have passed a gate is looked at soon."""
        tag = self._tags.get(passage.epc)
        if tag is not None and tag.reads and passage.direction in ("in", "out"):
            self._passed.note(passage.epc, passage.until, tag)
            _look_at(tag, passage.epc, min(tag.due, tag.zone.lived + LOOK_NS))

    def _expect(self, now: Ns, step: StepExpectsTags) -> None:
        """A scale has felt an act: a tag that was not read as it stood since may be its piece."""
        zone = self._zones.get(step.zone)
        if zone is None:
            return
        if step.arriving:
            zone.expect(now, step.pattern)
            return
        for epc in {epc for _, epc in zone.deadlines if step.pattern.carries(epc)}:
            tag = self._tags.get(epc)
            if tag is not None and tag.zone is zone and tag.reads and tag.still_at <= step.until:
                tag.weighed_gone(step.until)
                _look_at(tag, epc, tag.silence_end())

    def _reads(self, now: Ns, report: TagReport) -> Turn:
        points, tags, floor, turn = self._points, self._tags, self._floor_cdbm, NOTHING
        still_cdb = self._still_cdb
        for read in report.reads:
            antenna = points.get(read[0])
            if antenna is None:
                continue
            rssi = read[2]
            if rssi is not None and rssi < floor:
                continue
            tag = tags.get(read[1])
            if tag is not None and tag.antenna is antenna and tag.reads:
                off = 0 if rssi is None else rssi - tag.rssi
                if -still_cdb <= off <= still_cdb:
                    tag.rssi += off // RSSI_SMOOTHING
                    tag.seen_still(now - read[4], read[3])
                    continue
            found = self._astray.weigh(now - read[4], read, antenna, tag)
            if found is not None:
                turn = self._arrive(read[1], found, turn)
            elif tag is not None and tag.stirred_nats:
                due = tag.silence_end()
                if due < tag.due:
                    _look_at(tag, read[1], due)
        return turn

    def _arrive(self, epc: str, found: Found, turn: Turn) -> Turn:
        old, run = self._tags.pop(epc, None), found.run
        zone = run.antenna.zone
        cause: Cause = "misplaced" if found.misplaced else self._cause(run)
        if old is None and not found.refutes and _stood_before(run):
            cause = "first_start"
            zone.found_at = zone.lived
        unwatched = min(found.since, zone.unwatched_from())
        facts: list[Fact] = list(turn.facts)
        if old is not None:
            departure = self._departure(epc, old, cause)
            seen = min(departure.last_seen, max(found.since, old.still_at))
            facts.append(replace(departure, to_zone=zone.location, last_seen=seen))
        facts.append(
            Arrival(
                zone=zone.location,
                epc=epc,
                since=found.since,
                reads=run.reads,
                rssi_cdbm=run.level,
                confidence_permille=in_arrival(run.antenna, run.level),
                cause=cause,
                from_zone=found.came_from,
                unwatched_since=unwatched if cause == "found_after_gap" else None,
                refutes=found.refutes,
            )
        )
        if not found.refutes and cause != "first_start":
            zone.silences.came(hardly_heard=run.antenna.hardly_hears(run.level))
        before = old if found.moved else None
        tag = self._place(epc, found, before, first=cause == "first_start")
        self._passed.left(epc)
        told = Turn(tuple(facts), (*turn.puts, _row(epc, tag)), turn.deletes)
        kept = self._gone_rows.keep(run.last_at, epc, self._astray.gone(epc))
        return together(told, kept, self._moved(zone))

    def _moved(self, zone: WatchedZone) -> Turn:
        """One more movement there: now and then what was learned goes with it."""
        zone.movements += 1
        return NOTHING if zone.movements % LEARNED_EVERY else self._learned(zone)

    def _learned(self, zone: WatchedZone) -> Turn:
        antennas = [antenna for antenna in self._points.values() if antenna.zone is zone]
        row = learned_row(zone.location, zone.silences, antennas)
        return Turn(facts=(learned_fact(zone.location, zone.silences),), puts=(row,))

    def _cause(self, run: Run) -> Cause:
        zone = run.antenna.zone
        gap = zone.blind_devices or run.began - zone.resumed_at < self._settle_ns
        return "found_after_gap" if gap else "live"

    def _place(self, epc: str, found: Found, old: Standing | None, *, first: bool) -> Standing:
        """The tag is in the zone from now on; `old` is how it stood elsewhere until now."""
        run = found.run
        zone = run.antenna.zone
        lived, gap = zone.lived, zone.silences.gap_ns
        pace = Pace(
            max(gap, (run.last_at - run.first_at) // max(1, run.samples - 1)), STEPS_NS[0], lived
        )
        tag = Standing(run.antenna, run.level, lived, lived, run.last_at, pace, run.reads)
        tag.still, tag.still_at = lived, run.last_at
        tag.came_from, tag.placed_at = found.came_from, run.last_at
        if first:
            tag.placed_at = -NEVER
        self._tags[epc] = tag
        if not found.refutes and in_arrival(run.antenna, run.level) >= TEACHES_PERMILLE:
            run.antenna.learn(run.level)
        self._astray.placed(run.last_at, epc, old)
        _look_at(tag, epc, tag.silence_end())
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
                facts.extend(self._learned(zone).facts)
            for epc, tag in self._due(zone):
                if tag.silence_end() <= zone.lived:
                    del self._tags[epc]
                    gap = tag.seen_at <= zone.resumed_at
                    facts.append(self._departure(epc, tag, "found_after_gap" if gap else "live"))
                    deletes.append(TAG_ROW + epc)
                    moved = self._moved(zone)
                    facts.extend(moved.facts)
                    puts.extend(moved.puts)
                    self._astray.left(now, epc, tag)
                    self._passed.left(epc)
                    kept = self._gone_rows.keep(now, epc, self._astray.gone(epc))
                    puts.extend(kept.puts)
                    deletes.extend(kept.deletes)
                    continue
                due = tag.silence_end()
                if epc in self._passed:
                    due = min(due, zone.lived + LOOK_NS)
                    facts.extend(self._still_stands(now, epc, tag))
                span = tag.pace.measure(zone.lived, max(zone.floor, tag.arrived))
                if not tag.stirred_nats:
                    zone.silences.watched(span, tag.pace.gap)
                if tag.pace.told_anew(tag.window_ns()):
                    facts.append(ReadPace(zone.location, epc, tag.pace.told))
                    if tag.pace.kept_anew():
                        puts.append(_row(epc, tag))
                _look_at(tag, epc, due)
        if not (facts or puts):
            return NOTHING
        return Turn(facts=tuple(facts), puts=tuple(puts), deletes=tuple(deletes))

    def _still_stands(self, now: Ns, epc: str, tag: Standing) -> Iterator[StillStands]:
        """What is told of a tag that is said to have passed a gate."""
        if self._passed.stands(now, epc, tag):
            sure = in_arrival(tag.antenna, tag.rssi)
            yield StillStands(tag.zone.location, epc, tag.reads, tag.rssi, sure)

    def _due(self, zone: WatchedZone) -> Iterator[tuple[str, Standing]]:
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
                yield ReadPace(zone.location, epc, tag.pace.told)
        zone.restored_slow.clear()

    def _departure(self, epc: str, tag: Standing, cause: Cause) -> Departure:
        return Departure(
            zone=tag.zone.location,
            epc=epc,
            last_seen=tag.left_at(),
            reads=tag.reads,
            rssi_cdbm=tag.rssi,
            confidence_permille=in_departure(tag.antenna, tag.rssi, roamed=tag.stirred_nats > 0),
            cause=cause,
        )


def _stood_before(run: Run) -> bool:
    """Whether a tag stood there before the gateway first watched: it was read before the zone was
    known, or little later where it is read badly and not on its way.
    """
    zone = run.antenna.zone
    watched_ns = run.began - zone.known_from
    if watched_ns < 0:
        return True
    gap_ns = max(1, (run.last_at - run.first_at) // max(1, run.samples - 1))
    late = watched_ns < min(LATE_FOUND_NS, MISSED_MAX * gap_ns)
    return late and run.antenna.near(run.level) < 0 and run.here_since == run.since


def _look_at(tag: Standing, epc: str, due: Ns) -> None:
    tag.due = due
    heapq.heappush(tag.zone.deadlines, (due, epc))


def _row(epc: str, tag: Standing) -> Row:
    if not tag.pace.kept:
        return Row(TAG_ROW + epc, {"zone": tag.zone.location})
    return Row(TAG_ROW + epc, {"zone": tag.zone.location, "leave_ms": tag.pace.kept // NS_PER_MS})
