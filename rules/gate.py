"""One gate: its tags, those of them with something to judge, and the loads that passed of late.

Part of the portal rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import NS_PER_S, Coverage, Ns, Passage, TagRead
from rules.gate_company import RECENT_BINS, Company, came_with, companies
from rules.gate_expected import Expected
from rules.gate_joining import load_of
from rules.gate_levels import SAME_CDB
from rules.gate_story import BIN_NS
from rules.gate_track import Track
from rules.gate_verdict import Limits, Verdict, alone, with_load

TRACKS_MAX = 10_000
"""Tags known at one gate; those that sleep and were never seen to stand are forgotten first."""

RSSI_UNKNOWN_CDBM = -6000
"""Assumed where a reader tells no RSSI: every read then weighs the same."""

STOOD_MARGIN_CDB = 1000
"""An antenna that did not hear a tag stand must hear it this near to how loud it was elsewhere."""

PARTNER_WAIT_NS = 10 * NS_PER_S
"""What a gate waits for the one of its readers that does not answer; then it counts as blind."""

BLIND_NS = 5 * NS_PER_S
"""A tag first heard so soon after blind time may have been in view before."""

HOLD_NS = 40 * NS_PER_S
"""What a tag waits for the load with which it came: a talk in the gate, and the way on."""

AFTER_NS = 10 * NS_PER_S
"""Reads so soon after a passage are of what has passed, and show no tag that stands."""

UNMOVED_NS = 10 * NS_PER_S
"""A tag that stands so long and was not seen to move has nothing to judge."""

NEAR_NS = 5 * NS_PER_S
"""A passage is told with at most so much time before and after it."""

PAST_NS, PAST_MAX = HOLD_NS, 8
"""How long, and how many, loads that passed are remembered: as long as a tag waits that may be of
one of them, so that it never goes with the other for want of a rival.
"""


class Gate:
    """`watched` is until when each of its readers was demonstrably read; `idle` are tracks that
    sleep and were not seen to stand.
    """

    def __init__(self, portal: str, limits: Limits, rise_cdb: int, expected: Expected) -> None:
        self.portal = portal
        self.antennas: dict[str, set[int]] = {}
        self.watched: dict[str, Ns] = {}
        self.tracks: dict[str, Track] = {}
        self.awake: dict[str, Track] = {}
        self._idle: dict[str, Track] = {}
        self._past: list[Company] = []
        self._loads: list[Company] = []
        self._blind_at: Ns = -BLIND_NS
        self._limits = limits
        self._rise_cdb = rise_cdb
        self._expected = expected

    def note(self, at: Ns, read: TagRead, side: int, antenna: int) -> None:
        """Take in a read of one of its antennas."""
        track = self.tracks.get(read.epc)
        rssi = read.rssi_cdbm
        level = RSSI_UNKNOWN_CDBM if rssi is None else rssi
        if track is None:
            track = self._begin(read, at)
        known = track.levels.known.get(antenna)
        if not track.awake:
            if known is None:
                if level < track.peak - STOOD_MARGIN_CDB:
                    return
            elif level - known.level <= SAME_CDB:
                if track.home is None and level - known.level >= -SAME_CDB:
                    track.home = side
                return
            self._wake(track, at - read.span_ns)
        track.silent_from = max(track.silent_from, at)
        track.coarse = track.coarse or rssi is None or read.seen_count > 1
        above = None if known is None else level - known.level
        self._compare(track, at, antenna, level, above)
        if above is not None and -SAME_CDB <= above <= SAME_CDB and track.levels.standing:
            return
        if at > track.settled_until:
            track.add(at - read.span_ns, at, side, level, read.seen_count)

    def watch(self, now: Ns, coverage: Coverage) -> list[Passage]:
        """Judge what has passed, or was silent while the gate was watched."""
        device = coverage.device
        self.watched[device] = now
        blind = coverage.resumed or 0 in coverage.blind_antennas
        if blind or not self.antennas[device].isdisjoint(coverage.blind_antennas):
            self._blind_at = now
            for track in self.awake.values():
                track.blind = True
                if coverage.resumed:
                    track.silent_from = now
        self._past = [load for load in self._past if load.expires > now][-PAST_MAX:]
        return self._judge_all(now) if self.awake else []

    def _begin(self, read: TagRead, at: Ns) -> Track:
        if len(self.tracks) >= TRACKS_MAX:
            oldest = next(iter(self._idle or self.tracks))
            for known in (self._idle, self.awake, self.tracks):
                known.pop(oldest, None)
        begun = at - read.span_ns
        track = Track(read.epc, begun, at, at)
        track.blind = begun - self._blind_at < BLIND_NS
        self.tracks[read.epc] = self.awake[read.epc] = track
        return track

    def _wake(self, track: Track, begun: Ns) -> None:
        track.awake = True
        track.since = track.until = begun
        self._idle.pop(track.epc, None)
        self.awake[track.epc] = track

    def _compare(self, track: Track, at: Ns, antenna: int, level: int, above: int | None) -> None:
        """See whether it is heard as it stood, or as never before."""
        if track.home is not None and (above is None or above >= self._rise_cdb):
            track.risen += 1
            track.levels.leave()
        elif above is None and track.coarse:
            track.levels.leave()
        track.levels.compare(at, antenna, level)

    def _judge_all(self, now: Ns) -> list[Passage]:
        tracks = [track for track in self.awake.values() if track.bins]
        loads = companies(
            track
            for track in tracks
            if not (track.told and track.story().direction == "turned_back")
        )
        near = {
            track.epc: load_of(track, loads + self._past, self._limits.knob.lead)
            for track in tracks
        }
        self._loads = loads
        self._let_go(now, tracks, loads, near)
        told: list[Passage] = []
        for track in list(self.awake.values()):
            load = near.get(track.epc)
            passed = load is not None and load.expires and not track.told
            if load is not None and passed and self._goes_too(now, track, load):
                told += self._passed(track, load)
            told += self._judge(now, track, load)
        return told

    def _let_go(
        self,
        now: Ns,
        tracks: Iterable[Track],
        loads: Iterable[Company],
        near: dict[str, Company | None],
    ) -> None:
        """Find the loads that have passed."""
        if self._blind_at > now - self._limits.quiet_ns:
            return
        known = (min(self.watched.values()) - self._limits.late_ns) // BIN_NS - RECENT_BINS + 1
        knob, untold = self._limits.knob, [track for track in tracks if not track.told]
        back = [track for track in untold if _goes_back(track)]
        for load in loads:
            followers = [track for track in untold if near[track.epc] is load]
            others = sum(track.since < load.turn * BIN_NS for track in back)
            if 2 * others <= len(load.members) and load.gone(followers, now // BIN_NS, known, knob):
                load.expires = now + PAST_NS
                self._past.append(load)

    def _goes_too(self, now: Ns, track: Track, load: Company) -> bool:
        """Whether it tells the story of its load that has passed, or is silent as that is."""
        if track.story().direction == load.direction:
            return True
        return came_with(track, load) and now - track.silent_from > self._limits.late_ns

    def _passed(self, track: Track, load: Company) -> list[Passage]:
        """Its load has passed, and its own story agrees."""
        verdict = with_load(track, load, self._expected.way(self.portal, track.epc))
        if verdict is None:
            return []
        passage = self._passage(track, verdict)
        track.settle(load.side)
        track.told = True
        return [passage]

    def _judge(self, now: Ns, track: Track, load: Company | None) -> list[Passage]:
        """Judge a tag that is silent, or stands."""
        if track.told and not track.bins:
            if now - track.silent_from > AFTER_NS:
                self._forget(track)
            return []
        quiet_ns = self._limits.quiet_ns
        watched = min(self.watched.values()) - quiet_ns
        silent = track.silent_from <= watched
        if not silent and track.silent_from <= now - quiet_ns - PARTNER_WAIT_NS:
            silent = track.blind = True
        if silent:
            return [] if self._waits(now, track, load) else self._fallen_silent(now, track, load)
        if track.levels.standing:
            stood_ns = watched - track.levels.since
            if stood_ns > self._limits.static_ns or (track.settled and track.until <= watched):
                return self._come_to_stand(track)
            unmoved = stood_ns > UNMOVED_NS and not track.levels.moved and not track.told
            if unmoved and not self._accompanied(track):
                self._sleep(track)
        return []

    def _waits(self, now: Ns, track: Track, load: Company | None) -> bool:
        """Whether it is silent, but most of its load is not."""
        if load is None or load.expires or now - track.silent_from >= HOLD_NS:
            return False
        heard = sum(now - one.silent_from < self._limits.quiet_ns for one in load.members)
        return heard * 2 >= len(load.members)

    def _fallen_silent(self, now: Ns, track: Track, load: Company | None) -> list[Passage]:
        verdict = None
        if track.bins:
            way = self._expected.way(self.portal, track.epc)
            verdict = None if load is None else with_load(track, load, way)
            if verdict is None and (load is None or load.direction != "turned_back"):
                verdict = alone(track, self._limits, way)
        unclear = verdict is None or verdict.direction == "uncertain"
        if unclear and self._lingers(now, track):
            return []
        told = [] if verdict is None else [self._passage(track, verdict)]
        if verdict is not None and not unclear:
            side = {"in": 1, "out": 0}.get(verdict.direction, track.story().side)
            track.settle(side)
            track.told = True
            track.home = side if load is None and verdict.direction == "turned_back" else None
        elif track.told:
            self._forget(track)
        else:
            self._sleep(track)
        return told

    def _forget(self, track: Track) -> None:
        """It has passed. What turned back by itself may be one that stands there."""
        track.told = False
        if track.home is None:
            del self.awake[track.epc], self.tracks[track.epc]
        else:
            self._sleep(track)

    def _lingers(self, now: Ns, track: Track) -> bool:
        """Whether the load with which it came may say more of it."""
        if track.told or track.home is not None or now - track.silent_from >= HOLD_NS:
            return False
        return self._accompanied(track)

    def _accompanied(self, track: Track) -> bool:
        """Whether it came into view with a load."""
        if not track.accompanied:
            track.accompanied = any(came_with(track, load) for load in self._loads)
        return track.accompanied

    def _come_to_stand(self, track: Track) -> list[Passage]:
        """What it did before is judged; from now on it is known to stand here."""
        way = self._expected.way(self.portal, track.epc)
        verdict = alone(track, self._limits, way) if track.bins else None
        told: list[Passage] = []
        if verdict is not None and verdict.direction in ("in", "out"):
            told = [self._passage(track, verdict)]
            track.home = int(verdict.direction == "in")
        elif track.home is None and track.levels.moved:
            story = track.story()
            track.home = story.side if story.direction == "turned_back" else 1 - story.side
        track.told = False
        self._sleep(track)
        track.settled = True
        self._idle.pop(track.epc, None)
        track.peak = max(known.level for known in track.levels.known.values())
        return told

    def _sleep(self, track: Track) -> None:
        """Nothing is to be judged until it is heard as never before."""
        if track.home is None and track.levels.repeats:
            track.home = track.louder_side()
        del self.awake[track.epc]
        track.awake = track.accompanied = False
        track.settle(track.home)
        if not track.settled:
            self._idle[track.epc] = track

    def _passage(self, track: Track, verdict: Verdict) -> Passage:
        turn = verdict.turn * BIN_NS
        since = max(track.since, turn - NEAR_NS)
        return Passage(
            portal=self.portal,
            epc=track.epc,
            direction=verdict.direction,
            since=since,
            until=max(since, min(track.until, turn + NEAR_NS)),
            reads=sum(track.reads),
            rssi_cdbm=track.peak,
            confidence_permille=verdict.confidence_permille,
        )


def _goes_back(track: Track) -> bool:
    """Whether it was carried, and as far as is known not through the gate."""
    return track.levels.moved and track.story().direction == "turned_back"
